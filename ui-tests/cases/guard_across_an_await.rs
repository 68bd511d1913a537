use std::sync::Mutex;

use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

static LOCK: Mutex<i64> = Mutex::new(0);

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    #[workflow::allow(nondeterminism, reason = "it is about guards")]
    let _first = LOCK.lock().unwrap();
    drop(_first);
    #[workflow::allow(nondeterminism, reason = "it is about guards")]
    let _ = LOCK.lock();
    let _result = give(x).await?;
    let _unwanted = x.abs();
    for _ in 0..x {
        #[workflow::allow(nondeterminism, reason = "it is about guards")]
        let _guard = LOCK.lock().unwrap();
        if x > 1 {
            give(x).await?;
        }
    }
    #[workflow::allow(nondeterminism, reason = "it is about guards")]
    let _last = LOCK.lock().unwrap();
    Ok(x)
}

fn main() {}
