//! The trait behind `#[activity]`, the call of an activity, and what a running one may ask.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::__private::awaited_as_written;
use crate::arguments;
use crate::codec::{CodecError, Persist, Sealed};
use crate::contract::{
    ActivityName, Arrived, Awaits, Definition, Durable, Operation, Outcome, Request,
    ScheduledActivity, SignalNames, SingleOperation, TypeDefinition, sealed,
};
use crate::error::ActivityError;
use crate::retry::RetryPolicy;

/// What one attempt of an activity gives.
pub type ActivityFuture = Pin<Box<dyn Future<Output = Result<Sealed, ActivityError>> + Send>>;

/// A function with side effects that workflows may call. `#[activity]` implements it for a type of
/// the function's own name.
pub trait Activity: 'static {
    /// What it returns when all goes well.
    type Output: Persist + Send;

    /// Its durable name.
    fn name() -> ActivityName;

    /// Its timeouts and retry policy.
    fn options() -> ActivityOptions;

    /// The types of its parameters.
    fn parameters() -> Vec<TypeDefinition>;

    /// Runs one attempt.
    fn run(arguments: Vec<Sealed>, context: ActivityContext) -> ActivityFuture;
}

/// How long and how often an activity may be tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivityOptions {
    /// How long one attempt may take; `None` is without limit.
    pub start_to_close: Option<Duration>,
    /// How long all attempts together may take, waits between them included; `None` is without
    /// limit.
    pub schedule_to_close: Option<Duration>,
    /// How often it is tried, and how long between.
    pub retry: RetryPolicy,
}

/// What a running activity may ask about itself: take it as the first parameter.
///
/// ```
/// use workflow::prelude::*;
///
/// #[activity]
/// async fn charge(ctx: ActivityContext, cents: u64) -> Result<String, ActivityError> {
///     // The same in every attempt, also after a crash: the payment provider knows a repetition.
///     let key = ctx.idempotency_key();
///     Ok(format!("charged {cents} under {key}, attempt {}", ctx.attempt()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ActivityContext {
    workflow_id: String,
    run_id: String,
    op: u64,
    attempt: u32,
}

impl ActivityContext {
    /// For providers: the context of one attempt (counted from 1) of an operation.
    #[must_use]
    pub fn new(workflow_id: String, run_id: String, op: u64, attempt: u32) -> Self {
        Self {
            workflow_id,
            run_id,
            op,
            attempt,
        }
    }

    /// The id of the workflow that called it.
    #[must_use]
    pub fn workflow_id(&self) -> &str {
        &self.workflow_id
    }

    /// The id of the run that called it.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Which attempt this is, counted from 1. An attempt that died with its process is made again
    /// under the same number.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The same for every attempt of this call, different for every other call.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}", self.run_id, self.op)
    }
}

/// A call of an activity, with its arguments: what `research(topic)` gives.
///
/// Awaited in a workflow, it is a durable operation. Awaited anywhere else, as in a test of the
/// activity alone, it runs the function once, directly.
///
/// ```
/// use workflow::prelude::*;
///
/// #[activity]
/// async fn shout(text: &str) -> Result<String, ActivityError> {
///     Ok(text.to_uppercase())
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(shout("hello").await.unwrap(), "HELLO");
/// # });
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "calling an activity does not run it: await the call"]
pub struct Call<A> {
    #[serde(with = "arguments")]
    arguments: Result<Vec<Sealed>, CodecError>,
    #[serde(skip)]
    activity: PhantomData<fn() -> A>,
}

impl<A: Activity> Call<A> {
    /// For generated code: a call with its encoded arguments.
    #[doc(hidden)]
    pub fn new(arguments: Result<Vec<Sealed>, CodecError>) -> Self {
        Self {
            arguments,
            activity: PhantomData,
        }
    }
}

impl<A> sealed::Sealed for Call<A> {}

impl<A: Activity> Durable for Call<A> {
    type Output = Result<A::Output, ActivityError>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::one(Operation::Activity(ScheduledActivity {
            activity: A::name(),
            arguments: self.arguments?,
            options: A::options(),
        })))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        match arrived.next()? {
            Outcome::Completed(output) => Ok(Ok(output.open()?)),
            Outcome::Failed(failure) => Ok(Err(failure.into())),
            Outcome::Fired => unreachable!("a timer's outcome is not given to an activity"),
        }
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        signals.take();
        definition.activity::<A>();
        Awaits::Activity(A::name())
    }
}

impl<A: Activity> SingleOperation for Call<A> {}

impl<A: Activity> IntoFuture for Call<A> {
    type Output = Result<A::Output, ActivityError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        awaited_as_written();
        Box::pin(async move {
            let context = ActivityContext::new("direct".into(), "direct".into(), 0, 1);
            Ok(A::run(self.arguments?, context).await?.open()?)
        })
    }
}

impl<A: Activity> fmt::Debug for Call<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&A::name().name).finish()
    }
}
