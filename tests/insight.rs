//! What can be known of runs: descriptions, metrics, and what is logged.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use metrics_util::debugging::DebuggingRecorder;
use tests::open;
use workflow::prelude::*;
use workflow::{HistoryEventKind, OperationKind};

#[activity(retry(max_attempts = 5, initial_interval = "1h"))]
async fn flaky(text: String) -> Result<String, ActivityError> {
    Err(ActivityError::new(format!("cannot do {text}")))
}

#[workflow]
async fn watched(ctx: &mut Context) -> Result<bool, WorkflowError> {
    let go: bool = ctx.wait_for_signal("go", Duration::from_hours(1)).await?;
    if go {
        flaky("it".to_string()).await?;
    }
    Ok(go)
}

#[tokio::test]
async fn a_description_says_what_is_under_way() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<watched>(data.path()).await;
    let run = executor
        .start(watched())
        .id("w")
        .timeout(Duration::from_hours(2))
        .await
        .unwrap();
    let description = executor.describe("w").await.unwrap();
    assert_eq!(description.info.status, Status::Running);
    assert_eq!(description.info.run_id, run.run_id());
    assert!(description.state.unwrap().get("Go").is_some());
    let time = { description.timeout_at.unwrap() }
        .duration_since(description.info.started_at)
        .unwrap();
    // A server counts in milliseconds.
    assert_eq!(time.as_secs_f64().round(), 7_200.0);
    let [wait] = &description.operations[..] else {
        panic!("{:?}", description.operations);
    };
    let expected = OperationKind::Signal { name: "go".into() };
    assert_eq!(wait.kind, expected);
    assert_eq!(wait.due, Some(wait.since + Duration::from_hours(1)));

    // Between two attempts, also as a new process sees it.
    run.signal("go", true).await.unwrap();
    let attempted = loop {
        let description = run.describe().await.unwrap();
        if let [operation] = &description.operations[..]
            && operation.due.is_some()
            && matches!(operation.kind, OperationKind::Activity { .. })
        {
            break description;
        }
        tokio::task::yield_now().await;
    };
    executor.shutdown().await;
    let executor = open::<watched>(data.path()).await;
    let description = executor.describe("w").await.unwrap();
    assert_eq!(description, attempted);
    let OperationKind::Activity {
        name,
        attempt,
        last_failure,
    } = &description.operations[0].kind
    else {
        panic!("{:?}", description.operations);
    };
    assert_eq!((name.as_str(), *attempt), ("flaky", 2));
    assert_eq!(last_failure.as_ref().unwrap().message, "cannot do it");
    assert_eq!(description.history[0].kind, HistoryEventKind::Started);

    executor.signal("w", "go", false).await.unwrap();
    let description = executor.describe("w").await.unwrap();
    assert_eq!(description.signals, [("go".to_string(), 1)]);
    executor.terminate("w", "enough").await.unwrap();
    let description = executor.describe("w").await.unwrap();
    assert_eq!(description.info.status, Status::Terminated);
    assert_eq!(description.state, None);
    assert!(description.operations.is_empty());
}

/// Where what is logged in this test goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn spans_have_the_run_id_and_metrics_their_names() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let run_id = runtime.block_on(async {
        let data = tempfile::tempdir().unwrap();
        let executor = open::<watched>(data.path()).await;
        let run = executor.start(watched()).await.unwrap();
        run.signal("go", true).await.unwrap();
        while run.describe().await.unwrap().history.len() < 3 {
            tokio::task::yield_now().await;
        }
        run.terminate("enough").await.unwrap();
        executor.shutdown().await;
        run.run_id().to_owned()
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for text in ["a run is started", "an attempt failed", "a run has ended"] {
        let mut lines = log.lines();
        let is_there = lines.any(|line| line.contains(text) && line.contains(&run_id));
        assert!(is_there, "`{text}` of run {run_id} is not in\n{log}");
    }
    let names: BTreeSet<String> = snapshotter
        .snapshot()
        .into_vec()
        .iter()
        .map(|(key, ..)| key.key().name().to_owned())
        .collect();
    let table = include_str!("../docs/operations.md");
    for name in [
        "workflow_active_runs",
        "workflow_activities_running",
        "workflow_activity_seconds",
        "workflow_checkpoint_seconds",
        "workflow_commit_bytes",
        "workflow_commit_changes",
        "workflow_commit_queue",
        "workflow_commit_seconds",
        "workflow_journal_bytes",
        "workflow_runs_closed_total",
        "workflow_runs_started_total",
        "workflow_step_seconds",
    ] {
        // The queue is there only if somebody had to wait.
        assert!(
            names.contains(name) || name == "workflow_commit_queue",
            "{name}"
        );
        assert!(table.contains(name), "{name} is not documented");
    }
    for name in names {
        assert!(table.contains(&name), "{name} is not documented");
    }
}
