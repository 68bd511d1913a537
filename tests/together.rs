//! Several operations of one run at a time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tests::{on_server, open, reach};
use tokio::sync::Barrier;
use workflow::HistoryEventKind;
use workflow::prelude::*;

#[activity(retry(initial_interval = "1ms"))]
async fn double(n: u32) -> Result<u32, ActivityError> {
    tokio::time::sleep(Duration::from_millis(u64::from(n % 3))).await;
    Ok(n * 2)
}

#[activity(retry(max_attempts = 2, initial_interval = "1ms"))]
async fn fails(ctx: ActivityContext) -> Result<u32, ActivityError> {
    Err(ActivityError::new(format!("attempt {}", ctx.attempt())))
}

static HANGING: AtomicU32 = AtomicU32::new(0);

struct Hangs;

impl Drop for Hangs {
    fn drop(&mut self) {
        HANGING.fetch_sub(1, Ordering::SeqCst);
    }
}

#[activity]
async fn hangs() -> Result<u32, ActivityError> {
    HANGING.fetch_add(1, Ordering::SeqCst);
    let _hangs = Hangs;
    std::future::pending().await
}

#[workflow]
async fn fan_out(n: u32) -> Result<(Vec<u32>, String), WorkflowError> {
    let kept = n + 1;
    let mut doubled = Vec::new();
    for one in join_all((0..n).map(double)).await {
        doubled.push(one?);
    }
    let (failed, one) = join!(fails(), double(kept));
    doubled.push(one?);
    Ok((doubled, failed.unwrap_err().to_string()))
}

#[tokio::test]
async fn all_are_awaited_each_with_its_own_attempts() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<fan_out>(data.path()).await;
    let run = executor.start(fan_out(20)).await.unwrap();
    let (doubled, failed) = run.result().await.unwrap();
    let mut expected: Vec<u32> = (0..20).map(|n| n * 2).collect();
    expected.push(42);
    assert_eq!((doubled, &*failed), (expected, "attempt 2"));
    let none = executor.start(fan_out(0)).await.unwrap();
    assert_eq!(none.result().await.unwrap().0, [2]);
}

#[workflow]
async fn first_of(ctx: &mut Context) -> Result<String, WorkflowError> {
    let mut said = Vec::new();
    for _ in 0..3 {
        let what = select! {
            number = ctx.wait_for_signal::<u32>("number", Duration::MAX) => number?.to_string(),
            word = ctx.wait_for_signal::<String>("word", Duration::MAX) => word?,
            hung = hangs() => hung?.to_string(),
        };
        said.push(what);
    }
    Ok(said.join(" "))
}

#[tokio::test]
async fn the_first_decides_and_the_others_are_canceled() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<first_of>(data.path()).await;
    let run = executor.start(first_of()).id("f").await.unwrap();
    while HANGING.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    run.signal("word", "hello").await.unwrap();
    executor.shutdown().await;

    let executor = open::<first_of>(data.path()).await;
    let run = executor.handle::<first_of>("f").await.unwrap();
    // Both are there before the next wait: none is lost.
    run.signal("word", "world").await.unwrap();
    run.signal("number", 7).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "hello world 7");
    while HANGING.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let wrong = executor.start(first_of()).await.unwrap();
    let error = wrong.signal("letter", 'x').await.unwrap_err();
    assert!(
        error.to_string().contains("it waits for: `number`, `word`"),
        "{error}"
    );
}

static WORK_BEGUN: AtomicU32 = AtomicU32::new(0);

/// Goes on once it is told to, whatever is asked of it meanwhile.
#[activity]
async fn works(told: String) -> Result<String, ActivityError> {
    WORK_BEGUN.fetch_add(1, Ordering::SeqCst);
    while !std::path::Path::new(&told).exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok("done".to_owned())
}

#[workflow]
async fn nudged(ctx: &mut Context, told: String) -> Result<(String, Vec<u32>), WorkflowError> {
    let mut work = ctx.start(works(told));
    let mut nudges = Vec::new();
    let report = loop {
        select! {
            report = &mut work => break report?,
            nudge = ctx.wait_for_signal::<u32>("nudge", Duration::MAX) => nudges.push(double(nudge?).await?),
        }
    };
    Ok((report, nudges))
}

#[tokio::test]
async fn what_is_under_way_goes_on_when_another_arm_was_first() {
    let data = tempfile::tempdir().unwrap();
    let told = data.path().join("told");
    let executor = open::<nudged>(data.path()).await;
    let call = || nudged(told.display().to_string());
    let run = executor.start(call()).id("n").await.unwrap();
    for nudge in [1, 2, 3] {
        run.signal("nudge", nudge).await.unwrap();
    }
    run.wait_for(
        |state| matches!(state, NudgedState::Select { nudges, .. } if nudges[..] == [2, 4, 6]),
    )
    .await
    .unwrap();
    // Three turns of the loop, and one attempt.
    assert_eq!(WORK_BEGUN.load(Ordering::SeqCst), 1);
    executor.shutdown().await;

    let executor = open::<nudged>(data.path()).await;
    let run = executor.handle::<nudged>("n").await.unwrap();
    run.signal("nudge", 4).await.unwrap();
    std::fs::write(&told, "").unwrap();
    let (report, nudges) = run.result().await.unwrap();
    assert_eq!(report, "done");
    assert!(nudges.starts_with(&[2, 4, 6]), "{nudges:?}");
}

#[workflow]
async fn canceled(ctx: &mut Context, join: bool) -> Result<u32, WorkflowError> {
    let canceled = if join {
        let (slept, hung, done) = join!(ctx.sleep(Duration::from_hours(1)), hangs(), double(4));
        [slept.is_err(), hung.is_err(), done.is_ok()]
            .iter()
            .all(|&canceled| canceled)
    } else {
        select! {
            slept = ctx.sleep(Duration::from_hours(1)) => slept.is_err(),
            hung = hangs() => hung.is_ok(),
        }
    };
    Ok(if canceled { double(1).await? } else { 0 })
}

#[tokio::test]
async fn a_cancel_interrupts_what_has_not_ended() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<canceled>(data.path()).await;
    for join in [true, false] {
        let run = executor.start(canceled(join)).await.unwrap();
        // What has ended keeps its result, what has not is interrupted.
        while join && executor.history(run.id()).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        run.cancel().await.unwrap();
        assert_eq!(run.result().await.unwrap(), 2);
    }
}

#[workflow]
async fn started(ctx: &mut Context) -> Result<u32, WorkflowError> {
    let one = ctx.start(double(5));
    let never = ctx.start(hangs());
    let word = ctx.start(ctx.wait_for_signal::<String>("word", Duration::MAX));
    let go: u32 = ctx.wait_for_signal("go", Duration::MAX).await?;
    let said = word.await?;
    drop(never);
    Ok(go + one.await? + u32::try_from(said.len()).unwrap_or(0))
}

#[tokio::test]
async fn what_is_started_goes_on_beside_and_over_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<started>(data.path()).await;
    let run = executor.start(started()).id("s").await.unwrap();
    run.signal("word", "hello").await.unwrap();
    reach(&run, |state| matches!(state, StartedState::Go { .. })).await;
    while executor.history(run.id()).await.unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    executor.shutdown().await;

    let executor = open::<started>(data.path()).await;
    let run = executor.handle::<started>("s").await.unwrap();
    let error = run.signal("world", 1).await.unwrap_err();
    assert!(
        error.to_string().contains("it waits for: `go`, `word`"),
        "{error}"
    );
    run.signal("go", 1).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 16);
}

#[activity]
async fn meets() -> Result<u32, ActivityError> {
    // So many a worker of a server makes at a time.
    static MEETING: LazyLock<Barrier> =
        LazyLock::new(|| Barrier::new(if on_server() { 100 } else { 500 }));
    MEETING.wait().await;
    Ok(1)
}

#[workflow]
async fn crowd() -> Result<u32, WorkflowError> {
    let mut sum = 0;
    for one in join_all((0..500).map(|_| meets())).await {
        sum += one?;
    }
    Ok(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_end_at_a_time_each_is_written_down() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<crowd>(data.path()).await;
    let run = executor.start(crowd()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 500);
    let history = run.describe().await.unwrap().history;
    let mut completed: Vec<u64> = history
        .into_iter()
        .filter_map(|event| match event.kind {
            HistoryEventKind::ActivityCompleted { op, .. } => Some(op),
            _ => None,
        })
        .collect();
    completed.sort_unstable();
    assert_eq!(completed, (1..=500).collect::<Vec<_>>());
}
