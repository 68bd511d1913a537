//! The tutorial: research, wait for a person's approval, write a report.
//!
//! Stop it at any moment (Ctrl-C, `kill -9`) and start it again: it goes on where it was.
//!
//! ```text
//! cargo run
//! cargo run -- --approval-timeout 20s        # see the wait time out
//! cargo run -- --id research-q1-2026         # another run beside the first
//! curl -X POST localhost:7433/approve        # answer from another terminal
//! ```

use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use clap::Parser;
use tokio::io::{AsyncBufReadExt, BufReader};
use workflow::prelude::*;

#[activity(timeout = "10m", retry(max_attempts = 3, initial_interval = "5s"))]
async fn research(topic: String) -> Result<String, ActivityError> {
    work("research", &format!("reading about {topic}")).await;
    Ok(format!("three sources agree on {topic}"))
}

#[activity(timeout = "5m")]
async fn write_report(findings: String) -> Result<String, ActivityError> {
    work("write_report", "writing").await;
    Ok(format!("REPORT: {findings}."))
}

#[workflow]
async fn research_workflow(
    ctx: &mut Context,
    topic: String,
    approval_timeout: Duration,
) -> Result<String, WorkflowError> {
    let findings = research(topic).await?;
    let approved = ctx
        .wait_for_signal::<bool>("approval", approval_timeout)
        .await?;
    if !approved {
        return Ok("Workflow rejected by reviewer.".into());
    }
    let report = write_report(findings).await?;
    Ok(report)
}

/// Research, approval, report: kill it at any moment and start it again.
#[derive(Parser)]
struct Options {
    /// The workflow id: the same id is the same run.
    #[arg(long, default_value = "research-q4-2025")]
    id: String,
    /// What to research.
    #[arg(long, default_value = "Q4 revenue analysis")]
    topic: String,
    /// How long to wait for the approval.
    #[arg(long, default_value = "24h")]
    approval_timeout: humantime::Duration,
    /// How long the whole run may take.
    #[arg(long, default_value = "48h")]
    workflow_timeout: humantime::Duration,
    /// Where the runs are kept.
    #[arg(long, default_value = "research-data")]
    data: PathBuf,
    /// The loopback port that `curl` can answer at.
    #[arg(long, default_value_t = 7433)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = Config::new()
        .path(&options.data)
        .register::<research_workflow>();
    let executor = workflow::new("default", config).await?;

    let call = research_workflow(options.topic, *options.approval_timeout);
    let run = executor
        .start(call)
        .id(&options.id)
        .timeout(*options.workflow_timeout)
        // Started again after a crash: the run is there already, and has gone on by itself.
        .id_policy(IdPolicy::UseExisting)
        .await?;
    println!("run {} ({})", run.id(), run.run_id());
    println!("Ctrl-C or kill -9 me at any moment, and start me again.\n");

    tokio::spawn(listen(executor.clone(), run.id().to_owned(), options.port));
    tokio::spawn(prompt(run.clone(), options.port));
    match run.result().await {
        Ok(report) => println!("\ncompleted: {report}"),
        Err(error) => println!("\n{}: {error}", run.status().await?),
    }
    println!("Start me with another --id for a new run.");
    Ok(())
}

/// Shows each state as it comes, and asks when the run waits for a person.
async fn prompt(run: WorkflowHandle<research_workflow>, port: u16) {
    let mut shown = String::new();
    while let Ok(Some(state)) = run.state().await {
        let text = format!("{state:?}");
        if text != shown {
            println!("state     {text}");
            shown = text;
            if let ResearchWorkflowState::Approval { .. } = state {
                tokio::spawn(ask(run.clone(), port));
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(run: WorkflowHandle<research_workflow>, port: u16) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        print!("\nApprove the findings? [y/n] (or: curl -X POST localhost:{port}/approve) ");
        let _ = std::io::stdout().flush();
        let approved = match lines.next_line().await {
            Ok(Some(line)) if line.trim().eq_ignore_ascii_case("y") => true,
            Ok(Some(line)) if line.trim().eq_ignore_ascii_case("n") => false,
            Ok(Some(_)) => continue,
            // No terminal: the answer comes by curl.
            Ok(None) | Err(_) => return,
        };
        if let Err(error) = run.signal("approval", approved).await {
            println!("{error}");
        }
        return;
    }
}

/// One process owns the data, so others talk to it: a thin listener on the loopback interface.
async fn listen(executor: Executor, id: String, port: u16) {
    let answer = async |State((executor, id)): State<(Executor, String)>,
                        Path(answer): Path<String>| {
        let approved = match answer.as_str() {
            "approve" => true,
            "reject" => false,
            _ => return "POST /approve or /reject\n".to_owned(),
        };
        match executor.signal(&id, "approval", approved).await {
            Ok(()) => "recorded\n".to_owned(),
            Err(error) => format!("{error}\n"),
        }
    };
    let status = async |State((executor, id)): State<(Executor, String)>| match executor
        .query(&id, "state")
        .await
    {
        Ok(state) => format!("{state}\n"),
        Err(error) => format!("{error}\n"),
    };
    let router = axum::Router::new()
        .route("/", get(status))
        .route("/{answer}", post(answer))
        .with_state((executor, id));
    match tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => {
            if let Err(error) = axum::serve(listener, router).await {
                println!("the listener stopped: {error}");
            }
        }
        Err(error) => println!("no curl this time: port {port}: {error}"),
    }
}

/// Some seconds of work, so that there is time to kill the program in the middle.
async fn work(activity: &str, what: &str) {
    println!("activity  {activity} begins: {what}");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!("activity  {activity} …");
    }
    println!("activity  {activity} is done");
}
