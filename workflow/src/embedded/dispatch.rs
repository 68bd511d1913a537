//! What follows from a commit: attempts begin and stop, timers are set, outcomes are reported.

use std::sync::Arc;
use std::time::Duration;

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
            && due_ms.is_some_and(|due| due <= clock::now_ms())
        {
            due_ms = None;
            if active.attempt.is_none()
                && let Some((op, number)) = wanted
            {
                active.attempt = Some((op, number, self.begin_attempt(record, scheduled)));
            }
        }
        let deadline_ms = record.deadline_ms().filter(|_| !is_aside);
        let wake_ms = due_ms.into_iter().chain(deadline_ms).min();
        if wake_ms != active.wake_ms {
            if let Some(at) = active.wake_ms {
                self.timers.remove(at, &slot.workflow_id);
            }
            if let Some(at) = wake_ms {
                self.timers.add(at, &slot.workflow_id);
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
        let engine = self.clone();
        let scheduled = scheduled.clone();
        let mut closed = self.closed.subscribe();
        let task = self.runtime.spawn(async move {
            let result = tokio::select! {
                result = attempt::run(&definition, scheduled, context, limit) => result,
                _ = closed.wait_for(|closed| *closed) => return,
            };
            let input = Input::Attempted {
                op,
                attempt: number,
                result,
            };
            let runtime = engine.runtime.clone();
            runtime.spawn(async move { engine.report(target, input).await });
        });
        task.abort_handle()
    }

    /// Gives an input that nobody else would give again: tries until it is durable.
    async fn report(self: &Arc<Self>, target: RunTarget, input: Input) {
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
        let mut closed = self.closed.subscribe();
        loop {
            let workflow_id = tokio::select! {
                workflow_id = self.timers.next() => workflow_id,
                _ = closed.wait_for(|closed| *closed) => return,
            };
            let engine = self.clone();
            self.runtime.spawn(async move {
                let target = RunTarget {
                    workflow_id: workflow_id.to_string(),
                    run_id: None,
                };
                engine.report(target, Input::Tick).await;
            });
        }
    }
}
