//! What the server tells of a run, as the executor tells it.

use std::time::{SystemTime, UNIX_EPOCH};

use temporalio_common::protos::temporal::api::history::v1::HistoryEvent as Told;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::failure::{Failure, FailureKind};
use crate::provider::{HistoryEvent, HistoryEventKind};

use super::failures;

/// What happened to a run in the terms of all providers. The server does not know at which states
/// a run stood.
pub(super) fn tell(events: &[Told]) -> Vec<HistoryEvent> {
    let mut told = Vec::new();
    for event in events {
        let Some(kind) = event.attributes.as_ref().and_then(|it| kind(it, events)) else {
            continue;
        };
        let at = event
            .event_time
            .and_then(|at| SystemTime::try_from(at).ok());
        told.push(HistoryEvent {
            at: at.unwrap_or(UNIX_EPOCH),
            kind,
            state: String::new(),
        });
    }
    told
}

fn kind(attributes: &Attributes, events: &[Told]) -> Option<HistoryEventKind> {
    let scheduled = |id: i64| {
        find(events, id).and_then(|attributes| match attributes {
            Attributes::ActivityTaskScheduledEventAttributes(it) => op(&it.activity_id),
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(it) => {
                op(&it.workflow_id)
            }
            _ => None,
        })
    };
    let attempt = |id: i64| match find(events, id) {
        Some(Attributes::ActivityTaskStartedEventAttributes(it)) => {
            u32::try_from(it.attempt).unwrap_or(1)
        }
        _ => 1,
    };
    Some(match attributes {
        Attributes::WorkflowExecutionStartedEventAttributes(it)
            if it.continued_execution_run_id.is_empty() =>
        {
            HistoryEventKind::Started
        }
        Attributes::TimerFiredEventAttributes(_) => HistoryEventKind::TimerFired,
        Attributes::ActivityTaskCompletedEventAttributes(it) => {
            HistoryEventKind::ActivityCompleted {
                op: scheduled(it.scheduled_event_id)?,
                attempt: attempt(it.started_event_id),
            }
        }
        Attributes::ActivityTaskFailedEventAttributes(it) => {
            HistoryEventKind::ActivityAttemptFailed {
                op: scheduled(it.scheduled_event_id)?,
                attempt: attempt(it.started_event_id),
                failure: failure(it.failure.as_ref()),
            }
        }
        Attributes::ActivityTaskTimedOutEventAttributes(it) => {
            HistoryEventKind::ActivityAttemptFailed {
                op: scheduled(it.scheduled_event_id)?,
                attempt: attempt(it.started_event_id),
                failure: failure(it.failure.as_ref()),
            }
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(it) => {
            HistoryEventKind::ChildEnded {
                op: scheduled(it.initiated_event_id)?,
            }
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(it) => {
            HistoryEventKind::ChildEnded {
                op: scheduled(it.initiated_event_id)?,
            }
        }
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(it) => {
            HistoryEventKind::ChildEnded {
                op: scheduled(it.initiated_event_id)?,
            }
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(it) => {
            HistoryEventKind::ChildEnded {
                op: scheduled(it.initiated_event_id)?,
            }
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(it) => {
            HistoryEventKind::ChildEnded {
                op: scheduled(it.initiated_event_id)?,
            }
        }
        Attributes::WorkflowExecutionSignaledEventAttributes(it) => {
            HistoryEventKind::SignalReceived {
                name: it.signal_name.clone(),
            }
        }
        Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => {
            HistoryEventKind::CancelRequested
        }
        Attributes::WorkflowExecutionTerminatedEventAttributes(it) => {
            HistoryEventKind::Terminated {
                reason: it.reason.clone(),
            }
        }
        _ => return None,
    })
}

fn find(events: &[Told], id: i64) -> Option<&Attributes> {
    let index = events
        .binary_search_by_key(&id, |event| event.event_id)
        .ok()?;
    events[index].attributes.as_ref()
}

/// The number of an operation, from the id that [`operations`](super::operations) made of it.
pub(super) fn op(id: &str) -> Option<u64> {
    id.rsplit_once('/')?.1.parse().ok()
}

fn failure(
    failure: Option<&temporalio_common::protos::temporal::api::failure::v1::Failure>,
) -> Failure {
    match failure {
        Some(failure) => failures::received(failure),
        None => Failure::new(FailureKind::Application, "the server tells no reason"),
    }
}
