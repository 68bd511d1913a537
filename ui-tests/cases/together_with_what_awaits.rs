use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

async fn helper(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
    Ok(n)
}

#[workflow]
async fn joined(n: i64) -> Result<i64, WorkflowError> {
    let (a, b) = join!(give(n), async { 5 });
    Ok(a? + b)
}

#[workflow]
async fn inline(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
    let n = helper(ctx, n).await?;
    Ok(n)
}

fn main() {}
