use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    if x > 1 {
        const FACTOR: i64 = 2;
        give(FACTOR).await?;
    }
    Ok(x)
}

fn main() {}
