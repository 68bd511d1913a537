//! Sleeping.

use std::future::{IntoFuture, Ready, ready};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;
use crate::contract::{Awaits, Definition, Durable, Operation, Outcome, sealed};
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

    fn into_operation(self) -> Result<Operation, CodecError> {
        Ok(Operation::Timer {
            duration: self.duration,
        })
    }

    fn resolve(outcome: Outcome) -> Result<Self::Output, CodecError> {
        match outcome {
            Outcome::Fired => Ok(Ok(())),
            Outcome::Failed(failure) => Ok(Err(failure.into())),
            Outcome::Completed(_) => unreachable!("a timer gives no value"),
        }
    }

    fn describe(_: Option<&'static str>, _: &mut Definition) -> Awaits {
        Awaits::Timer
    }
}

impl IntoFuture for Sleep {
    type Output = Result<(), WorkflowError>;
    type IntoFuture = Ready<Self::Output>;

    /// In the function as written, run without an engine, time is not waited for.
    fn into_future(self) -> Self::IntoFuture {
        ready(Ok(()))
    }
}
