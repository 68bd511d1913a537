use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    macro_rules! one {
        () => {
            1
        };
    }
    give(one!()).await?;
    Ok(x)
}

fn main() {}
