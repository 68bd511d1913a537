//! What happened to a run.

use crate::codec::Sealed;
use crate::failure::Failure;

/// What happened to a run. An event for an operation that is no longer awaited changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An activity gave its result.
    ActivityCompleted {
        /// The operation's number.
        op: u64,
        /// What it returned.
        output: Sealed,
    },
    /// An activity failed for good: its attempts are used up, its time is over, or its error is
    /// not retryable.
    ActivityFailed {
        /// The operation's number.
        op: u64,
        /// Why.
        failure: Failure,
    },
    /// A child workflow completed.
    ChildCompleted {
        /// The operation's number.
        op: u64,
        /// What it returned.
        output: Sealed,
    },
    /// A child workflow ended in another way, or could not be started.
    ChildFailed {
        /// The operation's number.
        op: u64,
        /// Why.
        failure: Failure,
    },
    /// The timer of a sleep, or of a wait for a signal, has fired.
    TimerFired {
        /// The operation's number.
        op: u64,
    },
    /// A signal arrived. It is kept, in order, until the workflow waits for its name.
    SignalReceived {
        /// The signal's name.
        name: String,
        /// Its payload, as [`Definition::accept_signal`](super::Definition::accept_signal) gave it.
        payload: Sealed,
    },
    /// The run is asked to cancel. Only the first request counts.
    CancelRequested,
}
