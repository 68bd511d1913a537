//! The executor's side: starts runs on the server, and talks to them; [`reading`](super::reading) is
//! what it asks.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use temporalio_client::errors::{WorkflowInteractionError, WorkflowStartError};
use temporalio_client::{
    Client, UntypedSignal, UntypedWorkflowHandle, WorkflowCancelOptions,
    WorkflowExecutionInfo as ExecutionId, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
    WorkflowSignalOptions, WorkflowStartOptions, WorkflowTerminateOptions,
};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use tokio::sync::watch;
use uuid::Uuid;

use crate::codec::{Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, Snapshot};
use crate::description::RunDescription;
use crate::executor::{Error, OpenError, RunError};
use crate::listing::{RunFilter, RunPage};
use crate::provider::{
    Engine, HistoryEvent, IdPolicy, ProviderFuture, RunInfo, RunTarget, SetAside, StartRequest,
};
use crate::runtime;
use crate::status::Status;

use super::code::Machines;
use super::connection::{Target, rpc_options};
use super::found::Found;
use super::host::Settings;
use super::worker::{self, WorkerConfig};
use super::{payloads, reporting};

/// How often somebody who waits for a run to change looks at it.
const CHANGED_INTERVAL: Duration = Duration::from_millis(100);

/// The executor's side of a server.
pub(super) struct ServerEngine {
    pub(super) client: Client,
    pub(super) target: Target,
    pub(super) machines: Arc<Machines>,
    pub(super) settings: Settings,
    pub(super) closed: watch::Sender<bool>,
    /// Whether it has a worker.
    pub(super) works: bool,
    worker: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl fmt::Debug for ServerEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerEngine")
            .field("host", &self.target.host)
            .field("namespace", &self.target.namespace)
            .field("task_queue", &self.target.task_queue)
            .finish_non_exhaustive()
    }
}

impl ServerEngine {
    /// Connects, and starts the worker.
    pub(super) async fn open(config: &Config) -> Result<Server, OpenError> {
        config.only(
            "temporal",
            &[
                "host",
                "namespace",
                "task_queue",
                "tls",
                "api_key",
                "client_only",
                "cached_runs",
                "heartbeat_timeout",
            ],
        )?;
        let runtime = runtime::with_io()?;
        let target = Target::of(config)?;
        let heartbeat_timeout = reporting::heartbeat_timeout(config.server())?;
        let machines: Machines = config
            .machines()?
            .into_iter()
            .map(|machine| (machine.definition().name, machine))
            .collect();
        let machines = Arc::new(machines);
        let mut client = target.connect().await?;
        let settings = Settings {
            heartbeat_timeout,
            payload_bytes: target.check_namespace(&mut client).await?,
        };
        let closed = watch::Sender::new(false);
        let works = !config.server().client_only && !machines.is_empty();
        let worker = match works {
            true => Some(worker::start(WorkerConfig {
                runtime,
                target: target.clone(),
                machines: machines.clone(),
                cached_runs: config.server().cached_runs,
                settings,
                closed: closed.subscribe(),
            })?),
            false => None,
        };
        Ok(Server(Arc::new(Self {
            client,
            target,
            machines,
            settings,
            closed,
            works,
            worker: Mutex::new(worker),
        })))
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        match *self.closed.borrow() {
            true => Err(Error::Closed),
            false => Ok(()),
        }
    }

    pub(super) fn registered(&self, workflow: &str) -> Result<&Machine, Error> {
        self.machines
            .get(workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: workflow.to_owned(),
            })
    }

    /// Whichever run of a chain is in flight.
    fn chain(&self, found: &Found) -> UntypedWorkflowHandle<Client> {
        ExecutionId::builder()
            .namespace(self.target.namespace.as_str())
            .workflow_id(found.info.workflow_id.as_str())
            .first_execution_run_id(found.first_run_id.as_str())
            .build()
            .bind_untyped(self.client.clone())
    }

    /// One run of a chain; the latest without a run id.
    pub(super) fn handle(
        &self,
        workflow_id: &str,
        run_id: Option<&str>,
    ) -> UntypedWorkflowHandle<Client> {
        ExecutionId::builder()
            .namespace(self.target.namespace.as_str())
            .workflow_id(workflow_id)
            .maybe_run_id(run_id.map(str::to_owned))
            .build()
            .bind_untyped(self.client.clone())
    }

    pub(super) fn interaction(&self, workflow_id: &str, error: WorkflowInteractionError) -> Error {
        match error {
            WorkflowInteractionError::NotFound(_) => Error::UnknownRun {
                workflow_id: workflow_id.to_owned(),
            },
            WorkflowInteractionError::Rpc(status) => self.target.error(&status),
            error => Error::Server(error.to_string()),
        }
    }

    async fn start_run(&self, request: StartRequest) -> Result<RunInfo, Error> {
        self.check_open()?;
        let workflow_id = match request.id {
            Some(id) if id.is_empty() => return Err(Error::EmptyId),
            Some(id) => id,
            None => Uuid::new_v4().to_string(),
        };
        let definition = self.registered(&request.workflow)?.definition();
        let input = payloads::encode_all(&request.arguments, &definition.parameters())?;
        let reuse = match request.id_policy {
            IdPolicy::RejectRunning => WorkflowIdReusePolicy::AllowDuplicate,
            IdPolicy::RejectUsed | IdPolicy::UseExisting => WorkflowIdReusePolicy::RejectDuplicate,
        };
        let options =
            WorkflowStartOptions::new(self.target.task_queue.as_str(), workflow_id.as_str())
                .id_reuse_policy(reuse)
                .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
                .maybe_execution_timeout(request.timeout)
                .rpc_options(rpc_options())
                .build();
        let workflow = UntypedWorkflow::new(request.workflow.as_str());
        let started = self
            .client
            .start_workflow(workflow, RawValue::new(input), options)
            .await;
        match started {
            // It is not looked at: it has begun also where the server is gone by now.
            Ok(handle) => Ok(RunInfo {
                run_id: handle.run_id().unwrap_or_default().to_owned(),
                workflow_id,
                workflow: request.workflow,
                status: Status::Running,
                started_at: SystemTime::now(),
                closed_at: None,
            }),
            Err(WorkflowStartError::AlreadyStarted { .. }) => {
                let existing = self.look(&workflow_id, None).await?.info;
                match request.id_policy {
                    IdPolicy::UseExisting => Ok(existing),
                    IdPolicy::RejectRunning | IdPolicy::RejectUsed => Err(Error::IdInUse {
                        workflow_id,
                        run_id: existing.run_id,
                        status: existing.status,
                    }),
                }
            }
            Err(WorkflowStartError::Rpc(status)) => Err(self.target.error(&status)),
            Err(error) => Err(Error::Server(error.to_string())),
        }
    }

    /// Asks something of the run in flight of a chain. Where that run was continued meanwhile, the
    /// one that continues it is asked.
    async fn ask<F>(&self, target: &RunTarget, request: impl Fn(&Found) -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), WorkflowInteractionError>>,
    {
        loop {
            let found = self.find(target).await?;
            let workflow_id = &found.info.workflow_id;
            if found.info.status.is_closed() {
                return Err(Error::RunClosed {
                    workflow_id: workflow_id.clone(),
                    status: found.info.status,
                });
            }
            match request(&found).await {
                Err(WorkflowInteractionError::NotFound(_)) => {}
                asked => return asked.map_err(|error| self.interaction(workflow_id, error)),
            }
        }
    }

    async fn send_signal(
        &self,
        run: RunTarget,
        name: String,
        payload: Payload,
    ) -> Result<(), Error> {
        let found = self.find(&run).await?;
        let definition = self.registered(&found.info.workflow)?.definition();
        let sealed = definition.accept_signal(&name, &payload)?;
        let mut types = definition.signals.iter().map(|signal| signal.ty);
        let ty = types.find(|ty| ty.shape.hash == sealed.shape);
        let ty = ty.expect("it was accepted as one of these types");
        let input = RawValue::new(vec![payloads::encode(&sealed, &ty)?]);
        // The same in every try, so that it arrives once.
        let request_id = Uuid::new_v4().to_string();
        self.ask(&run, |found| {
            let handle = self.handle(&found.info.workflow_id, Some(&found.run_id));
            let options = WorkflowSignalOptions::builder()
                .request_id(request_id.clone())
                .rpc_options(rpc_options())
                .build();
            let (signal, input) = (UntypedSignal::new(name.as_str()), input.clone());
            async move { handle.signal(signal, input, options).await }
        })
        .await
    }

    async fn cancel(&self, run: &RunTarget) -> Result<(), Error> {
        self.ask(run, |found| {
            // To the server, a run that was continued meanwhile is one that needs no cancel any more.
            let handle = self.chain(found);
            let options = WorkflowCancelOptions::builder().rpc_options(rpc_options());
            async move { handle.cancel(options.build()).await }
        })
        .await
    }

    async fn terminate(&self, run: &RunTarget, reason: String) -> Result<(), Error> {
        self.ask(run, |found| {
            let handle = self.chain(found);
            let options = WorkflowTerminateOptions::builder()
                .reason(reason.clone())
                .rpc_options(rpc_options())
                .build();
            async move { handle.terminate(options).await }
        })
        .await
    }

    fn close(&self) {
        self.closed.send_replace(true);
        let worker = self
            .worker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(worker) = worker
            && worker.join().is_err()
        {
            tracing::error!(
                "the worker of task queue `{}` panicked",
                self.target.task_queue
            );
        }
    }
}

/// The open engine, as callers hold it.
#[derive(Debug)]
pub(super) struct Server(Arc<ServerEngine>);

impl Server {
    /// Does something that goes on also when nobody waits for it any more.
    fn detached<T, F>(
        &self,
        work: impl FnOnce(Arc<ServerEngine>) -> F,
    ) -> ProviderFuture<'_, Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let work = work(self.0.clone());
        Box::pin(async move {
            match tokio::spawn(work).await {
                Ok(done) => done,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime has ended.
                Err(_) => Err(Error::Closed),
            }
        })
    }
}

impl Engine for Server {
    fn machine(&self, workflow: &str) -> Option<&Machine> {
        self.0.machines.get(workflow)
    }

    fn start(&self, request: StartRequest) -> ProviderFuture<'_, Result<RunInfo, Error>> {
        self.detached(|engine| async move { engine.start_run(request).await })
    }

    fn info(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunInfo, Error>> {
        Box::pin(async move { Ok(self.0.find(&run).await?.info) })
    }

    fn describe(&self, run: RunTarget) -> ProviderFuture<'_, Result<RunDescription, Error>> {
        Box::pin(async move { self.0.description(&run).await })
    }

    fn signal(
        &self,
        run: RunTarget,
        name: String,
        payload: Payload,
    ) -> ProviderFuture<'_, Result<(), Error>> {
        self.detached(|engine| async move { engine.send_signal(run, name, payload).await })
    }

    fn cancel(&self, run: RunTarget) -> ProviderFuture<'_, Result<(), Error>> {
        self.detached(|engine| async move { engine.cancel(&run).await })
    }

    fn terminate(&self, run: RunTarget, reason: String) -> ProviderFuture<'_, Result<(), Error>> {
        self.detached(|engine| async move { engine.terminate(&run, reason).await })
    }

    fn state(&self, run: RunTarget) -> ProviderFuture<'_, Result<Option<Vec<Snapshot>>, Error>> {
        Box::pin(async move { self.0.frames(&run).await })
    }

    /// The server tells nobody when a run changes.
    fn changed(&self, _: RunTarget) -> ProviderFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.0.check_open()?;
            tokio::time::sleep(CHANGED_INTERVAL).await;
            Ok(())
        })
    }

    fn result(&self, run: RunTarget) -> ProviderFuture<'_, Result<Sealed, RunError>> {
        Box::pin(self.0.outcome(run))
    }

    fn history(&self, run: RunTarget) -> ProviderFuture<'_, Result<Vec<HistoryEvent>, Error>> {
        Box::pin(async move { self.0.tell(&self.0.find(&run).await?.info).await })
    }

    fn list(&self, filter: RunFilter) -> ProviderFuture<'_, Result<RunPage, Error>> {
        Box::pin(async move { self.0.page(&filter).await })
    }

    fn set_aside(&self) -> ProviderFuture<'_, Result<Vec<SetAside>, Error>> {
        Box::pin(self.0.list_set_aside())
    }

    fn close(&self) {
        self.0.close();
    }
}
