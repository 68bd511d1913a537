//! The provider `"temporal"`: runs are kept on a Temporal server and executed by workers, of which
//! this process may be one.
//!
//! - [`connection`]: the way to the server.
//! - [`engine`]: the executor's side: starts runs, and talks to them. [`reading`] is what it asks: a
//!   run as [`found`], and whether the code at hand [`fit`]s it.
//! - [`worker`]: a thread that executes tasks: [`host`] drives a run's machine, [`operations`] are
//!   what it has under way, a [`child`] one of them, [`continuation`] is how it becomes the input of its next run,
//!   [`queries`] what it answers of where it [`standing`]s; [`activities`] are attempts, [`reporting`]
//!   what the server is told of them.
//! - [`code`]: the registered workflows. [`payloads`], [`failures`], [`history`], [`listing`]: values,
//!   failures, events and lists of runs as Temporal has them, and back.

mod activities;
mod child;
mod code;
mod connection;
mod continuation;
mod engine;
mod failures;
mod fit;
mod found;
mod history;
mod host;
mod listing;
mod operations;
mod payloads;
mod queries;
mod reading;
mod reporting;
mod standing;
mod worker;

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::Config;
use crate::executor::OpenError;
use crate::provider::{Engine, Provider, ProviderFuture};

/// The provider `"temporal"`.
#[derive(Debug)]
pub(crate) struct TemporalProvider;

impl Provider for TemporalProvider {
    fn open(&self, config: Config) -> ProviderFuture<'_, Result<Arc<dyn Engine>, OpenError>> {
        Box::pin(async move {
            let engine = engine::ServerEngine::open(&config).await?;
            Ok(Arc::new(engine) as Arc<dyn Engine>)
        })
    }
}

/// Waits until the executor is closed.
async fn until_closed(closed: &mut watch::Receiver<bool>) {
    // An executor that is gone is closed, too.
    let _ = closed.wait_for(|closed| *closed).await;
}

#[cfg(test)]
mod tests;
