use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    #[cfg(test)]
    give(x).await?;
    #[cfg(not(test))]
    let y = 1;
    give(2).await?;
    Ok(x + y)
}

fn main() {}
