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
    let y = x;
    {
        let y = give(y).await?;
        give(own!(y)).await?;
    }
    Ok(y)
}

fn main() {}
