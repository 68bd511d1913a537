//! What calls something with a mistake in it sees what it gives all the same.

use workflow::prelude::*;

#[activity(start_to_close = "5m")]
async fn price(item: String) -> Result<i64, ActivityError> {
    Ok(item.len() as i64)
}

#[workflow]
async fn paid(item: String) -> Result<i64, WorkflowError> {
    let pay = async { price(item).await };
    Ok(pay.await? + 1)
}

#[workflow]
async fn order(ctx: &mut Context, item: String) -> Result<i64, WorkflowError> {
    let priced: i64 = price(item.clone()).await?;
    let inline: i64 = paid(ctx, item.clone()).await?;
    let child = paid(item).await?;
    Ok(priced + inline + child)
}

fn main() {}
