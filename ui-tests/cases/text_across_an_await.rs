use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn pick(x: i64) -> &'static str {
    if x > 1 { "big" } else { "small" }
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let text = pick(x);
    give(x).await?;
    Ok(text.len() as i64)
}

fn main() {}
