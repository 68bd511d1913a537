//! Workflow ids and run ids.

use tests::{open, open_with, reach, shout};
use workflow::prelude::*;

#[workflow]
async fn waits(ctx: &mut Context) -> Result<u32, WorkflowError> {
    ctx.wait_for_signal("go", Duration::MAX).await
}

#[tokio::test]
async fn an_id_in_use() {
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config.register::<waits>().register::<shout>()
    })
    .await;
    let first = executor.start(waits()).id("w").await.unwrap();
    reach(&first, |state| matches!(state, WaitsState::Go { .. })).await;

    let error = executor
        .start(waits())
        .id("w")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("workflow id `w` is in use"), "{error}");
    assert!(error.contains(first.run_id()), "{error}");
    let existing = executor
        .start(waits())
        .id("w")
        .id_policy(IdPolicy::UseExisting)
        .await
        .unwrap();
    assert_eq!(existing.run_id(), first.run_id());

    // The existing run is of another workflow than the caller wants.
    let other = executor
        .start(shout("x".to_owned()))
        .id("w")
        .id_policy(IdPolicy::UseExisting)
        .await;
    assert_eq!(
        other.unwrap_err().to_string(),
        "the run with workflow id `w` is of workflow `waits`, not `shout`"
    );
    assert!(executor.handle::<shout>("w").await.is_err());

    first.signal("go", 1u32).await.unwrap();
    assert_eq!(first.result().await.unwrap(), 1);
    let used = executor
        .start(waits())
        .id("w")
        .id_policy(IdPolicy::RejectUsed)
        .await;
    assert!(used.unwrap_err().to_string().contains("completed"));

    // The id of a run that has ended may be used again; handles stay with their runs.
    let second = executor.start(waits()).id("w").await.unwrap();
    assert_ne!(second.run_id(), first.run_id());
    assert_eq!(first.status().await.unwrap(), Status::Completed);
    assert_eq!(first.result().await.unwrap(), 1);
    assert!(first.signal("go", 2u32).await.is_err());
    let latest = executor.handle::<waits>("w").await.unwrap();
    assert_eq!(latest.run_id(), second.run_id());
    second.signal("go", 2u32).await.unwrap();
    assert_eq!(second.result().await.unwrap(), 2);
}

#[tokio::test]
async fn an_id_is_made_up() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<shout>(data.path()).await;
    let one = executor.start(shout("a".to_owned())).await.unwrap();
    let two = executor.start(shout("b".to_owned())).await.unwrap();
    assert_ne!(one.id(), two.id());
    assert_eq!(two.result().await.unwrap(), "B!");
}

#[tokio::test]
async fn many_callers_one_id() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<waits>(data.path()).await;
    let starts = (0..32).map(|_| {
        let executor = executor.clone();
        tokio::spawn(async move { executor.start(waits()).id("one").await.is_ok() })
    });
    let mut started = 0;
    for start in starts.collect::<Vec<_>>() {
        started += u32::from(start.await.unwrap());
    }
    assert_eq!(started, 1);
}
