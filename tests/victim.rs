//! The process that the kill tests kill: it opens the data, starts the journey or goes on with
//! it, tells each fact on standard output once it is acknowledged, and takes signals on standard
//! input.
//!
//! `victim DATA STEPS LOG`; with `victim DATA 0` it only opens and closes the data.

use std::env::args;
use std::fs::OpenOptions;
use std::io::Write;

use tokio::io::{AsyncBufReadExt, BufReader};
use workflow::prelude::*;

/// Notes in a file that it begins and that it ends, as a side effect on the world does.
#[activity(timeout = "10s", retry(max_attempts = 2))]
async fn step(log: &str, number: u32) -> Result<u32, ActivityError> {
    note(log, &format!("begin {number}"))?;
    tokio::time::sleep(Duration::from_millis(2)).await;
    note(log, &format!("end {number}"))?;
    Ok(number * 10)
}

fn note(log: &str, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(log)?;
    file.write_all(format!("{line}\n").as_bytes())
}

/// A step that is a run of its own.
#[workflow]
async fn errand(log: String, number: u32) -> Result<u32, WorkflowError> {
    Ok(step(&log, number).await?)
}

/// A step in a workflow that runs inline, beside a timer.
#[workflow]
async fn detour(ctx: &mut Context, log: String, number: u32) -> Result<u32, WorkflowError> {
    let (done, slept) = join!(step(&log, number), ctx.sleep(Duration::from_millis(1)));
    slept?;
    let again = ctx.start(ctx.sleep(Duration::from_millis(1)));
    again.await?;
    Ok(done?)
}

#[workflow]
async fn journey(
    ctx: &mut Context,
    log: String,
    steps: u32,
) -> Result<(Vec<u32>, Vec<u32>), WorkflowError> {
    let mut results: Vec<u32> = Vec::new();
    let mut signals: Vec<u32> = Vec::new();
    for number in 0..steps {
        results.push(match number % 4 {
            1 => errand(log.clone(), number).await?,
            2 => detour(ctx, log.clone(), number).await?,
            3 => select! {
                done = step(&log, number) => done?,
                slept = ctx.sleep(Duration::from_hours(1)) => {
                    slept?;
                    0
                }
            },
            _ => step(&log, number).await?,
        });
        ctx.sleep(Duration::from_millis(1)).await?;
        if number % 3 == 2 {
            signals.push(
                ctx.wait_for_signal::<u32>("go", Duration::from_mins(5))
                    .await?,
            );
        }
    }
    Ok((results, signals))
}

#[tokio::main]
async fn main() {
    let mut args = args().skip(1);
    let data = args.next().expect("DATA");
    let steps: u32 = args.next().and_then(|n| n.parse().ok()).expect("STEPS");
    let config = Config::new().path(&data).register::<journey>();
    let executor = match workflow::new("default", config).await {
        Ok(executor) => executor,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    if steps == 0 {
        return;
    }
    let run = executor
        .start(journey(args.next().expect("LOG"), steps))
        .id("journey")
        .id_policy(IdPolicy::UseExisting)
        .await
        .expect("it starts");
    println!("started {}", run.run_id());
    tokio::spawn(take_signals(run.clone()));
    tokio::spawn(tell_states(run.clone()));
    let (results, signals) = run.result().await.expect("it completes");
    println!("result {results:?} {signals:?}");
}

async fn take_signals(run: WorkflowHandle<journey>) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let number: u32 = line.parse().expect("a number");
        if run.signal("go", number).await.is_ok() {
            println!("acknowledged {number}");
        }
    }
}

async fn tell_states(run: WorkflowHandle<journey>) {
    let mut told = String::new();
    while let Ok(Some(state)) = run.state().await {
        let state = format!("{state:?}");
        if state != told {
            let name = state.split(' ').next().unwrap_or_default();
            println!("state {name}");
            told = state;
        }
        tokio::task::yield_now().await;
    }
}
