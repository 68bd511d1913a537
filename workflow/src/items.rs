//! What is left of a `for` loop that awaits in its body.
//!
//! A run is saved in the middle of such a loop, so what the loop goes over must be a value that can
//! be saved: a range with what it has still to count, or the items left of a collection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter::{
    Chain, Cloned, Copied, Enumerate, Filter, FilterMap, Map, Rev, Skip, SkipWhile, StepBy, Take,
    TakeWhile, Zip,
};
use std::ops::{Range, RangeFrom, RangeInclusive};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a `for` loop that awaits in its body can go over.
#[diagnostic::on_unimplemented(
    message = "WF0046: a `for` loop over `{Self}` cannot await in its body",
    label = "cannot be saved in the middle of the loop",
    note = "what can be looped over with an `.await` in the body: a range of integers, a `Vec`, `VecDeque`, array, `Option`, `BTreeMap` or `BTreeSet` by value, also with `.map(…)`, `.filter(…)`, `.rev()`, `.enumerate()`, `.zip(…)`, `.step_by(…)`, `.skip(…)`, `.take(…)` and `.chain(…)`",
    note = "an iterator's items can be collected first: `for item in iterator.collect::<Vec<_>>()`"
)]
pub trait IntoItems {
    /// What is left.
    type Items: Items;
    /// All of it.
    fn into_items(self) -> Self::Items;
}

/// What is left of a loop.
pub trait Items {
    /// What the loop binds.
    type Item;
    /// The next of it.
    fn next(&mut self) -> Option<Self::Item>;
}

/// All that a loop goes over.
pub fn items<I: IntoItems>(iterable: I) -> I::Items {
    iterable.into_items()
}

/// The items left of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Queue<T>(VecDeque<T>);

impl<T> From<VecDeque<T>> for Queue<T> {
    fn from(items: VecDeque<T>) -> Self {
        Self(items)
    }
}

impl<T> Items for Queue<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.0.pop_front()
    }
}

/// What is left of a range, both ends included; none at all when `next` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count<T> {
    next: Option<T>,
    last: T,
}

macro_rules! collections {
    ($($collection:ty, $item:ty, [$($parameter:tt)*];)*) => {$(
        impl<$($parameter)*> IntoItems for $collection {
            type Items = Queue<$item>;
            fn into_items(self) -> Queue<$item> {
                Queue(self.into_iter().collect())
            }
        }
    )*};
}

collections! {
    Vec<T>, T, [T];
    VecDeque<T>, T, [T];
    [T; N], T, [T, const N: usize];
    Option<T>, T, [T];
    BTreeSet<T>, T, [T];
    BTreeMap<K, V>, (K, V), [K, V];
    serde_json::Map<String, Value>, (String, Value), [];
}

/// An iterator of the standard library that owns its items, ends, and calls no code of a user's: its
/// items are taken out of it when the loop begins.
pub trait Finite: Iterator {}

/// Such an iterator, or one that chooses from its items.
pub trait Choosing: Iterator {}

/// An iterator that chooses from its items by what does not change as long as the loop goes on: all
/// of them are chosen when it begins.
#[derive(Debug)]
pub struct Chosen<I>(pub I);

impl<I: Choosing> IntoItems for Chosen<I> {
    type Items = Queue<I::Item>;
    fn into_items(self) -> Self::Items {
        Queue(self.0.collect())
    }
}

macro_rules! choosing {
    ($($iterator:ty, [$($parameter:tt)*];)*) => {$(
        impl<$($parameter)*> Choosing for $iterator where Self: Iterator {}
    )*};
}

choosing! {
    Chain<A, B>, [A: Choosing, B: Choosing];
    Enumerate<I>, [I: Choosing];
    Filter<I, F>, [I: Choosing, F];
    FilterMap<I, F>, [I: Choosing, F];
    Map<I, F>, [I: Choosing, F];
    Range<T>, [T: Integer];
    RangeInclusive<T>, [T: Integer];
    Rev<I>, [I: Choosing];
    Skip<I>, [I: Choosing];
    SkipWhile<I, F>, [I: Choosing, F];
    StepBy<I>, [I: Choosing];
    Take<I>, [I: Choosing];
    TakeWhile<I, F>, [I: Choosing, F];
    Zip<A, B>, [A: Choosing, B: Choosing];
}

/// One over a collection; ranges count down by themselves.
pub trait OfCollection: Finite {}

macro_rules! finite {
    ($($iterator:ty, [$($parameter:tt)*];)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($parameter)*> Finite for $iterator where Self: Iterator {}
        #[diagnostic::do_not_recommend]
        impl<$($parameter)*> IntoItems for $iterator
        where
            Self: Iterator,
        {
            type Items = Queue<<Self as Iterator>::Item>;
            fn into_items(self) -> Self::Items {
                Queue(self.collect())
            }
        }
    )*};
}

finite! {
    Chain<A, B>, [A: Finite, B: Finite<Item = A::Item>];
    Enumerate<I>, [I: Finite];
    Rev<I>, [I: OfCollection + DoubleEndedIterator];
    Skip<I>, [I: Finite];
    StepBy<I>, [I: Finite];
    Take<I>, [I: Finite];
    Take<RangeFrom<T>>, [T: Integer];
    Take<StepBy<RangeFrom<T>>>, [T: Integer];
    Zip<A, B>, [A: Finite, B: Finite];
    Zip<A, RangeFrom<T>>, [A: Finite, T: Integer];
    Zip<RangeFrom<T>, B>, [T: Integer, B: Finite];
}

impl<T: Integer> Finite for Range<T> where Self: Iterator {}
impl<T: Integer> Finite for RangeInclusive<T> where Self: Iterator {}
impl<T: Integer> Finite for Rev<Range<T>> where Self: Iterator {}
impl<T: Integer> Finite for Rev<RangeInclusive<T>> where Self: Iterator {}

macro_rules! of_collections {
    ($($iterator:ty, [$($parameter:tt)*];)*) => {$(
        impl<$($parameter)*> OfCollection for $iterator {}
    )*};
}

of_collections! {
    Enumerate<I>, [I: OfCollection];
    Skip<I>, [I: OfCollection];
    StepBy<I>, [I: OfCollection];
    Take<I>, [I: OfCollection];
    Zip<A, B>, [A: OfCollection, B: OfCollection];
}

/// Of a range only some may be turned round, as it is counted down otherwise.
macro_rules! of_ranges {
    ($($iterator:ty)*) => {$(
        impl<T: Integer> OfCollection for $iterator where Self: Finite {}
    )*};
}

of_ranges! {
    Skip<Range<T>> Skip<RangeInclusive<T>>
    StepBy<Range<T>> StepBy<RangeInclusive<T>>
    Take<Range<T>> Take<RangeInclusive<T>>
}

/// What collections and texts iterate by over items that are nobody else's.
macro_rules! owned {
    ($($iterators:tt)*) => {
        choosing! { $($iterators)* }
        finite! { $($iterators)* }
        of_collections! { $($iterators)* }
    };
}

owned! {
    serde_json::map::IntoIter, [];
    serde_json::map::IntoValues, [];
    std::array::IntoIter<T, N>, [T, const N: usize];
    std::collections::btree_map::IntoIter<K, V>, [K, V];
    std::collections::btree_map::IntoKeys<K, V>, [K, V];
    std::collections::btree_map::IntoValues<K, V>, [K, V];
    std::collections::btree_set::IntoIter<T>, [T];
    std::collections::vec_deque::Drain<'_, T>, [T];
    std::collections::vec_deque::IntoIter<T>, [T];
    std::option::IntoIter<T>, [T];
    std::str::Bytes<'_>, [];
    std::str::CharIndices<'_>, [];
    std::str::Chars<'_>, [];
    std::vec::Drain<'_, T>, [T];
    std::vec::IntoIter<T>, [T];
}

/// What is left of a range that is counted down, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountDown<T> {
    next: Option<T>,
    last: T,
}

impl<T: Integer> Items for CountDown<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        let next = self.next?;
        self.next = (next > self.last).then(|| next.before());
        Some(next)
    }
}

macro_rules! counted_down {
    ($($range:ty)*) => {$(
        impl<T: Integer> IntoItems for Rev<$range>
        where
            $range: DoubleEndedIterator<Item = T>,
        {
            type Items = CountDown<T>;
            fn into_items(mut self) -> CountDown<T> {
                // The greatest is the first, and the least the last.
                let next = self.next();
                let last = self.next_back().or(next).unwrap_or(T::GREATEST);
                CountDown { next, last }
            }
        }
    )*};
}

counted_down!(Range<T> RangeInclusive<T>);

impl<T> IntoItems for Queue<T> {
    type Items = Self;
    fn into_items(self) -> Self {
        self
    }
}

/// What a range counts in, also characters. The ranges are looped over whatever integer they are of, so that a
/// `for i in 0..3` takes its type from how `i` is used.
pub trait Integer: Copy + PartialOrd {
    /// The one after it; not asked of the greatest.
    fn after(self) -> Self;
    /// The one before it; the least is before itself.
    fn before(self) -> Self;
    /// The greatest.
    const GREATEST: Self;
}

macro_rules! integers {
    ($($number:ty)*) => {$(
        impl Integer for $number {
            fn after(self) -> Self {
                self + 1
            }
            fn before(self) -> Self {
                self.saturating_sub(1)
            }
            const GREATEST: Self = Self::MAX;
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// Some numbers stand for no character: its ranges know which.
impl Integer for char {
    fn after(self) -> Self {
        (self..=Self::GREATEST).nth(1).unwrap_or(self)
    }
    fn before(self) -> Self {
        (char::MIN..=self).nth_back(1).unwrap_or(self)
    }
    const GREATEST: Self = char::MAX;
}

impl<T: Integer> Items for Count<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        let next = self.next?;
        self.next = (next < self.last).then(|| next.after());
        Some(next)
    }
}

impl<T: Integer> IntoItems for Range<T> {
    type Items = Count<T>;
    fn into_items(self) -> Count<T> {
        Count {
            next: (self.start < self.end).then_some(self.start),
            // An empty range has no last; what stands there is not looked at.
            last: self.end.before(),
        }
    }
}

impl<T: Integer> IntoItems for RangeInclusive<T> {
    type Items = Count<T>;
    fn into_items(self) -> Count<T> {
        Count {
            next: (!self.is_empty()).then_some(*self.start()),
            last: *self.end(),
        }
    }
}

impl<T: Integer> Items for RangeFrom<T>
where
    Self: Iterator<Item = T>,
{
    type Item = T;
    fn next(&mut self) -> Option<T> {
        Iterator::next(self)
    }
}

impl<T: Integer> IntoItems for RangeFrom<T>
where
    Self: Iterator<Item = T>,
{
    type Items = Self;
    fn into_items(self) -> Self {
        self
    }
}

/// What a closure makes of an item.
pub fn made<T, R>(item: T, make: impl FnOnce(T) -> R) -> R {
    make(item)
}

/// Whether a closure wants an item.
pub fn wanted<T>(item: &T, wants: impl FnOnce(&T) -> bool) -> bool {
    wants(item)
}

/// An iterator over what the workflow keeps, whose items come in the order of that: it can be made
/// anew at every await, and gives the same again.
#[diagnostic::on_unimplemented(
    message = "WF0046: a `for` loop over `{Self}` cannot await in its body",
    label = "cannot be gone on with after an await",
    note = "what can be looped over by reference with an `.await` in the body: a slice, a `Vec`, `VecDeque`, `BTreeMap`, `BTreeSet` or `Option`, and the characters, lines and words of a text",
    note = "a hash map's items come in another order when it has been saved: collect them and sort, or use a `BTreeMap`"
)]
pub trait Walk: Iterator {}

macro_rules! walks {
    ($($iterator:ty, [$($parameter:tt)*];)*) => {$(
        impl<$($parameter)*> Walk for $iterator {}
    )*};
}

walks! {
    serde_json::map::Iter<'_>, [];
    serde_json::map::IterMut<'_>, [];
    serde_json::map::Keys<'_>, [];
    serde_json::map::Values<'_>, [];
    serde_json::map::ValuesMut<'_>, [];
    std::slice::Chunks<'_, T>, [T];
    std::slice::ChunksExact<'_, T>, [T];
    std::slice::Iter<'_, T>, [T];
    std::slice::IterMut<'_, T>, [T];
    std::slice::Windows<'_, T>, [T];
    std::collections::vec_deque::Iter<'_, T>, [T];
    std::collections::vec_deque::IterMut<'_, T>, [T];
    std::collections::btree_map::Iter<'_, K, V>, [K, V];
    std::collections::btree_map::IterMut<'_, K, V>, [K, V];
    std::collections::btree_map::Keys<'_, K, V>, [K, V];
    std::collections::btree_map::Range<'_, K, V>, [K, V];
    std::collections::btree_map::RangeMut<'_, K, V>, [K, V];
    std::collections::btree_map::Values<'_, K, V>, [K, V];
    std::collections::btree_map::ValuesMut<'_, K, V>, [K, V];
    std::collections::btree_set::Iter<'_, T>, [T];
    std::collections::btree_set::Range<'_, T>, [T];
    std::option::Iter<'_, T>, [T];
    std::option::IterMut<'_, T>, [T];
    std::str::Bytes<'_>, [];
    std::str::CharIndices<'_>, [];
    std::str::Chars<'_>, [];
    std::str::Lines<'_>, [];
    std::str::RSplit<'_, char>, [];
    std::str::RSplit<'_, &str>, [];
    std::str::Split<'_, char>, [];
    std::str::Split<'_, &str>, [];
    std::str::SplitWhitespace<'_>, [];
}

impl<T: Integer> Walk for Range<T> where Self: Iterator {}
impl<T: Integer> Walk for RangeFrom<T> where Self: Iterator {}
impl<T: Integer> Walk for RangeInclusive<T> where Self: Iterator {}

impl<I: Walk> Walk for Enumerate<I> {}
impl<I: Walk> Walk for Skip<I> {}
impl<I: Walk> Walk for StepBy<I> {}
impl<I: Walk> Walk for Take<I> {}
impl<A: Walk, B: Walk<Item = A::Item>> Walk for Chain<A, B> {}
impl<A: Walk, B: Walk> Walk for Zip<A, B> {}
impl<I: Walk, F> Walk for Filter<I, F> where Self: Iterator {}
impl<I: Walk, F> Walk for FilterMap<I, F> where Self: Iterator {}
impl<I: Walk, F> Walk for Map<I, F> where Self: Iterator {}
impl<I: Walk, F> Walk for SkipWhile<I, F> where Self: Iterator {}
impl<I: Walk, F> Walk for TakeWhile<I, F> where Self: Iterator {}
impl<I: Walk + DoubleEndedIterator> Walk for Rev<I> {}
impl<'a, T: Clone + 'a, I: Walk<Item = &'a T>> Walk for Cloned<I> {}
impl<'a, T: Copy + 'a, I: Walk<Item = &'a T>> Walk for Copied<I> {}

/// The next item of a loop that counts how far it is, and the count beyond it.
pub fn walk<I: IntoIterator<IntoIter: Walk>>(iterable: I, next: &mut usize) -> Option<I::Item> {
    let item = iterable.into_iter().nth(*next)?;
    *next += 1;
    Some(item)
}

/// The item that such a loop is at, once more.
pub fn walked<I: IntoIterator<IntoIter: Walk>>(iterable: I, next: usize) -> Option<I::Item> {
    iterable.into_iter().nth(next.checked_sub(1)?)
}

/// An iterator that a search for something to refer to goes over: see [`Walk`].
#[diagnostic::on_unimplemented(
    message = "WF0041: what is found in `{Self}` is kept across an `.await`",
    label = "may be found elsewhere when the run goes on",
    note = "a run is saved at every await, and a reference cannot be saved: it is searched for again, which gives the same only where the items have an order of their own",
    note = "keep a copy of what is found, or use a `BTreeMap` in place of a hash map",
    note = "where the items are values and no references, write their type: `let items: Vec<Item> = ….collect();`"
)]
pub trait InOrder: Iterator {}

#[diagnostic::do_not_recommend]
impl<I: Walk> InOrder for I {}

/// What is searched, again.
pub fn in_order<I: InOrder>(iterator: I) -> I {
    iterator
}

/// An iterator that goes over what has an order of its own, or is there once: sorted it is the same,
/// whatever order it came in.
#[diagnostic::on_unimplemented(
    message = "WF0046: `{Self}` cannot be sorted again after an await",
    label = "its items may come in another order then, and equal ones are sorted as they come",
    note = "sort the keys of a hash map, or its pairs; or use a `BTreeMap`"
)]
pub trait Sortable: Iterator {}

#[diagnostic::do_not_recommend]
impl<I: Walk> Sortable for I {}

/// What has every key or value but once.
macro_rules! once_each {
    ($($iterator:ty, [$($parameter:tt)*];)*) => {$(
        impl<$($parameter)*> Sortable for $iterator {}
        impl<$($parameter)*, F> Sortable for Filter<$iterator, F> where Self: Iterator {}
    )*};
}

once_each! {
    std::collections::hash_map::Iter<'a, K, V>, ['a, K, V];
    std::collections::hash_map::Keys<'a, K, V>, ['a, K, V];
    std::collections::hash_set::Iter<'a, T>, ['a, T];
}

/// What is collected and sorted, again.
pub fn in_some_order<I: Sortable>(iterator: I) -> I {
    iterator
}

/// A list, arranged.
pub fn arranged<T>(mut list: T, arrange: impl FnOnce(&mut T)) -> T {
    arrange(&mut list);
    list
}

/// Where an item is that a search has found.
pub fn place_of<T: Lent>(found: Option<T>) -> Option<usize> {
    found.map(Lent::place)
}

/// The number of the item that is there; one that no item has, where nothing was found.
pub fn number_of<T: Lent>(place: Option<usize>, mut iterator: impl Iterator<Item = T>) -> usize {
    place
        .and_then(|place| iterator.position(|item| item.place() == place))
        .unwrap_or(usize::MAX)
}

/// An item that may be changed, and its number or key, perhaps.
#[diagnostic::on_unimplemented(
    message = "WF0041: `{Self}` is searched for, to be changed, and lives across an `.await`",
    label = "cannot be found again",
    note = "a run is saved at every await, and a reference cannot be saved: an item of a `Vec`, `VecDeque`, slice or `BTreeMap` is found again by its number"
)]
pub trait Lent {
    /// What tells it from the others: its number, or where its key is or it itself. Items without a size
    /// are all alike.
    fn place(self) -> usize;
}

impl<T> Lent for &mut T {
    fn place(self) -> usize {
        std::ptr::from_mut(self).addr()
    }
}

#[diagnostic::do_not_recommend]
impl<K, R: Lent> Lent for (&K, R) {
    fn place(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

#[diagnostic::do_not_recommend]
impl<R: Lent> Lent for (usize, R) {
    fn place(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<I: IntoItems>(iterable: I) -> Vec<<I::Items as Items>::Item> {
        let mut items = items(iterable);
        std::iter::from_fn(|| items.next()).collect()
    }

    #[test]
    fn ranges_count_as_they_do() {
        assert_eq!(all(0..3u8), [0, 1, 2]);
        assert_eq!(all(253..=255u8), [253, 254, 255]);
        let (first, end) = (3, 0);
        assert_eq!(all(first..end), [0i32; 0]);
        assert_eq!(all(i8::MIN..i8::MIN), [0i8; 0]);
        assert_eq!(all(RangeInclusive::new(1u8, 0)), [0u8; 0]);
        let mut spent = 1..=2u8;
        assert_eq!(spent.by_ref().count(), 2);
        assert_eq!(all(spent), [0u8; 0]);
    }

    #[test]
    fn collections_give_their_items_in_order() {
        assert_eq!(all(vec![3, 1, 2]), [3, 1, 2]);
        assert_eq!(
            all(BTreeMap::from([(2, 'b'), (1, 'a')])),
            [(1, 'a'), (2, 'b')]
        );
        assert_eq!(all(Some(5)), [5]);
    }
}
