//! The codes of what is refused: one for each kind of mistake, with a page in `docs/errors/` each.
//!
//! A code is never given to another kind of mistake, as its page is found by it. Some refusals need
//! types, so rustc makes them, by the words that the library has put on its traits: WF0047 (taken
//! out of what is saved later), WF0061 (cannot be kept), WF0062 (cannot be awaited), WF0063 (no
//! error type), WF0064 (a type to write), and WF0006, WF0041 and WF0046 where the syntax does not
//! show it.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The attribute stands on something else than a safe `async fn`.
pub(crate) const FUNCTION: Code = Code("WF0001");
/// A function that takes `self`.
pub(crate) const RECEIVER: Code = Code("WF0002");
/// Type parameters and `where` clauses.
pub(crate) const GENERICS: Code = Code("WF0003");
/// A context in another place, or taken in another way.
pub(crate) const CONTEXT: Code = Code("WF0004");
/// A parameter whose type cannot be read back.
pub(crate) const PARAMETER: Code = Code("WF0005");
/// A return type that is no `Result` of what can be read back.
pub(crate) const OUTPUT: Code = Code("WF0006");
/// An option of the macro, or its value.
pub(crate) const OPTION: Code = Code("WF0007");
/// Code that is nested too deep.
pub(crate) const DEPTH: Code = Code("WF0008");

/// An await in code that does not belong to the workflow itself: a closure, an `async` block.
pub(crate) const AWAIT_WITHIN: Code = Code("WF0021");
/// An await in the guard of an arm.
pub(crate) const AWAIT_IN_GUARD: Code = Code("WF0022");
/// An await in a macro's argument that is not, or not surely, evaluated once.
pub(crate) const AWAIT_IN_MACRO: Code = Code("WF0023");
/// Awaits beside each other.
pub(crate) const AWAIT_TOGETHER: Code = Code("WF0024");
/// An await in an expression that is not taken apart.
pub(crate) const AWAIT_IN_EXPRESSION: Code = Code("WF0025");
/// `#[cfg]` on what decides the states.
pub(crate) const CFG: Code = Code("WF0026");
/// A place that would be evaluated at another time than the source says.
pub(crate) const ORDER: Code = Code("WF0027");

/// A reference that lives across an await.
pub(crate) const REFERENCE: Code = Code("WF0041");
/// A closure that lives across an await.
pub(crate) const CLOSURE: Code = Code("WF0042");
/// A guard that an await would end.
pub(crate) const GUARD: Code = Code("WF0043");
/// A name in a macro that would have to be another one.
pub(crate) const NAME: Code = Code("WF0044");
/// An item in code that is taken apart.
pub(crate) const ITEM: Code = Code("WF0045");
/// A loop over what cannot be saved in the middle of it.
pub(crate) const LOOP: Code = Code("WF0046");
/// An iterator that lives across an await.
pub(crate) const ITERATOR: Code = Code("WF0048");

/// A signal that nothing says the type of.
pub(crate) const SIGNAL: Code = Code("WF0065");

/// A clock.
pub(crate) const CLOCK: Code = Code("WF0101");
/// Randomness.
pub(crate) const RANDOMNESS: Code = Code("WF0102");
/// A new id.
pub(crate) const ID: Code = Code("WF0103");
/// Threads and tasks.
pub(crate) const TASK: Code = Code("WF0104");
/// Files, network and environment.
pub(crate) const IO: Code = Code("WF0105");
/// Output.
pub(crate) const PRINT: Code = Code("WF0106");
/// State that is not saved with the run.
pub(crate) const STATE: Code = Code("WF0107");
/// A loop that neither awaits nor ends.
pub(crate) const ENDLESS: Code = Code("WF0108");
/// The order of a hash map's items.
pub(crate) const HASH_ORDER: Code = Code("WF0109");
/// What allows these, without a reason or elsewhere than on a statement.
pub(crate) const ALLOW: Code = Code("WF0110");
