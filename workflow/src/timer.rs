//! Sleeping.

use std::future::{IntoFuture, Ready, ready};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::__private::awaited_as_written;
use crate::codec::CodecError;
use crate::contract::{
    Arrived, Awaits, Definition, Durable, Operation, Outcome, Request, SignalNames,
    SingleOperation, sealed,
};
use crate::error::WorkflowError;

/// A durable timer: what [`Context::sleep`](crate::Context::sleep) gives.
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    pub(crate) duration: Duration,
}

impl sealed::Sealed for Sleep {}

impl Durable for Sleep {
    type Output = Result<(), WorkflowError>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::one(Operation::Timer {
            duration: self.duration,
        }))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        match arrived.next()? {
            Outcome::Fired => Ok(Ok(())),
            Outcome::Failed(failure) => Ok(Err(failure.into())),
            Outcome::Completed(_) => unreachable!("a timer gives no value"),
        }
    }

    fn describe(signals: &mut SignalNames<'_>, _: &mut Definition) -> Awaits {
        signals.take();
        Awaits::Timer
    }
}

impl SingleOperation for Sleep {}

impl IntoFuture for Sleep {
    type Output = Result<(), WorkflowError>;
    type IntoFuture = Ready<Self::Output>;

    /// In the function as written, run without an engine, time is not waited for.
    fn into_future(self) -> Self::IntoFuture {
        awaited_as_written();
        ready(Ok(()))
    }
}
