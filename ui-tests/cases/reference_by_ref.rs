use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let order = Some(format!("{x}"));
    if let Some(ref name) = order {
        give(x).await?;
        return Ok(name.len() as i64);
    }
    Ok(0)
}

fn main() {}
