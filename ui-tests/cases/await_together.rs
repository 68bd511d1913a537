use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn joined(n: i64) -> Result<i64, WorkflowError> {
    let (a, b) = tokio::join!(give(n), give(n + 1));
    let (c, d) = futures::try_join!(give(n), give(n + 1))?;
    Ok(a? + b? + c + d)
}

#[workflow]
async fn selected(n: i64) -> Result<i64, WorkflowError> {
    tokio::select! {
        a = give(n) => Ok(a?),
        b = give(n) => { give(2).await?; Ok(b?) }
    }
}

fn main() {}
