//! What can go wrong between a program and its runs.

use crate::codec::CodecError;
use crate::contract::{DefinitionError, Fault, SignalError};
use crate::failure::Failure;
use crate::status::Status;

/// Why an executor could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No provider has that name.
    #[error("there is no provider `{name}`; known are: {}{}", .known.join(", "), feature(.name))]
    UnknownProvider {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A setting is missing or wrong.
    #[error("{0}")]
    Config(String),
    /// A registered workflow contradicts itself.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// Two registered workflows have one name.
    #[error(
        "two registered workflows are named `{name}`; give one of them `#[workflow(name = \"…\")]`"
    )]
    SameName {
        /// The name.
        name: &'static str,
    },
    /// The data cannot be opened.
    #[error(transparent)]
    Storage(Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot be reached, or lets nobody in.
    #[error("{0}")]
    Server(String),
}

/// What is missing for a provider that this crate has.
fn feature(provider: &str) -> &'static str {
    match provider {
        "temporal" => "; enable the feature `temporal` of the crate `workflow`",
        _ => "",
    }
}

/// Why an executor refused something. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No run has that workflow id.
    #[error("there is no run with workflow id `{workflow_id}`")]
    UnknownRun {
        /// The workflow id.
        workflow_id: String,
    },
    /// The run has ended.
    #[error("the run with workflow id `{workflow_id}` has ended: it is {status}")]
    RunClosed {
        /// The workflow id.
        workflow_id: String,
        /// How it ended.
        status: Status,
    },
    /// The workflow id was used before.
    #[error(
        "workflow id `{workflow_id}` is in use: its run {run_id} is {status}; choose another id, or start with `IdPolicy::UseExisting` to get that run"
    )]
    IdInUse {
        /// The workflow id.
        workflow_id: String,
        /// The run that has it.
        run_id: String,
        /// How far that run is.
        status: Status,
    },
    /// The workflow id is empty.
    #[error("a workflow id cannot be empty; leave it out, and one is made up")]
    EmptyId,
    /// The run is of another workflow than the caller says.
    #[error("the run with workflow id `{workflow_id}` is of workflow `{found}`, not `{expected}`")]
    WrongWorkflow {
        /// The workflow id.
        workflow_id: String,
        /// What the caller says.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The workflow is not registered with this executor.
    #[error(
        "workflow `{workflow}` is not registered; add `.register::<{workflow}>()` to the `Config`"
    )]
    NotRegistered {
        /// The workflow.
        workflow: String,
    },
    /// The code at hand cannot go on with the run. It is untouched, and goes on once code that
    /// fits is started.
    #[error("the run with workflow id `{workflow_id}` is set aside: {reason}")]
    SetAside {
        /// The workflow id.
        workflow_id: String,
        /// Why, and what to do.
        reason: String,
    },
    /// What a step made is more than can be saved at once. The run is as it was before.
    #[error("{bytes} bytes are too much to save at once (at most {bytes_max}); keep less")]
    TooLarge {
        /// How many bytes.
        bytes: usize,
        /// How many are allowed.
        bytes_max: usize,
    },
    /// One argument or signal is larger than [`Limits::payload_bytes`](crate::Limits).
    #[error(
        "a value of {bytes} bytes is too large (at most {bytes_max}); pass a reference to it, or raise `Limits::payload_bytes`"
    )]
    PayloadTooLarge {
        /// How many bytes.
        bytes: usize,
        /// How many are allowed.
        bytes_max: usize,
    },
    /// So many signals wait in the run that it takes no more; see
    /// [`Limits::mailbox_signals`](crate::Limits).
    #[error(
        "the run with workflow id `{workflow_id}` has {signals_max} signals that it has not taken, and takes no more until it does"
    )]
    MailboxFull {
        /// The workflow id.
        workflow_id: String,
        /// How many may wait.
        signals_max: usize,
    },
    /// A step of the run began more at a time than [`Limits::pending_operations`](crate::Limits).
    /// The run is as it was before.
    #[error(
        "the run with workflow id `{workflow_id}` would have {operations} operations under way (at most {operations_max}); begin fewer at a time, or raise `Limits::pending_operations`"
    )]
    TooManyOperations {
        /// The workflow id.
        workflow_id: String,
        /// How many.
        operations: usize,
        /// How many are allowed.
        operations_max: usize,
    },
    /// The provider cannot do this.
    #[error("this provider has no {what}")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// A signal that the workflow would not understand.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// No query has that name.
    #[error("there is no query `{name}`; known are: status, result, state")]
    UnknownQuery {
        /// The name.
        name: String,
    },
    /// A page of runs was asked for after something that no page gave.
    #[error("`{token}` is not what a page of runs gave as its next")]
    PageToken {
        /// What was given.
        token: String,
    },
    /// A value cannot be encoded or decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The run's state does not fit the code at hand.
    #[error(transparent)]
    State(#[from] Fault),
    /// The data cannot be read or written.
    #[error(transparent)]
    Storage(Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot be reached, refused the request, or has no worker that could answer.
    /// Whether it has carried it out is then not known.
    #[error("{0}")]
    Server(String),
    /// The executor was shut down.
    #[error("the executor is shut down; its runs go on when one is opened on the same data")]
    Closed,
}

/// Why a run gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The workflow returned this error.
    #[error("the workflow failed: {0}")]
    Failed(Failure),
    /// The run was asked to cancel, and the workflow returned that.
    #[error("{}", canceled(.0))]
    Canceled(Failure),
    /// The run was ended from outside.
    #[error("the run was terminated: {reason}")]
    Terminated {
        /// Why.
        reason: String,
    },
    /// The run's timeout passed.
    #[error("the run timed out: its timeout of {timeout:?} passed")]
    TimedOut {
        /// The timeout.
        timeout: std::time::Duration,
    },
    /// The code at hand cannot go on with the run. It is untouched, and goes on once code that
    /// fits is started.
    #[error("the run is set aside: {reason}")]
    SetAside {
        /// Why, and what to do.
        reason: String,
    },
    /// The result could not be asked for.
    #[error(transparent)]
    Executor(#[from] Error),
}

/// Most workflows return what the interrupted await did, which says so already.
fn canceled(failure: &Failure) -> String {
    let plain = Failure::canceled().message;
    match failure.message == plain {
        true => plain,
        false => format!("{plain}: {failure}"),
    }
}

impl RunError {
    /// The failure that the workflow returned, where it returned one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::Canceled(failure) => Some(failure),
            _ => None,
        }
    }
}
