use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let y = const { give(1).await };
    drop(y);
    Ok(x)
}

fn main() {}
