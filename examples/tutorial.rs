//! The tutorial: research, wait for a person's approval, write a report.
//!
//! Stop it at any moment (Ctrl-C, `kill -9`) and start it again: it goes on where it was.
//!
//! ```text
//! cargo run
//! cargo run -- --id second --approval-timeout 20s   # see the wait time out
//! curl -X POST localhost:7433/approve               # answer from another terminal
//! ```

use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use clap::Parser;
use tokio::sync::oneshot;
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
    patience: Duration,
) -> Result<String, WorkflowError> {
    let findings = research(topic).await?;
    let approved = ctx.wait_for_signal::<bool>("approval", patience).await?;
    if !approved {
        return Ok("Workflow rejected by reviewer.".into());
    }
    let report = write_report(findings).await?;
    Ok(report)
}

/// Research, approval, report: kill it at any moment and start it again.
#[derive(Parser)]
struct Options {
    /// The workflow id: the same id is the same run, with the options it was started with.
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
    /// `default` keeps the runs in a directory, `temporal` on a server (needs `--features temporal`).
    #[arg(long, default_value = "default")]
    provider: String,
    /// Where the runs are kept, by the provider `default`.
    #[arg(long, default_value = "research-data")]
    data: PathBuf,
    /// The server, for the provider `temporal`.
    #[arg(long, default_value = "localhost:7233")]
    host: String,
    /// The loopback port that `curl` can answer at.
    #[arg(long, default_value_t = 7433)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    match tutorial(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn tutorial(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let config = match &*options.provider {
        "temporal" => Config::new().host(options.host).task_queue("research"),
        _ => Config::new().path(&options.data),
    };
    let config = config.register::<research_workflow>();
    let executor = workflow::new(&options.provider, config).await?;

    let known = executor.describe(&options.id).await.ok();
    let call = research_workflow(options.topic, *options.approval_timeout);
    let run = executor
        .start(call)
        .id(&options.id)
        .timeout(*options.workflow_timeout)
        // Started again after a crash: the run is there already, and has gone on by itself.
        .id_policy(IdPolicy::UseExisting)
        .await?;
    match known.map(|known| known.info.status) {
        None => println!("run `{}` is started: kill me at any moment", run.id()),
        Some(Status::Running) => println!("run `{}` goes on where it was", run.id()),
        Some(status) => println!("run `{}` is {status} since before", run.id()),
    }

    let (stop, stopped) = oneshot::channel();
    let listener = tokio::spawn(listen(executor.clone(), options.id, options.port, stopped));
    tokio::spawn(follow(run.clone(), options.port));
    match run.result().await {
        Ok(report) => println!("\ncompleted: {report}"),
        Err(error) => println!("\n{}: {error}", run.status().await?),
    }
    println!("Another run: --id another");
    // Whoever answered by curl gets the reply.
    drop(stop);
    listener.await?;
    Ok(())
}

/// Shows each state as it comes, and asks when the run waits for a person.
async fn follow(run: WorkflowHandle<research_workflow>, port: u16) {
    let mut shown = None;
    let other = |state: &ResearchWorkflowState, shown: &Option<String>| {
        shown.as_deref() != Some(name(state))
    };
    while let Ok(Some(state)) = run.wait_for(|state| other(state, &shown)).await {
        println!("state     {}", name(&state));
        if let ResearchWorkflowState::Approval { findings } = &state {
            println!("          findings: {findings}");
            ask(run.clone(), port);
        }
        shown = Some(name(&state).to_owned());
    }
}

fn name(state: &ResearchWorkflowState) -> &'static str {
    match state {
        ResearchWorkflowState::Start { .. } => "Start",
        ResearchWorkflowState::Research { .. } => "Research",
        ResearchWorkflowState::Approval { .. } => "Approval",
        ResearchWorkflowState::WriteReport { .. } => "WriteReport",
    }
}

/// Asks on a thread of its own: a blocked read keeps no program from ending there.
fn ask(run: WorkflowHandle<research_workflow>, port: u16) {
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        println!("Approve the findings? y or n (or: curl -X POST localhost:{port}/approve)");
        let mut lines = std::io::stdin().lock().lines();
        // Without a terminal, the answer comes by curl.
        while let Some(Ok(line)) = lines.next() {
            let approved = match line.trim() {
                "y" | "Y" => true,
                "n" | "N" => false,
                _ => {
                    println!("y or n?");
                    continue;
                }
            };
            if let Err(error) = runtime.block_on(run.signal("approval", approved)) {
                println!("{error}");
            }
            return;
        }
    });
}

/// One process owns the data, so others talk to it: a thin listener on the loopback interface.
async fn listen(executor: Executor, id: String, port: u16, stopped: oneshot::Receiver<()>) {
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
    let state = async |State((executor, id)): State<(Executor, String)>| match executor
        .query(&id, "state")
        .await
    {
        Ok(state) => format!("{state}\n"),
        Err(error) => format!("{error}\n"),
    };
    let router = axum::Router::new()
        .route("/", get(state))
        .route("/{answer}", post(answer))
        .with_state((executor, id));
    match tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => {
            let serving = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
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
        print!(".");
        let _ = std::io::stdout().flush();
    }
    println!("\nactivity  {activity} is done");
}
