//! What an input does to a run: pure, so that it can be tested without disk or clock.

use crate::contract::{Command, Event, Facts, Fault, Machine, Operation};
use crate::failure::{Failure, FailureKind};
use crate::provider::HistoryEventKind;

use super::clock;
use super::record::{End, Outcome, Record, Waiting};

/// An activity that died with its process this often in a row is not begun again.
pub(super) const LOST_ATTEMPTS_MAX: u32 = 100;

/// What happens to a run.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// It was just started.
    Started,
    /// The engine was opened, after a crash or not.
    Reopened,
    /// Something may be due.
    Tick,
    /// An attempt of an activity ended.
    Attempted {
        op: u64,
        attempt: u32,
        result: Result<crate::codec::Sealed, Failure>,
    },
    /// A child workflow ended, or could not be started.
    ChildEnded {
        op: u64,
        result: Result<crate::codec::Sealed, Failure>,
    },
    /// A signal, checked by the definition.
    Signal {
        name: String,
        payload: crate::codec::Sealed,
    },
    Cancel,
    Terminate {
        reason: String,
    },
}

impl Input {
    /// The input as the run's history names it.
    pub(super) fn kind(&self) -> HistoryEventKind {
        match self {
            Self::Started => HistoryEventKind::Started,
            Self::Reopened => HistoryEventKind::Reopened,
            Self::Tick => HistoryEventKind::TimerFired,
            Self::Attempted {
                op,
                attempt,
                result: Ok(_),
            } => HistoryEventKind::ActivityCompleted {
                op: *op,
                attempt: *attempt,
            },
            Self::Attempted {
                op,
                attempt,
                result: Err(failure),
            } => HistoryEventKind::ActivityAttemptFailed {
                op: *op,
                attempt: *attempt,
                failure: failure.clone(),
            },
            Self::ChildEnded { op, .. } => HistoryEventKind::ChildEnded { op: *op },
            Self::Signal { name, .. } => HistoryEventKind::SignalReceived { name: name.clone() },
            Self::Cancel => HistoryEventKind::CancelRequested,
            Self::Terminate { reason } => HistoryEventKind::Terminated {
                reason: reason.clone(),
            },
        }
    }
}

impl Input {
    /// Whether it is how something ended that the run has begun.
    pub(super) fn is_outcome(&self) -> bool {
        matches!(self, Self::Attempted { .. } | Self::ChildEnded { .. })
    }

    /// Bytes of what it brings, nearly.
    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Attempted { result, .. } | Self::ChildEnded { result, .. } => match result {
                Ok(output) => output.payload.len(),
                Err(failure) => failure.message.len(),
            },
            Self::Signal { payload, .. } => payload.payload.len(),
            _ => 0,
        }
    }
}

/// The world at the moment of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub now_ms: u64,
    /// Between 0 and 1.
    pub random: f64,
}

impl Moment {
    /// This moment.
    pub(super) fn now() -> Self {
        Self {
            now_ms: clock::now_ms(),
            random: clock::random_fraction(),
        }
    }
}

/// Takes an input in and steps while the run is ready.
///
/// # Errors
/// When the code cannot go on with the run. What the input brought is then in the record all the
/// same, and so is every step before the one that failed.
pub(super) fn apply(
    record: &mut Record,
    machine: &Machine,
    input: Input,
    moment: Moment,
) -> Result<(), Fault> {
    absorb(record, input, moment);
    while record.end.is_none() && record.run.is_ready() {
        let facts = Facts {
            workflow_id: record.head.workflow_id.clone(),
            run_id: record.head.run_id.clone(),
            now: clock::to_time(moment.now_ms),
        };
        let commands = record.run.step(machine, &facts)?;
        for command in commands {
            let outcome = match command {
                Command::Complete { output } => Outcome::Completed(output),
                Command::Fail { failure } => Outcome::Failed(failure),
                Command::Cancel { failure } => Outcome::Canceled(failure),
                // What is begun, and what is not wanted any more, shows in `run.under_way`.
                Command::Begin { .. } | Command::CancelOperation { .. } => continue,
            };
            close(record, outcome, moment);
        }
        follow_operations(record, moment);
    }
    Ok(())
}

/// The part of an input that needs no workflow code; for runs that are set aside it is all.
pub(super) fn absorb(record: &mut Record, input: Input, moment: Moment) {
    if record.end.is_some() {
        return;
    }
    if record.deadline_ms().is_some_and(|at| at <= moment.now_ms) {
        // Whatever comes with or after the deadline comes too late.
        return close(record, Outcome::TimedOut, moment);
    }
    match input {
        Input::Started => {}
        Input::Reopened => reopened(record, moment),
        Input::Tick => tick(record, moment),
        Input::Attempted {
            op,
            attempt,
            result,
        } => attempted(record, op, attempt, result, moment),
        Input::ChildEnded { op, result } => {
            record.run.absorb(match result {
                Ok(output) => Event::ChildCompleted { op, output },
                Err(failure) => Event::ChildFailed { op, failure },
            });
        }
        Input::Signal { name, payload } => {
            record.run.absorb(Event::SignalReceived { name, payload });
        }
        Input::Cancel => {
            record.run.absorb(Event::CancelRequested);
        }
        Input::Terminate { reason } => close(record, Outcome::Terminated(reason), moment),
    }
    follow_operations(record, moment);
}

/// Whether an outcome is of what is under way still, and not of an attempt that was given up.
pub(super) fn is_awaited(record: &Record, input: &Input) -> bool {
    match input {
        Input::Attempted { op, attempt, .. } => {
            let waiting = record.waiting(*op);
            waiting.is_some_and(|waiting| waiting.attempt == *attempt)
        }
        Input::ChildEnded { op, .. } => record.waiting(*op).is_some(),
        _ => true,
    }
}

/// Brings `waiting` into line with what is under way now. Both are in the order of their numbers.
fn follow_operations(record: &mut Record, moment: Moment) {
    let mut before = std::mem::take(&mut record.waiting).into_iter().peekable();
    let waiting = record.run.under_way().map(|pending| {
        while before.next_if(|known| known.op < pending.op).is_some() {}
        let known = before.next_if(|known| known.op == pending.op);
        known.unwrap_or_else(|| Waiting {
            op: pending.op,
            since_ms: moment.now_ms,
            due_ms: match &pending.operation {
                Operation::Activity(_) | Operation::Child(_) => None,
                Operation::Timer { duration } => Some(clock::after(moment.now_ms, *duration)),
                Operation::Signal { timeout, .. } => {
                    timeout.map(|timeout| clock::after(moment.now_ms, timeout))
                }
            },
            attempt: 1,
            lost: 0,
            last_failure: None,
        })
    });
    record.waiting = waiting.collect();
}

fn close(record: &mut Record, outcome: Outcome, moment: Moment) {
    record.run.close();
    record.waiting.clear();
    record.end = Some(End {
        at_ms: moment.now_ms,
        outcome,
    });
}

/// An activity whose attempt may have been under way has lost it. That says nothing about the
/// activity: the attempt is made again under its number, except where it may be made only once.
fn reopened(record: &mut Record, moment: Moment) {
    tick(record, moment);
    let mut failed = Vec::new();
    for pending in record.run.under_way() {
        let op = pending.op;
        let waiting = waiting_for(&mut record.waiting, op);
        let (Operation::Activity(activity), Some(waiting)) = (&pending.operation, waiting) else {
            continue;
        };
        let retry = &activity.options.retry;
        if let Some(due) = waiting.due_ms
            && due > moment.now_ms
        {
            // Between two attempts. A clock that was set back is not to make the wait longer.
            let longest = clock::after(moment.now_ms, retry.interval(waiting.attempt, 1.0));
            waiting.due_ms = Some(due.min(longest));
            continue;
        }
        waiting.lost += 1;
        if retry.max_attempts <= 1 {
            let failure = Failure::new(
                FailureKind::Lost,
                format!(
                    "activity `{}` may be attempted only once, and its attempt died with its process",
                    activity.activity.name
                ),
            );
            failed.push(Event::ActivityFailed { op, failure });
        }
    }
    absorb_all(record, failed);
}

/// Ends what has taken too long, and fires the timers that are due.
fn tick(record: &mut Record, moment: Moment) {
    let mut due = Vec::new();
    for pending in record.run.under_way() {
        let op = pending.op;
        let waiting = waiting_for(&mut record.waiting, op);
        let Some(waiting) = waiting else {
            continue;
        };
        match &pending.operation {
            Operation::Activity(activity) => {
                let limit = activity.options.schedule_to_close;
                let last = limit.map(|limit| clock::after(waiting.since_ms, limit));
                if last.is_some_and(|last| last <= moment.now_ms) {
                    // Between two attempts, the last one says more than that time is up.
                    let between = waiting.due_ms.and_then(|_| waiting.last_failure.take());
                    let failure = between.unwrap_or_else(|| {
                        Failure::new(
                            FailureKind::TimedOut,
                            format!(
                                "activity `{}` took longer than {:?} in all",
                                activity.activity.name,
                                limit.unwrap_or_default()
                            ),
                        )
                    });
                    due.push((last, Event::ActivityFailed { op, failure }));
                } else if waiting.due_ms.is_some_and(|due| due <= moment.now_ms) {
                    // The next attempt begins now: after a crash it counts as under way.
                    waiting.due_ms = None;
                }
            }
            Operation::Timer { .. } | Operation::Signal { .. } | Operation::Child(_) => {
                if waiting.due_ms.is_some_and(|due| due <= moment.now_ms) {
                    due.push((waiting.due_ms, Event::TimerFired { op }));
                }
            }
        }
    }
    // After a long time down, what was due first comes first.
    due.sort_by_key(|(at, _)| *at);
    absorb_all(record, due.into_iter().map(|(_, event)| event).collect());
}

fn waiting_for(waiting: &mut [Waiting], op: u64) -> Option<&mut Waiting> {
    let place = waiting
        .binary_search_by_key(&op, |waiting| waiting.op)
        .ok()?;
    Some(&mut waiting[place])
}

fn absorb_all(record: &mut Record, events: Vec<Event>) {
    for event in events {
        record.run.absorb(event);
    }
}

fn attempted(
    record: &mut Record,
    op: u64,
    attempt: u32,
    result: Result<crate::codec::Sealed, Failure>,
    moment: Moment,
) {
    let pending = record.run.under_way().find(|pending| pending.op == op);
    let waiting = waiting_for(&mut record.waiting, op);
    let (Some(pending), Some(waiting)) = (pending, waiting) else {
        return;
    };
    let Operation::Activity(activity) = &pending.operation else {
        return;
    };
    if waiting.attempt != attempt {
        return;
    }
    let failure = match result {
        Ok(output) => {
            record.run.absorb(Event::ActivityCompleted { op, output });
            return;
        }
        Err(failure) => failure,
    };
    let retry = &activity.options.retry;
    let next_ms = retry
        .after(attempt, &failure, moment.random)
        .map(|wait| clock::after(moment.now_ms, wait));
    let last_ms = activity.options.schedule_to_close;
    let last_ms = last_ms.map(|limit| clock::after(waiting.since_ms, limit));
    match next_ms {
        Some(next) if last_ms.is_none_or(|last| next < last) => {
            waiting.attempt += 1;
            waiting.lost = 0;
            waiting.due_ms = Some(next);
            waiting.last_failure = Some(failure);
        }
        _ => {
            record.run.absorb(Event::ActivityFailed { op, failure });
        }
    }
}

#[cfg(test)]
mod tests;
