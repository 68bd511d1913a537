use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let name = format!("{x}");
    let short = &name;
    let trimmed = name.trim();
    give(x).await?;
    Ok((short.len() + trimmed.len()) as i64)
}

fn main() {}
