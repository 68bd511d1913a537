use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    for n in [1, 2].into_iter().map(|n| n + x) {
        give(n).await?;
    }
    Ok(x)
}

fn main() {}
