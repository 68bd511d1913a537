//! Durable execution for ordinary `async fn`s, compiled to resumable state machines.
//!
//! Write an `async fn`, put `#[workflow]` on it, and `#[activity]` on the functions with side
//! effects that it calls. The macro compiles the function into an enum with one variant per await;
//! a run is a value of that enum, and the engine saves that value. So a run survives crashes,
//! deploys and months of waiting, and resuming costs the same however long it has lived.
//!
//! ```
//! use workflow::prelude::*;
//!
//! #[activity(timeout = "10m", retry(max_attempts = 3, initial_interval = "5s"))]
//! async fn research(topic: String) -> Result<String, ActivityError> {
//!     Ok(format!("what the sources say about {topic}"))
//! }
//!
//! #[workflow]
//! async fn researched(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> {
//!     let findings = research(topic).await?;
//!     let approved = ctx.wait_for_signal::<bool>("approval", Duration::from_hours(24)).await?;
//!     Ok(if approved { findings } else { "rejected".to_string() })
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let data = directory.path();
//! let config = Config::new().path(data).register::<researched>();
//! let executor = workflow::new("default", config).await?;
//! let run = executor.start(researched("Q4".to_string())).id("research-q4").await?;
//! assert_eq!(run.status().await?, Status::Running);
//! executor.signal("research-q4", "approval", true).await?;
//! assert_eq!(run.result().await?, "what the sources say about Q4");
//! # Ok(())
//! # }
//! ```
//!
//! - [`workflow`](macro@workflow) and [`activity`](macro@activity): what can be written.
//! - [`Context`]: what a workflow may ask for; [`ActivityContext`]: what an activity may.
//! - [`Executor`] and [`WorkflowHandle`]: starting runs and talking to them.
//! - [`contract`]: how generated code and engines fit together, for those who write a
//!   [`provider`].

mod activity;
mod arguments;
mod attempt;
pub mod codec;
mod collection;
mod compiled;
mod config;
mod context;
pub mod contract;
mod description;
mod diagram;
mod embedded;
mod error;
mod executor;
mod failure;
mod inline;
mod items;
mod join;
mod limits;
mod listing;
mod panic_text;
mod part;
mod place;
pub mod provider;
mod remaining;
mod retention;
mod retry;
mod runtime;
mod saved;
mod select;
mod signal;
mod started;
mod state_enum;
mod status;
#[cfg(feature = "temporal")]
mod temporal;
mod timer;
mod tls;

pub use activity::{Activity, ActivityContext, ActivityFuture, ActivityOptions, Call};
pub use codec::Persist;
pub use compiled::{Workflow, WorkflowCall};
pub use config::{Config, ServerConfig};
pub use context::Context;
pub use description::{OperationDescription, OperationKind, RunDescription};
pub use diagram::{Diagram, Edge};
pub use error::{ActivityError, WorkflowError};
pub use executor::{Error, Executor, OpenError, RunError, Start, WorkflowHandle};
pub use failure::{Failure, FailureKind, IntoFailure, Returns};
pub use join::{Join, JoinAll, join_all};
pub use limits::Limits;
pub use listing::{PageToken, RunFilter, RunPage};
pub use provider::{
    HistoryEvent, HistoryEventKind, IdPolicy, RunInfo, SetAside, new, providers, register_provider,
};
pub use retention::Retention;
pub use retry::RetryPolicy;
pub use saved::Saved;
pub use select::Select;
pub use signal::WaitForSignal;
pub use started::Started;
pub use status::Status;
pub use timer::Sleep;
pub use tls::Tls;

pub use workflow_macros::{activity, allow, workflow};

pub mod prelude;

#[doc(hidden)]
pub mod __private;

// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/determinism.md")]
struct Determinism;

// The macros name this crate `::workflow`, also in its own tests and examples.
extern crate self as workflow;
