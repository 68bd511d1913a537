//! What generated code calls beside the contract. Not for use by hand.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{self, Poll, Waker};

pub use serde;

use crate::activity::Activity;
use crate::codec::{CodecError, Persist, Sealed};
pub use crate::collection::{Held, Owner, Refers, collection, held, held_items, owner, refers};
pub use crate::compiled::Stated;
use crate::compiled::Workflow;
use crate::context::Context;
use crate::contract::{SavedState, TypeDefinition};
use crate::error::ActivityError;
use crate::failure::{IntoFailure, Returns};
pub use crate::inline::Inline;
pub use crate::items::{
    Chosen, InOrder, Integer, IntoItems, Items, Walk, arranged, in_order, in_some_order, items,
    made, number_of, place_of, walk, walked, wanted,
};
pub use crate::part::{Taken, Wrapper, part, rest, wrapper};
pub use crate::place::{LookFirst, LookLater, Place, place};
pub use crate::remaining::{Leaves, Leaving, Remaining, Remains, TakesOut, Taking};
use crate::saved::Saved;
pub use crate::select::{
    Selected1, Selected2, Selected3, Selected4, Selected5, Selected6, Selected7, Selected8,
};
pub use crate::state_enum::{ReadState, StateEnum, WriteVariant, debug};

/// Lets a machine run to its end, where it gives what the workflow returned, or to where it
/// [stops](stop).
pub fn poll<F: Future>(machine: F) -> Option<F::Output> {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_STEP.set(self.0);
        }
    }
    let _restore = Restore(IN_STEP.replace(true));
    match pin!(machine).poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(returned) => Some(returned),
        Poll::Pending => None,
    }
}

thread_local! {
    /// Whether a machine takes a step on this thread.
    static IN_STEP: Cell<bool> = const { Cell::new(false) };
}

/// Why a step cannot go on that awaits what `#[workflow]` has not seen.
pub(crate) const HIDDEN_AWAIT: &str = "WF0023: an `.await` that comes out of a macro of its own cannot be seen by `#[workflow]`; write it in the workflow itself: `let value = ….await?;`";

/// In the function as written an operation is awaited as any future is; in a step it never is.
///
/// # Panics
/// In a step.
pub(crate) fn awaited_as_written() {
    assert!(!IN_STEP.get(), "{HIDDEN_AWAIT}");
}

/// Ends a machine that returns nothing yet.
pub async fn stop<T>() -> T {
    pending().await
}

/// What an await gave.
#[derive(Debug)]
pub struct Awaited<T> {
    /// It.
    pub value: T,
}

/// What an await gave, where it could be read.
pub fn awaited<T>(value: Option<T>) -> Option<Awaited<T>> {
    value.map(|value| Awaited { value })
}

/// What no local of a `#[workflow(typed)]` is whose type the state enum cannot tell.
#[diagnostic::on_unimplemented(
    message = "WF0064: the type of this local is not written down in a `#[workflow(typed)]`",
    label = "write its type: `{Self}`",
    note = "the public state of a workflow names the types that the code tells, and this one only rustc knows"
)]
pub trait Typed {}

/// Says so of a local.
pub fn typed<T: Typed>(_: &T) {}

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

/// What a type parameter of a workflow must be that its parameters or its result mention.
#[diagnostic::on_unimplemented(
    message = "WF0061: `{Self}` cannot be kept in a workflow",
    label = "this value would have to be saved",
    note = "the inputs and results of a workflow are saved to disk: such a type implements serde's `Serialize` and `Deserialize`, owns its data, and is `Send`"
)]
pub trait Parameter: Persist + Send {}

#[diagnostic::do_not_recommend]
impl<T: Persist + Send> Parameter for T {}

/// Gives a type that can be kept, and says of another that it cannot.
pub trait Keeps {
    /// The type.
    type Type: Persist;
}

/// A type that perhaps cannot be kept.
#[derive(Debug)]
pub struct Is<T>(PhantomData<T>);

impl<T: Persist> Keeps for Is<T> {
    type Type = T;
}

/// A stated value, encoded.
pub fn seal<S: Stated>(value: &S::Type) -> Result<Sealed, CodecError> {
    Sealed::seal(value)
}

/// The facts of a stated type.
#[must_use]
pub fn type_definition<S: Stated>() -> TypeDefinition {
    TypeDefinition::of::<S::Type>()
}

/// What a field is that no type is stated of.
impl Stated for Saved {
    type Type = Self;
}

/// What a call of a function gives when it is awaited, without naming more than the function.
///
/// Where a workflow awaits a call of a function that is neither activity nor workflow, a stand-in of
/// the macro's has it, so that the one error is that the call cannot be awaited.
pub trait Called {
    /// What it gives.
    type Output: Persist;
    /// What it fails with.
    type Error: Persist;
    /// Where it stands, if it is a workflow that runs inline.
    type State: serde::Serialize + serde::de::DeserializeOwned + Send + 'static;

    /// Where it stands, of a run that stands in it.
    fn state(saved: &SavedState<'_>) -> Result<Box<Self::State>, CodecError> {
        saved.inline_shown()
    }
}

/// Stands for the type parameters of a workflow that is mentioned without them.
#[derive(Debug)]
pub enum Unstated {}

/// What a constant can be that is a parameter of a workflow.
pub trait Constant {
    /// What stands for it where the workflow is mentioned without it.
    const ANY: Self;
}

macro_rules! constants {
    ($($ty:ty: $any:expr;)*) => {$(
        impl Constant for $ty {
            const ANY: Self = $any;
        }
    )*};
}

constants! {
    bool: false; char: '\0';
    u8: 0; u16: 0; u32: 0; u64: 0; u128: 0; usize: 0;
    i8: 0; i16: 0; i32: 0; i64: 0; i128: 0; isize: 0;
}

/// States where a workflow stands that runs inline.
#[derive(Debug)]
pub struct InlineState<C>(PhantomData<C>);

impl<C: Called> Stated for InlineState<C> {
    type Type = Box<C::State>;
}

type Returning<W> =
    Pin<Box<dyn Future<Output = Result<<W as Workflow>::Output, <W as Workflow>::Error>>>>;

/// A run of a workflow as written. A type of its own, so that the signature which has it mentions no
/// result that perhaps cannot be kept.
pub struct Plain<W: Workflow>(Returning<W>);

impl<W: Workflow> fmt::Debug for Plain<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").finish_non_exhaustive()
    }
}

impl<W: Workflow> Future for Plain<W> {
    type Output = Result<W::Output, W::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// Runs a workflow as written, with a context of its own.
pub fn as_written<W: Workflow, R>(
    mut ctx: Context,
    call: impl for<'a> FnOnce(&'a mut Context) -> Pin<Box<dyn Future<Output = R> + 'a>> + 'static,
) -> Plain<W>
where
    R: Returns<Ok = W::Output, Error = W::Error> + 'static,
{
    Plain(Box::pin(async move { call(&mut ctx).await.into_result() }))
}

/// The durable name of an instance of a generic workflow: `process<Order>`.
pub fn instance_name<W: Workflow>(function: &str) -> &'static str {
    static NAMES: Mutex<BTreeMap<TypeId, &'static str>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(TypeId::of::<W>()).or_insert_with(|| {
        let name = std::any::type_name::<W>();
        let types = name.find('<').map_or("", |at| &name[at..]);
        let mut short = function.to_owned();
        let mut word = String::new();
        for letter in types.chars() {
            match letter {
                // What stood before it was a module.
                ':' => word.clear(),
                _ if letter.is_alphanumeric() || letter == '_' => word.push(letter),
                _ => {
                    short.push_str(&std::mem::take(&mut word));
                    short.push(letter);
                }
            }
        }
        // There is one for each instance in the program.
        String::leak(short)
    })
}

/// States what a call gives when it is awaited with `?`.
#[derive(Debug)]
pub struct Output<C>(PhantomData<C>);

impl<C: Called> Stated for Output<C> {
    type Type = C::Output;
}

/// States what a call fails with.
#[derive(Debug)]
pub struct Failed<C>(PhantomData<C>);

impl<C: Called> Stated for Failed<C> {
    type Type = C::Error;
}

/// States what a call gives when it is awaited without `?`.
#[derive(Debug)]
pub struct Outcome<C>(PhantomData<C>);

impl<C: Called> Stated for Outcome<C> {
    type Type = Result<C::Output, C::Error>;
}

/// A tuple, element by element.
pub trait Tuple<const N: usize> {
    /// The one of that number.
    type Element: Persist;
}

/// Stands for what is not known, whatever is taken out of it.
impl<const N: usize> Tuple<N> for Saved {
    type Element = Self;
}

macro_rules! tuples {
    ($($number:literal $element:ident of $($all:ident)*;)*) => {$(
        impl<$($all: Persist),*> Tuple<$number> for ($($all,)*) {
            type Element = $element;
        }
    )*};
}

tuples! {
    0 A of A;
    0 A of A B; 1 B of A B;
    0 A of A B C; 1 B of A B C; 2 C of A B C;
    0 A of A B C D; 1 B of A B C D; 2 C of A B C D; 3 D of A B C D;
    0 A of A B C D E; 1 B of A B C D E; 2 C of A B C D E; 3 D of A B C D E; 4 E of A B C D E;
    0 A of A B C D E F; 1 B of A B C D E F; 2 C of A B C D E F; 3 D of A B C D E F; 4 E of A B C D E F; 5 F of A B C D E F;
}

/// States an element of what a call gives when it is awaited with `?`.
#[derive(Debug)]
pub struct Element<C, const N: usize>(PhantomData<C>);

impl<C: Called<Output: Tuple<N>>, const N: usize> Stated for Element<C, N> {
    type Type = <C::Output as Tuple<N>>::Element;
}

/// States a list of what calls give when they are awaited with `?`.
#[derive(Debug)]
pub struct Outputs<C>(PhantomData<C>);

impl<C: Called> Stated for Outputs<C> {
    type Type = Vec<C::Output>;
}

/// Takes what another part of the step function handed over.
///
/// # Panics
/// When nothing was, which is a bug of the macro.
pub fn take<T>(slot: &mut Option<T>) -> T {
    slot.take()
        .expect("a slot is filled wherever the code that reads it is reached from")
}
