use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let order = Some(format!("{x}"));
    match &order {
        Some(name) => {
            give(x).await?;
            Ok(name.len() as i64)
        }
        None => Ok(0),
    }
}

fn main() {}
