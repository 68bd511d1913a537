//! The engine: what its parts share, how it is opened and closed, and how it commits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::config::Config;
use crate::contract::{Machine, Operation};
use crate::executor::{Error, OpenError};
use crate::limits::Limits;
use crate::provider::SetAside;
use crate::retention::Retention;
use crate::runtime;

use super::record;
use super::slot::{Active, Slots};
use super::store::{Change, Store, StoreError};
use super::timers::Timers;
use super::turns::Turns;

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
        let runtime = runtime::current()?;
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
    pub(super) async fn detached<T: Send + 'static>(
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

    pub(super) async fn commit(&self, changes: Vec<Change>) -> Result<(), Error> {
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
