//! The traits behind `#[workflow]`, and the call of a workflow.

use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::__private::awaited_as_written;
use crate::arguments;
use crate::codec::{CodecError, Persist, Sealed};
use crate::context::Context;
use crate::contract::{
    Arrived, Awaits, Definition, Durable, Operation, Outcome, Request, ScheduledChild, SignalNames,
    SingleOperation, Step, Stepped, sealed,
};
use crate::diagram::Diagram;
use crate::error::WorkflowError;
use crate::failure::IntoFailure;
use crate::state_enum::StateEnum;

/// A compiled workflow. `#[workflow]` implements it for a type of the function's own name.
pub trait Workflow: Sized + 'static {
    /// The durable name: the function's, or what `#[workflow(name = "…")]` says; that of a generic
    /// workflow's instance has the types in it, without their modules: `process<Order>`.
    fn name() -> &'static str;

    /// What the run gives in the end.
    type Output: Persist;
    /// What it fails with.
    type Error: IntoFailure + 'static;
    /// The state enum.
    type State: StateEnum + Serialize + DeserializeOwned + Debug + Send + 'static;

    /// Runs the code from one await to the next. For [`Machine`](crate::contract::Machine).
    ///
    /// # Errors
    /// The error that the workflow returns, which ends the run.
    fn step(step: &mut Step<'_>, ctx: &mut Context) -> Result<Stepped, Self::Error>;

    /// Which state comes after which.
    fn diagram() -> Diagram;

    /// Runs the function as written, without an engine, for the tests of the machine.
    #[doc(hidden)]
    fn run_plain(arguments: Vec<Sealed>, ctx: Context) -> crate::__private::Plain<Self>;
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
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "calling a workflow does not run it: give the call to `executor.start(…)`"]
pub struct WorkflowCall<W> {
    #[serde(with = "arguments")]
    arguments: Result<Vec<Sealed>, CodecError>,
    #[serde(skip)]
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

impl<W> sealed::Sealed for WorkflowCall<W> {}

/// Awaited in a workflow, the call is a child: a run of its own.
impl<W: Workflow> Durable for WorkflowCall<W> {
    type Output = Result<W::Output, WorkflowError>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::one(Operation::Child(ScheduledChild {
            workflow: W::name().to_owned(),
            arguments: self.arguments?,
        })))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        match arrived.next()? {
            Outcome::Completed(output) => Ok(Ok(output.open()?)),
            Outcome::Failed(failure) => Ok(Err(failure.into())),
            Outcome::Fired => unreachable!("a timer's outcome is not given to a child"),
        }
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        signals.take();
        definition.child::<W>();
        Awaits::Child(W::name())
    }
}

impl<W: Workflow> SingleOperation for WorkflowCall<W> {}

/// For the function as written, run without an engine: it runs the workflow as written.
impl<W: Workflow> IntoFuture for WorkflowCall<W> {
    type Output = Result<W::Output, WorkflowError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        awaited_as_written();
        Box::pin(async move {
            if !Context::is_plain() {
                return Err(WorkflowError::new(
                    "a call of a workflow is not awaited outside of a workflow: give it to `executor.start(…)`",
                ));
            }
            W::run_plain(self.arguments?, Context::plain())
                .await
                .map_err(|error| error.into_failure().into())
        })
    }
}

impl<W> Debug for WorkflowCall<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkflowCall").finish_non_exhaustive()
    }
}
