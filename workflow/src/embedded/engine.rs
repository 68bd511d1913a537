//! Runs, one lock per workflow id: load, transition, commit, then act.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::activity::ActivityContext;
use crate::codec::{self, Payload, Sealed};
use crate::config::Config;
use crate::contract::{
    ActivityDefinition, ActivityName, Definition, Fault, Machine, Operation, Run, ScheduledActivity,
};
use crate::executor::{Error, OpenError, RunError};
use crate::provider::{
    HistoryEvent, HistoryEventKind, IdPolicy, RunInfo, RunTarget, SetAside, StartRequest,
};

use super::record::{Head, Outcome, Record};
use super::store::{Change, Image, Store, StoreError};
use super::timers::Timers;
use super::transition::{self, Input, LOST_ATTEMPTS_MAX, Moment};
use super::{attempt, clock};

/// How many runs are taken up by one commit when the engine is opened.
const RESUME_CHANGES_MAX: usize = 4096;

/// How long to wait before trying again to write down what cannot be given back to a caller.
const COMMIT_RETRY_INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

/// The embedded engine.
pub(super) struct Engine {
    store: Store,
    machines: HashMap<&'static str, Machine>,
    slots: Mutex<HashMap<Arc<str>, Arc<Slot>>>,
    aside: Mutex<BTreeMap<Arc<str>, SetAside>>,
    timers: Timers,
    runtime: Handle,
    closed: watch::Sender<bool>,
}

/// A slot that somebody looks at.
struct Held {
    engine: Arc<Engine>,
    slot: Arc<Slot>,
}

impl Drop for Held {
    /// Forgets a slot that holds no run and that nobody else looks at.
    fn drop(&mut self) {
        let mut slots = lock(&self.engine.slots);
        let holders = self.slot.holders.fetch_sub(1, Ordering::Relaxed) - 1;
        if holders == 0
            && self
                .slot
                .active
                .try_lock()
                .is_ok_and(|active| active.is_none())
        {
            slots.remove(&self.slot.workflow_id);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("machines", &self.machines.keys())
            .finish_non_exhaustive()
    }
}

/// What belongs to one workflow id. Its lock makes the transitions of its runs one after another.
#[derive(Debug)]
struct Slot {
    workflow_id: Arc<str>,
    active: tokio::sync::Mutex<Option<Active>>,
    /// Counts the transitions, for those who wait for one.
    version: watch::Sender<u64>,
    /// How many look at it. Changed under the lock of the map.
    holders: AtomicUsize,
}

/// A run in flight, as it was last committed.
#[derive(Debug)]
struct Active {
    run: u64,
    record: Record,
    image: Arc<Image>,
    /// Which attempt of which operation is being made.
    attempt: Option<(u64, u32, AbortHandle)>,
    /// When the timers will wake it.
    wake_ms: Option<u64>,
}

impl Drop for Active {
    fn drop(&mut self) {
        if let Some((_, _, task)) = &self.attempt {
            task.abort();
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            error => Self::Storage(Box::new(error)),
        }
    }
}

impl Engine {
    /// Opens the data, and lets every run in flight go on.
    pub(super) async fn open(config: &Config) -> Result<Arc<Self>, OpenError> {
        let directory = config.data_path().ok_or_else(|| {
            OpenError::Config(
                "the embedded engine needs a directory for its data: `Config::new().path(\"…\")`"
                    .to_owned(),
            )
        })?;
        let machines = config.machines()?;
        let directory = directory.to_owned();
        // Opening reads files; the callers' runtime is not to wait for that.
        let store = tokio::task::spawn_blocking(move || Store::open(&directory))
            .await
            .map_err(|panic| OpenError::Storage(Box::new(panic)))?
            .map_err(|error| OpenError::Storage(Box::new(error)))?;
        let engine = Arc::new(Self {
            store,
            machines: machines
                .into_iter()
                .map(|machine| (machine.definition().name, machine))
                .collect(),
            slots: Mutex::default(),
            aside: Mutex::default(),
            timers: Timers::default(),
            runtime: Handle::current(),
            closed: watch::Sender::new(false),
        });
        if let Err(error) = engine.resume().await {
            engine.close();
            return Err(OpenError::Storage(Box::new(error)));
        }
        engine.runtime.spawn(engine.clone().watch_timers());
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

    pub(super) fn set_aside(&self) -> Vec<SetAside> {
        lock(&self.aside).values().cloned().collect()
    }

    /// Takes up all runs in flight: what they lost is noted in one commit, then they go on.
    async fn resume(self: &Arc<Self>) -> Result<(), Error> {
        let mut taken_up = Vec::new();
        let mut changes = Vec::new();
        for run in self.store.open_runs()? {
            let Some(image) = self.store.load(run)? else {
                continue;
            };
            let mut record = match Record::decode(&image) {
                Ok(record) => record,
                Err(error) => {
                    tracing::error!(run, %error, "a run cannot be read");
                    let unknown = SetAside {
                        workflow_id: format!("(run number {run})"),
                        run_id: String::new(),
                        workflow: String::new(),
                        reason: format!("its record cannot be read: {error}"),
                    };
                    lock(&self.aside).insert(unknown.workflow_id.as_str().into(), unknown);
                    continue;
                }
            };
            let workflow_id: Arc<str> = record.head.workflow_id.as_str().into();
            let before = record.clone();
            if let Err(reason) = self.advance(&mut record, Input::Reopened) {
                self.put_aside(&record, reason);
            }
            let mut active = Active {
                run,
                record,
                image,
                attempt: None,
                wake_ms: None,
            };
            if active.record != before {
                changes.push(active.change(Input::Reopened.kind())?);
            }
            taken_up.push((workflow_id, active));
        }
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(RESUME_CHANGES_MAX));
            let batch = std::mem::replace(&mut changes, rest);
            self.store.commit(batch).await?;
        }
        for (workflow_id, active) in taken_up {
            let held = self.hold(workflow_id);
            let mut guard = held.slot.active.lock().await;
            self.settle(&held.slot, &mut guard, active);
        }
        Ok(())
    }

    /// Starts a run.
    pub(super) async fn start(self: &Arc<Self>, request: StartRequest) -> Result<RunInfo, Error> {
        let engine = self.clone();
        self.detached(async move {
            let run_id = Uuid::new_v4().to_string();
            let workflow_id = request.id.as_deref().unwrap_or(&run_id).into();
            let held = engine.hold(workflow_id);
            engine.start_in(&held.slot, request, run_id).await
        })
        .await
    }

    async fn start_in(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: StartRequest,
        run_id: String,
    ) -> Result<RunInfo, Error> {
        if request.id.as_deref() == Some("") {
            return Err(Error::EmptyId);
        }
        let machine = self
            .machine(request.workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: request.workflow.to_owned(),
            })?;
        let mut guard = slot.active.lock().await;
        let workflow_id = slot.workflow_id.to_string();
        let target = RunTarget {
            workflow_id: workflow_id.clone(),
            run_id: None,
        };
        match self.find(&target) {
            Err(Error::UnknownRun { .. }) => {}
            Err(error) => return Err(error),
            Ok((_, existing)) => match (request.id_policy, existing.end.is_some()) {
                (IdPolicy::UseExisting, _) => return Ok(existing.info()),
                (IdPolicy::RejectRunning, true) => {}
                (IdPolicy::RejectRunning, false) | (IdPolicy::RejectUsed, _) => {
                    return Err(Error::IdInUse {
                        workflow_id,
                        status: existing.status(),
                        run_id: existing.head.run_id,
                    });
                }
            },
        }
        let mut record = Record {
            head: Head {
                workflow_id,
                run_id,
                workflow: request.workflow.to_owned(),
                started_ms: clock::now_ms(),
                timeout: request.timeout,
            },
            run: Run::start(machine, request.arguments, clock::random())?,
            waiting: None,
            end: None,
        };
        let aside = self.advance(&mut record, Input::Started).err();
        let mut active = Active {
            run: self.store.next_run(),
            record,
            image: Arc::default(),
            attempt: None,
            wake_ms: None,
        };
        let change = Change {
            before: None,
            ..active.change(Input::Started.kind())?
        };
        self.store.commit(vec![change]).await?;
        if let Some(reason) = aside {
            self.put_aside(&active.record, reason);
        }
        let info = active.record.info();
        self.settle(slot, &mut guard, active);
        Ok(info)
    }

    /// Delivers a signal that the run's workflow understands.
    pub(super) async fn signal(
        self: &Arc<Self>,
        target: RunTarget,
        name: String,
        payload: Payload,
    ) -> Result<(), Error> {
        let (_, record) = self.find(&target)?;
        if record.end.is_some() {
            return Err(closed(&record));
        }
        let machine = self.machine(&record.head.workflow);
        let machine = machine.ok_or_else(|| Error::NotRegistered {
            workflow: record.head.workflow.clone(),
        })?;
        let payload = machine.definition().accept_signal(&name, &payload)?;
        self.input(target, Input::Signal { name, payload }).await
    }

    /// Gives an input to a run in flight; returns when it is durable.
    pub(super) async fn input(
        self: &Arc<Self>,
        target: RunTarget,
        input: Input,
    ) -> Result<(), Error> {
        let engine = self.clone();
        self.detached(async move { engine.input_now(&target, input).await })
            .await
    }

    async fn input_now(self: &Arc<Self>, target: &RunTarget, input: Input) -> Result<(), Error> {
        let held = self.hold(target.workflow_id.as_str().into());
        self.input_in(&held.slot, target, input).await
    }

    async fn input_in(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        target: &RunTarget,
        input: Input,
    ) -> Result<(), Error> {
        let mut guard = slot.active.lock().await;
        let wanted = target.run_id.as_ref();
        let Some(active) = guard
            .as_mut()
            .filter(|active| wanted.is_none_or(|run_id| *run_id == active.record.head.run_id))
        else {
            return Err(closed(&self.find(target)?.1));
        };
        let deadline = active.record.deadline_ms();
        let too_late = deadline.is_some_and(|deadline| deadline <= clock::now_ms());
        let mut next = Active {
            run: active.run,
            record: active.record.clone(),
            image: active.image.clone(),
            attempt: None,
            // A tick is what the timers woke it for; they have forgotten it.
            wake_ms: active.wake_ms.filter(|_| !matches!(input, Input::Tick)),
        };
        let kind = input.kind();
        let aside = self.advance(&mut next.record, input).err();
        if next.record != active.record {
            let change = next.change(kind)?;
            self.store.commit(vec![change]).await?;
        }
        // From here on the new record is what stands on disk.
        next.attempt = active.attempt.take();
        if let Some(reason) = aside {
            self.put_aside(&next.record, reason);
        }
        let refused = too_late.then(|| closed(&next.record));
        self.settle(slot, &mut guard, next);
        refused.map_or(Ok(()), Err)
    }

    /// Completes at the next transition after this call.
    pub(super) fn changed(
        self: &Arc<Self>,
        target: RunTarget,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let held = self.hold(target.workflow_id.as_str().into());
        let mut version = held.slot.version.subscribe();
        let mut closed = self.closed.subscribe();
        async move {
            let (_, record) = held.engine.find(&target)?;
            if record.end.is_some() {
                return Ok(());
            }
            tokio::select! {
                _ = version.changed() => Ok(()),
                _ = closed.wait_for(|closed| *closed) => Err(Error::Closed),
            }
        }
    }

    /// Waits for the end of a run.
    pub(super) async fn result(self: &Arc<Self>, target: RunTarget) -> Result<Sealed, RunError> {
        let held = self.hold(target.workflow_id.as_str().into());
        let mut closed = self.closed.subscribe();
        let mut version = held.slot.version.subscribe();
        loop {
            let (_, record) = self.find(&target)?;
            if let Some(end) = record.end {
                return match end.outcome {
                    Outcome::Completed(output) => Ok(output),
                    Outcome::Failed(failure) => Err(RunError::Failed(failure)),
                    Outcome::Canceled(failure) => Err(RunError::Canceled(failure)),
                    Outcome::Terminated(reason) => Err(RunError::Terminated { reason }),
                    Outcome::TimedOut => Err(RunError::TimedOut {
                        timeout: record.head.timeout.unwrap_or_default(),
                    }),
                };
            }
            let aside = lock(&self.aside).get(&held.slot.workflow_id).cloned();
            if let Some(aside) = aside.filter(|aside| aside.run_id == record.head.run_id) {
                return Err(RunError::SetAside {
                    reason: aside.reason,
                });
            }
            tokio::select! {
                _ = version.changed() => {}
                _ = closed.wait_for(|closed| *closed) => return Err(Error::Closed.into()),
            }
        }
    }

    /// What happened to a run, in order.
    pub(super) fn history(&self, target: &RunTarget) -> Result<Vec<HistoryEvent>, Error> {
        let (run, _) = self.find(target)?;
        let events = self.store.history(run)?;
        Ok(events
            .iter()
            .map(|event| codec::decode_record(event))
            .collect::<Result<_, _>>()?)
    }

    /// A run as it was last committed. It takes no lock: a busy run does not delay who looks.
    pub(super) fn find(&self, target: &RunTarget) -> Result<(u64, Record), Error> {
        for run in self.store.runs_of(&target.workflow_id)?.into_iter().rev() {
            let Some(image) = self.store.load(run)? else {
                continue;
            };
            let record = Record::decode(&image)?;
            let wanted = target.run_id.as_ref();
            if wanted.is_none_or(|run_id| *run_id == record.head.run_id) {
                return Ok((run, record));
            }
        }
        Err(Error::UnknownRun {
            workflow_id: target.workflow_id.clone(),
        })
    }

    /// Runs the transition; the reason, where the code cannot go on with the run.
    fn advance(&self, record: &mut Record, input: Input) -> Result<(), String> {
        let moment = Moment {
            now_ms: clock::now_ms(),
            random: clock::random_fraction(),
        };
        if let Some(aside) = lock(&self.aside).get(&*record.head.workflow_id)
            && aside.run_id == record.head.run_id
        {
            transition::absorb(record, input, moment);
            return Ok(());
        }
        let Some(machine) = self.machine(&record.head.workflow) else {
            return Err(Error::NotRegistered {
                workflow: record.head.workflow.clone(),
            }
            .to_string());
        };
        let definition = machine.definition();
        fits(definition, record).map_err(|fault| fault.to_string())?;
        transition::apply(record, machine, input, moment).map_err(|fault| fault.to_string())?;
        if let Some(waiting) = &record.waiting
            && waiting.lost >= LOST_ATTEMPTS_MAX
        {
            return Err(format!(
                "its activity died with the process {} times in a row; mend the activity and terminate the run, or cancel it",
                waiting.lost
            ));
        }
        Ok(())
    }

    /// Keeps what was committed, and acts on it.
    fn settle(self: &Arc<Self>, slot: &Arc<Slot>, guard: &mut Option<Active>, mut active: Active) {
        let is_aside = if active.record.end.is_some() {
            lock(&self.aside).remove(&slot.workflow_id);
            true
        } else {
            lock(&self.aside).contains_key(&slot.workflow_id)
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
            std::time::Duration::from_millis(end.saturating_sub(clock::now_ms()))
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

    async fn watch_timers(self: Arc<Self>) {
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

    /// Runs a future to its end whatever becomes of the caller.
    async fn detached<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        match self.runtime.spawn(future).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Closed),
        }
    }

    /// The slot of a workflow id, kept while it is held or has a run in flight.
    fn hold(self: &Arc<Self>, workflow_id: Arc<str>) -> Held {
        let mut slots = lock(&self.slots);
        let slot = slots.entry(workflow_id).or_insert_with_key(|workflow_id| {
            Arc::new(Slot {
                workflow_id: workflow_id.clone(),
                active: tokio::sync::Mutex::default(),
                version: watch::Sender::new(0),
                holders: AtomicUsize::new(0),
            })
        });
        slot.holders.fetch_add(1, Ordering::Relaxed);
        let slot = slot.clone();
        Held {
            engine: self.clone(),
            slot,
        }
    }

    fn put_aside(&self, record: &Record, reason: String) {
        let head = &record.head;
        tracing::warn!(
            workflow_id = head.workflow_id,
            run_id = head.run_id,
            reason,
            "a run is set aside"
        );
        lock(&self.aside).insert(
            head.workflow_id.as_str().into(),
            SetAside {
                workflow_id: head.workflow_id.clone(),
                run_id: head.run_id.clone(),
                workflow: head.workflow.clone(),
                reason,
            },
        );
    }
}

impl Active {
    /// What to commit so that the record is durable; `image` is it from now on.
    fn change(&mut self, kind: HistoryEventKind) -> Result<Change, Error> {
        let after = Arc::new(self.record.encode()?);
        let event = HistoryEvent {
            at: clock::to_time(clock::now_ms()),
            kind,
            state: self.record.run.state.name.clone(),
        };
        Ok(Change {
            run: self.run,
            workflow_id: self.record.head.workflow_id.as_str().into(),
            open: self.record.end.is_none(),
            before: Some(std::mem::replace(&mut self.image, after.clone())),
            after,
            event: Some(codec::encode_record(&event)?),
        })
    }
}

/// Whether the code can go on with a run at all: its state is known and of the saved shape, and so
/// is the activity that it waits for.
fn fits(definition: &Definition, record: &Record) -> Result<(), Fault> {
    let index = definition.locate(&record.run.state)?;
    let Some(Operation::Activity(scheduled)) = record.awaited() else {
        return Ok(());
    };
    let state = definition.states[index].name;
    let changed = |difference| {
        Err(Fault::ShapeChanged {
            state: state.to_owned(),
            difference,
        })
    };
    let name = &scheduled.activity.name;
    let Some(activity) = find_activity(definition, &scheduled.activity) else {
        return changed(format!("the workflow calls no activity `{name}` any more"));
    };
    let now = activity.parameters.iter().map(|shape| shape.hash);
    if !now.eq(scheduled.arguments.iter().map(|argument| argument.shape)) {
        let shapes: Vec<_> = activity
            .parameters
            .iter()
            .map(|s| s.text.as_str())
            .collect();
        return changed(format!(
            "activity `{name}` was called with other parameters and now takes ({})",
            shapes.join(", ")
        ));
    }
    Ok(())
}

/// The activity of that name: the very one, or the only one of its name, for modules move.
fn find_activity<'a>(
    definition: &'a Definition,
    name: &ActivityName,
) -> Option<&'a ActivityDefinition> {
    let exact = definition.activities.iter().find(|a| a.name == *name);
    exact.or_else(|| {
        let mut same = definition
            .activities
            .iter()
            .filter(|a| a.name.name == name.name);
        same.next().filter(|_| same.next().is_none())
    })
}

fn closed(record: &Record) -> Error {
    Error::RunClosed {
        workflow_id: record.head.workflow_id.clone(),
        status: record.status(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
