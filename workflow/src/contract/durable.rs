//! What a workflow can await.

use std::any::Any;
use std::collections::VecDeque;

use crate::codec::{CodecError, Sealed};

use super::{Awaits, Definition, Operation, Outcome};

/// What can be awaited in a workflow.
///
/// Sealed: a foreign future would be lost with its process.
#[diagnostic::on_unimplemented(
    message = "WF0062: `{Self}` cannot be awaited in a workflow",
    label = "not a durable operation",
    note = "what can be awaited: a call of an `#[activity]` or of a `#[workflow]`, `ctx.sleep(duration)`, `ctx.wait_for_signal::<T>(name, timeout)`, and several of them with `join!`, `join_all` or `select!`",
    note = "anything else would be lost with its process: put it into an `#[activity]` and await that; an `async fn` that itself awaits activities is a `#[workflow]`, called as a child or inline with `ctx`"
)]
pub trait Durable: sealed::Sealed {
    /// What awaiting it gives.
    type Output;

    /// What is asked for by awaiting it.
    ///
    /// # Errors
    /// When an argument cannot be encoded.
    fn into_request(self) -> Result<Request, CodecError>;

    /// What awaiting it gives, once it has ended.
    ///
    /// # Errors
    /// When the outcome cannot be read.
    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError>;

    /// What it awaits; activities, signals and workflows are added to the definition.
    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits;
}

/// One operation, which can be awaited alone, beside others (`join!`, `select!`), or begun now and
/// awaited later (`ctx.start`).
#[diagnostic::on_unimplemented(
    message = "WF0062: `{Self}` cannot be awaited beside others",
    label = "not one operation",
    note = "what can be: a call of an `#[activity]` or of a `#[workflow]` as a child, `ctx.sleep(duration)`, `ctx.wait_for_signal::<T>(name, timeout)`, and what `ctx.start(…)` gave",
    note = "what awaits several times by itself is a `#[workflow]` of its own: call it as a child"
)]
pub trait SingleOperation: Durable {}

/// What an await asks for.
#[derive(Debug)]
pub enum Request {
    /// That all these operations end.
    All(Vec<Asked>),
    /// That one of these operations ends.
    Any(Vec<Asked>),
    /// To go on in another workflow, as a part of this run.
    Inline {
        /// Its durable name.
        workflow: &'static str,
        /// One per parameter.
        arguments: Vec<Sealed>,
    },
}

impl Request {
    /// One operation.
    #[must_use]
    pub fn one(operation: Operation) -> Self {
        Self::All(vec![Asked::New(operation)])
    }

    /// The one operation, where it is one.
    pub(crate) fn into_single(self) -> Option<Asked> {
        match self {
            Self::All(mut asked) if asked.len() == 1 => asked.pop(),
            _ => None,
        }
    }
}

/// One of the operations that an await asks for.
#[derive(Debug)]
pub enum Asked {
    /// It is to begin now.
    New(Operation),
    /// It was begun before, under that number.
    Begun(u64),
    /// The same, and where another ends the wait it goes on.
    Lent(u64),
}

/// What an await gives the code that goes on after it.
#[derive(Debug, Default)]
pub struct Arrived {
    /// The outcomes, in the order of the operations; `None` where one has not ended.
    outcomes: VecDeque<Option<Outcome>>,
    /// What a workflow that ran inline returned.
    returned: Option<Box<dyn Any>>,
}

impl Arrived {
    pub(super) fn outcomes(outcomes: VecDeque<Option<Outcome>>) -> Self {
        Self {
            outcomes,
            returned: None,
        }
    }

    pub(super) fn returned(value: Box<dyn Any>) -> Self {
        Self {
            outcomes: VecDeque::new(),
            returned: Some(value),
        }
    }

    /// The next outcome of operations that have all ended.
    pub(crate) fn next(&mut self) -> Result<Outcome, CodecError> {
        let next = self.outcomes.pop_front().flatten();
        next.ok_or_else(|| missing("an operation's outcome"))
    }

    /// How many outcomes there are still to take.
    pub(crate) fn count(&self) -> usize {
        self.outcomes.len()
    }

    /// Which operation has ended, of several; its outcome is then the [next](Self::next).
    pub(crate) fn first(&mut self) -> Result<usize, CodecError> {
        let first = self.outcomes.iter().position(Option::is_some);
        let first = first.ok_or_else(|| missing("an operation's outcome"))?;
        self.outcomes.drain(..first);
        Ok(first)
    }

    /// What a workflow that ran inline returned.
    pub(crate) fn take_returned<T: 'static>(&mut self) -> Result<T, CodecError> {
        let returned = self.returned.take().and_then(|value| value.downcast().ok());
        returned
            .map(|value| *value)
            .ok_or_else(|| missing("what the workflow returned"))
    }
}

fn missing(what: &str) -> CodecError {
    CodecError::Decode {
        type_name: std::any::type_name::<Outcome>(),
        reason: format!("{what} is not there"),
    }
}

/// The names of the signals that an await waits for, where the source spells them; one for each of
/// its operations, in the order of the source.
#[derive(Debug)]
pub struct SignalNames<'a>(std::slice::Iter<'a, Option<&'static str>>);

impl<'a> SignalNames<'a> {
    /// The names, one for each operation.
    #[must_use]
    pub fn new(names: &'a [Option<&'static str>]) -> Self {
        Self(names.iter())
    }

    /// The name for the next operation, if it is a signal whose name the source spells.
    pub(crate) fn take(&mut self) -> Option<&'static str> {
        self.0.next().copied().flatten()
    }
}

pub(crate) mod sealed {
    /// Keeps [`Durable`](super::Durable) to this crate.
    pub trait Sealed {}
}
