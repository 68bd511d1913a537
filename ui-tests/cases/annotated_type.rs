use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

struct Plain(i64);

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let plain: Plain = Plain(x);
    give(x).await?;
    Ok(plain.0)
}

fn main() {}
