//! Collections in which something is looked up to be changed, before an await and again after it.

use std::collections::{BTreeMap, HashMap, VecDeque};

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
impl<K, V, S> Collection for HashMap<K, V, S> {}
impl<C: Collection + ?Sized> Collection for Box<C> {}
impl<C: Collection + ?Sized> Collection for &C {}
impl<C: Collection + ?Sized> Collection for &mut C {}

/// Says so where something is looked up in another type.
pub fn collection<C: Collection + ?Sized>(_: &C) {}
