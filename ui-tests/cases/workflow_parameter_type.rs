use workflow::prelude::*;

struct Order(i64);

#[workflow]
async fn run(order: Order) -> Result<i64, WorkflowError> {
    Ok(order.0)
}

async fn main_of_a_user(executor: Executor) -> Result<(), Box<dyn std::error::Error>> {
    drop(Config::new().register::<run>());
    let handle = executor.start(run(Order(1))).await?;
    println!("{} {:?}", handle.result().await?, handle.state().await?);
    Ok(())
}

fn main() {}
