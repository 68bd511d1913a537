use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let later = async || give(x).await;
    drop(later);
    Ok(give(x).await?)
}

fn main() {}
