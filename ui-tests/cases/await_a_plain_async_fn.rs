use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

async fn helper(x: i64) -> i64 {
    x
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let y = helper(x).await;
    Ok(give(y).await?)
}

fn main() {}
