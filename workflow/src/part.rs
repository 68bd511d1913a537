//! A part of a value that is taken out of it while the rest is kept.

use std::ops::{Deref, DerefMut};

/// A part whose value is wanted, in place of which something must stay.
///
/// Which of the three it is, rustc finds by taking the first whose `take` fits: a copy where the
/// type is `Copy`; else what the part is, with its type's default left in place; else a clone.
#[derive(Debug)]
pub struct Part<'a, T>(DefaultPart<'a, T>);

/// See [`Part`].
#[derive(Debug)]
pub struct DefaultPart<'a, T>(ClonePart<'a, T>);

/// See [`Part`].
#[derive(Debug)]
pub struct ClonePart<'a, T>(&'a mut T);

/// A part of a value, the rest of which is kept.
pub fn part<T>(place: &mut T) -> Part<'_, T> {
    Part(DefaultPart(ClonePart(place)))
}

impl<T: Copy> Part<'_, T> {
    /// Its value.
    #[must_use]
    pub fn take(&mut self) -> T {
        *self.0.0.0
    }
}

impl<T: Default> DefaultPart<'_, T> {
    /// Its value.
    #[must_use]
    pub fn take(&mut self) -> T {
        std::mem::take(self.0.0)
    }
}

impl<T> ClonePart<'_, T> {
    /// Its value.
    #[must_use]
    pub fn take(&mut self) -> T
    where
        T: Partial,
    {
        self.0.clone()
    }
}

/// What can be taken out of a value whose rest is saved later.
#[diagnostic::on_unimplemented(
    message = "WF0047: a `{Self}` is taken out of a value whose rest is kept across an `.await`",
    label = "taken out of a value that is saved later",
    note = "the value is saved as a whole, so something must stay in the place of what is taken: `{Self}` needs to be `Default` or `Clone`",
    note = "or take the value apart before: `let Order {{ id, items }} = order;`"
)]
pub trait Partial: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Partial for T {}

impl<'a, T> Deref for Part<'a, T> {
    type Target = DefaultPart<'a, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Part<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a, T> Deref for DefaultPart<'a, T> {
    type Target = ClonePart<'a, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for DefaultPart<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
