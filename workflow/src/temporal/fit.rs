//! Whether the code at hand can go on with a run, where a workflow task of the run has failed.
//!
//! The server keeps only the first of several failures in a row, which may be one of code that is
//! gone. So the history is run again with the code at hand, as a worker would in the next attempt.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use temporalio_common::protos::temporal::api::enums::v1::{EventType, WorkflowTaskFailedCause};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{
    History, HistoryEvent, WorkflowTaskCompletedEventAttributes, WorkflowTaskFailedEventAttributes,
    WorkflowTaskStartedEventAttributes,
};
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayFailure, WorkflowReplayer, WorkflowReplayerOptions,
};

use tokio::time::timeout;

use crate::contract::Fault;
use crate::panic_text;

use super::code::{Code, Machines};
use super::host::{Host, Settings};

/// How long it may take to run a history again.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the code at hand cannot go on with a run in flight of which a workflow task has failed;
/// nothing if it can.
pub(super) async fn reason(
    machines: Arc<Machines>,
    settings: Settings,
    mut events: Vec<HistoryEvent>,
) -> Option<String> {
    let failed = failure(&events)?;
    let told = match &failed.failure {
        Some(failure) => failure.message.clone(),
        None => failed.cause().as_str_name().to_owned(),
    };
    match failed.cause() {
        // Something else arrived in the meantime: the same step is taken again.
        WorkflowTaskFailedCause::UnhandledCommand => return None,
        WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure
        | WorkflowTaskFailedCause::NonDeterministicError
        // Nothing was wrong with the code.
        | WorkflowTaskFailedCause::ResetWorkflow
        | WorkflowTaskFailedCause::ResetStickyTaskQueue
        | WorkflowTaskFailedCause::ForceCloseCommand
        | WorkflowTaskFailedCause::FailoverCloseCommand => {}
        // The server refused what the code asked for, and that is only seen there.
        _ => return Some(told),
    }
    add_next_task(&mut events);
    replay(machines, settings, events)
        .await
        .unwrap_or_else(|error| {
            tracing::warn!(%error, "a history cannot be run again");
            Some(told)
        })
}

/// The failure of the last workflow task, as far as the history tells.
fn failure(events: &[HistoryEvent]) -> Option<&WorkflowTaskFailedEventAttributes> {
    let mut events = events.iter().rev();
    events.find_map(|event| match &event.attributes {
        Some(Attributes::WorkflowTaskFailedEventAttributes(it)) => Some(Some(it)),
        Some(Attributes::WorkflowTaskCompletedEventAttributes(_)) => Some(None),
        _ => None,
    })?
}

/// Adds the next workflow task, in the place of one that is under way: what the server gives a
/// worker with it and writes only once it is done. To the SDK it is a task that is done, or it
/// would not always run it.
fn add_next_task(events: &mut Vec<HistoryEvent>) {
    // Once the server suggests it, it goes on to.
    let suggests_continuing = events
        .iter()
        .rev()
        .find_map(|event| match &event.attributes {
            Some(Attributes::WorkflowTaskStartedEventAttributes(it)) => {
                Some(it.suggest_continue_as_new)
            }
            _ => None,
        });
    let is_under_way = |event: &HistoryEvent| {
        matches!(
            event.attributes,
            Some(
                Attributes::WorkflowTaskScheduledEventAttributes(_)
                    | Attributes::WorkflowTaskStartedEventAttributes(_)
            )
        )
    };
    while events.pop_if(|event| is_under_way(event)).is_some() {}
    let last = events.last().map_or(0, |event| event.event_id);
    push(
        events,
        EventType::WorkflowTaskScheduled,
        Attributes::WorkflowTaskScheduledEventAttributes(Default::default()),
    );
    let started = WorkflowTaskStartedEventAttributes {
        scheduled_event_id: last + 1,
        suggest_continue_as_new: suggests_continuing.unwrap_or_default(),
        ..Default::default()
    };
    push(
        events,
        EventType::WorkflowTaskStarted,
        Attributes::WorkflowTaskStartedEventAttributes(started),
    );
    let completed = WorkflowTaskCompletedEventAttributes {
        scheduled_event_id: last + 1,
        started_event_id: last + 2,
        ..Default::default()
    };
    push(
        events,
        EventType::WorkflowTaskCompleted,
        Attributes::WorkflowTaskCompletedEventAttributes(completed),
    );
}

/// Adds an event to a history.
pub(super) fn push(events: &mut Vec<HistoryEvent>, event_type: EventType, attributes: Attributes) {
    let last = events.last().cloned().unwrap_or_default();
    events.push(HistoryEvent {
        event_id: last.event_id + 1,
        event_time: last.event_time,
        event_type: event_type.into(),
        attributes: Some(attributes),
        ..HistoryEvent::default()
    });
}

/// Runs a history again with the code at hand, and gives the reason if it cannot go on.
///
/// # Errors
/// When it cannot be run again at all; why.
pub(super) async fn replay(
    machines: Arc<Machines>,
    settings: Settings,
    events: Vec<HistoryEvent>,
) -> Result<Option<String>, String> {
    // The SDK's futures stay on one thread.
    let replaying = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime of one thread");
        let fault = Arc::new(OnceLock::new());
        let replaying = run_again(&machines, settings, events, &fault);
        // Where it does not like a history, the SDK may wait for ever.
        let replayed = runtime.block_on(async { timeout(REPLAY_TIMEOUT, replaying).await });
        if let Some(fault) = fault.get() {
            return Ok(Some(fault.clone()));
        }
        match replayed {
            Ok(Ok(())) => Ok(None),
            Ok(Err(WorkflowReplayError::Replay(WorkflowReplayFailure::Nondeterminism {
                message,
            }))) => Ok(Some(nondeterminism(&message))),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it takes longer than {REPLAY_TIMEOUT:?}")),
        }
    });
    match replaying.await {
        Ok(replayed) => replayed,
        Err(error) if error.is_panic() => Err(panic_text::of(error.into_panic())),
        // The runtime has ended, and with it whoever asks.
        Err(_) => std::future::pending().await,
    }
}

/// What the SDK says of code that asks for something else than the history tells, without the debug
/// output that it wraps around it.
fn nondeterminism(message: &str) -> String {
    let told = message.split_once("Nondeterminism error: ");
    let told = told.map_or(message, |(_, told)| told);
    let told = told
        .split_once("\", source: ")
        .map_or(told, |(told, _)| told);
    format!(
        "the code asks for something else than the run's history tells (nondeterminism): {told}"
    )
}

async fn run_again(
    machines: &Arc<Machines>,
    settings: Settings,
    events: Vec<HistoryEvent>,
    fault: &Arc<OnceLock<String>>,
) -> Result<(), WorkflowReplayError> {
    let mut options = WorkflowReplayerOptions::new().build();
    for code in Code::of_each(machines) {
        let fault = fault.clone();
        let on_fault = move |told: &Fault| drop(fault.set(told.to_string()));
        Host::register(code, settings, on_fault, |make| {
            options
                .register_workflow_with_factory::<Host, _>(make)
                .map(|_| ())
        })
        .expect("workflows have different names");
    }
    let replayer = WorkflowReplayer::new(options)?;
    replayer.replay_workflow(History { events }.into()).await
}
