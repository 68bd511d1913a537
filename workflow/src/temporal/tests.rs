//! Histories that a server kept, run again by the SDK's replayer.

use std::sync::Arc;

use temporalio_client::{WorkflowFetchHistoryOptions, WorkflowHistory};
use temporalio_common::UntypedWorkflow;
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayFailure, WorkflowReplayer, WorkflowReplayerOptions,
};

use crate::prelude::*;

use super::code::{Code, Machines};
use super::connection::Target;
use super::host::Host;

#[activity]
async fn fetch(name: &str) -> Result<String, ActivityError> {
    Ok(format!("{name} of the world"))
}

#[workflow]
async fn part(name: String) -> Result<usize, WorkflowError> {
    Ok(fetch(&name).await?.len())
}

/// Every kind of operation, and what must be the same in every replay.
#[workflow]
async fn every_kind(ctx: &mut Context, name: String) -> Result<(String, u64, u32), WorkflowError> {
    let drawn = ctx.random();
    let beside = ctx.start(fetch("what is beside"));
    let found = fetch(&name).await?;
    ctx.sleep(Duration::from_millis(drawn % 10 + 1)).await?;
    let first = select! {
        number = ctx.wait_for_signal::<u32>("number", Duration::from_hours(1)) => number?,
        slept = ctx.sleep(Duration::from_hours(2)) => { slept?; 0 }
    };
    let (length, again) = join!(part(name), fetch(&found));
    let beside = beside.await?;
    Ok((format!("{beside}, {} {}", length?, again?), drawn, first))
}

/// The same workflow, without its timer.
mod edited {
    use crate::prelude::*;

    use super::fetch;

    #[workflow(name = "every_kind")]
    pub(super) async fn every_kind(
        ctx: &mut Context,
        name: String,
    ) -> Result<(String, u64, u32), WorkflowError> {
        let drawn = ctx.random();
        let found = fetch(&name).await?;
        let first: u32 = ctx.wait_for_signal("number", Duration::MAX).await?;
        Ok((found, drawn, first))
    }
}

/// Runs a history again with the code at hand.
async fn replay<W: Workflow>(history: &[u8]) -> Result<(), WorkflowReplayError> {
    let machines: Machines = { Config::new().register::<W>().machines().unwrap() }
        .into_iter()
        .map(|machine| (machine.definition().name, machine))
        .collect();
    let mut options = WorkflowReplayerOptions::new().build();
    for code in Code::of_each(&Arc::new(machines)) {
        Host::register(code, |make| {
            options
                .register_workflow_with_factory::<Host, _>(make)
                .map(|_| ())
        })
        .unwrap();
    }
    let history = WorkflowHistory::from_json(history).unwrap();
    // Its futures stay on one thread.
    let replayer = WorkflowReplayer::new(options)?;
    replayer.replay_workflow(history).await.map(|_| ())
}

/// A run of `every_kind`, as the last test records it.
const HISTORY: &[u8] = include_bytes!("tests/every_kind.json");

#[tokio::test]
async fn a_history_of_every_kind_is_replayed() {
    replay::<every_kind>(HISTORY).await.unwrap();
}

#[tokio::test]
async fn edited_code_is_told_from_the_code_that_wrote_the_history() {
    let error = replay::<edited::every_kind>(HISTORY).await.unwrap_err();
    let WorkflowReplayError::Replay(WorkflowReplayFailure::Nondeterminism { .. }) = error else {
        panic!("{error:?}");
    };
}

/// What the other tests replay was recorded so.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_this_version_is_replayed() {
    let Ok(address) = std::env::var("TEMPORAL_ADDRESS") else {
        return println!("skipped: no server; run it in `tests/temporal/with-server`");
    };
    let config = Config::new()
        .host(address)
        .task_queue("replay")
        .register::<every_kind>();
    let executor = crate::new("temporal", config.clone()).await.unwrap();
    let run = executor
        .start(every_kind("peace".to_owned()))
        .await
        .unwrap();
    run.signal("number", 7u32).await.unwrap();
    let (text, _, number) = run.result().await.unwrap();
    assert_eq!(
        text,
        "what is beside of the world, 18 peace of the world of the world"
    );
    assert_eq!(number, 7);

    let client = Target::of(&config).unwrap().connect().await.unwrap();
    let handle = client.get_workflow_handle::<UntypedWorkflow>(run.id());
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    let history = history.to_json().await.unwrap();
    let recorded = std::env::temp_dir().join("every_kind.json");
    std::fs::write(&recorded, &history).unwrap();
    println!("recorded as {}", recorded.display());
    tokio::task::LocalSet::new()
        .run_until(replay::<every_kind>(&history))
        .await
        .unwrap();
}
