//! A workflow that stands at every kind of await, for the tests that kill its worker there.

use std::fs::OpenOptions;
use std::io::Write;

use workflow::prelude::*;

/// Notes that it was done.
#[activity(timeout = "30s", retry(max_attempts = 20, initial_interval = "5ms"))]
pub async fn note(log: &str, what: &str) -> Result<usize, ActivityError> {
    let mut file = OpenOptions::new().append(true).create(true).open(log)?;
    writeln!(file, "begin {what}")?;
    // Time to be killed.
    tokio::time::sleep(Duration::from_millis(300)).await;
    writeln!(file, "end {what}")?;
    Ok(what.len())
}

/// A part of the way, as a run of its own.
#[workflow]
pub async fn leg(log: String) -> Result<usize, WorkflowError> {
    Ok(note(&log, "leg").await?)
}

/// An activity, a timer, a signal, a child, and several at once.
#[workflow]
pub async fn travel(ctx: &mut Context, log: String) -> Result<(usize, u32, u64), WorkflowError> {
    let drawn = ctx.random();
    let mut sum = note(&log, "train").await?;
    ctx.sleep(Duration::from_millis(500)).await?;
    let ticket: u32 = ctx
        .wait_for_signal("ticket", Duration::from_mins(10))
        .await?;
    sum += leg(log.clone()).await?;
    let (walked, slept) = join!(note(&log, "walk"), ctx.sleep(Duration::from_millis(500)));
    slept?;
    sum += walked?;
    Ok((sum, ticket, drawn))
}
