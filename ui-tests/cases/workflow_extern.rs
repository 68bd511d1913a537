use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async extern "C" fn run(x: i64) -> Result<i64, WorkflowError> {
    Ok(x)
}

fn main() {}
