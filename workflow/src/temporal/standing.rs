//! Where a run stands, as its worker knows it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use temporalio_common::protos::temporal::api::workflow::v1::PendingActivityInfo;

use crate::contract::{Operation, Pending, Run, ScheduledChild};
use crate::description::{OperationDescription, OperationKind};
use crate::provider::RunInfo;

use super::failures;
use super::history::op;

/// A run, and what its worker alone knows of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) run: Run,
    /// When the operations under way were begun.
    pub(super) since: BTreeMap<u64, SystemTime>,
}

impl Standing {
    /// The signals that nobody has waited for yet.
    pub(super) fn signals(&self) -> Vec<(String, usize)> {
        let mailbox = self.run.mailbox.iter();
        mailbox
            .map(|(name, queue)| (name.clone(), queue.len()))
            .collect()
    }

    /// What is under way; the server knows of the attempts of activities.
    pub(super) fn operations(
        &self,
        info: &RunInfo,
        activities: &[PendingActivityInfo],
    ) -> Vec<OperationDescription> {
        let describe = |pending: &Pending| {
            let activity = activities
                .iter()
                .find(|it| op(&it.activity_id) == Some(pending.op));
            let since = self
                .since
                .get(&pending.op)
                .copied()
                .unwrap_or(info.started_at);
            OperationDescription {
                op: pending.op,
                kind: kind(info, pending, activity),
                since,
                due: due(&pending.operation, since, activity),
            }
        };
        self.run.under_way().map(describe).collect()
    }
}

fn kind(
    info: &RunInfo,
    pending: &Pending,
    activity: Option<&PendingActivityInfo>,
) -> OperationKind {
    match &pending.operation {
        Operation::Activity(scheduled) => OperationKind::Activity {
            name: scheduled.activity.name.clone(),
            attempt: activity.map_or(1, |it| u32::try_from(it.attempt).unwrap_or(1)),
            last_failure: activity
                .and_then(|it| it.last_failure.as_ref())
                .map(failures::received),
        },
        Operation::Timer { .. } => OperationKind::Timer,
        Operation::Signal { name, .. } => OperationKind::Signal { name: name.clone() },
        Operation::Child(child) => OperationKind::Child {
            workflow: child.workflow.clone(),
            workflow_id: ScheduledChild::workflow_id(&info.workflow_id, &info.run_id, pending.op),
        },
    }
}

fn due(
    operation: &Operation,
    since: SystemTime,
    activity: Option<&PendingActivityInfo>,
) -> Option<SystemTime> {
    match operation {
        Operation::Timer { duration } => since.checked_add(*duration),
        Operation::Signal { timeout, .. } => since.checked_add((*timeout)?),
        Operation::Activity(_) => {
            let next = activity?.next_attempt_schedule_time?;
            SystemTime::try_from(next).ok()
        }
        Operation::Child(_) => None,
    }
}
