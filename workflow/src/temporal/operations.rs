//! The operations of a run as Temporal's: what begins them, and the event that ends them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use temporalio_common::data_converters::RawValue;
use temporalio_common::error::ActivityExecutionError;
use temporalio_common::{ActivityCloseTimeouts, RetryPolicy, UntypedActivity};
use temporalio_workflow::{
    ActivityOptions, TimerOptions, TimerResult, WorkflowCancellationToken, WorkflowContext,
};

use crate::contract::{Event, Facts, Fault, Operation, ScheduledActivity, TypeDefinition};
use crate::failure::{Failure, FailureKind};
use crate::retry;

use super::child::Child;
use super::code::Code;
use super::host::{Host, Settings};
use super::{activities, failures, payloads};

/// Stands for "without limit": the server wants at least one.
const WITHOUT_LIMIT: Duration = Duration::from_hours(24 * 365 * 100);

/// The shortest wait between two attempts that the server takes.
const RETRY_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// How an operation ends: with an event, or with a value that the code at hand cannot read.
pub(super) type Ending = Pin<Box<dyn Future<Output = Result<Event, Fault>>>>;

/// The operations of a run that the server has under way, by their numbers.
#[derive(Default)]
pub(super) struct Operations(BTreeMap<u64, Begun>);

struct Begun {
    ending: Ending,
    cancel: Box<dyn FnOnce()>,
    /// Whether it can be begun again in the run that continues this one: a timer is a time.
    is_movable: bool,
}

/// What an operation is begun with.
pub(super) struct Scene<'a> {
    pub(super) ctx: &'a WorkflowContext<Host>,
    pub(super) code: &'a Code,
    pub(super) facts: &'a Facts,
    pub(super) settings: Settings,
    /// The state that the run stands at.
    pub(super) state: String,
}

impl Operations {
    /// Begins an operation, of whose time some has passed where the run is continued. A wait for a signal without a timeout needs nothing of the server.
    ///
    /// # Errors
    /// When an argument has no payload.
    pub(super) fn begin(
        &mut self,
        scene: &Scene<'_>,
        op: u64,
        operation: Operation,
        passed: Duration,
    ) -> Result<(), Fault> {
        // Not the run's own token: the machine decides what a cancellation interrupts.
        let token = WorkflowCancellationToken::new();
        let cancel = token.clone();
        let mut cancel: Box<dyn FnOnce()> = Box::new(move || cancel.cancel());
        let is_movable = matches!(
            operation,
            Operation::Timer { .. } | Operation::Signal { .. }
        );
        let mut ending = match operation {
            Operation::Activity(scheduled) => activity(scene, op, scheduled, &token)?,
            Operation::Child(scheduled) => {
                let child = Child::new(scene, op);
                let ending = child.begin(scene, op, scheduled, &token)?;
                cancel = Box::new(move || child.cancel(&token));
                ending
            }
            Operation::Timer { duration }
            | Operation::Signal {
                timeout: Some(duration),
                ..
            } => timer(scene.ctx, op, duration.saturating_sub(passed), &token),
            Operation::Signal { timeout: None, .. } => return Ok(()),
        };
        // The first poll gives the command, so that commands stand in the order of operations.
        if let Poll::Ready(ended) = ending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            ending = Box::pin(std::future::ready(ended));
        }
        let begun = Begun {
            ending,
            cancel,
            is_movable,
        };
        self.0.insert(op, begun);
        Ok(())
    }

    /// Stops an operation whose outcome nobody wants any more.
    pub(super) fn cancel(&mut self, op: u64) {
        if let Some(begun) = self.0.remove(&op) {
            (begun.cancel)();
        }
    }

    /// The first that keeps the run from being continued as new; its outcome would be lost.
    pub(super) fn immovable(&self) -> Option<u64> {
        let mut begun = self.0.iter();
        begun.find_map(|(&op, begun)| (!begun.is_movable).then_some(op))
    }

    /// The first operation that has ended, by number: the same in every replay.
    pub(super) fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Fault>> {
        for (&op, begun) in &mut self.0 {
            if let Poll::Ready(event) = begun.ending.as_mut().poll(context) {
                self.0.remove(&op);
                return Poll::Ready(event);
            }
        }
        Poll::Pending
    }
}

fn timer(
    ctx: &WorkflowContext<Host>,
    op: u64,
    duration: Duration,
    cancel: &WorkflowCancellationToken,
) -> Ending {
    let options = TimerOptions::builder(duration.min(WITHOUT_LIMIT))
        .cancellation_token(cancel.clone())
        .build();
    let ctx = ctx.clone();
    Box::pin(async move {
        match ctx.timer(options).await {
            TimerResult::Fired => Ok(Event::TimerFired { op }),
            // Whoever cancels it forgets it.
            TimerResult::Cancelled => std::future::pending().await,
        }
    })
}

fn activity(
    scene: &Scene<'_>,
    op: u64,
    scheduled: ScheduledActivity,
    cancel: &WorkflowCancellationToken,
) -> Result<Ending, Fault> {
    let definition = scene.code.machine().definition();
    let known = activities::find(definition, &scheduled.activity)
        .expect("the definition of a workflow has the activities that it calls");
    let name = known.name.name.clone();
    let input = encode(scene, &name, &scheduled.arguments, &known.parameters)?;
    let options = ActivityOptions::with_close_timeouts(close_timeouts(&scheduled))
        // The idempotency key: the same in every attempt, and in every run of a chain.
        .activity_id(format!("{}/{op}", scene.facts.run_id))
        .heartbeat_timeout(scene.settings.heartbeat_timeout)
        .retry_policy(retry_policy(&scheduled.options.retry))
        .cancellation_token(cancel.clone())
        .build();
    let activity = UntypedActivity::new(activities::type_name(definition, &known.name));
    let output = known.output;
    let (ctx, state) = (scene.ctx.clone(), scene.state.clone());
    Ok(Box::pin(async move {
        let ended = ctx.execute_activity(activity, input, options).await;
        match ended {
            Ok(value) => {
                let output = decode(&state, &name, &value, &output)?;
                Ok(Event::ActivityCompleted { op, output })
            }
            Err(error) => {
                let failure = activity_failure(&scheduled, &error);
                Ok(Event::ActivityFailed { op, failure })
            }
        }
    }))
}

fn close_timeouts(scheduled: &ScheduledActivity) -> ActivityCloseTimeouts {
    let options = &scheduled.options;
    match (options.start_to_close, options.schedule_to_close) {
        (None, limit) => ActivityCloseTimeouts::ScheduleToClose(limit.unwrap_or(WITHOUT_LIMIT)),
        (Some(limit), None) => ActivityCloseTimeouts::StartToClose(limit),
        (Some(start_to_close), Some(schedule_to_close)) => {
            ActivityCloseTimeouts::ScheduleAndStartToClose {
                schedule_to_close,
                start_to_close,
            }
        }
    }
}

fn retry_policy(policy: &retry::RetryPolicy) -> RetryPolicy {
    let initial_interval = policy.initial_interval.max(RETRY_INTERVAL_MIN);
    RetryPolicy::builder()
        .initial_interval(initial_interval)
        .backoff_coefficient(policy.backoff_coefficient.max(1.0))
        .maximum_interval(policy.max_interval.max(initial_interval))
        // To the server, zero is without limit.
        .maximum_attempts(policy.max_attempts.max(1))
        .build()
}

/// The failure of an activity; where the server made it, in the embedded engine's words.
fn activity_failure(scheduled: &ScheduledActivity, error: &ActivityExecutionError) -> Failure {
    let Some(failure) = error.failure().map(failures::received) else {
        return Failure::new(FailureKind::Application, error.to_string());
    };
    let is_timeout = matches!(failure.kind, FailureKind::Lost | FailureKind::TimedOut);
    if !is_timeout || error.as_timeout().is_none() {
        return failure;
    }
    let name = &scheduled.activity.name;
    let options = &scheduled.options;
    let text = match (
        failure.kind,
        options.start_to_close,
        options.schedule_to_close,
    ) {
        (FailureKind::Lost, ..) if options.retry.max_attempts <= 1 => format!(
            "activity `{name}` may be attempted only once, and its attempt died with its process"
        ),
        (FailureKind::Lost, ..) => {
            format!("the last attempt of activity `{name}` died with its process")
        }
        (_, Some(limit), None) => {
            format!("an attempt of activity `{name}` took longer than {limit:?}")
        }
        (_, None, Some(limit)) => format!("activity `{name}` took longer than {limit:?} in all"),
        _ => format!("activity `{name}` took too long: {}", failure.message),
    };
    Failure::new(failure.kind, text)
}

pub(super) fn encode(
    scene: &Scene<'_>,
    what: &str,
    values: &[crate::codec::Sealed],
    types: &[TypeDefinition],
) -> Result<RawValue, Fault> {
    let bytes_max = scene.settings.payload_bytes;
    let payloads = payloads::encode_all(values, types);
    let sendable = payloads.and_then(|payloads| payloads::sendable(payloads, bytes_max));
    sendable.map_err(|error| Fault::Codec {
        state: scene.state.clone(),
        what: what.to_owned(),
        error,
    })
}

pub(super) fn decode(
    state: &str,
    what: &str,
    value: &RawValue,
    ty: &TypeDefinition,
) -> Result<crate::codec::Sealed, Fault> {
    payloads::decode_one(&value.payloads, ty).map_err(|error| Fault::Codec {
        state: state.to_owned(),
        what: what.to_owned(),
        error,
    })
}
