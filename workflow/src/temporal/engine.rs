//! The executor's side: starts runs on the server, and talks to them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use temporalio_client::errors::{WorkflowInteractionError, WorkflowQueryError, WorkflowStartError};
use temporalio_client::{
    Client, HistoryEventFilterType, RpcOptions, UntypedQuery, UntypedSignal, UntypedWorkflowHandle,
    WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowExecutionInfo as ExecutionId,
    WorkflowFetchHistoryOptions, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions, WorkflowTerminateOptions,
    tonic,
};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::enums::v1::WorkflowExecutionStatus;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent as Told;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::workflow::v1::{
    PendingActivityInfo, WorkflowExecutionInfo,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse;
use tokio::sync::watch;
use uuid::Uuid;

use crate::codec::{Payload, Sealed};
use crate::config::Config;
use crate::contract::{Machine, SavedState, Snapshot};
use crate::description::RunDescription;
use crate::executor::{Error, OpenError, RunError};
use crate::failure::{Failure, FailureKind};
use crate::listing::{RunFilter, RunPage};
use crate::provider::{
    Engine, HistoryEvent, IdPolicy, ProviderFuture, RunInfo, RunTarget, SetAside, StartRequest,
};
use crate::status::Status;

use super::code::Machines;
use super::connection::{REQUEST_TIMEOUT, Target};
use super::standing::Standing;
use super::worker::{self, WorkerConfig};
use super::{failures, history, listing, payloads, queries, until_closed};

/// How often somebody who waits for a run to change looks at it.
const CHANGED_INTERVAL: Duration = Duration::from_millis(100);

/// How often somebody who waits for a result looks whether the run is set aside.
const SET_ASIDE_INTERVAL: Duration = Duration::from_secs(2);

/// How long to wait before asking a server again that was out of reach.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The executor's side of a server.
pub(super) struct ServerEngine {
    client: Client,
    target: Target,
    machines: Arc<Machines>,
    closed: watch::Sender<bool>,
    worker: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// The latest run of a chain of runs, which are one to everybody outside.
struct Found {
    /// What there is to know, under the id of the chain's first run.
    info: RunInfo,
    /// The id of the latest.
    run_id: String,
    timeout: Option<Duration>,
    timeout_at: Option<SystemTime>,
    activities: Vec<PendingActivityInfo>,
    /// How often its present workflow task was tried.
    attempt: i32,
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
            ],
        )?;
        let target = Target::of(config)?;
        let machines: Machines = config
            .machines()?
            .into_iter()
            .map(|machine| (machine.definition().name, machine))
            .collect();
        let machines = Arc::new(machines);
        let mut client = target.connect().await?;
        target.check_namespace(&mut client).await?;
        let closed = watch::Sender::new(false);
        let works = !config.server().client_only && !machines.is_empty();
        let worker = match works {
            true => Some(worker::start(WorkerConfig {
                target: target.clone(),
                machines: machines.clone(),
                cached_runs: config.server().cached_runs,
                closed: closed.subscribe(),
            })?),
            false => None,
        };
        Ok(Server(Arc::new(Self {
            client,
            target,
            machines,
            closed,
            worker: Mutex::new(worker),
        })))
    }

    fn check_open(&self) -> Result<(), Error> {
        match *self.closed.borrow() {
            true => Err(Error::Closed),
            false => Ok(()),
        }
    }

    fn registered(&self, workflow: &str) -> Result<&Machine, Error> {
        self.machines
            .get(workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: workflow.to_owned(),
            })
    }

    fn handle(&self, workflow_id: &str, run_id: Option<&str>) -> UntypedWorkflowHandle<Client> {
        ExecutionId::builder()
            .namespace(self.target.namespace.as_str())
            .workflow_id(workflow_id)
            .maybe_run_id(run_id.map(str::to_owned))
            .build()
            .bind_untyped(self.client.clone())
    }

    /// Looks at one run of a chain; the latest without a run id.
    async fn look(&self, workflow_id: &str, run_id: Option<&str>) -> Result<Found, Error> {
        self.check_open()?;
        let options = WorkflowDescribeOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let described = self.handle(workflow_id, run_id).describe(options).await;
        let described = described.map_err(|error| self.interaction(workflow_id, error))?;
        found(described.into_raw()).ok_or_else(|| {
            Error::Server(format!(
                "the server tells nothing of workflow id `{workflow_id}`"
            ))
        })
    }

    /// The latest run of the chain that is meant.
    async fn find(&self, target: &RunTarget) -> Result<Found, Error> {
        let workflow_id = &target.workflow_id;
        let latest = self.look(workflow_id, None).await?;
        let Some(run_id) = &target.run_id else {
            return Ok(latest);
        };
        if [&latest.info.run_id, &latest.run_id].contains(&run_id) {
            return Ok(latest);
        }
        // The id was used again: that chain has ended.
        let mut found = self.look(workflow_id, Some(run_id)).await?;
        while let Some(next) = self.continued_as(workflow_id, &found.run_id).await? {
            found = self.look(workflow_id, Some(&next)).await?;
        }
        Ok(found)
    }

    async fn continued_as(&self, workflow_id: &str, run_id: &str) -> Result<Option<String>, Error> {
        let closing = self.close_event(workflow_id, run_id).await?;
        Ok(match closing.attributes {
            Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it)) => {
                Some(it.new_execution_run_id)
            }
            _ => None,
        })
    }

    /// The event that ends one run of a chain; waits for it.
    async fn close_event(&self, workflow_id: &str, run_id: &str) -> Result<Told, Error> {
        let options = WorkflowFetchHistoryOptions::builder()
            .wait_new_event(true)
            .skip_archival(true)
            .event_filter_type(HistoryEventFilterType::CloseEvent)
            .build();
        let handle = self.handle(workflow_id, Some(run_id));
        loop {
            self.check_open()?;
            match handle.fetch_history(options.clone()).into_events().await {
                Ok(mut events) => {
                    if let Some(event) = events.pop() {
                        return Ok(event);
                    }
                }
                Err(error) if is_out_of_reach(&error) => {
                    // It comes back, and the run goes on.
                    tracing::warn!(workflow_id, %error, "the server is out of reach; waiting");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                Err(error) => return Err(self.interaction(workflow_id, error)),
            }
        }
    }

    async fn events(&self, workflow_id: &str, run_id: &str) -> Result<Vec<Told>, Error> {
        let options = WorkflowFetchHistoryOptions::builder()
            .skip_archival(true)
            .rpc_options(rpc_options())
            .build();
        let handle = self.handle(workflow_id, Some(run_id));
        let events = handle.fetch_history(options).into_events().await;
        events.map_err(|error| self.interaction(workflow_id, error))
    }

    /// Why the code at hand cannot go on with a run, if it cannot.
    async fn reason(&self, found: &Found) -> Result<Option<String>, Error> {
        if found.info.status.is_closed() {
            return Ok(None);
        }
        if let Err(error) = self.registered(&found.info.workflow) {
            return Ok(Some(error.to_string()));
        }
        if found.attempt <= 1 {
            return Ok(None);
        }
        let events = self.events(&found.info.workflow_id, &found.run_id).await?;
        Ok(history::set_aside(&events))
    }

    /// Waits until the code at hand cannot go on with a run.
    async fn until_set_aside(&self, target: &RunTarget) -> String {
        loop {
            tokio::time::sleep(SET_ASIDE_INTERVAL).await;
            if let Ok(found) = self.find(target).await
                && let Ok(Some(reason)) = self.reason(&found).await
            {
                return reason;
            }
        }
    }

    fn interaction(&self, workflow_id: &str, error: WorkflowInteractionError) -> Error {
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
            Ok(handle) => Ok(self.look(&workflow_id, handle.run_id()).await?.info),
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
    async fn ask<F>(
        &self,
        target: &RunTarget,
        request: impl Fn(UntypedWorkflowHandle<Client>) -> F,
    ) -> Result<(), Error>
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
            match request(self.handle(workflow_id, Some(&found.run_id))).await {
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
        self.ask(&run, |handle| {
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
        self.ask(run, |handle| async move {
            let options = WorkflowCancelOptions::builder().rpc_options(rpc_options());
            handle.cancel(options.build()).await
        })
        .await
    }

    async fn terminate(&self, run: &RunTarget, reason: String) -> Result<(), Error> {
        self.ask(run, |handle| {
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

    /// Where a run stands, from its worker; nothing once it has ended.
    async fn standing(&self, found: &Found) -> Result<Option<Standing>, Error> {
        if found.info.status.is_closed() {
            return Ok(None);
        }
        let workflow_id = &found.info.workflow_id;
        let options = WorkflowQueryOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let handle = self.handle(workflow_id, Some(&found.run_id));
        let query = UntypedQuery::new(queries::STANDING);
        match handle.query(query, RawValue::default(), options).await {
            Ok(answer) => match answer.payloads.first() {
                Some(answer) => queries::standing(answer),
                None => Ok(None),
            },
            Err(error) => match self.reason(found).await? {
                Some(reason) => Err(Error::SetAside {
                    workflow_id: workflow_id.clone(),
                    reason,
                }),
                None => Err(self.unanswered(&error)),
            },
        }
    }

    fn unanswered(&self, error: &WorkflowQueryError) -> Error {
        Error::Server(format!(
            "no worker has answered for the run within {REQUEST_TIMEOUT:?} ({error}); is one with this workflow running on task queue `{}` of namespace `{}` at `{}`?",
            self.target.task_queue, self.target.namespace, self.target.host
        ))
    }

    async fn description(&self, run: RunTarget) -> Result<RunDescription, Error> {
        let found = self.find(&run).await?;
        let set_aside = self.reason(&found).await?;
        let standing = match set_aside {
            None => self.standing(&found).await?,
            Some(_) => None,
        };
        let machine = self.machines.get(&*found.info.workflow);
        let state = match (&standing, machine) {
            (Some(standing), Some(machine)) => {
                Some(SavedState::new(machine, &standing.run.frames)?.to_json()?)
            }
            _ => None,
        };
        let (operations, signals) = match &standing {
            Some(standing) => (
                standing.operations(&found.info, &found.activities),
                standing.signals(),
            ),
            None => Default::default(),
        };
        Ok(RunDescription {
            state,
            operations,
            signals,
            timeout_at: found.timeout_at,
            set_aside,
            history: self.tell(&found.info).await?,
            info: found.info,
        })
    }

    async fn outcome(&self, run: RunTarget) -> Result<Sealed, RunError> {
        let found = self.find(&run).await?;
        let workflow_id = found.info.workflow_id.clone();
        let mut run_id = found.run_id;
        let mut closed = self.closed.subscribe();
        loop {
            let event = tokio::select! {
                biased;
                () = until_closed(&mut closed) => return Err(Error::Closed.into()),
                event = self.close_event(&workflow_id, &run_id) => event?,
                reason = self.until_set_aside(&run) => return Err(RunError::SetAside { reason }),
            };
            return match event.attributes {
                Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it)) => {
                    run_id = it.new_execution_run_id;
                    continue;
                }
                Some(Attributes::WorkflowExecutionCompletedEventAttributes(it)) => {
                    let output = self.registered(&found.info.workflow)?.definition().output;
                    let payloads = it.result.unwrap_or_default().payloads;
                    let output = payloads::decode_one(&payloads, &output);
                    Ok(output.map_err(Error::from)?)
                }
                Some(Attributes::WorkflowExecutionFailedEventAttributes(it)) => {
                    let failure = it.failure.as_ref().map(failures::received);
                    Err(RunError::Failed(failure.unwrap_or_else(untold)))
                }
                Some(Attributes::WorkflowExecutionCanceledEventAttributes(it)) => {
                    let failure = failures::ours(it.details.as_ref());
                    Err(RunError::Canceled(failure.unwrap_or_else(|| {
                        Failure::new(FailureKind::Canceled, "the run was canceled")
                    })))
                }
                Some(Attributes::WorkflowExecutionTerminatedEventAttributes(it)) => {
                    Err(RunError::Terminated { reason: it.reason })
                }
                Some(Attributes::WorkflowExecutionTimedOutEventAttributes(_)) => {
                    let timeout = found.timeout.unwrap_or_default();
                    Err(RunError::TimedOut { timeout })
                }
                _ => Err(RunError::Failed(untold())),
            };
        }
    }

    /// What happened in all runs of a chain.
    async fn tell(&self, info: &RunInfo) -> Result<Vec<HistoryEvent>, Error> {
        let (mut told, mut run_id) = (Vec::new(), info.run_id.clone());
        loop {
            let events = self.events(&info.workflow_id, &run_id).await?;
            told.extend(history::tell(&events));
            match events.last().and_then(|event| event.attributes.as_ref()) {
                Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it)) => {
                    run_id = it.new_execution_run_id.clone();
                }
                _ => return Ok(told),
            }
        }
    }

    async fn list_set_aside(&self) -> Result<Vec<SetAside>, Error> {
        let mut aside = Vec::new();
        let mut filter = RunFilter::new().status(Status::Running);
        loop {
            let page = self.page(&filter).await?;
            for run in page.runs {
                let found = self.look(&run.workflow_id, None).await?;
                if let Some(reason) = self.reason(&found).await? {
                    aside.push(SetAside {
                        workflow_id: found.info.workflow_id,
                        run_id: found.info.run_id,
                        workflow: found.info.workflow,
                        reason,
                    });
                }
            }
            match page.next {
                Some(next) => filter = filter.after(next),
                None => return Ok(aside),
            }
        }
    }

    async fn page(&self, filter: &RunFilter) -> Result<RunPage, Error> {
        self.check_open()?;
        let listed = listing::page(&mut self.client.clone(), &self.target, filter).await;
        let (runs, next) = listed.map_err(|refused| match (refused, &filter.after) {
            (None, Some(token)) => Error::PageToken {
                token: token.as_str().to_owned(),
            },
            (refused, _) => self
                .target
                .error(&refused.unwrap_or_else(|| tonic::Status::unknown(""))),
        })?;
        Ok(RunPage {
            runs: runs
                .into_iter()
                .filter_map(info)
                .map(|(info, _)| info)
                .collect(),
            next,
        })
    }
}

fn rpc_options() -> RpcOptions {
    RpcOptions::builder().timeout(REQUEST_TIMEOUT).build()
}

fn untold() -> Failure {
    Failure::new(FailureKind::Application, "the server tells no reason")
}

fn is_out_of_reach(error: &WorkflowInteractionError) -> bool {
    use tonic::Code;

    matches!(error, WorkflowInteractionError::Rpc(status) if matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
    ))
}

fn found(described: DescribeWorkflowExecutionResponse) -> Option<Found> {
    let task = described.pending_workflow_task;
    let timeout = described
        .execution_config
        .and_then(|config| config.workflow_execution_timeout)
        .and_then(|timeout| Duration::try_from(timeout).ok())
        .filter(|timeout| !timeout.is_zero());
    let (mut info, run_id) = info(described.workflow_execution_info?)?;
    let extended = described.workflow_extended_info.unwrap_or_default();
    let time = |time: Option<_>| time.and_then(|time| SystemTime::try_from(time).ok());
    if let Some(started_at) = time(extended.original_start_time) {
        info.started_at = started_at;
    }
    Some(Found {
        timeout_at: time(extended.execution_expiration_time),
        activities: described.pending_activities,
        info,
        run_id,
        timeout,
        attempt: task.map_or(0, |task| task.attempt),
    })
}

/// What there is to know of a chain, and the id of its run that is looked at.
fn info(info: WorkflowExecutionInfo) -> Option<(RunInfo, String)> {
    let status = status(info.status());
    let execution = info.execution?;
    let time = |time: Option<_>| time.and_then(|time| SystemTime::try_from(time).ok());
    let run_id = execution.run_id;
    let info = RunInfo {
        workflow_id: execution.workflow_id,
        run_id: match info.first_run_id.is_empty() {
            true => run_id.clone(),
            false => info.first_run_id,
        },
        workflow: info.r#type.unwrap_or_default().name,
        status,
        started_at: time(info.start_time).unwrap_or(UNIX_EPOCH),
        closed_at: time(info.close_time),
    };
    Some((info, run_id))
}

fn status(status: WorkflowExecutionStatus) -> Status {
    match status {
        WorkflowExecutionStatus::Completed => Status::Completed,
        WorkflowExecutionStatus::Failed => Status::Failed,
        WorkflowExecutionStatus::Canceled => Status::Canceled,
        WorkflowExecutionStatus::Terminated => Status::Terminated,
        WorkflowExecutionStatus::TimedOut => Status::TimedOut,
        // Continued as new, it goes on.
        _ => Status::Running,
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
        Box::pin(self.0.description(run))
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
        Box::pin(async move {
            let standing = self.0.standing(&self.0.find(&run).await?).await?;
            Ok(standing.map(|standing| standing.run.frames))
        })
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
