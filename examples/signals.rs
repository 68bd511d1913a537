//! Signals: messages to a run, kept in order, also those that come before anyone waits.

use std::error::Error;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[derive(Serialize, Deserialize)]
enum Change {
    Add { item: String },
    CheckOut,
}

#[workflow]
async fn cart(ctx: &mut Context) -> Result<Vec<String>, WorkflowError> {
    let mut items: Vec<String> = Vec::new();
    loop {
        let change = ctx
            .wait_for_signal::<Change>("change", Duration::from_hours(24))
            .await?;
        match change {
            Change::Add { item } => items.push(item),
            Change::CheckOut => return Ok(items),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<cart>();
    let executor = workflow::new("default", config).await?;
    let run = executor.start(cart()).id("cart-1").await?;
    for item in ["tea", "milk"] {
        let item = item.to_owned();
        executor
            .signal("cart-1", "change", Change::Add { item })
            .await?;
    }
    println!("in the cart: {:?}", run.state().await?);
    println!(
        "a wrong name: {}",
        executor.signal("cart-1", "chnage", 1).await.unwrap_err()
    );
    println!(
        "a wrong type: {}",
        executor.signal("cart-1", "change", 1).await.unwrap_err()
    );
    executor
        .signal("cart-1", "change", Change::CheckOut)
        .await?;
    println!("bought: {:?}", run.result().await?);
    Ok(())
}
