//! What generated code calls beside the contract. Not for use by hand.

use std::fmt;

pub use serde;

use crate::codec::{CodecError, Persist, Sealed};
use crate::error::ActivityError;
use crate::failure::IntoFailure;
pub use crate::items::{Integer, IntoItems, Items, items};

/// The arguments of a call, encoded.
pub fn arguments<const N: usize>(
    encoded: [Result<Sealed, CodecError>; N],
) -> Result<Vec<Sealed>, CodecError> {
    encoded.into_iter().collect()
}

/// The arguments of an activity's attempt, decoded one by one.
#[derive(Debug)]
pub struct Arguments(std::vec::IntoIter<Sealed>);

impl Arguments {
    /// All arguments.
    #[must_use]
    pub fn new(arguments: Vec<Sealed>) -> Self {
        Self(arguments.into_iter())
    }

    /// The next one.
    #[expect(clippy::should_implement_trait, reason = "its items have many types")]
    pub fn next<T: Persist>(&mut self) -> Result<T, ActivityError> {
        let sealed = self.0.next();
        let sealed =
            sealed.ok_or_else(|| ActivityError::non_retryable("an argument is missing"))?;
        sealed
            .open()
            .map_err(|error| ActivityError::non_retryable(error.to_string()))
    }
}

/// What an activity returned, encoded.
pub fn returned<T: Persist, E: IntoFailure>(
    returned: Result<T, E>,
) -> Result<Sealed, ActivityError> {
    match returned {
        Ok(output) => {
            Sealed::seal(&output).map_err(|error| ActivityError::non_retryable(error.to_string()))
        }
        Err(error) => Err(error.into_failure().into()),
    }
}

/// Prints a state enum through serde, so that users' types need no `Debug`.
pub fn debug<S: serde::Serialize>(state: &S, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::Object(variant)) => {
            for (name, fields) in variant {
                write!(f, "{name} {fields}")?;
            }
            Ok(())
        }
        Ok(other) => write!(f, "{other}"),
        Err(error) => write!(f, "<{error}>"),
    }
}

/// What a call of a function gives when it is awaited, without naming more than the function.
///
/// The macros implement it for the type of every activity's name. Where a workflow awaits a call
/// of a function that is no activity, a stand-in of the macro's has it, so that the one error is
/// that the call cannot be awaited.
pub trait Called {
    /// What it gives.
    type Output;
}

/// Takes what another part of the step function handed over.
///
/// # Panics
/// When nothing was, which is a bug of the macro.
pub fn take<T>(slot: &mut Option<T>) -> T {
    slot.take()
        .expect("a slot is filled wherever the code that reads it is reached from")
}
