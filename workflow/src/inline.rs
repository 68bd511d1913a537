//! A workflow that runs as a part of the one that calls it.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use crate::__private::Plain;
use crate::__private::awaited_as_written;

use crate::codec::{CodecError, Sealed};
use crate::compiled::{Workflow, WorkflowCall};
use crate::context::Context;
use crate::contract::{Arrived, Awaits, Definition, Durable, Request, SignalNames, sealed};

/// A call of a workflow that hands on the caller's context, `review(ctx, order).await?`: it runs
/// inline, and its state is a part of the caller's.
pub struct Inline<W> {
    arguments: Result<Vec<Sealed>, CodecError>,
    /// Of a function that runs as written.
    plain: Option<Context>,
    workflow: PhantomData<fn() -> W>,
}

/// What a function gives that may be handed the context.
#[diagnostic::on_unimplemented(
    message = "WF0062: what is handed the context is not a workflow",
    label = "not a `#[workflow]`",
    note = "an `async fn` that takes the context and awaits is a workflow of its own, so that where it stands is saved: put `#[workflow]` on it",
    note = "an activity is called without the context"
)]
pub trait InlineCall {
    /// The workflow.
    type Workflow: Workflow;
    /// Its arguments.
    fn into_arguments(self) -> Result<Vec<Sealed>, CodecError>;
}

impl<W: Workflow> InlineCall for WorkflowCall<W> {
    type Workflow = W;
    fn into_arguments(self) -> Result<Vec<Sealed>, CodecError> {
        self.into_arguments()
    }
}

impl<W: Workflow> Inline<W> {
    /// For generated code.
    #[doc(hidden)]
    pub fn new<C: InlineCall<Workflow = W>>(ctx: &Context, call: C) -> Self {
        Self {
            arguments: call.into_arguments(),
            plain: ctx.of_inline(),
            workflow: PhantomData,
        }
    }
}

impl<W> sealed::Sealed for Inline<W> {}

impl<W: Workflow> Durable for Inline<W> {
    type Output = Result<W::Output, W::Error>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::Inline {
            workflow: W::name(),
            arguments: self.arguments?,
        })
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        arrived.take_returned()
    }

    fn describe(_: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        definition.inline::<W>();
        Awaits::Inline(W::name())
    }
}

impl<W: Workflow> IntoFuture for Inline<W> {
    type Output = Result<W::Output, W::Error>;
    type IntoFuture = Plain<W>;

    /// In the function as written, run without an engine, it runs as written too.
    fn into_future(self) -> Self::IntoFuture {
        awaited_as_written();
        let ctx = self.plain.expect("only a workflow runs another inline");
        let arguments = self.arguments.expect("a workflow's arguments can be kept");
        W::run_plain(arguments, ctx)
    }
}

impl<W> fmt::Debug for Inline<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inline").finish_non_exhaustive()
    }
}
