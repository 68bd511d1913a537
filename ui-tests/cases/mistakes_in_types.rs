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

#[workflow]
async fn no_tail(x: i64) -> Result<i64, WorkflowError> {
    let y = give(x).await?;
    Ok(y);
}

#[workflow]
async fn wrong_return(x: i64) -> Result<i64, WorkflowError> {
    for i in 0..x {
        if give(i).await? > 3 {
            return i;
        }
        if i == 7 {
            return Ok(format!("seven"));
        }
    }
    Ok(x)
}

#[workflow]
async fn wrong_arguments(x: i64) -> Result<i64, WorkflowError> {
    give(x, give(x).await?).await?;
    let s: String = format!("{}", give(x).await?).len();
    Ok(vec![give(x).await?, 2u8][0])
}

#[workflow]
async fn moved_by_a_call(order: Order, other: Order) -> Result<i64, WorkflowError> {
    give(take(order)).await?;
    let third = Some(other);
    give(order.id).await?;
    Ok(other.id)
}

fn take(order: Order) -> i64 {
    order.id
}

fn main() {}
