//! Metrics, by the `metrics` facade. What each of them counts is said in `docs/operations.md`.

use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};

use crate::failure::Failure;
use crate::status::Status;

/// A group was committed: of so many runs' changes, after so long.
pub(super) fn committed(changes: usize, bytes: u64, took: Duration) {
    histogram!("workflow_commit_changes").record(changes as f64);
    histogram!("workflow_commit_bytes").record(bytes as f64);
    histogram!("workflow_commit_seconds").record(took);
}

/// So many callers wait for the next commit.
pub(super) fn commit_queue(callers: usize) {
    gauge!("workflow_commit_queue").set(callers as f64);
}

/// Callers wait since the journal is full.
pub(super) fn journal_full() {
    counter!("workflow_journal_full_total").increment(1);
}

/// So many bytes are in the journal and not in the state.
pub(super) fn journal_bytes(bytes: u64) {
    gauge!("workflow_journal_bytes").set(bytes as f64);
}

pub(super) fn checkpoint(took: Duration, succeeded: bool) {
    let outcome = if succeeded { "completed" } else { "failed" };
    histogram!("workflow_checkpoint_seconds", "outcome" => outcome).record(took);
}

pub(super) fn run_started(workflow: &str) {
    counter!("workflow_runs_started_total", "workflow" => workflow.to_owned()).increment(1);
}

pub(super) fn run_closed(workflow: &str, status: Status) {
    let labels = [
        ("workflow", workflow.to_owned()),
        ("status", status.to_string()),
    ];
    counter!("workflow_runs_closed_total", &labels).increment(1);
}

/// A run took in an input, and stepped as far as it could.
pub(super) fn stepped(workflow: &str, begin: Instant) {
    histogram!("workflow_step_seconds", "workflow" => workflow.to_owned()).record(begin.elapsed());
}

/// An attempt is being made, until this is dropped or [ends](Self::end).
pub(super) struct RunningAttempt {
    activity: String,
    begin: Instant,
    outcome: &'static str,
}

impl RunningAttempt {
    pub(super) fn begin(activity: &str) -> Self {
        gauge!("workflow_activities_running").increment(1);
        Self {
            activity: activity.to_owned(),
            begin: Instant::now(),
            outcome: "canceled",
        }
    }

    pub(super) fn end<T>(mut self, result: &Result<T, Failure>) {
        self.outcome = if result.is_ok() {
            "completed"
        } else {
            "failed"
        };
    }
}

impl Drop for RunningAttempt {
    fn drop(&mut self) {
        gauge!("workflow_activities_running").decrement(1);
        let activity = std::mem::take(&mut self.activity);
        let labels = [("activity", activity), ("outcome", self.outcome.to_owned())];
        histogram!("workflow_activity_seconds", &labels).record(self.begin.elapsed());
    }
}

/// So many slots are in memory: runs of which something is under way, or that somebody looks at.
pub(super) fn active_runs(runs: usize) {
    gauge!("workflow_active_runs").set(runs as f64);
}
