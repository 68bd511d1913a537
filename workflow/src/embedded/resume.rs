//! What is taken up when the engine is opened.

use std::sync::Arc;

use crate::executor::Error;
use crate::provider::RunTarget;

use super::aside::unreadable;
use super::engine::{Engine, happened};
use super::record::{Head, Record};
use super::transition::{self, Input, LOST_ATTEMPTS_MAX, Moment};

/// How many runs are taken up by one commit when the engine is opened.
const RESUME_CHANGES_MAX: usize = 4096;

impl Engine {
    /// Takes up the runs of which something was under way: what they lost is noted, then they go
    /// on. Runs that wait are not touched.
    pub(super) async fn resume(self: &Arc<Self>) -> Result<(), Error> {
        let mut last = (0, 0);
        loop {
            let found = self.store.wakes(last, 0, RESUME_CHANGES_MAX)?;
            let Some(next) = found.last() else {
                return Ok(());
            };
            last = *next;
            self.take_up(found.into_iter().map(|(_, run)| run)).await?;
        }
    }

    pub(super) async fn take_up(
        self: &Arc<Self>,
        runs: impl Iterator<Item = u64>,
    ) -> Result<(), Error> {
        let mut taken_up = Vec::new();
        let mut changes = Vec::new();
        for run in runs {
            let mut active = match self.active(run) {
                Ok(active) => active,
                // The others are not to wait for one that is damaged.
                Err(error @ (Error::Codec(_) | Error::Storage(_))) => {
                    tracing::error!(run, %error, "a run cannot be read");
                    self.put_aside(unreadable(run), error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Whether they were started before the process died, nobody knows.
            active.children.clear();
            let record = &mut active.record;
            let before = record.clone();
            // Steps are taken later, each run's by itself: a slow one delays nobody.
            if self.fitting(record).is_ok() {
                transition::absorb(record, Input::Reopened, Moment::now());
            }
            let mut waiting = record.waiting.iter_mut();
            if let Some(waiting) = waiting.find(|waiting| waiting.lost >= LOST_ATTEMPTS_MAX) {
                let reason = format!(
                    "its activity died with the process {} times in a row; it is tried again when the executor is opened next, or cancel or terminate the run",
                    waiting.lost
                );
                waiting.lost = 0;
                self.put_aside(record.head.clone(), reason);
            }
            if active.record != before {
                let happened = happened(Input::Reopened.kind(), &active.record, Moment::now());
                changes.extend(active.changes(vec![happened])?);
            }
            taken_up.push(active);
        }
        self.store.commit(changes, false).await?;
        for active in taken_up {
            let held = self
                .slots
                .hold(active.record.head.workflow_id.as_str().into());
            let mut guard = held.active.lock().await;
            // A child whose parent went on without it was to be canceled when the process died.
            let input = if self.is_orphan(&active.record.head) {
                Some(Input::Cancel)
            } else {
                active.record.run.is_ready().then_some(Input::Tick)
            };
            let target = RunTarget {
                workflow_id: active.record.head.workflow_id.clone(),
                run_id: Some(active.record.head.run_id.clone()),
            };
            let begun = self.settle(&held, &mut guard, active, None);
            self.dispatch(begun);
            if let Some(input) = input {
                let engine = self.clone();
                self.runtime
                    .spawn(async move { engine.report(target, input).await });
            }
        }
        Ok(())
    }

    /// Whether the run that started a child waits for it no more.
    pub(super) fn is_orphan(&self, head: &Head) -> bool {
        let Some(parent) = &head.parent else {
            return false;
        };
        let target = RunTarget {
            workflow_id: parent.workflow_id.clone(),
            run_id: Some(parent.run_id.clone()),
        };
        let waits = |record: &Record| record.run.under_way().any(|p| p.op == parent.op);
        self.record(&target).is_ok_and(|record| !waits(&record))
    }
}
