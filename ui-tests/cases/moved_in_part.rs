use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let order = (format!("{x}"), x);
    let name = order.0;
    give(x).await?;
    drop(name);
    Ok(order.1)
}

fn main() {}
