//! The traits behind `#[workflow]`, and the call of a workflow.

use std::fmt::Debug;
use std::future::{IntoFuture, Ready};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{CodecError, Persist, Sealed};
use crate::context::Context;
use crate::contract::{
    Awaits, Definition, Durable, Operation, Outcome, SavedState, Step, Stepped, sealed,
};
use crate::error::WorkflowError;
use crate::failure::IntoFailure;

/// A compiled workflow. `#[workflow]` implements it for a type of the function's own name.
pub trait Workflow: Sized + 'static {
    /// The durable name: the function's, or what `#[workflow(name = "…")]` says.
    const NAME: &'static str;
    /// What the run gives in the end.
    type Output: Persist;
    /// What it fails with.
    type Error: IntoFailure;
    /// The state enum.
    type State: Serialize + DeserializeOwned + Debug + Send + 'static;

    /// Runs the code from one await to the next. For [`Machine`](crate::contract::Machine).
    ///
    /// # Errors
    /// The error that the workflow returns, which ends the run.
    fn step(step: &mut Step<'_>, ctx: &mut Context) -> Result<Stepped, Self::Error>;

    /// A saved state as the state enum.
    ///
    /// # Errors
    /// When a field cannot be read.
    fn state(saved: &SavedState<'_>) -> Result<Self::State, CodecError>;
}

/// A type that the source states, as that of a parameter.
///
/// Generated code implements it once for each and mentions the type nowhere else. So rustc says
/// once, on the user's tokens, that it cannot be kept.
pub trait Stated {
    /// The type.
    type Type: Persist;
}

/// A call of a workflow, with its arguments: what `research_workflow(topic)` gives, for
/// [`Executor::start`](crate::Executor::start).
#[must_use = "calling a workflow does not run it: give the call to `executor.start(…)`"]
pub struct WorkflowCall<W> {
    arguments: Result<Vec<Sealed>, CodecError>,
    workflow: PhantomData<fn() -> W>,
}

impl<W: Workflow> WorkflowCall<W> {
    /// For generated code: a call with its encoded arguments.
    #[doc(hidden)]
    pub fn new(arguments: Result<Vec<Sealed>, CodecError>) -> Self {
        Self {
            arguments,
            workflow: PhantomData,
        }
    }

    /// The encoded arguments, one per parameter.
    ///
    /// # Errors
    /// When one cannot be encoded.
    pub fn into_arguments(self) -> Result<Vec<Sealed>, CodecError> {
        self.arguments
    }
}

/// A workflow that another one awaits: none can be yet.
#[diagnostic::on_unimplemented(
    message = "WF0062: `{Self}` is a workflow, and a workflow cannot await another one yet",
    label = "a child workflow",
    note = "write what it does into this workflow, or let the program start it as a run of its own: `executor.start(…)`"
)]
pub trait Child: Workflow {}

impl<W> sealed::Sealed for WorkflowCall<W> {}

impl<W: Child> Durable for WorkflowCall<W> {
    type Output = Result<W::Output, WorkflowError>;

    fn into_operation(self) -> Result<Operation, CodecError> {
        unreachable!("no workflow is a child")
    }

    fn resolve(_: Outcome) -> Result<Self::Output, CodecError> {
        unreachable!("no workflow is a child")
    }

    fn describe(_: Option<&'static str>, _: &mut Definition) -> Awaits {
        unreachable!("no workflow is a child")
    }
}

/// Refused when the program is built. It is there so that a workflow that awaits another one is
/// told of that alone, and not also that the call is no future.
impl<W: Workflow> IntoFuture for WorkflowCall<W> {
    type Output = Result<W::Output, WorkflowError>;
    type IntoFuture = Ready<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        const {
            panic!("a call of a workflow is not awaited: give it to `executor.start(…)`");
        }
    }
}

impl<W> Debug for WorkflowCall<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkflowCall").finish_non_exhaustive()
    }
}
