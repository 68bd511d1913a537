//! What a workflow can await, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::ActivityOptions;
use crate::codec::{CodecError, Sealed};
use crate::failure::Failure;

use super::{Awaits, Definition};

/// The durable name of an activity.
///
/// The name alone finds it; the module decides where a workflow uses two of one name
/// (`left::fetch` beside `right::fetch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActivityName {
    /// The function's name, or what `#[activity(name = "…")]` says.
    pub name: String,
    /// The module that it stands in.
    pub module: String,
}

/// An activity to run: its name, its arguments and how often and how long it may be tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledActivity {
    /// Which activity.
    pub activity: ActivityName,
    /// One per parameter.
    pub arguments: Vec<Sealed>,
    /// Timeouts and retry policy.
    pub options: ActivityOptions,
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// An activity's result.
    Activity(ScheduledActivity),
    /// A timer.
    Timer {
        /// How long, from when the operation began.
        duration: Duration,
    },
    /// A signal of a name.
    Signal {
        /// The signal's name.
        name: String,
        /// How long to wait; `None` is for ever.
        timeout: Option<Duration>,
    },
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// With a value: an activity's result or a signal's payload.
    Completed(Sealed),
    /// A timer fired.
    Fired,
    /// With an error, a timeout or a cancellation.
    Failed(Failure),
}

/// What can be awaited in a workflow.
///
/// Sealed: a foreign future would be lost with its process.
#[diagnostic::on_unimplemented(
    message = "WF0062: `{Self}` cannot be awaited in a workflow",
    label = "not a durable operation",
    note = "what can be awaited: a call of an `#[activity]`, `ctx.sleep(duration)`, `ctx.wait_for_signal::<T>(name, timeout)`",
    note = "anything else would be lost with its process: put it into an `#[activity]` and await that"
)]
pub trait Durable: sealed::Sealed {
    /// What awaiting it gives.
    type Output;

    /// The operation, as data.
    ///
    /// # Errors
    /// When an argument cannot be encoded.
    fn into_operation(self) -> Result<Operation, CodecError>;

    /// What awaiting it gives, once it has ended.
    ///
    /// # Errors
    /// When the outcome cannot be read.
    fn resolve(outcome: Outcome) -> Result<Self::Output, CodecError>;

    /// What it awaits, added to the definition where that is an activity or a signal. `name` is the
    /// signal's name where the source spells it.
    fn describe(name: Option<&'static str>, definition: &mut Definition) -> Awaits;
}

pub(crate) mod sealed {
    /// Keeps [`Durable`](super::Durable) to this crate.
    pub trait Sealed {}
}
