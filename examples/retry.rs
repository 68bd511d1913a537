//! Retries: an activity that fails is tried again under its policy, unless that cannot help.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use workflow::prelude::*;

static CALLS: AtomicU32 = AtomicU32::new(0);

#[activity(
    timeout = "30s",
    retry(
        max_attempts = 5,
        initial_interval = "50ms",
        backoff_coefficient = 2.0,
        max_interval = "1s"
    )
)]
async fn flaky(ctx: ActivityContext) -> Result<u32, ActivityError> {
    let call = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    println!("flaky: attempt {}", ctx.attempt());
    if call < 3 {
        return Err(ActivityError::new("the service is busy"));
    }
    Ok(call)
}

#[activity]
async fn hopeless(card: &str) -> Result<(), ActivityError> {
    println!("hopeless: one attempt is enough");
    Err(ActivityError::non_retryable(format!(
        "card {card} is expired"
    )))
}

#[workflow]
async fn pay(card: String) -> Result<String, WorkflowError> {
    let attempts = flaky().await?;
    match hopeless(&card).await {
        Ok(()) => Ok("paid".to_owned()),
        Err(error) => Ok(format!("after {attempts} attempts: {error}")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<pay>();
    let executor = workflow::new("default", config).await?;
    println!("{}", executor.execute(pay("4711".to_owned())).await?);
    Ok(())
}
