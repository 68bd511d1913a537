//! Cancellation: it interrupts what is awaited with an error; the workflow may clean up.

use std::error::Error;

use workflow::prelude::*;

#[activity]
async fn book(room: &str) -> Result<(), ActivityError> {
    println!("booked {room}");
    Ok(())
}

#[activity]
async fn release(room: &str) -> Result<(), ActivityError> {
    println!("released {room}");
    Ok(())
}

#[workflow]
async fn stay(ctx: &mut Context, room: String) -> Result<String, WorkflowError> {
    book(&room).await?;
    if let Err(error) = ctx.sleep(Duration::from_hours(72)).await {
        // Later awaits work: only the one that was under way is interrupted.
        release(&room).await?;
        return Err(error);
    }
    Ok(format!("slept well in {room}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<stay>();
    let executor = workflow::new("default", config).await?;
    let run = executor.start(stay("room 7".to_owned())).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    run.cancel().await?;
    println!("{}", run.result().await.unwrap_err());
    println!("status: {}", run.status().await?);
    Ok(())
}
