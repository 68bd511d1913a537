//! What follows from a commit: attempts begin and stop, timers are set, outcomes are reported.

use std::collections::btree_map::Entry;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument;

use crate::activity::{ActivityContext, ActivityOptions};
use crate::attempt;
use crate::codec::Sealed;
use crate::contract::{Operation, ScheduledActivity, ScheduledChild};
use crate::executor::Error;
use crate::failure::{Failure, FailureKind};
use crate::provider::RunTarget;

use super::engine::{Busy, Engine};
use super::fit::find_activity;
use super::record::{Head, Parent, Record, Waiting};
use super::slot::{Active, Attempt, Slot};
use super::store::{IN_FLIGHT, Summary};
use super::telemetry::RunningAttempt;
use super::transition::Input;
use super::turns::Turn;
use super::{clock, engine, limit};

/// How long to wait before trying again to write down what cannot be given back to a caller.
const COMMIT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// So many runs that something is due for are looked at at a time.
const TICKS_MAX: usize = 1024;

/// An attempt that begins: [`Engine::attempts`] makes it, at once or in a task of its own.
pub(super) struct Begun {
    target: RunTarget,
    op: u64,
    number: u32,
    activity: String,
    /// It moves between tasks, where it is best small.
    attempt: Pin<Box<dyn Future<Output = Result<Sealed, Failure>> + Send>>,
    /// Ends when the [`Attempt`] is dropped.
    stopped: oneshot::Receiver<()>,
    _busy: Busy,
}

/// How long an attempt may take that begins now.
fn time_left(options: &ActivityOptions, since_ms: u64) -> Option<Duration> {
    let rest = options.schedule_to_close.map(|limit| {
        let end = clock::after(since_ms, limit);
        Duration::from_millis(end.saturating_sub(clock::now_ms()))
    });
    options.start_to_close.into_iter().chain(rest).min()
}

/// The children that a run waits for.
fn children(record: &Record) -> impl Iterator<Item = (u64, &ScheduledChild)> {
    let under_way = record.run.under_way();
    under_way.filter_map(|pending| match &pending.operation {
        Operation::Child(child) => Some((pending.op, child)),
        _ => None,
    })
}

/// The same, each with what its parent is to it.
pub(super) fn open_children(record: &Record) -> Vec<(Parent, ScheduledChild)> {
    let children = children(record);
    let children = children.map(|(op, child)| (Parent::of(&record.head, op), child.clone()));
    children.collect()
}

/// Closes the engine with the task that has this.
struct CloseOnDrop(Arc<Engine>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Engine {
    /// Keeps what was committed, and acts on it: gives the attempts that begin. Those that get no
    /// turn now begin when it is the run's; it may have brought one.
    #[must_use]
    pub(super) fn settle(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        guard: &mut Option<Active>,
        mut active: Active,
        mut turn: Option<Turn>,
    ) -> Vec<Begun> {
        let rests = if active.record.end.is_some() {
            engine::lock(&self.aside).remove(&slot.workflow_id);
            true
        } else {
            engine::lock(&self.aside).contains_key(&slot.workflow_id)
        };
        self.settle_children(&mut active);
        let record = &active.record;
        let waiting: &[Waiting] = if rests { &[] } else { &record.waiting };
        active.attempts.retain(|op, attempt| {
            let waiting = waiting.binary_search_by_key(op, |waiting| waiting.op);
            waiting.is_ok_and(|place| record.waiting[place].attempt == attempt.number)
        });
        let (now_ms, mut due_ms) = (clock::now_ms(), None);
        let mut begun = Vec::new();
        // They are in one order.
        for (pending, waiting) in record.run.under_way().zip(waiting) {
            match (&pending.operation, waiting.due_ms) {
                (Operation::Activity(scheduled), due) if due.is_none_or(|due| due <= now_ms) => {
                    let Entry::Vacant(entry) = active.attempts.entry(waiting.op) else {
                        continue;
                    };
                    match turn.take().or_else(|| self.turns.take()) {
                        Some(turn) => {
                            let (attempt, task) =
                                self.begin_attempt(record, waiting, scheduled, turn);
                            entry.insert(attempt);
                            begun.push(task);
                        }
                        None => self.turns.wait(active.run),
                    }
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
        slot.moved.notify_waiters();
        if rests {
            slot.rests.notify_waiters();
        }
        begun
    }

    /// Starts the children that are wanted, cancels those that are not any more, and tells the
    /// parent when this run has ended. A run that is set aside keeps its children.
    fn settle_children(self: &Arc<Self>, active: &mut Active) {
        let record = &active.record;
        let head = &record.head;
        let wanted = children(record).map(|(op, _)| op).collect();
        for (op, child) in children(record) {
            if !active.children.contains(&op) {
                let (engine, parent) = (self.clone(), Parent::of(head, op));
                self.runtime
                    .spawn(engine.start_child(parent, child.clone()));
            }
        }
        for op in active.children.difference(&wanted) {
            let target = RunTarget {
                workflow_id: ScheduledChild::workflow_id(&head.workflow_id, &head.run_id, *op),
                run_id: None,
            };
            let engine = self.clone();
            self.runtime
                .spawn(async move { engine.report(target, Input::Cancel).await });
        }
        if let (Some(end), Some(parent)) = (&record.end, &head.parent) {
            let result = end.outcome.for_parent();
            let (engine, parent) = (self.clone(), parent.clone());
            self.runtime
                .spawn(async move { engine.report_child(parent, result).await });
        }
        active.children = wanted;
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
    pub(super) async fn start_child(self: Arc<Self>, parent: Parent, child: ScheduledChild) {
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

    /// An attempt that has its turn, for [`Engine::attempts`] to make.
    fn begin_attempt(
        &self,
        record: &Record,
        waiting: &Waiting,
        scheduled: &ScheduledActivity,
        turn: Turn,
    ) -> (Attempt, Begun) {
        let (stop, stopped) = oneshot::channel();
        let attempt = Attempt {
            number: waiting.attempt,
            _stop: stop,
        };
        let definition = self
            .machine(&record.head.workflow)
            .and_then(|machine| find_activity(machine.definition(), &scheduled.activity))
            .expect("`fits` has looked it up");
        let (definition, scheduled) = (definition.clone(), scheduled.clone());
        let activity = definition.name.name.clone();
        let Head {
            workflow_id,
            run_id,
            ..
        } = &record.head;
        let (op, number) = (waiting.op, waiting.attempt);
        let span = tracing::info_span!(
            parent: None,
            "activity",
            workflow_id,
            run_id,
            activity,
            op,
            attempt = number,
        );
        let context = ActivityContext::new(workflow_id.clone(), run_id.clone(), op, number);
        let limits = self.limits;
        let since_ms = waiting.since_ms;
        let made = async move {
            let _turn = turn;
            let running = RunningAttempt::begin(&definition.name.name);
            let limit = time_left(&scheduled.options, since_ms);
            let result = attempt::run(definition, scheduled.arguments, context, limit).await;
            let result = limit::result(&limits, result);
            running.end(&result);
            if let Err(failure) = &result {
                tracing::warn!(%failure, "an attempt failed");
            }
            result
        };
        let begun = Begun {
            target: RunTarget {
                workflow_id: workflow_id.clone(),
                run_id: Some(run_id.clone()),
            },
            op,
            number,
            activity,
            attempt: Box::pin(made.instrument(span)),
            stopped,
            _busy: self.busy(),
        };
        (attempt, begun)
    }

    /// Makes each of these attempts in a task of its own.
    pub(super) fn dispatch(self: &Arc<Self>, begun: Vec<Begun>) {
        for begun in begun {
            self.runtime.spawn(self.clone().attempts(begun));
        }
    }

    /// Makes an attempt and reports its outcome, and goes on with an attempt that begins then. What
    /// is stopped is an attempt and never this: what an attempt gave is written down.
    async fn attempts(self: Arc<Self>, mut begun: Begun) {
        let mut closed = self.closed.subscribe();
        loop {
            let attempt = attempt::unless_panicked(&begun.activity, &mut begun.attempt);
            let result = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => return,
                _ = &mut begun.stopped => return,
                result = attempt => result,
            };
            let input = Input::Attempted {
                op: begun.op,
                attempt: begun.number,
                result,
            };
            let mut next = self.written(&begun.target, input).await;
            let Some(first) = next.pop() else { return };
            begun = first;
            self.dispatch(next);
        }
    }

    /// Begins the attempts that waited for a turn.
    pub(super) async fn watch_turns(self: Arc<Self>) {
        let mut closed = self.closed.subscribe();
        loop {
            let (run, turn) = tokio::select! {
                biased;
                next = self.turns.next() => next,
                _ = closed.wait_for(|closed| *closed) => return,
            };
            self.runtime.spawn(self.clone().take_turn(run, turn));
        }
    }

    async fn take_turn(self: Arc<Self>, run: u64, turn: Turn) {
        match self.begin_in_turn(run, turn).await {
            Ok(mut begun) => {
                let first = begun.pop();
                self.dispatch(begun);
                if let Some(first) = first {
                    self.attempts(first).await;
                }
            }
            Err(error) => {
                tracing::error!(run, %error, "a run cannot be read; trying again");
                tokio::time::sleep(COMMIT_RETRY_INTERVAL).await;
                self.turns.wait(run);
            }
        }
    }

    async fn begin_in_turn(self: &Arc<Self>, run: u64, turn: Turn) -> Result<Vec<Begun>, Error> {
        let is_in_flight = |summary: &Summary| summary.standing.status == IN_FLIGHT;
        let Some(summary) = self.store.summary(run)?.filter(is_in_flight) else {
            return Ok(Vec::new());
        };
        let held = self
            .slots
            .hold(summary.identity.workflow_id.as_str().into());
        let mut guard = held.active.lock().await;
        let active = match guard.take() {
            Some(active) => active,
            None => match self.active(run)? {
                active if active.record.end.is_none() => active,
                _ => return Ok(Vec::new()),
            },
        };
        Ok(self.settle(&held, &mut guard, active, Some(turn)))
    }

    /// Gives an input that nobody else would give again: tries until it is durable.
    pub(super) async fn report(self: &Arc<Self>, target: RunTarget, input: Input) {
        let begun = self.written(&target, input).await;
        self.dispatch(begun);
    }

    /// The same, and gives the attempts that begin.
    async fn written(self: &Arc<Self>, target: &RunTarget, input: Input) -> Vec<Begun> {
        loop {
            let input = input.clone();
            let written = if input.is_outcome() {
                self.reported(target, input).await
            } else {
                self.input_with(target, |_| Ok(input)).await.map(Some)
            };
            match written {
                Ok(Some(begun)) => return begun,
                Ok(None) => continue,
                Err(error @ (Error::Storage(_) | Error::Codec(_))) => {
                    tracing::error!(
                        workflow_id = target.workflow_id,
                        %error,
                        "a run cannot be written down; trying again"
                    );
                }
                // It was ended meanwhile, or the engine is closed: then the next open sees to it.
                Err(_) => return Vec::new(),
            }
            let mut closed = self.closed.subscribe();
            tokio::select! {
                biased;
                () = tokio::time::sleep(COMMIT_RETRY_INTERVAL) => {}
                _ = closed.wait_for(|closed| *closed) => return Vec::new(),
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
