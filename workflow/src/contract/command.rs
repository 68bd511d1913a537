//! What a step asks its provider to do.

use crate::codec::Sealed;
use crate::failure::Failure;

use super::Operation;

/// What a step asks its provider to do, once the run is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin an operation: schedule an activity, start a timer or a child, or wait for a signal
    /// (for which a provider has a timer to start, where the wait has a timeout).
    Begin {
        /// Unique in the run; the event that ends the operation names it.
        op: u64,
        /// What to begin.
        operation: Operation,
    },
    /// Nobody waits for this operation any more: stop it, and drop its outcome. A child is asked
    /// to cancel.
    CancelOperation {
        /// The operation's number.
        op: u64,
        /// What it is.
        operation: Operation,
    },
    /// The run has ended well.
    Complete {
        /// What the workflow returned.
        output: Sealed,
    },
    /// The run has ended with an error.
    Fail {
        /// The error.
        failure: Failure,
    },
    /// The run was asked to cancel and has ended with that.
    Cancel {
        /// What the workflow returned.
        failure: Failure,
    },
}
