//! What a program holds to start runs and talk to them.

mod error;
mod handle;
mod start;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::codec;
use crate::compiled::{Workflow, WorkflowCall};
use crate::contract::SavedState;
use crate::description::RunDescription;
use crate::listing::{RunFilter, RunPage};
use crate::provider::{Engine, HistoryEvent, RunTarget, SetAside};
use crate::status::Status;

pub use error::{Error, OpenError, RunError};
pub use handle::WorkflowHandle;
pub use start::Start;

/// Starts runs and talks to them, whatever provider executes them. Made by [`new`](crate::new);
/// cheap to clone.
///
/// When the last clone is dropped, the engine stops and its data is free; runs in flight go on
/// when an executor is opened on the same data. Handles do not keep it open.
///
/// ```
/// use workflow::prelude::*;
///
/// #[workflow]
/// async fn greet(ctx: &mut Context, name: String) -> Result<String, WorkflowError> {
///     let polite: bool = ctx.wait_for_signal("polite", Duration::from_secs(60)).await?;
///     Ok(if polite { format!("Good day, {name}.") } else { format!("Hi {name}!") })
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// let executor = workflow::new("default", Config::new().path(path).register::<greet>()).await?;
/// let run = executor.start(greet("Ada".to_string())).id("greet-ada").await?;
/// executor.signal("greet-ada", "polite", true).await?;
/// assert_eq!(run.result().await?, "Good day, Ada.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Executor {
    open: Arc<OpenEngine>,
}

/// Closes the engine when the last executor is gone.
#[derive(Debug)]
struct OpenEngine(Arc<dyn Engine>);

impl Drop for OpenEngine {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Executor {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            open: Arc::new(OpenEngine(engine)),
        }
    }

    fn engine(&self) -> &Arc<dyn Engine> {
        &self.open.0
    }

    /// Starts a run of a workflow: await what this gives, after setting its id and timeout.
    pub fn start<W: Workflow>(&self, call: WorkflowCall<W>) -> Start<W> {
        Start::new(self.engine().clone(), call)
    }

    /// Starts a run and waits for its result.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`WorkflowHandle::result`].
    pub async fn execute<W: Workflow>(&self, call: WorkflowCall<W>) -> Result<W::Output, RunError> {
        self.start(call).await?.result().await
    }

    /// The latest run with that workflow id, in flight or ended.
    ///
    /// # Errors
    /// When there is none, or it is of another workflow.
    pub async fn handle<W: Workflow>(&self, workflow_id: &str) -> Result<WorkflowHandle<W>, Error> {
        let info = self.engine().info(latest(workflow_id)).await?;
        WorkflowHandle::new(self.engine().clone(), info)
    }

    /// Sends a signal to the run in flight with that workflow id. It returns when the signal is
    /// durable: the workflow gets it whatever happens, now or when it first waits for that name.
    ///
    /// # Errors
    /// When there is no such run or it has ended, when its workflow never waits for that name, or
    /// when the payload is not of the type that it waits for. The run is unharmed then.
    pub async fn signal<S: Serialize>(
        &self,
        workflow_id: &str,
        name: &str,
        payload: S,
    ) -> Result<(), Error> {
        let payload = codec::encode_open(&payload)?;
        let run = latest(workflow_id);
        self.engine().signal(run, name.to_owned(), payload).await
    }

    /// Asks the latest run with that workflow id: `"status"` (as `"running"`), `"result"` (`null`
    /// while it is running) or `"state"` (as `{"Approval": {"findings": "…"}}`, `null` once it has
    /// ended), as JSON.
    ///
    /// # Errors
    /// When there is no such run or query, and for `"result"` when the run gave none.
    pub async fn query(&self, workflow_id: &str, name: &str) -> Result<Value, RunError> {
        query(&**self.engine(), latest(workflow_id), name).await
    }

    /// Asks the run in flight with that workflow id to cancel: what it awaits is interrupted with
    /// an error that it may handle.
    ///
    /// # Errors
    /// When there is no such run or it has ended.
    pub async fn cancel(&self, workflow_id: &str) -> Result<(), Error> {
        self.engine().cancel(latest(workflow_id)).await
    }

    /// Ends the run in flight with that workflow id without asking it.
    ///
    /// # Errors
    /// When there is no such run or it has ended.
    pub async fn terminate(&self, workflow_id: &str, reason: &str) -> Result<(), Error> {
        let run = latest(workflow_id);
        self.engine().terminate(run, reason.to_owned()).await
    }

    /// All there is to know about the latest run with that workflow id: where it stands, what is
    /// under way and which attempt of it, what waits in its mailbox, and its history.
    ///
    /// # Errors
    /// When there is none.
    pub async fn describe(&self, workflow_id: &str) -> Result<RunDescription, Error> {
        self.engine().describe(latest(workflow_id)).await
    }

    /// What happened to the latest run with that workflow id, in order.
    ///
    /// # Errors
    /// When there is none.
    pub async fn history(&self, workflow_id: &str) -> Result<Vec<HistoryEvent>, Error> {
        self.engine().history(latest(workflow_id)).await
    }

    /// The runs that a filter lets through, a page at a time; also those that have ended, while
    /// they are kept. A page is how things stood at one moment, and takes no longer where there are
    /// a million runs, as long as the filter does not leave out most of what it has to look at.
    ///
    /// ```
    /// # use workflow::prelude::*;
    /// # async fn all(executor: &Executor) -> Result<(), workflow::Error> {
    /// let mut filter = RunFilter::new().status(Status::Running);
    /// loop {
    ///     let page = executor.list(filter.clone()).await?;
    ///     for run in page.runs {
    ///         println!("{} since {:?}", run.workflow_id, run.started_at);
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     filter = filter.after(next);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the data cannot be read, or the page begins after something that no page gave.
    pub async fn list(&self, filter: RunFilter) -> Result<RunPage, Error> {
        self.engine().list(filter).await
    }

    /// The runs in flight that the registered code cannot go on with, each with the reason. They
    /// are untouched, and go on once code that fits is started.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub async fn set_aside(&self) -> Result<Vec<SetAside>, Error> {
        self.engine().set_aside().await
    }

    /// Writes a copy of the data into a directory that has none yet, as it stands at one moment;
    /// runs go on meanwhile. An executor opened on the copy goes on from there.
    ///
    /// # Errors
    /// When the directory cannot be written or has data, or the provider has no backup.
    pub async fn backup(&self, directory: impl Into<PathBuf>) -> Result<(), Error> {
        self.engine().backup(directory.into()).await
    }

    /// Removes what is not to be kept (see [`Retention`](crate::Retention)), and gives the space
    /// back to the disk. Without this the space is used again, but the file does not shrink.
    /// Runs go on meanwhile until the journal is full, while whoever looks waits: this is for quiet
    /// hours.
    ///
    /// # Errors
    /// When the data cannot be written, or the provider has no compaction.
    pub async fn compact(&self) -> Result<(), Error> {
        self.engine().compact().await
    }

    /// Stops the engine and frees its data, also while there are other clones. Runs in flight go on
    /// when an executor is opened on the same data.
    pub async fn shutdown(self) {
        let engine = self.engine().clone();
        // Closing waits for the last commit: not on the runtime's own threads.
        let closing = tokio::task::spawn_blocking(move || engine.close());
        if let Err(error) = closing.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

fn latest(workflow_id: &str) -> RunTarget {
    RunTarget {
        workflow_id: workflow_id.to_owned(),
        run_id: None,
    }
}

async fn query(engine: &dyn Engine, run: RunTarget, name: &str) -> Result<Value, RunError> {
    let info = engine.info(run.clone()).await?;
    let run = RunTarget {
        run_id: Some(info.run_id),
        ..run
    };
    let machine = || {
        engine
            .machine(&info.workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: info.workflow.clone(),
            })
    };
    Ok(match name {
        "status" => serde_json::json!(info.status),
        "result" if info.status == Status::Running => Value::Null,
        "result" => {
            let output = engine.result(run).await?;
            let ty = machine()?.definition().output;
            (ty.to_json)(&output).map_err(Error::from)?
        }
        "state" => match engine.state(run).await? {
            Some(frames) => SavedState::new(machine()?, &frames)
                .map_err(Error::from)?
                .to_json()
                .map_err(Error::from)?,
            None => Value::Null,
        },
        name => {
            return Err(Error::UnknownQuery {
                name: name.to_owned(),
            }
            .into());
        }
    })
}
