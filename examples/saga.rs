//! A saga: when a step fails, what was done before it is undone, the last first.

use std::error::Error;

use workflow::prelude::*;

#[activity(retry(max_attempts = 1))]
async fn book(what: &str, city: &str) -> Result<u32, ActivityError> {
    if what == "car" {
        return Err(ActivityError::new(format!("no car is left in {city}")));
    }
    println!("booked a {what} in {city}");
    Ok(what.len() as u32)
}

/// It is tried until it succeeds: there is no way back from here.
#[activity]
async fn cancel(what: &str, number: u32) -> Result<(), ActivityError> {
    println!("canceled the {what}, booking {number}");
    Ok(())
}

#[workflow]
async fn travel(city: String) -> Result<usize, WorkflowError> {
    let mut booked = Vec::new();
    for what in ["flight", "hotel", "car"] {
        match book(what, &city).await {
            Ok(number) => booked.push((what, number)),
            Err(error) => {
                // Killed here, it goes on with what is still to be undone.
                while let Some((what, number)) = booked.pop() {
                    cancel(what, number).await?;
                }
                return Err(error.into());
            }
        }
    }
    Ok(booked.len())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<travel>();
    let executor = workflow::new("default", config).await?;
    let run = executor.start(travel("Lisbon".to_owned())).await?;
    println!("{}", run.result().await.unwrap_err());
    Ok(())
}
