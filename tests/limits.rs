//! Whoever goes beyond a limit is told which.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use workflow::Limits;
use workflow::prelude::*;

#[activity]
async fn make(bytes: u32) -> Result<String, ActivityError> {
    Ok("x".repeat(bytes as usize))
}

#[activity]
async fn slow(number: u32) -> Result<u32, ActivityError> {
    RUNNING.fetch_add(1, Relaxed);
    tokio::time::sleep(Duration::from_millis(5)).await;
    MOST.fetch_max(RUNNING.load(Relaxed), Relaxed);
    RUNNING.fetch_sub(1, Relaxed);
    Ok(number)
}

static RUNNING: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);

#[workflow]
async fn maker(ctx: &mut Context, text: String, bytes: u32) -> Result<usize, WorkflowError> {
    let made = make(bytes).await?;
    let more: String = ctx.wait_for_signal("more", Duration::MAX).await?;
    Ok(text.len() + made.len() + more.len())
}

#[workflow]
async fn wide(ctx: &mut Context, count: u32) -> Result<u32, WorkflowError> {
    let _: bool = ctx.wait_for_signal("go", Duration::MAX).await?;
    let calls: Vec<_> = (0..count).map(slow).collect();
    let numbers = join_all(calls).await;
    let mut sum = 0;
    for number in numbers {
        sum += number?;
    }
    Ok(sum)
}

#[workflow]
async fn ordered(ctx: &mut Context) -> Result<u32, WorkflowError> {
    let early: u32 = ctx.wait_for_signal("early", Duration::MAX).await?;
    let late: u32 = ctx.wait_for_signal("late", Duration::MAX).await?;
    Ok(early + late)
}

async fn open(path: &std::path::Path) -> Executor {
    let limits = Limits {
        payload_bytes: 1_000,
        mailbox_signals: 3,
        pending_operations: 20,
        concurrent_activities: 4,
        ..Limits::default()
    };
    let config = Config::new().path(path).limits(limits);
    let config = config
        .register::<maker>()
        .register::<ordered>()
        .register::<wide>();
    workflow::new("default", config).await.unwrap()
}

#[tokio::test]
async fn payloads() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let long = "x".repeat(1_001);
    let error = executor.start(maker(long.clone(), 0)).await.unwrap_err();
    assert!(error.to_string().contains("1000"), "{error}");

    let run = executor.start(maker(String::new(), 5)).await.unwrap();
    let error = run.signal("more", &long).await.unwrap_err();
    assert!(matches!(error, workflow::Error::PayloadTooLarge { .. }));
    run.signal("more", "fits").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 9);

    // A result is the activity's failure, and is not asked for again.
    let error = executor.execute(maker(String::new(), 2_000)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("too large (at most 1000)"), "{error}");
}

#[tokio::test]
async fn the_mailbox_takes_what_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let run = executor.start(ordered()).await.unwrap();
    for number in 0..3u32 {
        run.signal("late", number).await.unwrap();
    }
    let error = run.signal("late", 3u32).await.unwrap_err();
    assert!(
        matches!(error, workflow::Error::MailboxFull { .. }),
        "{error}"
    );
    run.signal("early", 10u32).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 10);
}

#[tokio::test]
async fn operations_under_way() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let run = executor.start(wide(21)).await.unwrap();
    let error = run.signal("go", true).await.unwrap_err();
    assert!(error.to_string().contains("21 operations"), "{error}");
    assert_eq!(run.status().await.unwrap(), Status::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_take_their_turn() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let run = executor.start(wide(20)).await.unwrap();
    run.signal("go", true).await.unwrap();
    assert_eq!(run.result().await.unwrap(), (0..20).sum::<u32>());
    assert!(MOST.load(Relaxed) <= 4, "{MOST:?}");
}
