//! What is looked up again after an await: in collections of the standard library to change it, and in
//! whatever else gives a reference.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A collection of the standard library: the same key finds the same in it again.
#[diagnostic::on_unimplemented(
    message = "WF0041: what is looked up in a `{Self}` is kept across an `.await`",
    label = "not a collection of the standard library",
    note = "a run is saved at every await, and a reference cannot be saved: it would be looked up again, and whether that gives the same is known of the standard library alone",
    note = "bind the awaited value first, or look it up after the await: `let value = ….await?;`"
)]
pub trait Collection {}

impl<T> Collection for [T] {}
impl<T, const N: usize> Collection for [T; N] {}
impl<T> Collection for Option<T> {}
impl<T> Collection for Vec<T> {}
impl<T> Collection for VecDeque<T> {}
impl<K, V> Collection for BTreeMap<K, V> {}
impl<K, V> Collection for serde_json::Map<K, V> {}
impl Collection for serde_json::Value {}
impl<K, V, S> Collection for HashMap<K, V, S> {}
impl<C: Collection + ?Sized> Collection for Box<C> {}
impl<C: Collection + ?Sized> Collection for &C {}
impl<C: Collection + ?Sized> Collection for &mut C {}

/// Says so where something is looked up in another type.
pub fn collection<C: Collection + ?Sized>(_: &C) {}

/// What a method gives that only looks.
#[diagnostic::on_unimplemented(
    message = "WF0041: a method of this name is taken to give a reference, and this one gives a `{R}`",
    label = "would be called again when the run goes on",
    note = "a run is saved at every await; what refers to a place is not saved, but looked up again after it",
    note = "write the type, so that the value is saved: `let value: {R} = …;`"
)]
pub trait Refers<R> {}

/// What has looked.
#[derive(Debug)]
pub struct Looked;

impl<T: ?Sized> Refers<&T> for Looked {}
impl<T: ?Sized> Refers<&mut T> for Looked {}
#[diagnostic::do_not_recommend]
impl<R> Refers<Option<R>> for Looked where Self: Refers<R> {}
#[diagnostic::do_not_recommend]
impl<A, B> Refers<(A, B)> for Looked where Self: Refers<A> + Refers<B> {}
#[diagnostic::do_not_recommend]
impl<R, E> Refers<Result<R, E>> for Looked where Self: Refers<R> {}

/// Says so where another gives something else.
pub fn refers<R>(value: R) -> R
where
    Looked: Refers<R>,
{
    value
}

/// What a reference is, or an `Option` of one and the like, for as long as `'a`.
#[diagnostic::on_unimplemented(
    message = "WF0041: `{Self}` is taken for a reference, and what it is found by may change",
    label = "would be looked up again when the run goes on",
    note = "a run is saved at every await; what refers to a place is not saved, but looked up again after it",
    note = "write the type, so that the value is saved: `let value: {Self} = …;`"
)]
pub trait Held<'a> {}

impl<'a, T: ?Sized> Held<'a> for &'a T {}
impl<'a, T: ?Sized> Held<'a> for &'a mut T {}

/// Numbers beside references: of all types, or rustc would take them for the only one.
macro_rules! numbers {
    ($($number:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Held<'_> for $number {}
    )*};
}

numbers! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 }

#[diagnostic::do_not_recommend]
impl<'a, R: Held<'a>> Held<'a> for Option<R> {}
#[diagnostic::do_not_recommend]
impl<'a, R: Held<'a>> Held<'a> for Vec<R> {}
#[diagnostic::do_not_recommend]
impl<'a, R: Held<'a>> Held<'a> for VecDeque<R> {}
#[diagnostic::do_not_recommend]
impl<'a, R: Held<'a>> Held<'a> for BTreeSet<R> {}
#[diagnostic::do_not_recommend]
impl<'a, A: Held<'a>, B: Held<'a>> Held<'a> for (A, B) {}
#[diagnostic::do_not_recommend]
impl<'a, R: Held<'a>, E> Held<'a> for Result<R, E> {}

/// A reference, for which `by` must not change as long as it is used.
pub fn held<'a, R: Held<'a>, T: ?Sized>(value: R, by: &'a T) -> R {
    let _ = by;
    value
}

/// The items of what a loop goes over, for which `by` must not change as long as they are used.
pub fn held_items<'a, I, T>(items: I, by: &'a T) -> HeldItems<I::IntoIter>
where
    I: IntoIterator,
    I::Item: Held<'a>,
    T: ?Sized,
{
    let _ = by;
    HeldItems(items.into_iter())
}

/// See [`held_items`].
#[derive(Debug)]
pub struct HeldItems<I>(I);

impl<I: Iterator> Iterator for HeldItems<I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

/// What owns what the standard library's methods on it give references into.
#[diagnostic::on_unimplemented(
    message = "WF0046: a loop looks into a `{Self}`, which may change while the loop awaits",
    label = "may refer to something else by then",
    note = "what a loop goes over is looked up again after every `.await` in its body",
    note = "keep what it goes over: `let items: Vec<_> = ….collect();`, and loop over `items`"
)]
pub trait Owner {}

impl Owner for str {}
impl Owner for String {}
impl Owner for Path {}
impl Owner for PathBuf {}
impl Owner for OsStr {}
impl Owner for OsString {}
impl<T> Owner for [T] {}
impl<T, const N: usize> Owner for [T; N] {}
impl<T> Owner for Vec<T> {}
impl<T> Owner for VecDeque<T> {}
impl<T: Owner> Owner for Option<T> {}
impl<K, V> Owner for BTreeMap<K, V> {}
impl<K, V> Owner for serde_json::Map<K, V> {}
impl<K, V, S> Owner for HashMap<K, V, S> {}
impl<T: ToOwned + ?Sized> Owner for Cow<'_, T> {}
impl<T: Owner + ?Sized> Owner for Box<T> {}

/// Says so where a loop looks into something else.
pub fn owner<T: Owner + ?Sized>(_: &T) {}
