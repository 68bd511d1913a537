use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let twice = |n: i64| n * 2;
    let y = give(x).await?;
    Ok(twice(y))
}

fn main() {}
