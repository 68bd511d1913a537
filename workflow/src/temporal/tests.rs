//! Histories that a server kept, run again by the SDK's replayer.

use std::cell::Cell;
use std::sync::Arc;

use temporalio_client::tonic::{Status, metadata::MetadataValue};
use temporalio_client::{MESSAGE_TOO_LARGE_KEY, WorkflowFetchHistoryOptions, WorkflowHistory};
use temporalio_common::UntypedWorkflow;
use temporalio_common::protos::temporal::api::enums::v1::{EventType, WorkflowTaskFailedCause};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowTaskFailedEventAttributes,
};

use tokio::sync::watch;

use crate::prelude::*;

use super::code::Machines;
use super::connection::{self, Target};
use super::host::Settings;
use super::{fit, reporting, worker};

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

fn machines<W: Workflow>() -> Arc<Machines> {
    let machines = Config::new().register::<W>().machines().unwrap();
    let named = machines
        .into_iter()
        .map(|machine| (machine.definition().name, machine));
    Arc::new(named.collect())
}

async fn events(history: &[u8]) -> Vec<HistoryEvent> {
    let history = WorkflowHistory::from_json(history).unwrap();
    history.into_events().await.unwrap()
}

const SETTINGS: Settings = Settings {
    heartbeat_timeout: reporting::HEARTBEAT_TIMEOUT,
    payload_bytes: connection::PAYLOAD_BYTES,
};

/// Why the code of a workflow cannot go on with a history.
async fn reason<W: Workflow>(history: &[u8]) -> Option<String> {
    let replayed = fit::replay(machines::<W>(), SETTINGS, events(history).await);
    replayed.await.unwrap()
}

/// A run of `every_kind`, as the last test records it.
const HISTORY: &[u8] = include_bytes!("tests/every_kind.json");

#[tokio::test]
async fn a_history_of_every_kind_is_replayed() {
    assert_eq!(reason::<every_kind>(HISTORY).await, None);
}

#[tokio::test]
async fn edited_code_is_told_from_the_code_that_wrote_the_history() {
    let reason = reason::<edited::every_kind>(HISTORY).await.unwrap();
    assert!(reason.contains("nondeterminism"), "{reason}");
}

/// The same workflow, with a bug after the signal.
mod broken {
    use crate::prelude::*;

    use super::fetch;

    #[workflow(name = "every_kind")]
    pub(super) async fn every_kind(
        ctx: &mut Context,
        name: String,
    ) -> Result<(String, u64, u32), WorkflowError> {
        let drawn = ctx.random();
        let beside = ctx.start(fetch("what is beside"));
        let found = fetch(&name).await?;
        ctx.sleep(Duration::from_millis(drawn % 10 + 1)).await?;
        let first = select! {
            number = ctx.wait_for_signal::<u32>("number", Duration::from_hours(1)) => number?,
            slept = ctx.sleep(Duration::from_hours(2)) => { slept?; 0 }
        };
        assert!(first == 0, "a bug");
        Ok((format!("{found} {}", beside.await?), drawn, first))
    }
}

#[tokio::test]
async fn a_failed_task_counts_only_if_the_code_at_hand_fails_too() {
    let mut events = events(HISTORY).await;
    // Up to the task after the timer.
    let fired = events.iter().position(|event| {
        let kind = &event.attributes;
        matches!(kind, Some(Attributes::TimerFiredEventAttributes(_)))
    });
    events.truncate(fired.unwrap() + 3);
    assert_eq!(
        fit::reason(machines::<every_kind>(), SETTINGS, events.clone()).await,
        None
    );

    let started = events.last().unwrap().event_id;
    let failed = WorkflowTaskFailedEventAttributes {
        scheduled_event_id: started - 1,
        started_event_id: started,
        cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure.into(),
        ..Default::default()
    };
    let failed = Attributes::WorkflowTaskFailedEventAttributes(failed);
    fit::push(&mut events, EventType::WorkflowTaskFailed, failed);
    assert_eq!(
        fit::reason(machines::<every_kind>(), SETTINGS, events.clone()).await,
        None
    );
    let reason = fit::reason(machines::<broken::every_kind>(), SETTINGS, events.clone()).await;
    let reason = reason.unwrap();
    assert!(reason.contains("a bug"), "{reason}");
    let reason = fit::reason(machines::<edited::every_kind>(), SETTINGS, events).await;
    let reason = reason.unwrap();
    assert!(reason.contains("nondeterminism"), "{reason}");
}

#[tokio::test]
async fn a_task_that_is_under_way_is_the_next_one() {
    let mut events = events(HISTORY).await;
    let fired = events.iter().position(|event| {
        let kind = &event.attributes;
        matches!(kind, Some(Attributes::TimerFiredEventAttributes(_)))
    });
    events.truncate(fired.unwrap() + 3);
    let next = events[fired.unwrap() + 1..].to_vec();
    let started = events.last().unwrap().event_id;
    let failed = WorkflowTaskFailedEventAttributes {
        scheduled_event_id: started - 1,
        started_event_id: started,
        cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure.into(),
        ..Default::default()
    };
    let failed = Attributes::WorkflowTaskFailedEventAttributes(failed);
    fit::push(&mut events, EventType::WorkflowTaskFailed, failed);
    for event in next {
        fit::push(&mut events, event.event_type(), event.attributes.unwrap());
    }
    let reason = fit::reason(machines::<every_kind>(), SETTINGS, events.clone()).await;
    assert_eq!(reason, None);
    let reason = fit::reason(machines::<broken::every_kind>(), SETTINGS, events).await;
    assert!(reason.is_some_and(|reason| reason.contains("a bug")));
}

#[tokio::test]
async fn a_history_that_cannot_be_run_again_is_an_error() {
    let mut events = events(HISTORY).await;
    // A task that is begun and has no end.
    events.retain(|event| event.event_type() != EventType::WorkflowTaskCompleted);
    let error = fit::replay(machines::<every_kind>(), SETTINGS, events).await;
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn a_server_that_hears_too_much_is_asked_again() {
    let mut refused = Status::resource_exhausted("namespace rate limit exceeded");
    assert!(connection::is_out_of_reach(&refused));
    // As the client marks it.
    refused
        .metadata_mut()
        .insert(MESSAGE_TOO_LARGE_KEY, MetadataValue::from(0));
    assert!(!connection::is_out_of_reach(&refused));
}

#[test]
fn a_worker_that_stops_is_started_again_until_it_is_closed() {
    let closed = watch::Sender::new(false);
    let times = Cell::new(0);
    worker::again_until_closed(&closed.subscribe(), || {
        times.set(times.get() + 1);
        let (time, closed) = (times.get(), closed.clone());
        async move {
            match time {
                1 => panic!("a bug"),
                2 => Err("the server is gone".into()),
                3 => Ok(()),
                _ => {
                    closed.send_replace(true);
                    Ok(())
                }
            }
        }
    });
    assert_eq!(times.get(), 4);
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
    assert_eq!(reason::<every_kind>(&history).await, None);
}
