use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let short = &format!("{x}");
    if x > 1 {
        if x > 2 {
            give(x).await?;
            return Ok(1);
        }
    } else {
        drop(1);
    }
    Ok(short.len() as i64)
}

fn main() {}
