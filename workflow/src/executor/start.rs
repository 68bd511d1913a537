//! A run that is about to be started.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::compiled::{Workflow, WorkflowCall};
use crate::provider::{Engine, IdPolicy, StartRequest};

use super::{Error, WorkflowHandle};

/// A run that is about to be started: what [`Executor::start`](crate::Executor::start) gives.
/// Await it to start the run; it returns when the start is durable.
#[must_use = "a run starts when this is awaited"]
pub struct Start<W> {
    engine: Arc<dyn Engine>,
    call: WorkflowCall<W>,
    id: Option<String>,
    timeout: Option<Duration>,
    id_policy: IdPolicy,
}

impl<W: Workflow> Start<W> {
    pub(super) fn new(engine: Arc<dyn Engine>, call: WorkflowCall<W>) -> Self {
        Self {
            engine,
            call,
            id: None,
            timeout: None,
            id_policy: IdPolicy::default(),
        }
    }

    /// The workflow id, by which the run is found again. Without one, the engine makes one up.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// How long the run may take, from now, restarts included; then it ends as timed out.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What to do when the workflow id was used before.
    pub fn id_policy(mut self, policy: IdPolicy) -> Self {
        self.id_policy = policy;
        self
    }
}

impl<W> fmt::Debug for Start<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("id", &self.id)
            .field("timeout", &self.timeout)
            .field("id_policy", &self.id_policy)
            .finish_non_exhaustive()
    }
}

impl<W: Workflow> IntoFuture for Start<W> {
    type Output = Result<WorkflowHandle<W>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let request = StartRequest {
                workflow: W::name().to_owned(),
                arguments: self.call.into_arguments()?,
                id: self.id,
                timeout: self.timeout,
                id_policy: self.id_policy,
            };
            let info = self.engine.start(request).await?;
            WorkflowHandle::new(self.engine, info)
        })
    }
}
