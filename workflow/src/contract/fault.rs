//! Why the code at hand cannot go on with a run.

use crate::codec::CodecError;

/// Why the code at hand cannot go on with a run. The run itself is unharmed: it goes on where it
/// was once code that fits is started.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Workflow code panicked between two awaits.
    #[error("the workflow panicked after `{state}`: {message}")]
    Panicked {
        /// The state it went on from.
        state: String,
        /// The panic's message.
        message: String,
    },
    /// The state is not among those of the code at hand.
    #[error(
        "the run waits at `{state}`, and the workflow has no such await now; start the version that wrote it, or put the await back"
    )]
    StateMissing {
        /// The saved state's name.
        state: String,
    },
    /// What is saved at that state has another shape in the code at hand.
    #[error("what the run saved at `{state}` does not fit the code: {difference}")]
    ShapeChanged {
        /// The saved state's name.
        state: String,
        /// Which field, and how.
        difference: String,
    },
    /// Several awaits of that name are there, and none is surely the one the run waits at.
    #[error(
        "the run waits at `{state}`, and it cannot be told which of these awaits that is now: {candidates}; the awaiting statement was edited, or its like was added, while others of its name are there"
    )]
    StateAmbiguous {
        /// The saved state's name.
        state: String,
        /// The names that it could be.
        candidates: String,
    },
    /// The run stands inside a workflow that the code at hand does not call inline.
    #[error(
        "the run stands inside `{workflow}`, which the workflow does not call inline now; start the version that wrote it, or put the call back"
    )]
    InlineMissing {
        /// The durable name of the workflow called.
        workflow: String,
    },
    /// Workflows call each other inline without an end.
    #[error(
        "the workflow calls itself or others inline more than {depth_max} deep; a call without `ctx` is a child, a run of its own"
    )]
    TooDeep {
        /// The greatest depth.
        depth_max: usize,
    },
    /// A value cannot be saved, or what was saved cannot be read.
    #[error("`{what}` at `{state}`: {error}")]
    Codec {
        /// The state's name.
        state: String,
        /// The field, argument or result.
        what: String,
        /// What is wrong with it.
        error: CodecError,
    },
}
