use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

macro_rules! own {
    ($value:expr) => {
        $value
    };
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    Ok(own!(give(x).await?))
}

fn main() {}
