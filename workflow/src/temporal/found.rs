//! A run as the server describes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use temporalio_common::protos::temporal::api::enums::v1::WorkflowExecutionStatus;
use temporalio_common::protos::temporal::api::workflow::v1::{
    PendingActivityInfo, WorkflowExecutionInfo,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse;

use crate::provider::RunInfo;
use crate::status::Status;

/// The latest run of a chain of runs, which are one to everybody outside.
pub(super) struct Found {
    /// What there is to know, under the id of the chain's first run.
    pub(super) info: RunInfo,
    /// The id of the latest.
    pub(super) run_id: String,
    /// The id of the chain's first run; empty where the server is one that does not tell it.
    pub(super) first_run_id: String,
    /// How long the whole chain may take, and until when.
    timeout: Option<Duration>,
    pub(super) timeout_at: Option<SystemTime>,
    /// How long each of its runs may take.
    run_timeout: Option<Duration>,
    pub(super) activities: Vec<PendingActivityInfo>,
    /// How often its present workflow task was tried.
    pub(super) attempt: i32,
    /// How many events its history has.
    pub(super) events: i64,
}

impl Found {
    /// The timeout that had passed when the chain timed out.
    pub(super) fn passed(&self, at: Option<SystemTime>) -> Duration {
        let whole = self.timeout.filter(|_| self.timeout_at <= at);
        let timeout = whole.or(self.run_timeout).or(self.timeout);
        timeout.unwrap_or_default()
    }
}

/// A run, as the server describes it; nothing where it leaves out what makes one.
pub(super) fn found(described: DescribeWorkflowExecutionResponse) -> Option<Found> {
    let task = described.pending_workflow_task;
    let config = described.execution_config.unwrap_or_default();
    let described_info = described.workflow_execution_info?;
    let events = described_info.history_length;
    let first_run_id = described_info.first_run_id.clone();
    let (mut info, run_id) = info(described_info)?;
    let extended = described.workflow_extended_info.unwrap_or_default();
    if let Some(started_at) = time(extended.original_start_time) {
        info.started_at = started_at;
    }
    Some(Found {
        timeout_at: time(extended.execution_expiration_time),
        activities: described.pending_activities,
        info,
        run_id,
        first_run_id,
        timeout: limit(config.workflow_execution_timeout),
        run_timeout: limit(config.workflow_run_timeout),
        attempt: task.map_or(0, |task| task.attempt),
        events,
    })
}

/// What there is to know of a chain, and the id of its run that is looked at.
pub(super) fn info(info: WorkflowExecutionInfo) -> Option<(RunInfo, String)> {
    let status = status(info.status());
    let execution = info.execution?;
    let run_id = execution.run_id;
    let info = RunInfo {
        workflow_id: execution.workflow_id,
        run_id: match info.first_run_id.is_empty() {
            true => run_id.clone(),
            false => info.first_run_id,
        },
        workflow: info.r#type.unwrap_or_default().name,
        status,
        started_at: time(info.start_time).unwrap_or(UNIX_EPOCH),
        closed_at: time(info.close_time),
    };
    Some((info, run_id))
}

/// To the server, zero is without limit.
fn limit<T>(timeout: Option<T>) -> Option<Duration>
where
    Duration: TryFrom<T>,
{
    let timeout = Duration::try_from(timeout?).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}

/// A time of the server's.
pub(super) fn time<T>(time: Option<T>) -> Option<SystemTime>
where
    SystemTime: TryFrom<T>,
{
    SystemTime::try_from(time?).ok()
}

fn status(status: WorkflowExecutionStatus) -> Status {
    match status {
        WorkflowExecutionStatus::Completed => Status::Completed,
        WorkflowExecutionStatus::Failed => Status::Failed,
        WorkflowExecutionStatus::Canceled => Status::Canceled,
        WorkflowExecutionStatus::Terminated => Status::Terminated,
        WorkflowExecutionStatus::TimedOut => Status::TimedOut,
        // Continued as new, it goes on.
        _ => Status::Running,
    }
}
