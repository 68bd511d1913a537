//! What generated code calls beside the contract. Not for use by hand.

use std::fmt;
use std::marker::PhantomData;

pub use serde;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::activity::Activity;
use crate::codec::{self, CodecError, Persist, Sealed, Shape};
pub use crate::compiled::Stated;
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
    pub fn next<S: Stated>(&mut self) -> Result<S::Type, ActivityError> {
        let sealed = self.0.next();
        let sealed =
            sealed.ok_or_else(|| ActivityError::non_retryable("an argument is missing"))?;
        sealed
            .open()
            .map_err(|error| ActivityError::non_retryable(error.to_string()))
    }
}

/// What an activity returned, encoded.
pub fn returned<A: Activity, E: IntoFailure>(
    returned: Result<A::Output, E>,
) -> Result<Sealed, ActivityError> {
    match returned {
        Ok(output) => {
            Sealed::seal(&output).map_err(|error| ActivityError::non_retryable(error.to_string()))
        }
        Err(error) => Err(error.into_failure().into()),
    }
}

/// A stated value, encoded.
pub fn seal<S: Stated>(value: &S::Type) -> Result<Sealed, CodecError> {
    Sealed::seal(value)
}

/// The shape of a stated type.
#[must_use]
pub fn shape<S: Stated>() -> &'static Shape {
    codec::shape::<S::Type>()
}

/// How a state enum's field of a stated type is serialized, for `#[serde(with)]`.
#[derive(Debug)]
pub struct Kept<S>(PhantomData<S>);

impl<S: Stated> Kept<S> {
    #[allow(missing_docs)]
    pub fn serialize<Z: Serializer>(value: &S::Type, serializer: Z) -> Result<Z::Ok, Z::Error> {
        value.serialize(serializer)
    }

    #[allow(missing_docs)]
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<S::Type, D::Error> {
        S::Type::deserialize(deserializer)
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
/// Where a workflow awaits a call of a function that is no activity, a stand-in of the macro's has
/// it, so that the one error is that the call cannot be awaited.
pub trait Called {
    /// What it gives.
    type Output: Persist;
}

impl<A: Activity> Called for A {
    type Output = A::Output;
}

/// States what a call gives when it is awaited with `?`.
#[derive(Debug)]
pub struct Output<C>(PhantomData<C>);

impl<C: Called> Stated for Output<C> {
    type Type = C::Output;
}

/// States what a call gives when it is awaited without `?`.
#[derive(Debug)]
pub struct Outcome<C>(PhantomData<C>);

impl<C: Called> Stated for Outcome<C> {
    type Type = Result<C::Output, ActivityError>;
}

/// Takes what another part of the step function handed over.
///
/// # Panics
/// When nothing was, which is a bug of the macro.
pub fn take<T>(slot: &mut Option<T>) -> T {
    slot.take()
        .expect("a slot is filled wherever the code that reads it is reached from")
}
