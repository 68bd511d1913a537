use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    id: i64,
    name: String,
}

#[workflow]
async fn wrong_tail(x: i64) -> Result<i64, WorkflowError> {
    let y = give(x).await?;
    y
}

#[workflow]
async fn wrong_question_mark(x: i64) -> Result<i64, WorkflowError> {
    let y = give(x).await?;
    let z = Some(y)?;
    let n: i64 = "5".parse::<i64>().map_err(|_| "no")?;
    Ok(z + n)
}

#[workflow]
async fn wrong_types(order: Order) -> Result<i64, WorkflowError> {
    let n: String = give(order.id).await?;
    let m = give(order.name).await?;
    let k = order.nothing;
    order.missing();
    Ok(m + n)
}

#[workflow]
async fn moved(order: Order) -> Result<i64, WorkflowError> {
    let other = order;
    give(order.id).await?;
    let third = other;
    give(1).await?;
    Ok(other.id + third.id)
}

fn main() {}
