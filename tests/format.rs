//! Data written by earlier versions opens, and its runs go on: for ever.
//!
//! `cargo test -p tests --test format make -- --ignored` writes the data of this version. Do that
//! once for each new format version, and never change what was committed.

use std::fs;
use std::path::{Path, PathBuf};

use workflow::prelude::*;
use workflow::{HistoryEventKind, OperationKind};

#[activity(retry(max_attempts = 9, initial_interval = "1h", max_interval = "1h"))]
async fn stubborn(order: Order) -> Result<u32, ActivityError> {
    Err(ActivityError::new(format!("{} is not ready", order.id)))
}

#[activity]
async fn price(item: &str) -> Result<u32, ActivityError> {
    Ok(item.len() as u32)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    id: String,
    items: Vec<String>,
}

/// Waits, with a local that grew, and signals that it has not taken yet.
#[workflow]
async fn collecting(ctx: &mut Context, items: Vec<String>) -> Result<String, WorkflowError> {
    let mut prices: Vec<u32> = Vec::new();
    for item in items {
        prices.push(price(&item).await?);
    }
    let first: String = ctx.wait_for_signal("first", Duration::MAX).await?;
    let second: String = ctx.wait_for_signal("second", Duration::MAX).await?;
    Ok(format!("{prices:?} {first} {second}"))
}

/// Between two attempts.
#[workflow]
async fn ordering(order: Order) -> Result<u32, WorkflowError> {
    let number = stubborn(order).await?;
    Ok(number)
}

/// Sleeps, for longer than anyone will wait.
#[workflow]
async fn sleeping(ctx: &mut Context) -> Result<(), WorkflowError> {
    ctx.sleep(Duration::from_hours(24 * 365 * 100)).await?;
    Ok(())
}

/// Waits for a child that waits.
#[workflow]
async fn parent() -> Result<String, WorkflowError> {
    let answer = collecting(vec!["ab".to_string()]).await?;
    Ok(format!("{answer}!"))
}

async fn open(path: &Path) -> Executor {
    let config = Config::new()
        .path(path)
        .register::<collecting>()
        .register::<ordering>()
        .register::<sleeping>()
        .register::<parent>();
    workflow::new("default", config).await.unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Writes what the tests below read.
#[tokio::test]
#[ignore = "writes into the source tree: once for each format version"]
async fn make() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let items = vec!["pen".to_string(), "paper".to_string()];
    let done = executor.start(collecting(items.clone())).id("done");
    let done = done.await.unwrap();
    done.signal("first", "one").await.unwrap();
    done.signal("second", "two").await.unwrap();
    done.result().await.unwrap();
    let grew = executor.start(collecting(items.clone())).id("grew");
    let grew = grew.await.unwrap();
    let waits = executor.start(collecting(items)).id("waits").await.unwrap();
    let order = Order {
        id: "A7".to_string(),
        items: vec!["ink".to_string()],
    };
    let retries = executor.start(ordering(order)).id("retries").await.unwrap();
    executor.start(sleeping()).id("sleeps").await.unwrap();
    executor.start(parent()).id("has-child").await.unwrap();
    while retries.describe().await.unwrap().history.len() < 2
        || waits.describe().await.unwrap().history.len() < 3
        || grew.describe().await.unwrap().history.len() < 3
    {
        tokio::task::yield_now().await;
    }
    // Large: what is added after a checkpoint is written as a delta.
    grew.signal("second", "x".repeat(6_000)).await.unwrap();
    executor.compact().await.unwrap();
    grew.signal("second", "y".repeat(100)).await.unwrap();
    // From here on it stands in the journal.
    executor.compact().await.unwrap();
    waits.signal("second", "early").await.unwrap();
    executor
        .terminate("sleeps", "for the fixture")
        .await
        .unwrap();
    executor.start(sleeping()).id("sleeps").await.unwrap();
    let target = fixtures().join("format-3");
    executor.backup(&target).await.unwrap();
    fs::remove_file(target.join("lock")).unwrap();
}

/// A copy: what is committed stays as it is.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[tokio::test]
async fn format_1() {
    opens("format-1").await;
}

#[tokio::test]
async fn format_2() {
    opens("format-2").await;
}

#[tokio::test]
async fn format_3() {
    opens("format-3").await;

    let data = copy("format-3");
    let executor = open(data.path()).await;
    let grew = executor.handle::<collecting>("grew").await.unwrap();
    let description = grew.describe().await.unwrap();
    assert_eq!(description.signals, [("second".to_string(), 2)]);
    grew.signal("first", "a").await.unwrap();
    let expected = format!("[3, 5] a {}", "x".repeat(6_000));
    assert_eq!(grew.result().await.unwrap(), expected);
}

async fn opens(name: &str) {
    let data = copy(name);
    let executor = open(data.path()).await;
    assert_eq!(executor.set_aside().await.unwrap(), []);

    let done = executor.handle::<collecting>("done").await.unwrap();
    assert_eq!(done.result().await.unwrap(), "[3, 5] one two");
    let history = executor.history("done").await.unwrap();
    assert_eq!(history[0].kind, HistoryEventKind::Started);
    assert_eq!(history.len(), 5);

    let waits = executor.handle::<collecting>("waits").await.unwrap();
    let description = waits.describe().await.unwrap();
    assert_eq!(description.signals, [("second".to_string(), 1)]);
    waits.signal("first", "now").await.unwrap();
    assert_eq!(waits.result().await.unwrap(), "[3, 5] now early");

    // The hour has long passed: its next attempt fails, too, or is being made.
    let retries = executor.describe("retries").await.unwrap();
    let OperationKind::Activity { name, attempt, .. } = &retries.operations[0].kind else {
        panic!("{retries:?}");
    };
    assert!(name == "stubborn" && *attempt >= 2, "{retries:?}");

    let sleeps = executor.describe("sleeps").await.unwrap();
    assert_eq!(sleeps.operations[0].kind, OperationKind::Timer);
    let filter = RunFilter::new().status(Status::Terminated);
    assert_eq!(executor.list(filter).await.unwrap().runs.len(), 1);

    let family = executor.describe("has-child").await.unwrap();
    let OperationKind::Child { workflow_id, .. } = &family.operations[0].kind else {
        panic!("{family:?}");
    };
    executor.signal(workflow_id, "first", "a").await.unwrap();
    executor.signal(workflow_id, "second", "b").await.unwrap();
    let run = executor.handle::<parent>("has-child").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "[2] a b!");
}
