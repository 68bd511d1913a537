//! Runs, one lock per workflow id: load, transition, commit, then act.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use uuid::Uuid;

use crate::codec::{self, CodecError, Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, Run, ScheduledChild};
use crate::executor::{Error, OpenError, RunError};
use crate::failure::Failure;
use crate::provider::{HistoryEvent, IdPolicy, RunInfo, RunTarget, SetAside, StartRequest};

use super::clock;
use super::fit::fits;
use super::record::{Head, Outcome, Parent, Record};
use super::slot::{Active, Slot, Slots};
use super::store::{Change, Image, Store, StoreError};
use super::timers::Timers;
use super::transition::{self, Input, LOST_ATTEMPTS_MAX, Moment};

/// How many runs are taken up by one commit when the engine is opened.
const RESUME_CHANGES_MAX: usize = 4096;

/// The embedded engine.
pub(super) struct Engine {
    store: Store,
    machines: HashMap<&'static str, Machine>,
    pub(super) slots: Slots,
    pub(super) aside: Mutex<BTreeMap<Arc<str>, SetAside>>,
    pub(super) timers: Timers,
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
        let directory = config.data_path().ok_or_else(|| {
            OpenError::Config(
                "the embedded engine needs a directory for its data: `Config::new().path(\"…\")`"
                    .to_owned(),
            )
        })?;
        let machines = config.machines()?;
        let runtime = runtime()?;
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
            slots: Slots::default(),
            aside: Mutex::default(),
            timers: Timers::default(),
            runtime,
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
            let (image, mut record) = match self.read(run) {
                Ok(read) => read,
                // The others are not to wait for one that is damaged.
                Err(error @ (Error::Codec(_) | Error::Storage(_))) => {
                    tracing::error!(run, %error, "a run cannot be read");
                    self.put_aside(unreadable(run), error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let workflow_id: Arc<str> = record.head.workflow_id.as_str().into();
            let before = record.clone();
            match self.fitting(&record) {
                // Steps are taken later, each run's by itself: a slow one delays nobody.
                Ok(_) => transition::absorb(&mut record, Input::Reopened, Moment::now()),
                Err(reason) => self.put_aside(record.head.clone(), reason),
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
            let mut active = Active {
                run,
                record,
                image,
                attempts: Vec::new(),
                children: Vec::new(),
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
            let held = self.slots.hold(workflow_id);
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
            self.settle(&held, &mut guard, active);
            if let Some(input) = input {
                let engine = self.clone();
                self.runtime
                    .spawn(async move { engine.report(target, input).await });
            }
        }
        Ok(())
    }

    /// Starts a run.
    pub(super) async fn start(self: &Arc<Self>, request: StartRequest) -> Result<RunInfo, Error> {
        let engine = self.clone();
        self.detached(async move {
            let run_id = Uuid::new_v4().to_string();
            let workflow_id = request.id.as_deref().unwrap_or(&run_id).into();
            let held = engine.slots.hold(workflow_id);
            let record = engine.start_in(&held, request, run_id, None).await?;
            Ok(record.info())
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
        let run_id = Uuid::new_v4().to_string();
        let found = self
            .start_in(&held, request, run_id, Some(parent.clone()))
            .await?;
        if found.head.parent.as_ref() != Some(parent) {
            return Err(Error::IdInUse {
                workflow_id,
                status: found.status(),
                run_id: found.head.run_id,
            });
        }
        Ok(found.end.map(|end| end.outcome.for_parent()))
    }

    /// Whether the run that started a child waits for it no more.
    fn is_orphan(&self, head: &Head) -> bool {
        let Some(parent) = &head.parent else {
            return false;
        };
        let target = RunTarget {
            workflow_id: parent.workflow_id.clone(),
            run_id: Some(parent.run_id.clone()),
        };
        let waits = |record: &Record| record.run.under_way().any(|p| p.op == parent.op);
        self.find(&target).is_ok_and(|(_, record)| !waits(&record))
    }

    async fn start_in(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: StartRequest,
        run_id: String,
        parent: Option<Parent>,
    ) -> Result<Record, Error> {
        if request.id.as_deref() == Some("") {
            return Err(Error::EmptyId);
        }
        let machine = self
            .machine(&request.workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: request.workflow.clone(),
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
                (IdPolicy::UseExisting, _) => return Ok(existing),
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
                workflow: request.workflow,
                started_ms: clock::now_ms(),
                timeout: request.timeout,
                parent,
            },
            run: Run::start(machine, request.arguments, clock::random())?,
            waiting: Vec::new(),
            end: None,
        };
        let aside = self.advance(&mut record, Input::Started).err();
        let mut active = Active {
            run: self.store.next_run(),
            record,
            image: Arc::default(),
            attempts: Vec::new(),
            children: Vec::new(),
            wake_ms: None,
        };
        let change = Change {
            before: None,
            ..active.change(Input::Started.kind())?
        };
        self.store.commit(vec![change]).await?;
        if let Some(reason) = aside {
            self.put_aside(active.record.head.clone(), reason);
        }
        let started = active.record.clone();
        self.settle(slot, &mut guard, active);
        Ok(started)
    }

    /// Delivers a signal that the run's workflow understands.
    pub(super) async fn signal(
        self: &Arc<Self>,
        target: RunTarget,
        name: String,
        payload: Payload,
    ) -> Result<(), Error> {
        let engine = self.clone();
        self.detached(async move {
            let accept = |record: &Record| {
                let workflow = &record.head.workflow;
                let machine = engine.machine(workflow);
                let machine = machine.ok_or_else(|| Error::NotRegistered {
                    workflow: workflow.clone(),
                })?;
                let payload = machine.definition().accept_signal(&name, &payload)?;
                Ok(Input::Signal { name, payload })
            };
            engine.input_with(&target, accept).await
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
        self.detached(async move { engine.input_now(&target, input).await })
            .await
    }

    pub(super) async fn input_now(
        self: &Arc<Self>,
        target: &RunTarget,
        input: Input,
    ) -> Result<(), Error> {
        self.input_with(target, |_| Ok(input)).await
    }

    /// Gives a run in flight an input that is made from how it stands.
    async fn input_with(
        self: &Arc<Self>,
        target: &RunTarget,
        input: impl FnOnce(&Record) -> Result<Input, Error>,
    ) -> Result<(), Error> {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let slot = &held;
        let mut guard = slot.active.lock().await;
        let wanted = target.run_id.as_ref();
        let Some(active) = guard
            .as_mut()
            .filter(|active| wanted.is_none_or(|run_id| *run_id == active.record.head.run_id))
        else {
            return Err(closed(&self.find(target)?.1));
        };
        let input = input(&active.record)?;
        let deadline = active.record.deadline_ms();
        let too_late = deadline.is_some_and(|deadline| deadline <= clock::now_ms());
        let mut next = Active {
            run: active.run,
            record: active.record.clone(),
            image: active.image.clone(),
            attempts: Vec::new(),
            children: active.children.clone(),
            // A tick is what the timers woke it for; they have forgotten it.
            wake_ms: active.wake_ms.filter(|_| !matches!(input, Input::Tick)),
        };
        let kind = input.kind();
        // Nobody is there to be told that these are refused.
        let unasked = matches!(input, Input::Tick | Input::Attempted { .. });
        let aside = self.advance(&mut next.record, input).err();
        if next.record != active.record {
            let change = next.change(kind)?;
            match self.store.commit(vec![change]).await.map_err(Error::from) {
                Err(error @ Error::TooLarge { .. }) if unasked => {
                    // It would be as large each time. The run stays as it was.
                    self.put_aside(active.record.head.clone(), error.to_string());
                    let active = guard.take().expect("it is there");
                    self.settle(slot, &mut guard, active);
                    return Err(error);
                }
                committed => committed?,
            }
        }
        // From here on the new record is what stands on disk.
        next.attempts = std::mem::take(&mut active.attempts);
        if let Some(reason) = aside {
            self.put_aside(next.record.head.clone(), reason);
        }
        let refused = too_late.then(|| closed(&next.record));
        self.settle(slot, &mut guard, next);
        refused.map_or(Ok(()), Err)
    }

    /// Completes at the next transition after this call.
    pub(super) fn changed(
        &self,
        target: RunTarget,
    ) -> impl Future<Output = Result<(), Error>> + Send + '_ {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let mut version = held.version.subscribe();
        let mut closed = self.closed.subscribe();
        async move {
            let (_, record) = self.find(&target)?;
            if record.end.is_some() {
                return Ok(());
            }
            if let Some(aside) = self.aside_of(&record.head) {
                return Err(Error::SetAside {
                    workflow_id: aside.workflow_id,
                    reason: aside.reason,
                });
            }
            tokio::select! {
                _ = version.changed() => Ok(()),
                _ = closed.wait_for(|closed| *closed) => Err(Error::Closed),
            }
        }
    }

    /// Waits for the end of a run.
    pub(super) async fn result(self: &Arc<Self>, target: RunTarget) -> Result<Sealed, RunError> {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let mut closed = self.closed.subscribe();
        let mut version = held.version.subscribe();
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
            if let Some(aside) = self.aside_of(&record.head) {
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
            let (_, record) = self.read(run)?;
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
        let moment = Moment::now();
        let workflow_id = &*record.head.workflow_id;
        let is_aside = self.aside_of(&record.head).is_some();
        match self.fitting(record) {
            // A cancel may be what a run needs that is set aside: it is tried.
            Ok(machine) if !is_aside || matches!(input, Input::Cancel) => {
                lock(&self.aside).remove(workflow_id);
                let applied = transition::apply(record, machine, input, moment);
                applied.map_err(|fault| fault.to_string())
            }
            Err(reason) if !is_aside => Err(reason),
            _ => {
                transition::absorb(record, input, moment);
                Ok(())
            }
        }
    }

    /// The machine of a run, if its code fits.
    fn fitting(&self, record: &Record) -> Result<&Machine, String> {
        let workflow = &record.head.workflow;
        let machine = self.machine(workflow).ok_or_else(|| {
            let workflow = workflow.clone();
            Error::NotRegistered { workflow }.to_string()
        })?;
        fits(machine, record).map_err(|fault| fault.to_string())?;
        Ok(machine)
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

    /// A run as it was last committed.
    fn read(&self, run: u64) -> Result<(Arc<Image>, Record), Error> {
        let image = self.store.load(run)?.ok_or_else(|| CodecError::Decode {
            type_name: std::any::type_name::<Record>(),
            reason: format!("run number {run} is not there"),
        })?;
        let record = Record::decode(&image)?;
        Ok((image, record))
    }

    /// Why a run is set aside, if it is.
    fn aside_of(&self, head: &Head) -> Option<SetAside> {
        let aside = lock(&self.aside).get(&*head.workflow_id).cloned();
        aside.filter(|aside| aside.run_id == head.run_id)
    }

    fn put_aside(&self, head: Head, reason: String) {
        tracing::warn!(
            workflow_id = head.workflow_id,
            run_id = head.run_id,
            reason,
            "a run is set aside"
        );
        lock(&self.aside).insert(
            head.workflow_id.as_str().into(),
            SetAside {
                workflow_id: head.workflow_id,
                run_id: head.run_id,
                workflow: head.workflow,
                reason,
            },
        );
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

/// What there is to say of a run that cannot be read.
fn unreadable(run: u64) -> Head {
    Head {
        workflow_id: format!("(run number {run})"),
        run_id: String::new(),
        workflow: String::new(),
        started_ms: 0,
        timeout: None,
        parent: None,
    }
}

fn closed(record: &Record) -> Error {
    Error::RunClosed {
        workflow_id: record.head.workflow_id.clone(),
        status: record.status(),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
