//! Why something failed, as data: what the two error types carry and what is saved.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of failure it was. Kept through `?`, saving, restarts and providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// User code returned an error.
    Application,
    /// A timeout passed: of an activity, of a wait for a signal, or of the whole run.
    TimedOut,
    /// The run was asked to cancel, and this is what the interrupted await returned.
    Canceled,
    /// An activity that may be attempted only once died with its process.
    Lost,
    /// User code panicked.
    Panicked,
    /// A child workflow was ended from outside.
    Terminated,
}

/// A failure as data. [`ActivityError`](crate::ActivityError) and
/// [`WorkflowError`](crate::WorkflowError) hold one; it is a [`std::error::Error`] itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// What happened, for people; the causes of a wrapped error stand behind it after colons.
    pub message: String,
    /// The Rust type of the error that was wrapped, as [`std::any::type_name`] prints it.
    pub type_name: Option<String>,
    /// Trying again would not help.
    pub non_retryable: bool,
    /// The least time to wait before the next attempt, instead of the retry policy's.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of a kind, with its text.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            type_name: None,
            non_retryable: false,
            retry_after: None,
        }
    }

    /// What an await returns that a request to cancel interrupts.
    pub(crate) fn canceled() -> Self {
        Self::new(FailureKind::Canceled, "the run was canceled")
    }

    /// Takes in any error: its text with its causes and its type. Where a `Failure` stands in the
    /// chain of causes, its kind is kept, so a cancellation wrapped in an error type of the
    /// user's is still a cancellation.
    #[must_use]
    pub fn from_error<E: Error + 'static>(error: &E) -> Self {
        Self::from_dyn(error, Some(std::any::type_name::<E>()))
    }

    fn from_dyn(error: &(dyn Error + 'static), type_name: Option<&str>) -> Self {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return failure.clone();
        }
        let mut failure = Self::new(FailureKind::Application, error.to_string());
        failure.type_name = type_name.map(str::to_owned);
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Transparent wrappers print their source as themselves.
            if !failure.message.ends_with(&text) {
                failure.message = format!("{}: {text}", failure.message);
            }
            if let Some(inner) = error.downcast_ref::<Self>() {
                failure.kind = inner.kind;
                failure.non_retryable = inner.non_retryable;
                failure.retry_after = inner.retry_after;
            }
            cause = error.source();
        }
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// What a workflow or an activity may return as its error: anything that goes into a
/// `Box<dyn Error + Send + Sync>`, as `anyhow::Error` and every `std::error::Error` do.
#[diagnostic::on_unimplemented(
    message = "WF0063: `{Self}` cannot be the error of a workflow or an activity",
    label = "not an error type",
    note = "return `Result<T, WorkflowError>` from a workflow, `Result<T, ActivityError>` from an activity, or `Result<T, E>` with an `E` of your own that implements `std::error::Error`"
)]
pub trait IntoFailure {
    /// The failure as data; the kind of a wrapped [`Failure`] is kept.
    fn into_failure(self) -> Failure;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoFailure for E {
    fn into_failure(self) -> Failure {
        Failure::from_dyn(&*self.into(), Some(std::any::type_name::<E>()))
    }
}

/// What a workflow or an activity returns: a `Result`, also through an alias.
#[diagnostic::on_unimplemented(
    message = "WF0006: a workflow or an activity returns a `Result`, not `{Self}`",
    label = "must be a `Result`",
    note = "write `-> Result<{Self}, WorkflowError>` on a workflow, `-> Result<{Self}, ActivityError>` on an activity: any of them can time out or be canceled"
)]
pub trait Returns {
    /// What it gives when all goes well.
    type Ok;
    /// What it gives otherwise.
    type Error;
    /// The value as the `Result` it is.
    ///
    /// # Errors
    /// The error that it holds.
    fn into_result(self) -> Result<Self::Ok, Self::Error>;
}

impl<T, E> Returns for Result<T, E> {
    type Ok = T;
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}
