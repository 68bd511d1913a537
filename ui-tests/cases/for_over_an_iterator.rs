use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn twice(n: i64) -> i64 {
    n * 2
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    for n in [1, 2].into_iter().flat_map(|n| [n, twice(n)]) {
        give(n).await?;
    }
    Ok(x)
}

fn main() {}
