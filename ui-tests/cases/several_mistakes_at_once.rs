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
    let later = async { give(x).await };
    drop(later);
    match x {
        n if give(n).await? > 1 => Ok(1),
        _ => Ok(own!(give(x).await?)),
    }
}

fn main() {}
