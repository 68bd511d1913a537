// What the branches give meets in the machine in another way than in the function: rustc tells of it
// twice, in different words.
use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn wrong_branches(x: i64) -> Result<i64, WorkflowError> {
    let y = if x > 1 { give(x).await? } else { "no" };
    let z = match give(y).await {
        Ok(z) => z,
        Err(_) => String::new(),
    };
    while give(z).await? {}
    Ok(give(x).await? + give(x).await)
}

#[workflow]
async fn wrong_operand(x: i64) -> Result<i64, WorkflowError> {
    Ok(give(give(x).await).await?)
}

fn main() {}
