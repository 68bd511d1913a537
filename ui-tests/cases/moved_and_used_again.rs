use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let name = format!("{x}");
    drop(name);
    give(x).await?;
    drop(name);
    Ok(x)
}

fn main() {}
