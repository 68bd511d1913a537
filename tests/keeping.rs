//! What is kept, removed, copied and given back.

use std::fs;

use tests::shout;
use workflow::prelude::*;
use workflow::{HistoryEventKind, Retention};

#[workflow]
async fn patient(ctx: &mut Context, rounds: u32) -> Result<u32, WorkflowError> {
    let mut sum = 0;
    for _ in 0..rounds {
        let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
        sum += more;
    }
    Ok(sum)
}

async fn open(path: &std::path::Path, retention: Retention) -> Executor {
    let config = Config::new().path(path).retention(retention);
    let config = config.register::<patient>().register::<shout>();
    workflow::new("default", config).await.unwrap()
}

async fn ids(executor: &Executor) -> Vec<String> {
    let page = executor.list(RunFilter::new().page_runs(1_000)).await;
    let runs = page.unwrap().runs;
    runs.into_iter().map(|run| run.workflow_id).collect()
}

#[tokio::test]
async fn finished_runs_are_removed_by_count_and_by_age() {
    let data = tempfile::tempdir().unwrap();
    let by_count = Retention {
        runs: Some(3),
        ..Retention::default()
    };
    let executor = open(data.path(), by_count).await;
    executor.start(patient(1)).id("waits").await.unwrap();
    for number in 0..8 {
        let run = executor
            .start(shout("hi".to_owned()))
            .id(format!("s{number}"));
        run.await.unwrap().result().await.unwrap();
    }
    executor.compact().await.unwrap();
    // The first pass counts what the passes before have brought into the state.
    executor.compact().await.unwrap();
    assert_eq!(ids(&executor).await, ["s7", "s6", "s5", "waits"]);
    let error = executor.describe("s0").await.unwrap_err();
    assert!(matches!(error, workflow::Error::UnknownRun { .. }));
    assert_eq!(executor.history("s7").await.unwrap().len(), 2);
    executor.shutdown().await;

    let by_age = Retention {
        age: Some(Duration::from_millis(1)),
        ..Retention::default()
    };
    let executor = open(data.path(), by_age).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    executor.compact().await.unwrap();
    assert_eq!(ids(&executor).await, ["waits"]);
    executor.signal("waits", "more", 3u32).await.unwrap();
    let run = executor.handle::<patient>("waits").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 3);
}

#[tokio::test]
async fn the_newest_entries_of_a_history_are_kept() {
    let data = tempfile::tempdir().unwrap();
    let short = Retention {
        history_events: Some(4),
        ..Retention::default()
    };
    let executor = open(data.path(), short).await;
    let run = executor.start(patient(10)).id("p").await.unwrap();
    for number in 0..10u32 {
        run.signal("more", number).await.unwrap();
    }
    assert_eq!(run.result().await.unwrap(), 45);
    executor.compact().await.unwrap();
    let history = executor.history("p").await.unwrap();
    assert_eq!(history.len(), 4);
    let signal = |kind: &_| matches!(kind, HistoryEventKind::SignalReceived { .. });
    assert!(history.iter().all(|event| signal(&event.kind)));
}

/// A backup taken under load opens as things stood at one moment: whatever was acknowledged before
/// it was asked for is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path(), Retention::default()).await;
    let waits = executor.start(patient(1)).id("waits").await.unwrap();
    let load = tokio::spawn({
        let executor = executor.clone();
        async move {
            for number in 0..300 {
                let run = executor
                    .start(shout("hi".to_owned()))
                    .id(format!("s{number}"));
                run.await.unwrap().result().await.unwrap();
            }
        }
    });
    let mut copies = Vec::new();
    while !load.is_finished() {
        let before = ids(&executor).await.len();
        let copy = tempfile::tempdir().unwrap();
        executor.backup(copy.path().join("copy")).await.unwrap();
        copies.push((before, copy));
    }
    load.await.unwrap();
    let taken = copies[0].1.path().join("copy");
    let error = executor.backup(&taken).await.unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    waits.terminate("enough").await.unwrap();
    for (before, copy) in copies {
        let restored = open(&copy.path().join("copy"), Retention::default()).await;
        assert!(ids(&restored).await.len() >= before);
        restored.signal("waits", "more", 7u32).await.unwrap();
        let run = restored.handle::<patient>("waits").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 7);
    }
}

#[tokio::test]
async fn compaction_gives_space_back() {
    let data = tempfile::tempdir().unwrap();
    let state = data.path().join("state.redb");
    let by_count = Retention {
        runs: Some(1),
        ..Retention::default()
    };
    let executor = open(data.path(), Retention::default()).await;
    for _ in 0..40 {
        executor.execute(shout("x".repeat(50_000))).await.unwrap();
    }
    executor.shutdown().await;
    let before = fs::metadata(&state).unwrap().len();
    let executor = open(data.path(), by_count).await;
    executor.execute(shout("hi".to_owned())).await.unwrap();
    executor.compact().await.unwrap();
    executor.compact().await.unwrap();
    let after = fs::metadata(&state).unwrap().len();
    assert!(after < before / 2, "{before} bytes before, {after} after");
    assert_eq!(ids(&executor).await.len(), 1);
}
