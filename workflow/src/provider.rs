//! Where runs are executed: the two traits of a provider, and the registry of their names.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::codec::{Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, Snapshot};
use crate::description::RunDescription;
use crate::embedded::EmbeddedProvider;
use crate::executor::{Error, Executor, OpenError, RunError};
use crate::failure::Failure;
use crate::listing::{RunFilter, RunPage};
use crate::status::Status;
#[cfg(feature = "temporal")]
use crate::temporal::TemporalProvider;

/// A future that a provider gives back.
pub type ProviderFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opens engines of one kind. See [`register_provider`].
pub trait Provider: Send + Sync + 'static {
    /// Opens an engine.
    fn open(&self, config: Config) -> ProviderFuture<'_, Result<Arc<dyn Engine>, OpenError>>;
}

/// What an [`Executor`] does, with the types of workflows erased.
pub trait Engine: Debug + Send + Sync + 'static {
    /// The registered workflow of that name.
    fn machine(&self, workflow: &str) -> Option<&Machine>;

    /// Starts a run; returns when that is durable.
    fn start(&self, request: StartRequest) -> ProviderFuture<'_, Result<RunInfo, Error>>;

    /// Looks at a run.
    fn info(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunInfo, Error>>;

    /// All there is to know about a run.
    fn describe(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunDescription, Error>>;

    /// Delivers a signal; returns when that is durable.
    fn signal(
        &self,
        run: RunTarget,
        name: String,
        payload: Payload,
    ) -> ProviderFuture<'_, Result<(), Error>>;

    /// Asks a run to cancel; returns when that is durable.
    fn cancel(&self, run: RunTarget) -> ProviderFuture<'_, Result<(), Error>>;

    /// Ends a run from outside; returns when that is durable.
    fn terminate(&self, run: RunTarget, reason: String) -> ProviderFuture<'_, Result<(), Error>>;

    /// Where a run stands, as [`Run::frames`](crate::contract::Run::frames); `None` once it has
    /// ended.
    fn state(&self, run: RunTarget) -> ProviderFuture<'_, Result<Option<Vec<Snapshot>>, Error>>;

    /// Completes when something happens to the run after this call (not after the first poll), or
    /// when it has ended. It may complete early.
    fn changed(&self, run: RunTarget) -> ProviderFuture<'_, Result<(), Error>>;

    /// Waits for the end of a run.
    fn result(&self, run: RunTarget) -> ProviderFuture<'_, Result<Sealed, RunError>>;

    /// What happened to a run, in order.
    fn history(&self, run: RunTarget) -> ProviderFuture<'_, Result<Vec<HistoryEvent>, Error>>;

    /// One page of the runs that the filter lets through.
    fn list(&self, filter: RunFilter) -> ProviderFuture<'_, Result<RunPage, Error>>;

    /// The runs in flight that the code at hand cannot go on with.
    fn set_aside(&self) -> ProviderFuture<'_, Result<Vec<SetAside>, Error>>;

    /// Writes a copy of the data, as it stands, while everything goes on.
    fn backup(&self, _target: PathBuf) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(async { Err(Error::Unsupported { what: "backup" }) })
    }

    /// Removes what is not to be kept, and gives back the space.
    fn compact(&self) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(async { Err(Error::Unsupported { what: "compaction" }) })
    }

    /// Stops everything and frees the data, then returns; it may block for the last commit. Runs
    /// in flight go on when an engine is opened on the same data. Later calls, also of this, do
    /// nothing but give [`Error::Closed`].
    fn close(&self);
}

/// What to start.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The workflow's durable name.
    pub workflow: String,
    /// One argument per parameter.
    pub arguments: Vec<Sealed>,
    /// The workflow id; the provider makes one up if there is none.
    pub id: Option<String>,
    /// How long the run may take.
    pub timeout: Option<Duration>,
    /// What if the id is in use.
    pub id_policy: IdPolicy,
}

/// What to do when a workflow id was used before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdPolicy {
    /// An error if a run with that id is in flight. The id of a run that has ended may be used
    /// again.
    #[default]
    RejectRunning,
    /// An error also if a run with that id has ended.
    RejectUsed,
    /// Gives the latest run with that id, in flight or ended; starts one only if there is none.
    UseExisting,
}

/// Which run is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTarget {
    /// The workflow id.
    pub workflow_id: String,
    /// The run id; without one, the latest run of the workflow id.
    pub run_id: Option<String>,
}

/// What there is to know about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInfo {
    /// The workflow id.
    pub workflow_id: String,
    /// The run id.
    pub run_id: String,
    /// The workflow's durable name.
    pub workflow: String,
    /// How far it has come.
    pub status: Status,
    /// When it was started.
    pub started_at: SystemTime,
    /// When it ended.
    pub closed_at: Option<SystemTime>,
}

/// Something that happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// When.
    pub at: SystemTime,
    /// What.
    pub kind: HistoryEventKind,
    /// The state that the run stood at afterwards; with those of the workflows that run inline
    /// there, as in `Review.Approval`.
    pub state: String,
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HistoryEventKind {
    /// It was started.
    Started,
    /// The engine was opened again, and something was due or lost meanwhile.
    Reopened,
    /// A timer fired: of a sleep, of a wait, or of the run itself.
    TimerFired,
    /// An activity gave its result.
    ActivityCompleted {
        /// The operation's number.
        op: u64,
        /// Which attempt it was, counted from 1.
        attempt: u32,
    },
    /// An attempt of an activity failed.
    ActivityAttemptFailed {
        /// The operation's number.
        op: u64,
        /// Which attempt it was, counted from 1.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// A child workflow ended.
    ChildEnded {
        /// The operation's number.
        op: u64,
    },
    /// A signal arrived.
    SignalReceived {
        /// The signal's name.
        name: String,
    },
    /// The run was asked to cancel.
    CancelRequested,
    /// The run was ended from outside.
    Terminated {
        /// Why.
        reason: String,
    },
}

/// A run in flight that the code at hand cannot go on with. It is untouched, and goes on once code
/// that fits is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The workflow id.
    pub workflow_id: String,
    /// The run id.
    pub run_id: String,
    /// The workflow's durable name.
    pub workflow: String,
    /// Why, and what to do.
    pub reason: String,
}

static PROVIDERS: LazyLock<RwLock<BTreeMap<String, Arc<dyn Provider>>>> = LazyLock::new(|| {
    let embedded: Arc<dyn Provider> = Arc::new(EmbeddedProvider);
    RwLock::new(BTreeMap::from([
        ("default".to_owned(), embedded),
        #[cfg(feature = "temporal")]
        ("temporal".to_owned(), Arc::new(TemporalProvider)),
    ]))
});

/// Adds a provider under a name, for [`new`]. A name that is there already is replaced.
pub fn register_provider(name: impl Into<String>, provider: impl Provider) {
    let mut providers = PROVIDERS.write().unwrap_or_else(PoisonError::into_inner);
    providers.insert(name.into(), Arc::new(provider));
}

/// The names that [`new`] knows.
#[must_use]
pub fn providers() -> Vec<String> {
    let providers = PROVIDERS.read().unwrap_or_else(PoisonError::into_inner);
    providers.keys().cloned().collect()
}

/// Opens an executor of the named provider; `"default"` is the embedded engine, and `"temporal"` a
/// Temporal server, in the feature `temporal` of this crate.
///
/// Runs that were in flight go on by themselves.
///
/// # Errors
/// When no provider has that name, or it cannot be opened: see [`OpenError`].
pub async fn new(provider: &str, config: Config) -> Result<Executor, OpenError> {
    let found = {
        let providers = PROVIDERS.read().unwrap_or_else(PoisonError::into_inner);
        providers.get(provider).cloned()
    };
    let Some(found) = found else {
        return Err(OpenError::UnknownProvider {
            name: provider.to_owned(),
            known: providers(),
        });
    };
    Ok(Executor::new(found.open(config).await?))
}
