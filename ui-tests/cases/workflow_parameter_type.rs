use workflow::prelude::*;

struct Order(i64);

#[workflow]
async fn run(order: Order) -> Result<i64, WorkflowError> {
    Ok(order.0)
}

fn main() {}
