use workflow::prelude::*;

#[workflow]
async fn child(n: i64) -> Result<i64, WorkflowError> {
    Ok(n)
}

#[workflow]
async fn parent(n: i64) -> Result<i64, WorkflowError> {
    let n = child(n).await?;
    Ok(n + 1)
}

fn main() {}
