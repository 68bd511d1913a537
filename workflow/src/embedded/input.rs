//! What is given to a run in flight: load, transition, commit, then act.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::codec::Payload;
use crate::executor::Error;
use crate::provider::{HistoryEvent, HistoryEventKind, RunTarget};

use super::dispatch::Begun;
use super::engine::{Engine, lock};
use super::record::{self, Head, Record};
use super::slot::{Active, Report, Slot};
use super::store::{IN_FLIGHT, Summary};
use super::transition::{self, Input, Moment};
use super::{clock, limit, telemetry};

impl Engine {
    /// Delivers a signal that the run's workflow understands.
    pub(super) async fn signal(
        self: &Arc<Self>,
        target: RunTarget,
        name: String,
        payload: Payload,
    ) -> Result<(), Error> {
        let engine = self.clone();
        let busy = self.busy();
        self.detached(async move {
            let _busy = busy;
            let accept = |record: &Record| {
                let workflow = &record.head.workflow;
                let machine = engine.machine(workflow);
                let machine = machine.ok_or_else(|| Error::NotRegistered {
                    workflow: workflow.clone(),
                })?;
                limit::payload(&engine.limits, &payload)?;
                limit::mailbox(&engine.limits, record, &name)?;
                let payload = machine.definition().accept_signal(&name, &payload)?;
                Ok(Input::Signal { name, payload })
            };
            let begun = engine.input_with(&target, accept).await?;
            engine.dispatch(begun);
            Ok(())
        })
        .await
    }

    /// Gives an input to a run in flight; returns when it is durable.
    pub(super) async fn input(
        self: &Arc<Self>,
        target: RunTarget,
        input: Input,
    ) -> Result<(), Error> {
        let engine = self.clone();
        let busy = self.busy();
        self.detached(async move {
            let _busy = busy;
            let begun = engine.input_with(&target, |_| Ok(input)).await?;
            engine.dispatch(begun);
            Ok(())
        })
        .await
    }

    /// Gives a run in flight an input that is made from how it stands; gives the attempts that
    /// begin.
    pub(super) async fn input_with(
        self: &Arc<Self>,
        target: &RunTarget,
        input: impl FnOnce(&Record) -> Result<Input, Error>,
    ) -> Result<Vec<Begun>, Error> {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let mut guard = held.active.lock().await;
        let input = input(&self.in_memory(&mut guard, target)?.record)?;
        self.transit(&held, &mut guard, vec![input]).await
    }

    /// Gives a run in flight an outcome, with those that came while it was busy: however many
    /// operations end at a time, few commits are made of them. Gives the attempts that begin;
    /// `None` where it was in somebody else's commit, which failed.
    pub(super) async fn reported(
        self: &Arc<Self>,
        target: &RunTarget,
        input: Input,
    ) -> Result<Option<Vec<Begun>>, Error> {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let (done, mut outcome) = oneshot::channel();
        held.report(Report {
            run_id: target.run_id.clone(),
            input,
            done,
        });
        let mut guard = held.active.lock().await;
        let mut begun = Vec::new();
        loop {
            match outcome.try_recv() {
                Ok(()) => return Ok(Some(begun)),
                Err(TryRecvError::Closed) => return Ok(None),
                Err(TryRecvError::Empty) => {}
            }
            self.dispatch(begun);
            let found = self.in_memory(&mut guard, target).map(|_| ());
            let reports = held.take_reports().into_iter();
            // Who waits for one of them finds out by itself why it cannot be given.
            found?;
            // A run that is in flight is the only one of its id: those of others came too late.
            let (inputs, done): (Vec<_>, Vec<_>) = reports
                .filter(|report| report.run_id == target.run_id)
                .map(|report| (report.input, report.done))
                .unzip();
            begun = self.transit(&held, &mut guard, inputs).await?;
            for done in done {
                // Who waits for it is a task that nobody aborts, or has ended with its runtime.
                let _ = done.send(());
            }
        }
    }

    /// The run in flight; it is read where it was not worth the memory.
    fn in_memory<'g>(
        &self,
        guard: &'g mut Option<Active>,
        target: &RunTarget,
    ) -> Result<&'g mut Active, Error> {
        let active = match guard {
            Some(active) => active,
            empty => {
                let (run, summary) = self.find(target)?;
                if summary.standing.status != IN_FLIGHT {
                    return Err(closed(&summary));
                }
                empty.insert(self.active(run)?)
            }
        };
        if (target.run_id.as_ref()).is_some_and(|run_id| *run_id != active.record.head.run_id) {
            return Err(closed(&self.find(target)?.1));
        }
        Ok(active)
    }

    /// What inputs do to the run in memory: one commit, and what follows from it.
    async fn transit(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        guard: &mut Option<Active>,
        inputs: Vec<Input>,
    ) -> Result<Vec<Begun>, Error> {
        let active = guard.as_mut().expect("it was read");
        let deadline = active.record.deadline_ms();
        let too_late = deadline.is_some_and(|deadline| deadline <= clock::now_ms());
        let is_tick = matches!(inputs[..], [Input::Tick]);
        // Nobody is there to be told that these are refused.
        let unasked = is_tick || inputs.iter().any(Input::is_outcome);
        let mut next = Active {
            run: active.run,
            record: active.record.clone(),
            identity: active.identity.clone(),
            image: active.image.clone(),
            attempts: BTreeMap::new(),
            children: active.children.clone(),
            // A tick is what the timers woke it for; they have forgotten it.
            wake_ms: active.wake_ms.filter(|_| !is_tick),
        };
        let (mut happened, aside) = self.advance(&mut next.record, inputs);
        if next.record != active.record {
            // That the next attempt begins is no news to the run.
            if is_tick
                && (&next.record.run, &next.record.end) == (&active.record.run, &active.record.end)
            {
                happened.clear();
            }
            let changes = next.changes(happened)?;
            let committed = match limit::operations(&self.limits, &next.record) {
                Ok(()) => self.commit(changes).await,
                Err(error) => Err(error),
            };
            match committed {
                Err(error @ (Error::TooLarge { .. } | Error::TooManyOperations { .. }))
                    if unasked =>
                {
                    // It would be as large each time. The run stays as it was.
                    self.put_aside(active.record.head.clone(), error.to_string());
                    let active = guard.take().expect("it is there");
                    let begun = self.settle(slot, guard, active, None);
                    self.dispatch(begun);
                    return Err(error);
                }
                committed => committed?,
            }
        }
        // From here on the new record is what stands on disk.
        if next.record.end.is_some() {
            let Head {
                workflow_id,
                run_id,
                workflow,
                ..
            } = &next.record.head;
            let status = next.record.status();
            telemetry::run_closed(workflow, status);
            tracing::info!(workflow_id, run_id, workflow, %status, "a run has ended");
        }
        next.attempts = std::mem::take(&mut active.attempts);
        if let Some(reason) = aside {
            self.put_aside(next.record.head.clone(), reason);
        }
        let refused = too_late.then(|| Error::RunClosed {
            workflow_id: next.record.head.workflow_id.clone(),
            status: next.record.status(),
        });
        let begun = self.settle(slot, guard, next, None);
        refused.map_or(Ok(begun), Err)
    }

    /// Runs the transitions, one after the other: what happened, and the reason where the code
    /// cannot go on with the run.
    pub(super) fn advance(
        &self,
        record: &mut Record,
        inputs: Vec<Input>,
    ) -> (Vec<HistoryEvent>, Option<String>) {
        let moment = Moment::now();
        let Head {
            workflow_id,
            run_id,
            workflow,
            ..
        } = record.head.clone();
        let begin = Instant::now();
        // What the workflow's code logs stands in the span of its run.
        let span = tracing::info_span!(parent: None, "step", workflow_id, run_id, workflow);
        let entered = span.enter();
        let is_aside = self.aside_of(&workflow_id, &run_id).is_some();
        let machine = self.fitting(record).ok();
        let (mut events, mut reason) = (Vec::new(), None);
        for input in inputs {
            if record.end.is_some() || !transition::is_awaited(record, &input) {
                continue;
            }
            let kind = input.kind();
            // A cancel may be what a run needs that is set aside: it is tried.
            let may_step = reason.is_none() && (!is_aside || matches!(input, Input::Cancel));
            match machine.filter(|_| may_step) {
                Some(machine) => {
                    lock(&self.aside).remove(workflow_id.as_str());
                    let applied = transition::apply(record, machine, input, moment);
                    reason = applied.err().map(|fault| fault.to_string());
                }
                None => transition::absorb(record, input, moment),
            }
            events.push(happened(kind, record, moment));
        }
        drop(entered);
        telemetry::stepped(&workflow, begin);
        (events, reason)
    }
}

/// An entry of a run's history.
pub(super) fn happened(kind: HistoryEventKind, record: &Record, moment: Moment) -> HistoryEvent {
    HistoryEvent {
        at: clock::to_time(moment.now_ms),
        kind,
        state: record.run.position(),
    }
}

fn closed(summary: &Summary) -> Error {
    let info = record::info(summary);
    Error::RunClosed {
        workflow_id: info.workflow_id,
        status: info.status,
    }
}
