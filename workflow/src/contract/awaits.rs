//! What a state awaits, as a static fact.

use super::{ActivityName, Definition, SignalNames};

/// What a state awaits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// An activity.
    Activity(ActivityName),
    /// A timer.
    Timer,
    /// A signal; `None` where the source computes its name.
    Signal(Option<&'static str>),
    /// A child workflow of that durable name.
    Child(&'static str),
    /// Another workflow of that durable name, as a part of this run.
    Inline(&'static str),
    /// All of these.
    Join(Vec<Awaits>),
    /// Any number of these, all of them.
    JoinAll(Box<Awaits>),
    /// One of these.
    Select(Vec<Awaits>),
}

impl Awaits {
    /// The workflow that runs inline there.
    #[must_use]
    pub fn inline(&self) -> Option<&'static str> {
        match self {
            Self::Inline(name) => Some(name),
            _ => None,
        }
    }
}

/// What an await uses, for [`Definition::state`].
#[derive(Clone, Copy, Debug)]
pub struct AwaitDefinition<'a> {
    pub(super) describe: fn(&mut SignalNames<'_>, &mut Definition) -> Awaits,
    pub(super) signals: &'a [Option<&'static str>],
}
