use workflow::prelude::*;

struct Order(i64);
struct Receipt(i64);

#[activity]
async fn by_value(order: Order) -> Result<i64, ActivityError> {
    Ok(order.0)
}

#[activity]
async fn by_reference(n: i64, order: &Order) -> Result<i64, ActivityError> {
    Ok(order.0 + n)
}

#[activity]
async fn output(n: i64) -> Result<Receipt, ActivityError> {
    Ok(Receipt(n))
}

#[workflow]
async fn run(n: i64) -> Result<i64, WorkflowError> {
    by_reference(n, &Order(2)).await?;
    by_value(Order(2)).await?;
    Ok(output(n).await?.0)
}

fn main() {}
