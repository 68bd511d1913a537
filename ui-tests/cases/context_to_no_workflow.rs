use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

async fn helper(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
    ctx.sleep(Duration::from_secs(1)).await?;
    Ok(give(x).await?)
}

#[workflow]
async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
    let y = helper(ctx, x).await?;
    Ok(give(ctx, y).await?)
}

fn main() {}
