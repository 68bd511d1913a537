//! Several operations at once: all of them, the first of them, and one begun now and awaited later.

use workflow::prelude::*;

#[activity]
async fn ask(supplier: String) -> Result<u32, ActivityError> {
    tokio::time::sleep(Duration::from_millis(20 * supplier.len() as u64)).await;
    println!("{supplier} has answered");
    Ok(100 + supplier.len() as u32)
}

#[activity]
async fn reserve(item: &str) -> Result<String, ActivityError> {
    Ok(format!("{item} is reserved"))
}

#[workflow]
async fn order(ctx: &mut Context, suppliers: Vec<String>) -> Result<String, WorkflowError> {
    let reserved = ctx.start(reserve("a bicycle"));
    let mut best = u32::MAX;
    for price in join_all(suppliers.into_iter().map(ask)).await {
        best = best.min(price?);
    }
    let agreed = select! {
        agreed = ctx.wait_for_signal::<bool>("agreed", Duration::MAX) => agreed?,
        slept = ctx.sleep(Duration::from_secs(1)) => {
            slept?;
            true // who says nothing agrees
        }
    };
    Ok(format!("{}; {best} paid: {agreed}", reserved.await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let config = Config::new().path(directory.path()).register::<order>();
    let executor = workflow::new("default", config).await?;
    let suppliers = ["Sun", "Moon & Co", "Star"].map(str::to_owned).to_vec();
    let run = executor.start(order(suppliers)).await?;
    println!("{}", run.result().await?);
    Ok(())
}
