use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

struct Receipt(i64);

#[workflow]
async fn run(n: i64) -> Result<Receipt, WorkflowError> {
    if n < 0 {
        return Ok(Receipt(0));
    }
    let n = give(n).await?;
    Ok(Receipt(n))
}

async fn main_of_a_user(executor: Executor) -> Result<(), Box<dyn std::error::Error>> {
    let handle = executor.start(run(1)).await?;
    drop(handle.result().await?);
    Ok(())
}

fn main() {}
