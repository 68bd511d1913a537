//! Durable timers, and the run's own timeout, across restarts.

use tests::{open, reach};
use workflow::prelude::*;

#[workflow]
async fn nap(ctx: &mut Context, length: Duration) -> Result<Duration, WorkflowError> {
    let start = ctx.now();
    ctx.sleep(length).await?;
    Ok(ctx.now().duration_since(start)?)
}

#[tokio::test]
async fn a_sleep_is_never_too_short() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<nap>(data.path()).await;
    let length = Duration::from_millis(30);
    assert!(executor.execute(nap(length)).await.unwrap() >= length);
}

#[tokio::test]
async fn a_timer_that_passed_while_down_fires_at_once() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<nap>(data.path()).await;
    executor
        .start(nap(Duration::from_millis(50)))
        .id("nap")
        .await
        .unwrap();
    executor.shutdown().await;
    std::thread::sleep(Duration::from_millis(100));
    let executor = open::<nap>(data.path()).await;
    let run = executor.handle::<nap>("nap").await.unwrap();
    assert!(run.result().await.unwrap() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_timeout_that_passed_while_down_ends_the_run() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<nap>(data.path()).await;
    executor
        .start(nap(Duration::from_hours(1)))
        .id("nap")
        .timeout(Duration::from_millis(50))
        .await
        .unwrap();
    executor.shutdown().await;
    std::thread::sleep(Duration::from_millis(100));
    let executor = open::<nap>(data.path()).await;
    let run = executor.handle::<nap>("nap").await.unwrap();
    assert!(matches!(run.result().await, Err(RunError::TimedOut { .. })));
}

#[tokio::test]
async fn a_timer_keeps_its_time_over_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<nap>(data.path()).await;
    let run = executor
        .start(nap(Duration::from_hours(1)))
        .id("nap")
        .await
        .unwrap();
    reach(&run, |state| matches!(state, NapState::Sleep { .. })).await;
    drop(run);
    drop(executor);
    let executor = open::<nap>(data.path()).await;
    let run = executor.handle::<nap>("nap").await.unwrap();
    assert!(matches!(
        run.state().await.unwrap(),
        Some(NapState::Sleep { .. })
    ));
    assert_eq!(run.status().await.unwrap(), Status::Running);
}

#[workflow]
async fn facts(ctx: &mut Context) -> Result<(bool, bool), WorkflowError> {
    let first = (ctx.random(), ctx.uuid(), ctx.run_id().to_owned());
    ctx.sleep(Duration::from_millis(1)).await?;
    let second = (ctx.random(), ctx.uuid(), ctx.run_id().to_owned());
    Ok((
        first.0 != second.0 && first.1 != second.1,
        first.2 == second.2,
    ))
}

#[tokio::test]
async fn random_numbers_differ_and_the_run_id_stays() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<facts>(data.path()).await;
    assert_eq!(executor.execute(facts()).await.unwrap(), (true, true));
}
