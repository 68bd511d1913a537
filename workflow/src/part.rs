//! A part of a value that is taken out of it while the rest is kept.
//!
//! A part whose type is `Copy` is read through a shared reference, so that others may be alive: the
//! code that takes a part of another type is then not reached, and rustc, who sees that by the types,
//! checks no borrows there.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

/// A part whose value is wanted: of a type that is `Copy`, or [of another](Moved). Which of the two,
/// rustc finds by taking the first whose `copied` fits.
#[derive(Debug)]
pub struct Part<'a, T>(Moved<'a, T>);

/// See [`Part`].
#[derive(Debug)]
pub struct Moved<'a, T>(&'a T);

/// A part of a value, the rest of which is kept.
pub fn part<T>(place: &T) -> Part<'_, T> {
    Part(Moved(place))
}

impl<T: Copy> Part<'_, T> {
    /// Its value.
    pub fn copied(&self) -> Result<T, IsCopy> {
        Ok(*self.0.0)
    }
}

impl<T> Moved<'_, T> {
    /// That its value must be moved.
    pub fn copied(&self) -> Result<T, IsMoved> {
        Err(IsMoved)
    }
}

/// That a value must be moved, of one that is copied.
#[derive(Debug)]
pub enum IsCopy {}

impl IsCopy {
    /// Never goes on.
    pub fn go_on(self) -> Infallible {
        match self {}
    }
}

/// That a value must be moved.
#[derive(Debug)]
pub struct IsMoved;

impl IsMoved {
    /// Goes on.
    pub fn go_on(self) {}
}

/// A part that is moved, in place of which something must stay: nothing, of what the standard library
/// has an empty value for; else a clone, or else its type's default. Which of these, rustc finds as
/// for [`Part`].
///
/// The default of a user's type is the last, as it need not be a value that can be read back.
#[derive(Debug)]
pub struct Rest<'a, T>(RestClone<'a, T>);

/// See [`Rest`].
#[derive(Debug)]
pub struct RestClone<'a, T>(RestDefault<'a, T>);

/// See [`Rest`].
#[derive(Debug)]
pub struct RestDefault<'a, T>(&'a mut T);

/// The place of a part that is moved.
pub fn rest<T>(place: &mut T) -> Rest<'_, T> {
    Rest(RestClone(RestDefault(place)))
}

impl<T: Empty> Rest<'_, T> {
    /// The part's value.
    #[must_use]
    pub fn take(&mut self) -> T {
        std::mem::take(self.0.0.0)
    }
}

impl<T: Clone> RestClone<'_, T> {
    /// The part's value.
    #[must_use]
    pub fn take(&mut self) -> T {
        // What goes on is the part itself: a clone need not be like it.
        let left = self.0.0.clone();
        std::mem::replace(self.0.0, left)
    }
}

impl<T> RestDefault<'_, T> {
    /// The part's value.
    #[must_use]
    pub fn take(&mut self) -> T
    where
        T: Partial,
    {
        std::mem::take(self.0)
    }
}

/// What may have nothing in it.
pub trait Empty: Default {}

impl Empty for String {}
impl Empty for PathBuf {}
impl<T> Empty for Option<T> {}
impl<T> Empty for Vec<T> {}
impl<T> Empty for VecDeque<T> {}
impl<T> Empty for BinaryHeap<T> where Self: Default {}
impl<T> Empty for BTreeSet<T> {}
impl<K, V> Empty for BTreeMap<K, V> {}
impl<T, S: Default> Empty for HashSet<T, S> {}
impl<K, V, S: Default> Empty for HashMap<K, V, S> {}

/// What can be taken out of a value whose rest is saved later.
#[diagnostic::on_unimplemented(
    message = "WF0047: a `{Self}` is taken out of a value whose rest is kept across an `.await`",
    label = "taken out of a value that is saved later",
    note = "the value is saved as a whole, so something must stay in the place of what is taken: `{Self}` needs to be `Default` or `Clone`",
    note = "or take the value apart before: `let Order {{ id, items }} = order;`"
)]
pub trait Partial: Default {}

#[diagnostic::do_not_recommend]
impl<T: Default> Partial for T {}

/// What methods like `map` and `unwrap_or` take by value.
#[diagnostic::on_unimplemented(
    message = "WF0047: a method is called on a part of a value that is kept across an `.await`, and may take the part out of it",
    label = "whether it takes this `{Self}` is known of `Option` and `Result` alone",
    note = "the value is saved as a whole, so something must stay in the place of what is taken",
    note = "say that it only looks: `(&order.part).map(…)`; or take the part out first: `let part = order.part;`"
)]
pub trait Wrapper {}

impl<T> Wrapper for Option<T> {}
impl<T, E> Wrapper for Result<T, E> {}
impl<T, const N: usize> Wrapper for [T; N] {}

/// Says so where such a method is called on another type.
pub fn wrapper<W: Wrapper>(_: &W) {}

/// The value of a part. Asked for by a method, so that rustc says of the whole expression what is
/// wrong with its type.
#[derive(Debug)]
pub struct Taken<T>(pub T);

impl<T> Taken<T> {
    /// It.
    pub fn value(self) -> T {
        self.0
    }
}

impl<'a, T> Deref for Part<'a, T> {
    type Target = Moved<'a, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, T> Deref for Rest<'a, T> {
    type Target = RestClone<'a, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Rest<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a, T> Deref for RestClone<'a, T> {
    type Target = RestDefault<'a, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for RestClone<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
