//! All there is to know about a run.

use std::time::SystemTime;

use serde_json::Value;

use crate::failure::Failure;
use crate::provider::{HistoryEvent, RunInfo};

/// All there is to know about a run: what [`Executor::describe`](crate::Executor::describe) gives.
#[derive(Clone, Debug, PartialEq)]
pub struct RunDescription {
    /// Its ids, workflow, status and times.
    pub info: RunInfo,
    /// Where it stands, as JSON; `None` once it has ended, and where the code at hand does not fit.
    pub state: Option<Value>,
    /// What is under way, in the order in which it was begun.
    pub operations: Vec<OperationDescription>,
    /// The signals that nobody has waited for yet: their names, and how many of each.
    pub signals: Vec<(String, usize)>,
    /// When it times out.
    pub timeout_at: Option<SystemTime>,
    /// Why it is set aside, if it is.
    pub set_aside: Option<String>,
    /// What happened to it, in order; the newest entries, where only so many are kept.
    pub history: Vec<HistoryEvent>,
}

/// An operation that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationDescription {
    /// Its number, unique in the run.
    pub op: u64,
    /// What it is.
    pub kind: OperationKind,
    /// Since when.
    pub since: SystemTime,
    /// When a timer fires or a wait times out, or when the next attempt begins; `None` is never, or
    /// that an attempt is being made.
    pub due: Option<SystemTime>,
}

/// What an operation is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OperationKind {
    /// An activity.
    Activity {
        /// Its durable name.
        name: String,
        /// Which attempt is being made or comes next, counted from 1.
        attempt: u32,
        /// Why the one before failed.
        last_failure: Option<Failure>,
    },
    /// A timer.
    Timer,
    /// A wait for a signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// A child workflow.
    Child {
        /// Its workflow's durable name.
        workflow: String,
        /// Its workflow id.
        workflow_id: String,
    },
}
