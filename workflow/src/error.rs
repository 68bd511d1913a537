//! The two errors users write: [`ActivityError`] and [`WorkflowError`].

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureKind, IntoFailure};

/// What an activity returns when it fails, and what awaiting an activity gives then.
///
/// Any [`std::error::Error`] becomes one by `?`. For that reason it is not a `std::error::Error`
/// itself (as with `anyhow::Error`); it derefs to one.
///
/// ```
/// use workflow::prelude::*;
///
/// fn parse(text: &str) -> Result<u32, ActivityError> {
///     if text.is_empty() {
///         return Err(ActivityError::non_retryable("nothing to parse"));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivityError(Box<Failure>);

/// What a workflow returns when it fails; also what an interrupted wait or sleep gives.
///
/// Any [`std::error::Error`] and any [`ActivityError`] becomes one by `?`.
///
/// ```
/// use workflow::prelude::*;
///
/// fn check(total: u32) -> Result<(), WorkflowError> {
///     if total == 0 {
///         return Err(WorkflowError::new("the order is empty"));
///     }
///     Ok(())
/// }
/// assert_eq!(check(0).unwrap_err().to_string(), "the order is empty");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkflowError(Box<Failure>);

impl ActivityError {
    /// An error that is tried again under the activity's retry policy.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Failure::new(FailureKind::Application, message).into()
    }

    /// An error that is not tried again, whatever the retry policy says.
    #[must_use]
    pub fn non_retryable(message: impl Into<String>) -> Self {
        Failure {
            non_retryable: true,
            ..Failure::new(FailureKind::Application, message)
        }
        .into()
    }

    /// An error whose next attempt waits at least this long, whatever the back-off says.
    #[must_use]
    pub fn retry_after(message: impl Into<String>, delay: Duration) -> Self {
        Failure {
            retry_after: Some(delay),
            ..Failure::new(FailureKind::Application, message)
        }
        .into()
    }
}

impl WorkflowError {
    /// An error with a text.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Failure::new(FailureKind::Application, message).into()
    }
}

macro_rules! error_type {
    ($name:ident) => {
        impl $name {
            /// The failure as data.
            #[must_use]
            pub fn failure(&self) -> &Failure {
                &self.0
            }

            /// Takes in an error that `?` does not: an `anyhow::Error`, a `Box<dyn Error + Send +
            /// Sync>`, a text.
            ///
            /// ```
            /// use workflow::prelude::*;
            ///
            #[doc = concat!("fn check(n: u32) -> Result<(), ", stringify!($name), "> {")]
            ///     let checked: Result<(), String> = Err(format!("{n} is odd"));
            #[doc = concat!("    checked.map_err(", stringify!($name), "::wrap)")]
            /// }
            /// assert_eq!(check(3).unwrap_err().to_string(), "3 is odd");
            /// ```
            #[must_use]
            pub fn wrap(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
                Self(Box::new(error.into_failure()))
            }

            /// What kind of failure it was.
            #[must_use]
            pub fn kind(&self) -> FailureKind {
                self.0.kind
            }

            /// Whether a timeout passed.
            #[must_use]
            pub fn is_timed_out(&self) -> bool {
                self.0.kind == FailureKind::TimedOut
            }

            /// Whether the run was asked to cancel.
            #[must_use]
            pub fn is_canceled(&self) -> bool {
                self.0.kind == FailureKind::Canceled
            }
        }

        impl<E: Error + 'static> From<E> for $name {
            fn from(error: E) -> Self {
                Self(Box::new(Failure::from_error(&error)))
            }
        }

        impl From<$name> for Failure {
            fn from(error: $name) -> Self {
                *error.0
            }
        }

        impl From<$name> for Box<dyn Error + Send + Sync> {
            fn from(error: $name) -> Self {
                error.0
            }
        }

        impl From<$name> for Box<dyn Error> {
            fn from(error: $name) -> Self {
                error.0
            }
        }

        #[cfg(feature = "anyhow")]
        impl From<$name> for anyhow::Error {
            fn from(error: $name) -> Self {
                Self::new(*error.0)
            }
        }

        // `thiserror`'s `#[from]` and `#[source]` reach the error behind the type through this.
        impl Deref for $name {
            type Target = dyn Error + Send + Sync + 'static;
            fn deref(&self) -> &Self::Target {
                &*self.0
            }
        }

        impl AsRef<dyn Error + Send + Sync> for $name {
            fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
                &*self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
}

error_type!(ActivityError);
error_type!(WorkflowError);

impl From<ActivityError> for WorkflowError {
    fn from(error: ActivityError) -> Self {
        Self(error.0)
    }
}
