use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let all = vec![1, 2, 3];
    for n in &all {
        give(*n).await?;
    }
    for n in all.iter() {
        give(*n).await?;
    }
    Ok(x)
}

fn main() {}
