use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let begun = std::time::Instant::now();
    let id = uuid::Uuid::new_v4();
    let dice = rand::random::<u8>();
    std::thread::sleep(Duration::from_secs(1));
    let home = std::env::var("HOME");
    println!("{x}");
    #[workflow::allow(nondeterminism, reason = "only for the log")]
    let logged = std::time::SystemTime::now();
    Ok(x)
}

#[workflow]
async fn under_other_names(x: i64) -> Result<i64, WorkflowError> {
    use std::env::*;
    use std::time::Instant as Clock;
    use std::{fs as files, thread::sleep as nap};
    type Time = std::time::SystemTime;
    let begun = Clock::now();
    nap(Duration::from_secs(1));
    let read = files::read("here");
    let home = var("HOME");
    Ok(x + Time::now().elapsed().unwrap().as_secs() as i64)
}

#[workflow]
async fn in_a_macro(x: i64) -> Result<i64, WorkflowError> {
    tracing::info!(id = %uuid::Uuid::new_v4(), "begun {}", x);
    assert!(x > 0, "at {:?}", std::time::Instant::now());
    Ok(x)
}

fn main() {}
