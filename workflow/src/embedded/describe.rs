//! All there is to know about a run.

use crate::contract::{Operation, SavedState, ScheduledChild};
use crate::description::{OperationDescription, OperationKind, RunDescription};
use crate::executor::Error;
use crate::provider::RunTarget;

use super::engine::Engine;
use super::record::{Record, Waiting};
use super::{clock, record};

impl Engine {
    pub(super) fn describe(&self, target: &RunTarget) -> Result<RunDescription, Error> {
        let (run, _) = self.find(target)?;
        let (summary, _, record) = self.read(run)?;
        let info = record::info(&summary);
        let set_aside = match record.end {
            None => self.why_aside(run, &summary)?,
            Some(_) => None,
        };
        let machine = self.machine(&info.workflow);
        let machine = machine.filter(|_| record.end.is_none() && set_aside.is_none());
        let state = match machine {
            Some(machine) => Some(SavedState::new(machine, &record.run.frames)?.to_json()?),
            None => None,
        };
        Ok(RunDescription {
            state,
            operations: operations(&record),
            signals: { record.run.mailbox.iter() }
                .map(|(name, queue)| (name.clone(), queue.len()))
                .collect(),
            timeout_at: record.deadline_ms().map(clock::to_time),
            set_aside,
            history: self.history(target)?,
            info,
        })
    }
}

fn operations(record: &Record) -> Vec<OperationDescription> {
    let under_way = record.run.under_way();
    let described = under_way.filter_map(|pending| {
        let waiting = record.waiting(pending.op)?;
        Some(OperationDescription {
            op: pending.op,
            kind: kind(record, &pending.operation, waiting),
            since: clock::to_time(waiting.since_ms),
            due: waiting.due_ms.map(clock::to_time),
        })
    });
    described.collect()
}

fn kind(record: &Record, operation: &Operation, waiting: &Waiting) -> OperationKind {
    match operation {
        Operation::Activity(scheduled) => OperationKind::Activity {
            name: scheduled.activity.name.clone(),
            attempt: waiting.attempt,
            last_failure: waiting.last_failure.clone(),
        },
        Operation::Timer { .. } => OperationKind::Timer,
        Operation::Signal { name, .. } => OperationKind::Signal { name: name.clone() },
        Operation::Child(child) => {
            let head = &record.head;
            OperationKind::Child {
                workflow: child.workflow.to_string(),
                workflow_id: ScheduledChild::workflow_id(
                    &head.workflow_id,
                    &head.run_id,
                    waiting.op,
                ),
            }
        }
    }
}
