//! The embedded engine: runs are executed in this process and kept in a directory.
//!
//! - [`record`]: what is kept of a run, and its encoding as sections.
//! - [`transition`]: what an input does to a record; pure.
//! - [`engine`]: what the parts share. One lock per workflow id ([`slot`]); whatever is given to a run ([`input`],
//!   and [`start`] when it begins): load, transition, commit, then act ([`dispatch`]).
//! - [`resume`]: what is taken up at opening; [`look`]: looking at runs; [`aside`]: those that the code
//!   cannot go on with.
//! - [`fit`]: whether the code at hand fits a run; [`attempt`](crate::attempt): one attempt of an activity.
//! - [`timers`], [`clock`]: when something is due; [`turns`]: who may make an attempt now; [`listing`]: which runs there
//!   are; [`describe`]: all there is to know about one.
//! - [`limit`]: how much a run may take; [`telemetry`]: metrics.
//! - [`store`]: bytes on disk; knows nothing of workflows.

mod aside;
mod clock;
mod describe;
mod dispatch;
mod engine;
mod fit;
mod input;
mod limit;
mod listing;
mod look;
mod record;
mod resume;
#[cfg(test)]
mod simulation;
mod slot;
mod start;
mod store;
mod telemetry;
mod timers;
mod transition;
mod turns;

use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::{Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, Snapshot};
use crate::description::RunDescription;
use crate::executor::{Error, OpenError, RunError};
use crate::listing::{RunFilter, RunPage};
use crate::provider::{
    Engine, HistoryEvent, Provider, ProviderFuture, RunInfo, RunTarget, SetAside, StartRequest,
};

/// The provider `"default"`.
#[derive(Debug)]
pub(crate) struct EmbeddedProvider;

impl Provider for EmbeddedProvider {
    fn open(&self, config: Config) -> ProviderFuture<'_, Result<Arc<dyn Engine>, OpenError>> {
        Box::pin(async move {
            let engine = engine::Engine::open(&config).await?;
            Ok(Arc::new(Embedded(engine)) as Arc<dyn Engine>)
        })
    }
}

/// The open engine, as callers hold it; its tasks hold the inside.
#[derive(Debug)]
struct Embedded(Arc<engine::Engine>);

impl Engine for Embedded {
    fn machine(&self, workflow: &str) -> Option<&Machine> {
        self.0.machine(workflow)
    }

    fn start(&self, request: StartRequest) -> ProviderFuture<'_, Result<RunInfo, Error>> {
        Box::pin(self.0.start(request))
    }

    fn info(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunInfo, Error>> {
        Box::pin(async move { Ok(record::info(&self.0.find(&run)?.1)) })
    }

    fn describe(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunDescription, Error>> {
        Box::pin(async move { self.0.describe(&run) })
    }

    fn signal(
        &self,
        run: RunTarget,
        name: String,
        payload: Payload,
    ) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(self.0.signal(run, name, payload))
    }

    fn cancel(&self, run: RunTarget) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(self.0.input(run, transition::Input::Cancel))
    }

    fn terminate(&self, run: RunTarget, reason: String) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(self.0.input(run, transition::Input::Terminate { reason }))
    }

    fn state(&self, run: RunTarget) -> ProviderFuture<'_, Result<Option<Vec<Snapshot>>, Error>> {
        Box::pin(async move {
            let record = self.0.record(&run)?;
            Ok(record.end.is_none().then_some(record.run.frames))
        })
    }

    fn changed(&self, run: RunTarget) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(self.0.changed(run))
    }

    fn result(&self, run: RunTarget) -> ProviderFuture<'_, Result<Sealed, RunError>> {
        Box::pin(self.0.result(run))
    }

    fn history(&self, run: RunTarget) -> ProviderFuture<'_, Result<Vec<HistoryEvent>, Error>> {
        Box::pin(async move { self.0.history(&run) })
    }

    fn list(&self, filter: RunFilter) -> ProviderFuture<'_, Result<RunPage, Error>> {
        Box::pin(async move { self.0.list(&filter) })
    }

    fn set_aside(&self) -> ProviderFuture<'_, Result<Vec<SetAside>, Error>> {
        Box::pin(async move { self.0.set_aside() })
    }

    fn backup(&self, target: PathBuf) -> ProviderFuture<'_, Result<(), Error>> {
        let store = self.0.store.clone();
        Box::pin(self.0.blocking(move || {
            let written = store.backup(&target);
            written.map_err(|error| Error::Storage(Box::new(error)))
        }))
    }

    fn compact(&self) -> ProviderFuture<'_, Result<(), Error>> {
        let store = self.0.store.clone();
        Box::pin(self.0.blocking(move || Ok(store.compact()?)))
    }

    fn close(&self) {
        self.0.close();
    }
}
