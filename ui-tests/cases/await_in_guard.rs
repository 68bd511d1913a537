use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    match x {
        n if give(n).await? > 1 => Ok(1),
        _ => Ok(2),
    }
}

fn main() {}
