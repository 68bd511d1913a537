//! What follows from a commit: attempts begin and stop, timers are set, outcomes are reported.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::activity::ActivityContext;
use crate::attempt;
use crate::codec::Sealed;
use crate::contract::{Operation, ScheduledActivity, ScheduledChild};
use crate::executor::Error;
use crate::failure::{Failure, FailureKind};
use crate::provider::RunTarget;

use super::engine::Engine;
use super::fit::find_activity;
use super::record::{Parent, Record, Waiting};
use super::slot::{Active, Attempt, Slot};
use super::telemetry::RunningAttempt;
use super::transition::Input;
use super::{clock, engine, limit};

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
        self.settle_children(&mut active);
        let record = &active.record;
        let waiting: &[Waiting] = if is_aside { &[] } else { &record.waiting };
        active.attempts.retain(|op, attempt| {
            let waiting = waiting.binary_search_by_key(op, |waiting| waiting.op);
            waiting.is_ok_and(|place| record.waiting[place].attempt == attempt.number)
        });
        let (now_ms, mut due_ms) = (clock::now_ms(), None);
        // They are in one order.
        for (pending, waiting) in record.run.under_way().zip(waiting) {
            match (&pending.operation, waiting.due_ms) {
                (Operation::Activity(scheduled), due) if due.is_none_or(|due| due <= now_ms) => {
                    let attempt = active.attempts.entry(waiting.op);
                    attempt.or_insert_with(|| self.begin_attempt(record, waiting, scheduled));
                }
                (_, due) => due_ms = due_ms.into_iter().chain(due).min(),
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

    /// Starts the children that are wanted, cancels those that are not any more, and tells the
    /// parent when this run has ended. A run that is set aside keeps its children.
    fn settle_children(self: &Arc<Self>, active: &mut Active) {
        let record = &active.record;
        let wanted: BTreeMap<u64, &ScheduledChild> = record
            .run
            .under_way()
            .filter_map(|pending| match &pending.operation {
                Operation::Child(child) => Some((pending.op, child)),
                _ => None,
            })
            .collect();
        let head = &record.head;
        for (op, child) in &wanted {
            if active.children.contains(op) {
                continue;
            }
            let parent = Parent {
                workflow_id: head.workflow_id.clone(),
                run_id: head.run_id.clone(),
                op: *op,
            };
            let (engine, child) = (self.clone(), (*child).clone());
            self.runtime.spawn(engine.start_child(parent, child));
        }
        for op in &active.children {
            if wanted.contains_key(op) {
                continue;
            }
            let target = RunTarget {
                workflow_id: ScheduledChild::workflow_id(&head.workflow_id, &head.run_id, *op),
                run_id: None,
            };
            let engine = self.clone();
            self.runtime
                .spawn(async move { engine.report(target, Input::Cancel).await });
        }
        active.children = wanted.into_keys().collect();
        if let (Some(end), Some(parent)) = (&record.end, &head.parent) {
            let result = end.outcome.for_parent();
            let (engine, parent) = (self.clone(), parent.clone());
            self.runtime
                .spawn(async move { engine.report_child(parent, result).await });
        }
    }

    async fn report_child(self: &Arc<Self>, parent: Parent, result: Result<Sealed, Failure>) {
        let target = RunTarget {
            workflow_id: parent.workflow_id,
            run_id: Some(parent.run_id),
        };
        let op = parent.op;
        self.report(target, Input::ChildEnded { op, result }).await;
    }

    /// Starts a child, or finds the one that was started before a crash.
    async fn start_child(self: Arc<Self>, parent: Parent, child: ScheduledChild) {
        loop {
            let started = self.child(&parent, &child).await;
            match started {
                Ok(None) => return,
                Ok(Some(result)) => return self.report_child(parent, result).await,
                Err(Error::Closed) => return,
                Err(error @ (Error::Storage(_) | Error::Codec(_))) => {
                    tracing::error!(
                        workflow_id = parent.workflow_id,
                        %error,
                        "a child cannot be started; trying again"
                    );
                }
                Err(error) => {
                    let text = format!("the child workflow cannot be started: {error}");
                    let failure = Failure::new(FailureKind::Application, text);
                    return self.report_child(parent, Err(failure)).await;
                }
            }
            let mut closed = self.closed.subscribe();
            tokio::select! {
                biased;
                () = tokio::time::sleep(COMMIT_RETRY_INTERVAL) => {}
                _ = closed.wait_for(|closed| *closed) => return,
            }
        }
    }

    /// Begins an attempt. Its outcome is reported from another task, which nobody aborts.
    fn begin_attempt(
        self: &Arc<Self>,
        record: &Record,
        waiting: &Waiting,
        scheduled: &ScheduledActivity,
    ) -> Attempt {
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
        let options = scheduled.options.clone();
        let since_ms = waiting.since_ms;
        let limit = move || {
            let rest = options.schedule_to_close.map(|limit| {
                let end = clock::after(since_ms, limit);
                Duration::from_millis(end.saturating_sub(clock::now_ms()))
            });
            match (options.start_to_close, rest) {
                (Some(attempt), Some(rest)) => Some(attempt.min(rest)),
                (limit, rest) => limit.or(rest),
            }
        };
        let target = RunTarget {
            workflow_id: record.head.workflow_id.clone(),
            run_id: Some(record.head.run_id.clone()),
        };
        let name = definition.name.name.clone();
        let span = tracing::info_span!(
            "activity",
            workflow_id = target.workflow_id,
            run_id = target.run_id,
            activity = name,
            op,
            attempt = number,
        );
        let (turns, limits) = (self.turns.clone(), self.limits);
        let arguments = scheduled.arguments.clone();
        let attempt = async move {
            let _turn = turns.acquire_owned().await;
            let running = RunningAttempt::begin(&definition.name.name);
            let result = attempt::run(definition, arguments, context, limit()).await;
            let result = limit::result(&limits, result);
            running.end(&result);
            if let Err(failure) = &result {
                tracing::warn!(%failure, "an attempt failed");
            }
            result
        };
        let task = self.runtime.spawn(attempt.instrument(span));
        let attempt = Attempt {
            number,
            task: task.abort_handle(),
        };
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
        attempt
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
                biased;
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
                biased;
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
