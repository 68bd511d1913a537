//! What can be asked of runs: how they are found, where they stand, what happened to them.

use std::time::Duration;

use temporalio_client::errors::{WorkflowInteractionError, WorkflowQueryError};
use temporalio_client::tonic::Code;
use temporalio_client::{
    HistoryEventFilterType, RpcOptions, UntypedQuery, WorkflowDescribeOptions,
    WorkflowFetchHistoryOptions, WorkflowQueryOptions,
};
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent as Told;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::codec::Sealed;
use crate::contract::{SavedState, Snapshot};
use crate::description::RunDescription;
use crate::executor::{Error, RunError};
use crate::failure::{Failure, FailureKind};
use crate::listing::{RunFilter, RunPage};
use crate::provider::{HistoryEvent, RunInfo, RunTarget, SetAside};
use crate::status::Status;

use super::connection::{REQUEST_TIMEOUT, RETRY_INTERVAL, is_out_of_reach, rpc_options};
use super::engine::ServerEngine;
use super::found::{Found, found, time};
use super::listing::ListError;
use super::standing::Standing;
use super::{failures, fit, history, listing, payloads, queries, until_closed};

/// How often somebody who waits for a result looks whether the run is set aside.
const SET_ASIDE_INTERVAL: Duration = Duration::from_secs(2);

/// What it means that the server is out of reach.
#[derive(Clone, Copy)]
enum Away {
    Fails,
    IsWaitedFor,
}

/// Where a run stands.
enum Stand {
    /// It has ended.
    Ended,
    /// A worker has said where.
    At(Standing),
    /// The code at hand cannot go on with it; why.
    Aside(String),
}

impl ServerEngine {
    /// Looks at one run of a chain; the latest without a run id.
    pub(super) async fn look(
        &self,
        workflow_id: &str,
        run_id: Option<&str>,
    ) -> Result<Found, Error> {
        self.look_or(Away::Fails, workflow_id, run_id).await
    }

    async fn look_or(
        &self,
        away: Away,
        workflow_id: &str,
        run_id: Option<&str>,
    ) -> Result<Found, Error> {
        let options = WorkflowDescribeOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let handle = self.handle(workflow_id, run_id);
        loop {
            self.check_open()?;
            let error = match handle.describe(options.clone()).await {
                Ok(described) => {
                    return found(described.into_raw()).ok_or_else(|| {
                        Error::Server(format!(
                            "the server tells nothing of workflow id `{workflow_id}`"
                        ))
                    });
                }
                Err(error) => error,
            };
            match away {
                Away::IsWaitedFor if is_away(&error) => {
                    wait_for_server(workflow_id, &error).await;
                }
                _ => return Err(self.interaction(workflow_id, error)),
            }
        }
    }

    /// The latest run of the chain that is meant.
    pub(super) async fn find(&self, target: &RunTarget) -> Result<Found, Error> {
        self.find_or(Away::Fails, target).await
    }

    async fn find_or(&self, away: Away, target: &RunTarget) -> Result<Found, Error> {
        let workflow_id = &target.workflow_id;
        let latest = self.look_or(away, workflow_id, None).await?;
        let Some(run_id) = &target.run_id else {
            return Ok(latest);
        };
        if [&latest.info.run_id, &latest.run_id].contains(&run_id) {
            return Ok(latest);
        }
        // The id was used again: that chain has ended. Or the server is one that does not tell the
        // first run of a chain.
        let mut found = self.look_or(away, workflow_id, Some(run_id)).await?;
        let first = found.info.run_id.clone();
        while let Some(event) = self.end(away, false, workflow_id, &found.run_id).await?
            && let Some(next) = event.attributes.as_ref().and_then(successor)
        {
            found = self.look_or(away, workflow_id, Some(next)).await?;
        }
        found.info.run_id = first;
        Ok(found)
    }

    /// The event that ends one run of a chain; waits for it, or gives nothing where it goes on.
    async fn end(
        &self,
        away: Away,
        waits: bool,
        workflow_id: &str,
        run_id: &str,
    ) -> Result<Option<Told>, Error> {
        let options = WorkflowFetchHistoryOptions::builder()
            .wait_new_event(waits)
            .skip_archival(true)
            .event_filter_type(HistoryEventFilterType::CloseEvent)
            .rpc_options(match waits {
                true => RpcOptions::default(),
                false => rpc_options(),
            })
            .build();
        let handle = self.handle(workflow_id, Some(run_id));
        loop {
            self.check_open()?;
            match handle.fetch_history(options.clone()).into_events().await {
                Ok(mut events) => {
                    let event = events.pop();
                    if event.is_some() || !waits {
                        return Ok(event);
                    }
                }
                Err(error) => match away {
                    Away::IsWaitedFor if is_away(&error) => {
                        wait_for_server(workflow_id, &error).await;
                    }
                    _ => return Err(self.interaction(workflow_id, error)),
                },
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

    /// Where a run stands.
    async fn stand(&self, found: &Found) -> Result<Stand, Error> {
        if let Some(reason) = self.reason(found).await? {
            return Ok(Stand::Aside(reason));
        }
        if found.info.status.is_closed() {
            return Ok(Stand::Ended);
        }
        let workflow_id = &found.info.workflow_id;
        let options = WorkflowQueryOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let handle = self.handle(workflow_id, Some(&found.run_id));
        let query = UntypedQuery::new(queries::STANDING);
        let error = match handle.query(query, RawValue::default(), options).await {
            Ok(answer) => {
                let standing = match answer.payloads.first() {
                    Some(answer) => queries::standing(answer)?,
                    None => None,
                };
                return Ok(standing.map_or(Stand::Ended, Stand::At));
            }
            Err(error) => error,
        };
        // The code may have failed only when it was asked.
        let found = self.look(workflow_id, Some(&found.run_id)).await?;
        match self.reason(&found).await? {
            Some(reason) => Ok(Stand::Aside(reason)),
            None => Err(self.unanswered(&error)),
        }
    }

    fn unanswered(&self, error: &WorkflowQueryError) -> Error {
        if let WorkflowQueryError::Rpc(status) = error
            && status.code() == Code::InvalidArgument
        {
            // A worker has answered, and the server does not take the answer.
            return self.target.error(status);
        }
        Error::Server(format!(
            "no worker has answered for the run within {REQUEST_TIMEOUT:?} ({error}); is one with this workflow running on task queue `{}` of namespace `{}` at `{}`?",
            self.target.task_queue, self.target.namespace, self.target.host
        ))
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
        Ok(fit::reason(self.machines.clone(), self.settings, events).await)
    }

    /// Waits until the code at hand cannot go on with a run.
    async fn until_set_aside(&self, target: &RunTarget) -> String {
        let mut judged = None;
        loop {
            tokio::time::sleep(SET_ASIDE_INTERVAL).await;
            let Ok(found) = self.find(target).await else {
                continue;
            };
            // The same history, tried as often, need not be read again.
            let now = Some((found.run_id.clone(), found.attempt, found.events));
            if judged == now {
                continue;
            }
            match self.reason(&found).await {
                Ok(Some(reason)) => return reason,
                Ok(None) => judged = now,
                Err(_) => {}
            }
        }
    }

    /// Where a run stands; nothing once it has ended.
    pub(super) async fn frames(&self, run: &RunTarget) -> Result<Option<Vec<Snapshot>>, Error> {
        let found = self.find(run).await?;
        match self.stand(&found).await? {
            Stand::At(standing) => Ok(Some(standing.run.frames)),
            Stand::Ended => Ok(None),
            Stand::Aside(reason) => Err(Error::SetAside {
                workflow_id: found.info.workflow_id,
                reason,
            }),
        }
    }

    /// All there is to know about a run.
    pub(super) async fn description(&self, run: &RunTarget) -> Result<RunDescription, Error> {
        let found = self.find(run).await?;
        let mut description = RunDescription {
            state: None,
            operations: Vec::new(),
            signals: Vec::new(),
            timeout_at: found.timeout_at,
            set_aside: None,
            history: self.tell(&found.info).await?,
            info: found.info.clone(),
        };
        match self.stand(&found).await? {
            Stand::Ended => {}
            Stand::Aside(reason) => description.set_aside = Some(reason),
            Stand::At(standing) => {
                let machine = self.registered(&found.info.workflow)?;
                let state = SavedState::new(machine, &standing.run.frames)?;
                description.state = Some(state.to_json()?);
                description.operations = standing.operations(&found.info, &found.activities);
                description.signals = standing.signals();
            }
        }
        Ok(description)
    }

    /// Waits for the end of a run.
    pub(super) async fn outcome(&self, run: RunTarget) -> Result<Sealed, RunError> {
        let found = self.find_or(Away::IsWaitedFor, &run).await?;
        let workflow_id = found.info.workflow_id.clone();
        let mut run_id = found.run_id.clone();
        let mut closed = self.closed.subscribe();
        loop {
            let event = tokio::select! {
                biased;
                () = until_closed(&mut closed) => return Err(Error::Closed.into()),
                event = self.end(Away::IsWaitedFor, true, &workflow_id, &run_id) => event?,
                reason = self.until_set_aside(&run) => return Err(RunError::SetAside { reason }),
            };
            let Some(event) = event else { continue };
            if let Some(next) = event.attributes.as_ref().and_then(successor) {
                next.clone_into(&mut run_id);
                continue;
            }
            return match event.attributes {
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
                    Err(RunError::Canceled(
                        failure.unwrap_or_else(Failure::canceled),
                    ))
                }
                Some(Attributes::WorkflowExecutionTerminatedEventAttributes(it)) => {
                    Err(RunError::Terminated { reason: it.reason })
                }
                Some(Attributes::WorkflowExecutionTimedOutEventAttributes(_)) => {
                    let timeout = found.passed(time(event.event_time));
                    Err(RunError::TimedOut { timeout })
                }
                _ => Err(RunError::Failed(untold())),
            };
        }
    }

    /// What happened in all runs of a chain.
    pub(super) async fn tell(&self, info: &RunInfo) -> Result<Vec<HistoryEvent>, Error> {
        let (mut told, mut run_id) = (Vec::new(), info.run_id.clone());
        loop {
            let events = self.events(&info.workflow_id, &run_id).await?;
            told.extend(history::tell(&events));
            let last = events.last().and_then(|event| event.attributes.as_ref());
            match last.and_then(successor) {
                Some(next) => next.clone_into(&mut run_id),
                None => return Ok(told),
            }
        }
    }

    /// The runs in flight that the code at hand cannot go on with.
    pub(super) async fn list_set_aside(&self) -> Result<Vec<SetAside>, Error> {
        let mut aside = Vec::new();
        let mut filter = RunFilter::new().status(Status::Running);
        loop {
            let page = self.page(&filter).await?;
            for run in page.runs {
                // Who executes nothing need not know the workflow.
                if !self.works && !self.machines.contains_key(&*run.workflow) {
                    continue;
                }
                match self.aside(&run.workflow_id).await {
                    Ok(found) => aside.extend(found),
                    // It was deleted meanwhile.
                    Err(Error::UnknownRun { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next {
                Some(next) => filter = filter.after(next),
                None => return Ok(aside),
            }
        }
    }

    async fn aside(&self, workflow_id: &str) -> Result<Option<SetAside>, Error> {
        let found = self.look(workflow_id, None).await?;
        let reason = self.reason(&found).await?;
        Ok(reason.map(|reason| SetAside {
            workflow_id: found.info.workflow_id,
            run_id: found.info.run_id,
            workflow: found.info.workflow,
            reason,
        }))
    }

    /// One page of the runs that the filter lets through.
    pub(super) async fn page(&self, filter: &RunFilter) -> Result<RunPage, Error> {
        self.check_open()?;
        let page = listing::page(&mut self.client.clone(), &self.target, filter).await;
        page.map_err(|error| match error {
            ListError::Token(token) => Error::PageToken { token },
            ListError::Refused(refused) => self.target.error(&refused),
        })
    }
}

/// The run that goes on where another has ended: it was continued as new, or the server starts it
/// anew by a retry policy or a schedule.
fn successor(end: &Attributes) -> Option<&str> {
    let run_id = match end {
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionCompletedEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionFailedEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionTimedOutEventAttributes(it) => &it.new_execution_run_id,
        _ => return None,
    };
    (!run_id.is_empty()).then_some(run_id)
}

fn untold() -> Failure {
    Failure::new(FailureKind::Application, "the server tells no reason")
}

/// It comes back, and the run goes on.
async fn wait_for_server(workflow_id: &str, error: &WorkflowInteractionError) {
    tracing::warn!(workflow_id, %error, "the server is out of reach; waiting");
    tokio::time::sleep(RETRY_INTERVAL).await;
}

fn is_away(error: &WorkflowInteractionError) -> bool {
    matches!(error, WorkflowInteractionError::Rpc(status) if is_out_of_reach(status))
}
