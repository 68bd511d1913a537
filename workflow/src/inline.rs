//! A workflow that runs as a part of the one that calls it.

use std::marker::PhantomData;

use crate::codec::{CodecError, Sealed};
use crate::compiled::{Workflow, WorkflowCall};
use crate::contract::{Arrived, Awaits, Definition, Durable, Request, SignalNames, sealed};

/// A call of a workflow that hands on the caller's context, `review(ctx, order).await?`: it runs
/// inline, and its state is a part of the caller's.
#[derive(Debug)]
pub struct Inline<W> {
    arguments: Result<Vec<Sealed>, CodecError>,
    workflow: PhantomData<fn() -> W>,
}

impl<W: Workflow> Inline<W> {
    /// For generated code.
    #[doc(hidden)]
    pub fn new(call: WorkflowCall<W>) -> Self {
        Self {
            arguments: call.into_arguments(),
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
