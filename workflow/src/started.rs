//! An operation that is begun now and awaited later.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;
use crate::contract::{
    Arrived, Asked, Awaits, Definition, Durable, Request, SignalNames, SingleOperation, sealed,
};

/// An operation that is under way: what [`Context::start`](crate::Context::start) gives. Awaiting
/// it gives what awaiting the operation would.
///
/// One that is never awaited goes on by itself, until the run ends.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "await it to see what it gives"]
pub struct Started<D> {
    op: u64,
    /// The operation itself, in a function that runs as written.
    #[serde(skip)]
    plain: Option<D>,
    #[serde(skip)]
    operation: PhantomData<fn() -> D>,
}

impl<D: SingleOperation> Started<D> {
    pub(crate) fn new(op: u64, plain: Option<D>) -> Self {
        Self {
            op,
            plain,
            operation: PhantomData,
        }
    }
}

impl<D> sealed::Sealed for Started<D> {}

impl<D: SingleOperation> Durable for Started<D> {
    type Output = D::Output;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::All(vec![Asked::Begun(self.op)]))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        D::resolve(arrived)
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        // Where it was started its signal has its name; here it has none that could be seen.
        let known = definition.signals.len();
        let awaits = D::describe(signals, definition);
        definition.signals.truncate(known);
        awaits
    }
}

impl<D: SingleOperation> SingleOperation for Started<D> {}

impl<D> sealed::Sealed for &mut Started<D> {}

/// In a `select!` it goes on when another arm was first.
impl<D: SingleOperation> Durable for &mut Started<D> {
    type Output = D::Output;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::All(vec![Asked::Lent(self.op)]))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        D::resolve(arrived)
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        Started::<D>::describe(signals, definition)
    }
}

impl<D: SingleOperation> SingleOperation for &mut Started<D> {}

impl<D: SingleOperation + IntoFuture> IntoFuture for Started<D> {
    type Output = <D as IntoFuture>::Output;
    type IntoFuture = D::IntoFuture;

    /// In the function as written, run without an engine, it begins when it is awaited.
    fn into_future(self) -> Self::IntoFuture {
        let operation = self.plain.expect("only a workflow awaits what it started");
        operation.into_future()
    }
}

impl<D: SingleOperation + IntoFuture> IntoFuture for &mut Started<D> {
    type Output = <D as IntoFuture>::Output;
    type IntoFuture = D::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        let operation = self.plain.take();
        let operation = operation.expect("what has ended is not awaited again");
        operation.into_future()
    }
}

impl<D> fmt::Debug for Started<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started")
            .field("op", &self.op)
            .finish_non_exhaustive()
    }
}
