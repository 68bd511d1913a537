use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn pairs(n: i64) -> Vec<(String, u8)> {
    vec![(n.to_string(), 1)]
}

#[workflow(typed)]
async fn run(n: i64) -> Result<i64, WorkflowError> {
    let names = pairs(n);
    let annotated: Vec<(String, u8)> = pairs(n);
    let total = n + 1;
    let again = give(n).await?;
    give(again).await?;
    drop((names, annotated));
    Ok(total + again)
}

fn main() {}
