//! A run, seen from outside.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::codec;
use crate::compiled::Workflow;
use crate::contract::SavedState;
use crate::description::RunDescription;
use crate::provider::{Engine, RunInfo, RunTarget};
use crate::status::Status;

use super::{Error, RunError};

/// A run, seen from outside. It stays with its run also when the workflow id is used again.
/// Dropping it changes nothing for the run.
pub struct WorkflowHandle<W> {
    engine: Arc<dyn Engine>,
    id: String,
    run_id: String,
    workflow: PhantomData<fn() -> W>,
}

impl<W> fmt::Debug for WorkflowHandle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkflowHandle")
            .field("id", &self.id)
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}

impl<W> Clone for WorkflowHandle<W> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            id: self.id.clone(),
            run_id: self.run_id.clone(),
            workflow: PhantomData,
        }
    }
}

impl<W: Workflow> WorkflowHandle<W> {
    pub(super) fn new(engine: Arc<dyn Engine>, info: RunInfo) -> Result<Self, Error> {
        if info.workflow != W::name() {
            return Err(Error::WrongWorkflow {
                workflow_id: info.workflow_id,
                expected: W::name(),
                found: info.workflow,
            });
        }
        Ok(Self {
            engine,
            id: info.workflow_id,
            run_id: info.run_id,
            workflow: PhantomData,
        })
    }

    /// The workflow id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run's own id, unique for ever.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    fn target(&self) -> RunTarget {
        RunTarget {
            workflow_id: self.id.clone(),
            run_id: Some(self.run_id.clone()),
        }
    }

    /// All there is to know about the run.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub async fn describe(&self) -> Result<RunDescription, Error> {
        self.engine.describe(self.target()).await
    }

    /// How far the run has come.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub async fn status(&self) -> Result<Status, Error> {
        Ok(self.engine.info(self.target()).await?.status)
    }

    /// Where the run stands, as a value of the state enum; `None` once it has ended.
    ///
    /// # Errors
    /// When the workflow is not registered here, or what is saved does not fit its code.
    pub async fn state(&self) -> Result<Option<W::State>, Error> {
        let Some(frames) = self.engine.state(self.target()).await? else {
            return Ok(None);
        };
        let machine = self.engine.machine(W::name());
        let machine = machine.ok_or_else(|| Error::NotRegistered {
            workflow: W::name().to_owned(),
        })?;
        let saved = SavedState::new(machine, &frames)?;
        Ok(Some(saved.read::<W::State>()?))
    }

    /// Waits until the run stands at a state that fits, and gives that state; `None` when the run
    /// ends before. A state that lasts only for a moment may be missed.
    ///
    /// ```
    /// # use workflow::prelude::*;
    /// # #[workflow]
    /// # async fn greet(ctx: &mut Context) -> Result<String, WorkflowError> {
    /// #     ctx.wait_for_signal("name", Duration::from_secs(60)).await
    /// # }
    /// # async fn test(executor: Executor) -> Result<(), Box<dyn std::error::Error>> {
    /// let run = executor.start(greet()).await?;
    /// let state = run.wait_for(|state| matches!(state, GreetState::Name {})).await?;
    /// assert!(state.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub async fn wait_for(
        &self,
        fits: impl Fn(&W::State) -> bool,
    ) -> Result<Option<W::State>, Error> {
        loop {
            let changed = self.engine.changed(self.target());
            match self.state().await? {
                Some(state) if !fits(&state) => changed.await?,
                found => return Ok(found),
            }
        }
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    /// When the run ends in another way than by completing, or is set aside.
    pub async fn result(&self) -> Result<W::Output, RunError> {
        let output = self.engine.result(self.target()).await?;
        Ok(output.open().map_err(Error::from)?)
    }

    /// Sends a signal, as [`Executor::signal`](crate::Executor::signal).
    ///
    /// # Errors
    /// As there.
    pub async fn signal<S: Serialize>(&self, name: &str, payload: S) -> Result<(), Error> {
        let payload = codec::encode_open(&payload)?;
        self.engine
            .signal(self.target(), name.to_owned(), payload)
            .await
    }

    /// Asks the run, as [`Executor::query`](crate::Executor::query).
    ///
    /// # Errors
    /// As there.
    pub async fn query(&self, name: &str) -> Result<Value, RunError> {
        super::query(&*self.engine, self.target(), name).await
    }

    /// Asks the run to cancel, as [`Executor::cancel`](crate::Executor::cancel).
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.engine.cancel(self.target()).await
    }

    /// Ends the run, as [`Executor::terminate`](crate::Executor::terminate).
    ///
    /// # Errors
    /// As there.
    pub async fn terminate(&self, reason: &str) -> Result<(), Error> {
        self.engine
            .terminate(self.target(), reason.to_owned())
            .await
    }
}
