//! Durable timers: a sleep goes on counting while the process is down.

use std::error::Error;

use workflow::prelude::*;

#[activity]
async fn remind(person: &str, round: u32) -> Result<(), ActivityError> {
    println!("reminder {round} to {person}");
    Ok(())
}

#[workflow]
async fn reminders(
    ctx: &mut Context,
    person: String,
    every: Duration,
) -> Result<u32, WorkflowError> {
    for round in 1..=3u32 {
        remind(&person, round).await?;
        ctx.sleep(every).await?;
    }
    Ok(3)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let open = || {
        workflow::new(
            "default",
            Config::new().path(data.path()).register::<reminders>(),
        )
    };

    let executor = open().await?;
    let call = reminders("Ada".to_owned(), Duration::from_millis(500));
    executor.start(call).id("ada").await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    println!("closing the engine, in the middle of a sleep");
    executor.shutdown().await;

    let executor = open().await?;
    let run = executor.handle::<reminders>("ada").await?;
    println!("opened again, at {:?}", run.state().await?);
    println!("{} reminders were sent", run.result().await?);
    Ok(())
}
