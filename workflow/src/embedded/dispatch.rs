//! What follows from a commit: attempts begin and stop, timers are set, outcomes are reported.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::activity::ActivityContext;
use crate::contract::{Operation, ScheduledActivity};
use crate::executor::Error;
use crate::provider::RunTarget;

use super::engine::Engine;
use super::fit::find_activity;
use super::record::Record;
use super::slot::{Active, Slot};
use super::transition::Input;
use super::{attempt, clock, engine};

/// How long to wait before trying again to write down what cannot be given back to a caller.
const COMMIT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// So many runs that something is due for are looked at at a time.
const TICKS_MAX: usize = 1024;

/// Closes the engine with the task that has this.
struct CloseOnDrop(Arc<Engine>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Engine {
    /// Keeps what was committed, and acts on it.
    pub(super) fn settle(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        guard: &mut Option<Active>,
        mut active: Active,
    ) {
        let is_aside = if active.record.end.is_some() {
            engine::lock(&self.aside).remove(&slot.workflow_id);
            true
        } else {
            engine::lock(&self.aside).contains_key(&slot.workflow_id)
        };
        let record = &active.record;
        let waiting = record.waiting.as_ref().filter(|_| !is_aside);
        let wanted = waiting.map(|waiting| (waiting.op, waiting.attempt));
        if active.attempt.as_ref().map(|(op, n, _)| (*op, *n)) != wanted
            && let Some((_, _, task)) = active.attempt.take()
        {
            task.abort();
        }
        let mut due_ms = waiting.and_then(|waiting| waiting.due_ms);
        if let Some(Operation::Activity(scheduled)) = record.awaited()
            && due_ms.is_none_or(|due| due <= clock::now_ms())
            && !record.run.is_ready()
        {
            due_ms = None;
            if active.attempt.is_none()
                && let Some((op, number)) = wanted
            {
                active.attempt = Some((op, number, self.begin_attempt(record, scheduled)));
            }
        }
        // Also a run that is set aside times out.
        let wake_ms = due_ms.into_iter().chain(record.deadline_ms()).min();
        let wake_ms = wake_ms.filter(|_| record.end.is_none());
        if wake_ms != active.wake_ms {
            if let Some(at) = active.wake_ms {
                self.timers.remove((at, active.run));
            }
            if let Some(at) = wake_ms {
                let is_stored = record.wake_ms() == Some(at);
                self.timers.add((at, active.run), is_stored);
            }
            active.wake_ms = wake_ms;
        }
        *guard = Some(active).filter(|active| active.record.end.is_none());
        slot.version.send_modify(|version| *version += 1);
    }

    /// Begins an attempt. Its outcome is reported from another task, which nobody aborts.
    fn begin_attempt(
        self: &Arc<Self>,
        record: &Record,
        scheduled: &ScheduledActivity,
    ) -> AbortHandle {
        let waiting = record.waiting.as_ref().expect("an activity is awaited");
        let (op, number) = (waiting.op, waiting.attempt);
        let definition = self
            .machine(&record.head.workflow)
            .and_then(|machine| find_activity(machine.definition(), &scheduled.activity))
            .expect("`fits` has looked it up")
            .clone();
        let context = ActivityContext::new(
            record.head.workflow_id.clone(),
            record.head.run_id.clone(),
            op,
            number,
        );
        let rest = scheduled.options.schedule_to_close.map(|limit| {
            let end = clock::after(waiting.since_ms, limit);
            Duration::from_millis(end.saturating_sub(clock::now_ms()))
        });
        let limit = match (scheduled.options.start_to_close, rest) {
            (Some(attempt), Some(rest)) => Some(attempt.min(rest)),
            (limit, rest) => limit.or(rest),
        };
        let target = RunTarget {
            workflow_id: record.head.workflow_id.clone(),
            run_id: Some(record.head.run_id.clone()),
        };
        let name = definition.name.name.clone();
        let attempt = attempt::run(definition, scheduled.clone(), context, limit);
        let task = self.runtime.spawn(attempt);
        let abort = task.abort_handle();
        let engine = self.clone();
        let mut closed = self.closed.subscribe();
        let busy = self.busy();
        self.runtime.spawn(async move {
            let _busy = busy;
            let abort = task.abort_handle();
            let joined = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => return abort.abort(),
                joined = task => joined,
            };
            if let Some(result) = attempt::outcome(&name, joined) {
                let input = Input::Attempted {
                    op,
                    attempt: number,
                    result,
                };
                engine.report(target, input).await;
            }
        });
        abort
    }

    /// Gives an input that nobody else would give again: tries until it is durable.
    pub(super) async fn report(self: &Arc<Self>, target: RunTarget, input: Input) {
        loop {
            match self.input_now(&target, input.clone()).await {
                Err(error @ (Error::Storage(_) | Error::Codec(_))) => {
                    tracing::error!(
                        workflow_id = target.workflow_id,
                        %error,
                        "a run cannot be written down; trying again"
                    );
                }
                // It was ended meanwhile, or the engine is closed: then the next open sees to it.
                _ => return,
            }
            let mut closed = self.closed.subscribe();
            tokio::select! {
                () = tokio::time::sleep(COMMIT_RETRY_INTERVAL) => {}
                _ = closed.wait_for(|closed| *closed) => return,
            }
        }
    }

    pub(super) async fn watch_timers(self: Arc<Self>) {
        // When its runtime ends, the engine can do no more: whoever waits is to know.
        let _engine = CloseOnDrop(self.clone());
        let mut closed = self.closed.subscribe();
        let ticks = Arc::new(Semaphore::new(TICKS_MAX));
        loop {
            let run = tokio::select! {
                run = self.timers.next(&self.store) => run,
                _ = closed.wait_for(|closed| *closed) => return,
            };
            let summary = match &run {
                Ok(run) => self.store.summary(*run),
                Err(error) => Err(error.clone()),
            };
            let identity = match summary {
                Ok(Some(summary)) => summary.identity,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(%error, "what is due cannot be read; trying again");
                    tokio::time::sleep(COMMIT_RETRY_INTERVAL).await;
                    if let Ok(run) = run {
                        self.timers.add((clock::now_ms(), run), false);
                    }
                    continue;
                }
            };
            let Ok(permit) = ticks.clone().acquire_owned().await else {
                return;
            };
            let engine = self.clone();
            self.runtime.spawn(async move {
                let _permit = permit;
                let _busy = engine.busy();
                let target = RunTarget {
                    workflow_id: identity.workflow_id.clone(),
                    run_id: Some(identity.run_id.clone()),
                };
                engine.report(target, Input::Tick).await;
            });
        }
    }
}
