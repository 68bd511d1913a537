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
    #[allow_nondeterminism(reason = "only for the log")]
    let logged = std::time::SystemTime::now();
    #[allow_nondeterminism]
    let unexplained = std::time::SystemTime::now();
    Ok(x)
}

fn main() {}
