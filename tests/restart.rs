//! Opening again: runs go on by themselves, finished activities are not executed again.

use std::sync::atomic::{AtomicU32, Ordering};

use tests::provider::config;
use tests::{on_server, open, reach};
use workflow::FailureKind;
use workflow::prelude::*;

static FIRST: AtomicU32 = AtomicU32::new(0);
static SECOND: AtomicU32 = AtomicU32::new(0);

#[activity]
async fn first() -> Result<u32, ActivityError> {
    Ok(FIRST.fetch_add(1, Ordering::SeqCst) + 1)
}

/// Hangs the first time, so that the engine is closed under it.
#[activity(retry(max_attempts = 2))]
async fn second(ctx: ActivityContext) -> Result<u32, ActivityError> {
    if SECOND.fetch_add(1, Ordering::SeqCst) == 0 {
        std::future::pending::<()>().await;
    }
    Ok(ctx.attempt())
}

#[workflow]
async fn two_steps() -> Result<(u32, u32), WorkflowError> {
    let one = first().await?;
    let two = second().await?;
    Ok((one, two))
}

#[tokio::test]
async fn goes_on_and_a_lost_attempt_does_not_count() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<two_steps>(data.path()).await;
    let run = executor.start(two_steps()).id("two").await.unwrap();
    reach(&run, |state| matches!(state, TwoStepsState::Second { .. })).await;
    while SECOND.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    executor.shutdown().await;

    let executor = open::<two_steps>(data.path()).await;
    let run = executor.handle::<two_steps>("two").await.unwrap();
    // `first` ran once; the lost attempt of `second` was made again under its number, or under the
    // next on a server, which counts it.
    let attempt = if on_server() { 2 } else { 1 };
    assert_eq!(run.result().await.unwrap(), (1, attempt));
    assert_eq!(FIRST.load(Ordering::SeqCst), 1);
    assert_eq!(SECOND.load(Ordering::SeqCst), 2);
}

static BEGUN: AtomicU32 = AtomicU32::new(0);

#[activity(retry(max_attempts = 1))]
async fn at_most_once() -> Result<(), ActivityError> {
    BEGUN.fetch_add(1, Ordering::SeqCst);
    std::future::pending().await
}

#[workflow]
async fn careful() -> Result<String, WorkflowError> {
    match at_most_once().await {
        Ok(()) => Ok("done".to_owned()),
        Err(error) if error.kind() == FailureKind::Lost => Ok("lost".to_owned()),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn at_most_once_is_lost_and_not_begun_again() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<careful>(data.path()).await;
    let run = executor.start(careful()).id("careful").await.unwrap();
    reach(&run, |state| {
        matches!(state, CarefulState::AtMostOnce { .. })
    })
    .await;
    while BEGUN.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop((executor, run));
    let executor = open::<careful>(data.path()).await;
    let run = executor.handle::<careful>("careful").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "lost");
    assert_eq!(BEGUN.load(Ordering::SeqCst), 1);
}

#[activity(retry(max_attempts = 3))]
async fn never_returns() -> Result<(), ActivityError> {
    std::future::pending().await
}

#[workflow]
async fn deadly() -> Result<(), WorkflowError> {
    never_returns().await?;
    Ok(())
}

#[tokio::test]
async fn an_activity_that_dies_with_every_process_is_set_aside() {
    if on_server() {
        return; // It counts such attempts.
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<deadly>(data.path()).await;
    executor.start(deadly()).id("deadly").await.unwrap();
    executor.shutdown().await;
    for _ in 0..99 {
        let executor = open::<deadly>(data.path()).await;
        assert!(executor.set_aside().await.unwrap().is_empty());
        executor.shutdown().await;
    }
    let executor = open::<deadly>(data.path()).await;
    let aside = executor.set_aside().await.unwrap();
    assert!(
        aside[0].reason.contains("died with the process 100 times"),
        "{aside:?}"
    );
    let run = executor.handle::<deadly>("deadly").await.unwrap();
    assert!(matches!(run.result().await, Err(RunError::SetAside { .. })));
    executor.shutdown().await;

    // Perhaps it was a neighbour that killed the process: it is tried again.
    let executor = open::<deadly>(data.path()).await;
    assert!(executor.set_aside().await.unwrap().is_empty());
    let run = executor.handle::<deadly>("deadly").await.unwrap();
    executor.cancel("deadly").await.unwrap();
    assert!(matches!(run.result().await, Err(RunError::Canceled(_))));
}

#[activity(retry(max_attempts = 1))]
async fn verbose() -> Result<(), ActivityError> {
    Err(ActivityError::new("x".repeat(1 << 20)))
}

#[workflow]
async fn talks() -> Result<(), WorkflowError> {
    verbose().await?;
    Ok(())
}

#[tokio::test]
async fn the_text_of_a_failure_has_a_limit() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<talks>(data.path()).await;
    let error = executor.execute(talks()).await.unwrap_err();
    assert!(error.failure().unwrap().message.len() < 100_000);
}

#[workflow]
async fn hoards(ctx: &mut Context) -> Result<usize, WorkflowError> {
    ctx.sleep(Duration::from_millis(1)).await?;
    let hoard = "x".repeat(300 << 20);
    ctx.sleep(Duration::from_millis(1)).await?;
    Ok(hoard.len())
}

#[tokio::test]
async fn a_step_too_large_to_save_sets_its_run_aside() {
    if on_server() {
        return; // It saves no states.
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<hoards>(data.path()).await;
    let run = executor.start(hoards()).id("h").await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(
        error.to_string().contains("too much to save at once"),
        "{error}"
    );
    executor.shutdown().await;
    // It bars nobody from opening.
    let executor = open::<hoards>(data.path()).await;
    executor.terminate("h", "too large").await.unwrap();
}

#[test]
fn a_runtime_that_lacks_something_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let open = |runtime: &mut tokio::runtime::Builder| {
        let (provider, config) = config(data.path());
        let opening = workflow::new(provider, config.register::<careful>());
        runtime.build().unwrap().block_on(opening)
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let error = open(&mut runtime).unwrap_err();
    assert!(error.to_string().contains("enable_time()"), "{error}");
    match open(runtime.enable_time()) {
        Ok(_) => assert!(!on_server()),
        Err(error) => assert!(error.to_string().contains("enable_io()"), "{error}"),
    }
}

#[tokio::test]
async fn results_are_kept_after_the_end() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<tests::shout>(data.path()).await;
    let run = executor
        .start(tests::shout("hi".to_owned()))
        .id("s")
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), "HI!");
    drop((executor, run));
    let executor = open::<tests::shout>(data.path()).await;
    let run = executor.handle::<tests::shout>("s").await.unwrap();
    assert_eq!(run.status().await.unwrap(), Status::Completed);
    assert_eq!(run.result().await.unwrap(), "HI!");
    assert_eq!(executor.query("s", "result").await.unwrap(), "HI!");
}

#[tokio::test]
async fn the_run_does_not_depend_on_its_caller() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<tests::shout>(data.path()).await;
    // A request that is dropped while it starts a run, as a web handler is.
    let start = executor
        .start(tests::shout("hi".to_owned()))
        .id("s")
        .into_future();
    let _ = tokio::time::timeout(Duration::ZERO, start).await;
    let result = loop {
        if let Ok(run) = executor.handle::<tests::shout>("s").await {
            break run.result().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(result, "HI!");
}
