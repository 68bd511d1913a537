//! The operations of a run, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::ActivityOptions;
use crate::codec::Sealed;
use crate::failure::Failure;

/// The durable name of an activity.
///
/// The name alone finds it; the module decides where a workflow uses two of one name
/// (`left::fetch` beside `right::fetch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActivityName {
    /// The function's name, or what `#[activity(name = "…")]` says.
    pub name: String,
    /// The module that it stands in.
    pub module: String,
}

/// An activity to run: its name, its arguments and how often and how long it may be tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledActivity {
    /// Which activity.
    pub activity: ActivityName,
    /// One per parameter.
    pub arguments: Vec<Sealed>,
    /// Timeouts and retry policy.
    pub options: ActivityOptions,
}

/// A child workflow to start, as a run of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledChild {
    /// The workflow's durable name.
    pub workflow: String,
    /// One per parameter.
    pub arguments: Vec<Sealed>,
}

impl ScheduledChild {
    /// The workflow id of a child: its parent's ids, and the operation's number.
    #[must_use]
    pub fn workflow_id(workflow_id: &str, run_id: &str, op: u64) -> String {
        format!("{workflow_id}/{run_id}/{op}")
    }
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// An activity's result.
    Activity(ScheduledActivity),
    /// A timer.
    Timer {
        /// How long, from when the operation began.
        duration: Duration,
    },
    /// A signal of a name.
    Signal {
        /// The signal's name.
        name: String,
        /// How long to wait; `None` is for ever.
        timeout: Option<Duration>,
    },
    /// The end of a child workflow.
    Child(ScheduledChild),
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// With a value: the result of an activity or a child, or a signal's payload.
    Completed(Sealed),
    /// A timer fired.
    Fired,
    /// With an error, a timeout or a cancellation.
    Failed(Failure),
}

/// An operation that a run has begun and not yet taken the outcome of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its number, unique in the run.
    pub op: u64,
    /// What it is.
    pub operation: Operation,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
}

/// Which operations a run waits for, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// Until all of them have ended.
    All(Vec<u64>),
    /// Until one of them has; the others are then canceled.
    Any(Vec<u64>),
    /// Until one of them has; of the others those that are only `lent` to the wait go on.
    AnyLent {
        /// All of them.
        ops: Vec<u64>,
        /// Those that were started before and are wanted later.
        lent: Vec<u64>,
    },
}

impl Wait {
    /// The operations, in the order of the source.
    #[must_use]
    pub fn ops(&self) -> &[u64] {
        match self {
            Self::All(ops) | Self::Any(ops) | Self::AnyLent { ops, .. } => ops,
        }
    }

    /// Whether one of the operations is enough.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any(_) | Self::AnyLent { .. })
    }

    /// Whether an operation goes on when another has ended the wait.
    pub(super) fn lends(&self, op: u64) -> bool {
        matches!(self, Self::AnyLent { lent, .. } if lent.contains(&op))
    }
}
