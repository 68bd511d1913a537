//! What only a Temporal server shows, with its own command line as the witness.
//!
//! `temporal/with-server` starts the server; without one, these tests say that they are skipped.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use tests::provider::{cli, runs_with, server_is_there};
use tests::{open, reach};
use workflow::HistoryEventKind;
use workflow::prelude::*;

/// Starts a run by the command line.
fn start_by_cli(data: &Path, id: &str, workflow: &str, further: &[&str]) {
    let start = ["workflow", "start", "-w", id, "--type", workflow];
    cli(
        data,
        &[&start[..], &["--task-queue", "tests"], further].concat(),
    );
}

/// The events of a run's history.
fn events(data: &Path, id: &str) -> Vec<Value> {
    let shown = cli(data, &["workflow", "show", "-w", id, "-o", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    shown["events"].as_array().unwrap().clone()
}

#[activity(timeout = "10s", retry(max_attempts = 3, initial_interval = "5ms"))]
async fn greet(name: &str, titles: Vec<String>) -> Result<String, ActivityError> {
    Ok(format!("hello {} {name}", titles.join(" ")))
}

#[workflow]
async fn greeting(
    ctx: &mut Context,
    name: String,
    titles: Vec<String>,
) -> Result<(String, u32), WorkflowError> {
    let text = greet(&name, titles).await?;
    let times: u32 = ctx
        .wait_for_signal("times", Duration::from_hours(1))
        .await?;
    Ok((text, times))
}

#[tokio::test(flavor = "multi_thread")]
async fn its_command_line_starts_signals_and_asks() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let executor = open::<greeting>(data).await;
    start_by_cli(
        data,
        "g",
        "greeting",
        &["-i", r#""Ada""#, "-i", r#"["Dr","Prof"]"#],
    );
    let run = executor.handle::<greeting>("g").await.unwrap();
    reach(&run, |state| matches!(state, GreetingState::Times { .. })).await;
    let state = cli(data, &["workflow", "query", "-w", "g", "--type", "state"]);
    assert!(
        state.contains(r#"{"Times":{"text":"hello Dr Prof Ada"}}"#),
        "{state}"
    );
    let status = cli(data, &["workflow", "query", "-w", "g", "--type", "status"]);
    assert!(status.contains(r#""running""#), "{status}");
    // A name that nobody waits for and a payload of another type harm nobody.
    cli(
        data,
        &["workflow", "signal", "-w", "g", "--name", "time", "-i", "3"],
    );
    cli(
        data,
        &[
            "workflow",
            "signal",
            "-w",
            "g",
            "--name",
            "times",
            "-i",
            r#""many""#,
        ],
    );
    cli(
        data,
        &[
            "workflow", "signal", "-w", "g", "--name", "times", "-i", "3",
        ],
    );
    assert_eq!(
        run.result().await.unwrap(),
        ("hello Dr Prof Ada".to_owned(), 3)
    );
    let result = cli(data, &["workflow", "result", "-w", "g", "-o", "json"]);
    let result: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(result["result"], json!(["hello Dr Prof Ada", 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_witness_agrees_on_retries_and_timeouts() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<greeting>(data.path()).await;
    let start = executor.start(greeting("Ada".into(), Vec::new())).id("g");
    let run = start.timeout(Duration::from_secs(3600)).await.unwrap();
    reach(&run, |state| matches!(state, GreetingState::Times { .. })).await;
    let shown = cli(data.path(), &["workflow", "show", "-w", "g", "-o", "json"]);
    for text in [
        r#""workflowExecutionTimeout": "3600s""#,
        r#""startToCloseTimeout": "10s""#,
        r#""maximumAttempts": 3"#,
        r#""initialInterval": "0.005s""#,
    ] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
}

#[activity]
async fn keep(
    value: Option<Option<u32>>,
    number: f64,
) -> Result<(Option<Option<u32>>, f64), ActivityError> {
    Ok((value, number))
}

#[workflow]
async fn keeping(value: Option<Option<u32>>) -> Result<(Option<Option<u32>>, f64), WorkflowError> {
    Ok(keep(value, f64::INFINITY).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_json_unless_that_loses_them() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<keeping>(data.path()).await;
    let run = executor
        .start(keeping(Some(Some(5))))
        .id("json")
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), (Some(Some(5)), f64::INFINITY));
    let run = executor
        .start(keeping(Some(None)))
        .id("other")
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), (Some(None), f64::INFINITY));

    let input = |id| {
        let started = &events(data.path(), id)[0]["workflowExecutionStartedEventAttributes"];
        started["input"]["payloads"][0]["metadata"]["encoding"].clone()
    };
    assert_eq!(input("json"), "anNvbi9wbGFpbg=="); // json/plain
    assert_ne!(input("other"), "anNvbi9wbGFpbg==");
}

static KEYS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[activity(timeout = "10s")]
async fn count(ctx: ActivityContext, n: u32) -> Result<u32, ActivityError> {
    assert!(
        KEYS.lock().unwrap().insert(ctx.idempotency_key()),
        "a key is used twice"
    );
    Ok(n + 1)
}

/// Steps without an end in sight, with an activity always to come, and signals on the way.
#[workflow]
async fn long(ctx: &mut Context, steps: u32) -> Result<(u32, Vec<u32>, bool), WorkflowError> {
    let run_id = ctx.run_id().to_owned();
    let mut n = 0;
    let mut seen = Vec::new();
    while n < steps {
        n = count(n).await?;
        if n % 100 == 0 {
            seen.push(ctx.wait_for_signal("go", Duration::from_mins(5)).await?);
        }
    }
    Ok((n, seen, run_id == ctx.run_id()))
}

/// How many steps a run takes; the server is to suggest to continue it often enough.
fn steps() -> u32 {
    let steps = std::env::var("STEPS")
        .ok()
        .and_then(|steps| steps.parse().ok());
    steps.unwrap_or(300)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_is_continued_by_itself() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<long>(data.path()).await;
    let run = executor.start(long(steps())).id("long").await.unwrap();
    let signals: Vec<u32> = (0..steps() / 100).collect();
    for n in &signals {
        // Some before they are waited for, some by the handle and some by the id.
        match n % 2 {
            0 => run.signal("go", n).await.unwrap(),
            _ => executor.signal("long", "go", n).await.unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let before = executor.handle::<long>("long").await.unwrap();
    assert_eq!(before.run_id(), run.run_id());
    assert_eq!(run.result().await.unwrap(), (steps(), signals, true));
    assert_eq!(KEYS.lock().unwrap().len(), steps() as usize);
    assert_eq!(run.status().await.unwrap(), Status::Completed);
    assert_eq!(
        executor.history("long").await.unwrap().len(),
        1 + (steps() + steps() / 100) as usize
    );

    let times = runs_with(data.path(), "long", "ContinuedAsNew");
    println!("{} steps; continued as new {times} times", steps());
    assert!(times > 0);
}

/// Takes a step for each signal.
#[workflow]
async fn adding(ctx: &mut Context, signals: u32) -> Result<u32, WorkflowError> {
    let mut sum = 0;
    let mut n = 0;
    while n < signals {
        let more: u32 = ctx.wait_for_signal("add", Duration::MAX).await?;
        sum += tally(more).await?;
        n += 1;
    }
    Ok(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_from_many_reach_a_run_that_is_continued_meanwhile() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<adding>(data.path()).await;
    let run = executor.start(adding(100)).id("a").await.unwrap();
    let senders = (0..10).map(|_| {
        let run = run.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                run.signal("add", 1u32).await.unwrap();
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!(run.result().await.unwrap(), 200);
}

/// Steps until it is canceled, and then as many to clean up.
#[workflow]
async fn interrupted() -> Result<u32, WorkflowError> {
    let mut n = 0;
    while let Ok(next) = tally(n).await {
        n = next;
    }
    let mut cleaned = 0;
    while cleaned < 30 {
        cleaned = tally(cleaned).await?;
    }
    Ok(cleaned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_reaches_a_run_that_is_continued_meanwhile() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<interrupted>(data.path()).await;
    let runs = (0..10).map(|number| {
        let executor = executor.clone();
        tokio::spawn(async move {
            let run = executor.start(interrupted()).await.unwrap();
            // Each at another moment of its steps.
            tokio::time::sleep(Duration::from_millis(500 + 50 * number)).await;
            run.cancel().await.unwrap();
            assert_eq!(run.result().await.unwrap(), 30);
        })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap();
    }
}

/// Goes on after it is canceled, and its child with it.
#[workflow]
async fn supervising(ctx: &mut Context) -> Result<bool, WorkflowError> {
    let is_interrupted = interrupted().await.is_err();
    let () = ctx.wait_for_signal("end", Duration::MAX).await?;
    Ok(is_interrupted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_reaches_a_child_that_was_continued() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<supervising>(data.path()).await;
    let run = executor.start(supervising()).await.unwrap();
    let child = format!("{}/{}/1", run.id(), run.run_id());
    while runs_with(data.path(), &child, "ContinuedAsNew") == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    run.cancel().await.unwrap();
    let child = executor.handle::<interrupted>(&child).await.unwrap();
    assert_eq!(child.result().await.unwrap(), 30);
    assert_eq!(run.status().await.unwrap(), Status::Running);
    run.signal("end", ()).await.unwrap();
    assert!(run.result().await.unwrap());
}

/// Steps beside two timers that are under way all the time.
#[workflow]
async fn napping(ctx: &mut Context, steps: u32) -> Result<u32, WorkflowError> {
    let nap = ctx.start(ctx.sleep(Duration::from_hours(24)));
    let call = ctx.start(ctx.wait_for_signal::<u32>("call", Duration::from_hours(12)));
    let mut n = 0;
    while n < steps {
        n = tally(n).await?;
    }
    let called = call.await?;
    nap.await?;
    Ok(called)
}

#[activity(timeout = "10s")]
async fn tally(n: u32) -> Result<u32, ActivityError> {
    Ok(n + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_go_on_where_a_run_is_continued() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<napping>(data.path()).await;
    let run = executor.start(napping(30)).id("n").await.unwrap();
    reach(&run, |state| matches!(state, NappingState::Tally { .. })).await;
    let timers = async || {
        let description = executor.describe("n").await.unwrap();
        let mut timers = description.operations;
        timers.retain(|operation| operation.op <= 2);
        let told = timers
            .iter()
            .map(|timer| (timer.op, timer.since, timer.due));
        told.collect::<Vec<_>>()
    };
    let before = timers().await;
    assert_eq!(before.len(), 2);
    reach(&run, |state| matches!(state, NappingState::Call { .. })).await;
    assert_eq!(timers().await, before);

    let events = events(data.path(), "n");
    let continued =
        &events[0]["workflowExecutionStartedEventAttributes"]["continuedExecutionRunId"];
    assert!(continued.is_string(), "{continued}");
    let seconds: Vec<f64> = { events.iter() }
        .filter_map(|event| event["timerStartedEventAttributes"]["startToFireTimeout"].as_str())
        .map(|timeout| timeout.trim_end_matches('s').parse().unwrap())
        .collect();
    // What is left of a day and of half a day.
    let [nap, call] = seconds[..] else {
        panic!("{seconds:?}");
    };
    assert!(nap < 86_400.0 && nap > 80_000.0, "{nap}");
    assert!(call < 43_200.0 && call > 40_000.0, "{call}");
    run.signal("call", 7u32).await.unwrap();
    reach(&run, |state| matches!(state, NappingState::Nap { .. })).await;
    run.terminate("enough").await.unwrap();
}

#[workflow]
async fn brief() -> Result<u32, WorkflowError> {
    Ok(tally(1).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_server_starts_anew_goes_on() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<brief>(data.path()).await;
    start_by_cli(data.path(), "b", "brief", &["--cron", "@every 1s"]);
    let run = executor.handle::<brief>("b").await.unwrap();
    let ended = tokio::spawn({
        let run = run.clone();
        async move { run.result().await }
    });
    while runs_with(data.path(), "b", "Completed") < 2 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let history = executor.history("b").await.unwrap();
    let completed = history
        .iter()
        .filter(|event| matches!(event.kind, HistoryEventKind::ActivityCompleted { .. }));
    assert!(completed.count() >= 2, "{history:?}");
    run.terminate("enough").await.unwrap();
    let error = ended.await.unwrap().unwrap_err();
    assert!(
        matches!(&error, RunError::Terminated { reason } if reason == "enough"),
        "{error}"
    );
    assert_eq!(run.status().await.unwrap(), Status::Terminated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_of_a_single_run_is_told() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<greeting>(data.path()).await;
    start_by_cli(
        data.path(),
        "g",
        "greeting",
        &["-i", r#""Ada""#, "-i", "[]", "--run-timeout", "2s"],
    );
    let run = executor.handle::<greeting>("g").await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(
        matches!(error, RunError::TimedOut { timeout } if timeout == Duration::from_secs(2)),
        "{error}"
    );
}
