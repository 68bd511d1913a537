//! Durable execution for ordinary `async fn`s, compiled to resumable state machines.

mod activity;
pub mod codec;
mod compiled;
mod config;
mod context;
pub mod contract;
mod embedded;
mod error;
mod executor;
mod failure;
mod items;
pub mod provider;
mod retry;
mod saved;
mod signal;
mod status;
mod timer;

pub use activity::{Activity, ActivityContext, ActivityFuture, ActivityOptions, Call};
pub use compiled::{Workflow, WorkflowCall};
pub use config::Config;
pub use context::Context;
pub use error::{ActivityError, WorkflowError};
pub use executor::{Error, Executor, OpenError, RunError, Start, WorkflowHandle};
pub use failure::{Failure, FailureKind, IntoFailure, Returns};
pub use provider::{
    HistoryEvent, HistoryEventKind, IdPolicy, RunInfo, SetAside, new, providers, register_provider,
};
pub use retry::RetryPolicy;
pub use saved::Saved;
pub use signal::WaitForSignal;
pub use status::Status;
pub use timer::Sleep;

pub use workflow_macros::{activity, workflow};

pub mod prelude;

#[doc(hidden)]
pub mod __private;

// The macros name this crate `::workflow`, also in its own tests and examples.
extern crate self as workflow;
