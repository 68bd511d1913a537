//! Runs, one lock per workflow id: load, transition, commit, then act.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::future::poll_fn;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::sync::watch;

use crate::codec::{Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, Operation, Run, ScheduledChild};
use crate::executor::{Error, OpenError};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::provider::{
    HistoryEvent, HistoryEventKind, IdPolicy, RunInfo, RunTarget, SetAside, StartRequest,
};
use crate::retention::Retention;

use super::dispatch::Begun;
use super::record::{self, Head, Parent, Record};
use super::slot::{Active, Report, Slot, Slots};
use super::store::{Change, IN_FLIGHT, Store, StoreError, Summary};
use super::timers::Timers;
use super::transition::{self, Input, Moment};
use super::turns::Turns;
use super::{clock, limit, telemetry};

/// How often runs that are not to be kept are removed while nothing else happens.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// The embedded engine.
pub(super) struct Engine {
    pub(super) store: Store,
    machines: HashMap<&'static str, Machine>,
    pub(super) slots: Slots,
    pub(super) aside: Mutex<BTreeMap<Arc<str>, SetAside>>,
    /// [`Standing::fit`](super::store::Standing) of runs that the code is known to fit.
    pub(super) fitting: Mutex<HashSet<u64>>,
    pub(super) timers: Timers,
    pub(super) limits: Limits,
    /// Attempts take their turn here.
    pub(super) turns: Turns,
    /// How many calls and attempts are under way: who is alone commits on its own thread.
    busy: Arc<AtomicUsize>,
    pub(super) runtime: Handle,
    pub(super) closed: watch::Sender<bool>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("machines", &self.machines.keys())
            .finish_non_exhaustive()
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            StoreError::TooLarge { bytes, bytes_max } => Self::TooLarge { bytes, bytes_max },
            error => Self::Storage(Box::new(error)),
        }
    }
}

impl Engine {
    /// Opens the data, and lets every run in flight go on.
    pub(super) async fn open(config: &Config) -> Result<Arc<Self>, OpenError> {
        config.only("default", &["path", "limits", "retention"])?;
        let directory = config.data_path().ok_or_else(|| {
            OpenError::Config(
                "the embedded engine needs a directory for its data: `Config::new().path(\"…\")`"
                    .to_owned(),
            )
        })?;
        let machines = config.machines()?;
        let runtime = runtime()?;
        let directory = directory.to_owned();
        let (limits, retention) = (config.run_limits(), config.run_retention());
        // Opening reads files; the callers' runtime is not to wait for that.
        let store = tokio::task::spawn_blocking(move || {
            Store::open(&directory, &limits, retention, record::KINSHIP)
        })
        .await
        .map_err(|panic| OpenError::Storage(Box::new(panic)))?
        .map_err(|error| OpenError::Storage(Box::new(error)))?;
        let engine = Arc::new(Self {
            store,
            machines: machines
                .into_iter()
                .map(|machine| (machine.definition().name, machine))
                .collect(),
            slots: Slots::default(),
            aside: Mutex::default(),
            fitting: Mutex::default(),
            // What is due at once is taken up below.
            timers: Timers::new((0, u64::MAX)),
            limits,
            turns: Turns::new(limits.concurrent_activities),
            busy: Arc::default(),
            runtime,
            closed: watch::Sender::new(false),
        });
        engine.runtime.spawn(engine.clone().watch_turns());
        if let Err(error) = engine.resume().await {
            engine.close();
            return Err(OpenError::Storage(Box::new(error)));
        }
        engine.runtime.spawn(engine.clone().watch_timers());
        if retention != Retention::default() {
            engine.runtime.spawn(engine.clone().tidy());
        }
        Ok(engine)
    }

    /// Stops everything and closes the files. What was under way goes on at the next open.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        self.store.close();
    }

    pub(super) fn machine(&self, workflow: &str) -> Option<&Machine> {
        self.machines.get(workflow)
    }

    /// Starts a run.
    pub(super) async fn start(self: &Arc<Self>, request: StartRequest) -> Result<RunInfo, Error> {
        let engine = self.clone();
        let busy = self.busy();
        self.detached(async move {
            let _busy = busy;
            let run_id = clock::run_id();
            let workflow_id = request.id.as_deref().unwrap_or(&run_id).into();
            let held = engine.slots.hold(workflow_id);
            let summary = engine.start_in(&held, request, run_id, None).await?;
            Ok(record::info(&summary))
        })
        .await
    }

    /// Starts a child, or finds the one that was started before: gives how it ended, if it has.
    pub(super) async fn child(
        self: &Arc<Self>,
        parent: &Parent,
        child: &ScheduledChild,
    ) -> Result<Option<Result<Sealed, Failure>>, Error> {
        let workflow_id =
            ScheduledChild::workflow_id(&parent.workflow_id, &parent.run_id, parent.op);
        let held = self.slots.hold(workflow_id.as_str().into());
        let request = StartRequest {
            workflow: child.workflow.clone(),
            arguments: child.arguments.clone(),
            id: Some(workflow_id.clone()),
            timeout: None,
            id_policy: IdPolicy::UseExisting,
        };
        let run_id = clock::run_id();
        let found = self
            .start_in(&held, request, run_id, Some(parent.clone()))
            .await?;
        let found = self.record(&RunTarget {
            workflow_id: workflow_id.clone(),
            run_id: Some(found.identity.run_id.clone()),
        })?;
        if found.head.parent.as_ref() != Some(parent) {
            return Err(Error::IdInUse {
                workflow_id,
                status: found.status(),
                run_id: found.head.run_id,
            });
        }
        Ok(found.end.map(|end| end.outcome.for_parent()))
    }

    async fn start_in(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: StartRequest,
        run_id: String,
        parent: Option<Parent>,
    ) -> Result<Summary, Error> {
        if request.id.as_deref() == Some("") {
            return Err(Error::EmptyId);
        }
        let machine = self
            .machine(&request.workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: request.workflow.clone(),
            })?;
        for argument in &request.arguments {
            limit::payload(&self.limits, &argument.payload)?;
        }
        let mut guard = slot.active.lock().await;
        let workflow_id = slot.workflow_id.to_string();
        // An id that was just made up is nobody's.
        let existing = match &request.id {
            Some(_) => self.store.find(&workflow_id, None)?,
            None => None,
        };
        if let Some((_, existing)) = existing {
            let is_closed = existing.standing.status != IN_FLIGHT;
            match (request.id_policy, is_closed) {
                (IdPolicy::UseExisting, _) => return Ok(existing),
                (IdPolicy::RejectRunning, true) => {}
                (IdPolicy::RejectRunning, false) | (IdPolicy::RejectUsed, _) => {
                    let existing = record::info(&existing);
                    return Err(Error::IdInUse {
                        workflow_id,
                        status: existing.status,
                        run_id: existing.run_id,
                    });
                }
            }
        }
        let mut record = Record {
            head: Head {
                workflow_id,
                run_id,
                workflow: request.workflow,
                started_ms: clock::now_ms(),
                timeout: request.timeout,
                parent,
            },
            run: Run::start(machine, request.arguments, clock::random())?,
            waiting: Vec::new(),
            end: None,
        };
        let (happened, aside) = self.advance(&mut record, vec![Input::Started]);
        limit::operations(&self.limits, &record)?;
        let mut active = Active {
            run: self.store.next_run(),
            identity: Arc::new(record.identity()),
            record,
            image: Arc::default(),
            attempts: BTreeMap::new(),
            children: BTreeSet::new(),
            wake_ms: None,
        };
        let mut changes = active.changes(happened)?;
        changes[0].before = None;
        let summary = changes[0].summary.clone();
        self.commit(changes).await?;
        let identity = &summary.identity;
        telemetry::run_started(&identity.workflow);
        tracing::info!(
            workflow_id = identity.workflow_id,
            run_id = identity.run_id,
            workflow = identity.workflow,
            "a run is started"
        );
        if let Some(reason) = aside {
            self.put_aside(active.record.head.clone(), reason);
        }
        let begun = self.settle(slot, &mut guard, active, None);
        self.dispatch(begun);
        Ok(summary)
    }

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
    fn advance(
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

    /// Runs what takes its time on a thread that may be held up.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        match self.runtime.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Closed),
        }
    }

    /// Removes in time what is not to be kept.
    async fn tidy(self: Arc<Self>) {
        let mut closed = self.closed.subscribe();
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep(TIDY_INTERVAL) => self.store.tidy(),
                _ = closed.wait_for(|closed| *closed) => return,
            }
        }
    }

    /// Runs a future to its end whatever becomes of the caller: in the caller's task as far as it
    /// gets at once, which is all the way for who is alone, and from there in a task of its own.
    async fn detached<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let mut future = Box::pin(future);
        let begun = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(result) = begun {
            return result;
        }
        match self.runtime.spawn(future).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Closed),
        }
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), Error> {
        let is_alone = self.busy.load(Ordering::Relaxed) <= 1;
        Ok(self.store.commit(changes, is_alone).await?)
    }

    /// Something is under way until this is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.busy.clone())
    }

    /// A run in flight, to go on with.
    pub(super) fn active(&self, run: u64) -> Result<Active, Error> {
        let (summary, image, record) = self.read(run)?;
        let under_way = record.run.under_way();
        let children = under_way.filter(|p| matches!(p.operation, Operation::Child(_)));
        Ok(Active {
            children: children.map(|pending| pending.op).collect(),
            run,
            identity: summary.identity,
            record,
            image,
            attempts: BTreeMap::new(),
            wake_ms: summary.standing.wake_ms,
        })
    }
}

/// The runtime that opens the engine, which it then lives on.
fn runtime() -> Result<Handle, OpenError> {
    let runtime = Handle::try_current().map_err(|_| {
        OpenError::Config(
            "the embedded engine needs a tokio runtime: open it inside one".to_owned(),
        )
    })?;
    // tokio panics where timers are not enabled.
    if catch_unwind(|| tokio::time::sleep(Duration::ZERO)).is_err() {
        return Err(OpenError::Config(
            "the embedded engine needs timers: build the tokio runtime with `enable_time()` or `enable_all()`"
                .to_owned(),
        ));
    }
    Ok(runtime)
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

/// Counts what is under way.
pub(super) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
