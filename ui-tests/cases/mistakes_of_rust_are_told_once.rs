use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let name = String::from(5);
    drop(name);
    drop(name);
    let y = give("five").await?;
    give(z).await?;
    Ok(unknown(y).await?)
}

fn main() {}
