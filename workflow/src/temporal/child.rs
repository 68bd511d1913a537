//! A child of a run as Temporal's: what begins it, how it ends, and how it is canceled.

use std::cell::Cell;
use std::rc::Rc;

use temporalio_common::UntypedWorkflow;
use temporalio_common::error::ChildWorkflowExecutionError;
use temporalio_workflow::{
    ChildWorkflowCancellationType, ChildWorkflowOptions, ParentClosePolicy,
    WorkflowCancellationToken, WorkflowContext,
};

use crate::contract::{Event, Fault, ScheduledChild};
use crate::failure::{Failure, FailureKind};

use super::failures;
use super::host::Host;
use super::operations::{Ending, Scene, decode, encode};

/// A child that a run has begun.
pub(super) struct Child {
    ctx: WorkflowContext<Host>,
    workflow_id: String,
    has_started: Rc<Cell<bool>>,
}

impl Child {
    pub(super) fn new(scene: &Scene<'_>, op: u64) -> Self {
        let facts = scene.facts;
        Self {
            ctx: scene.ctx.clone(),
            workflow_id: ScheduledChild::workflow_id(&facts.workflow_id, &facts.run_id, op),
            has_started: Rc::default(),
        }
    }

    pub(super) fn begin(
        &self,
        scene: &Scene<'_>,
        op: u64,
        scheduled: ScheduledChild,
        token: &WorkflowCancellationToken,
    ) -> Result<Ending, Fault> {
        let name = scheduled.workflow;
        let definition = scene
            .code
            .workflow(&name)
            .expect("the children of a workflow are registered with it")
            .definition();
        let input = encode(scene, &name, &scheduled.arguments, &definition.parameters())?;
        let output = definition.output;
        let options = ChildWorkflowOptions::builder()
            .workflow_id(self.workflow_id.clone())
            .cancel_type(ChildWorkflowCancellationType::TryCancel)
            .parent_close_policy(ParentClosePolicy::RequestCancel)
            .cancellation_token(token.clone())
            .build();
        let (ctx, state) = (self.ctx.clone(), scene.state.clone());
        let has_started = self.has_started.clone();
        Ok(Box::pin(async move {
            let failed = |failure| Ok(Event::ChildFailed { op, failure });
            let workflow = UntypedWorkflow::new(name.as_str());
            let started = ctx.start_child_workflow(workflow, input, options).await;
            has_started.set(true);
            let ended = match started {
                Ok(started) => started.result().await,
                Err(error) => {
                    let text = format!("the child workflow cannot be started: {error}");
                    return failed(Failure::new(FailureKind::Application, text));
                }
            };
            match ended {
                Ok(value) => {
                    let output = decode(&state, &name, &value, &output)?;
                    Ok(Event::ChildCompleted { op, output })
                }
                Err(error) => failed(child_failure(&error)),
            }
        }))
    }

    /// By its id, once it has begun: the token reaches its first run alone, and it may have been
    /// continued.
    pub(super) fn cancel(self, token: &WorkflowCancellationToken) {
        match self.has_started.get() {
            true => drop(
                self.ctx
                    .external_workflow(self.workflow_id, None)
                    .cancel(None),
            ),
            false => token.cancel(),
        }
    }
}

/// The failure of a child; where the server made it, in the embedded engine's words.
fn child_failure(error: &ChildWorkflowExecutionError) -> Failure {
    let Some(failure) = error.failure().map(failures::received) else {
        return Failure::new(FailureKind::Application, error.to_string());
    };
    let text = match failure.kind {
        FailureKind::Terminated => {
            format!("the child workflow was terminated: {}", failure.message)
        }
        _ if error.as_timeout().is_some() => "the child workflow timed out".to_owned(),
        _ => return failure,
    };
    Failure::new(failure.kind, text)
}
