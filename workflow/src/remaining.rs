//! What is left of an iterator that a workflow holds in a `let` of its own, and that may live across
//! an await: `let mut items = order.items.into_iter().peekable();`.

use std::collections::VecDeque;
use std::iter::{FusedIterator, Peekable, Rev};

use serde::{Deserialize, Serialize};

use crate::items::{IntoItems, OfCollection, Queue};

/// The items that are left, taken out of the iterator when it is made. It can be saved, and is to
/// the code around what the iterator was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remaining<T>(VecDeque<T>);

/// An iterator whose items can be taken out at once, so that nobody sees it.
pub trait Remains: Iterator {}

impl<I: OfCollection> Remains for I {}
impl<I: OfCollection + DoubleEndedIterator> Remains for Rev<I> {}
impl<I: Remains> Remains for Peekable<I> {}

impl<T> Remaining<T> {
    /// As [`Peekable::peek`].
    pub fn peek(&mut self) -> Option<&T> {
        self.0.front()
    }

    /// As [`Peekable::peek_mut`].
    pub fn peek_mut(&mut self) -> Option<&mut T> {
        self.0.front_mut()
    }

    /// As [`Peekable::next_if`].
    pub fn next_if(&mut self, is_wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        match self.0.front() {
            Some(next) if is_wanted(next) => self.0.pop_front(),
            _ => None,
        }
    }

    /// As [`Peekable::next_if_eq`].
    pub fn next_if_eq<R: ?Sized>(&mut self, expected: &R) -> Option<T>
    where
        T: PartialEq<R>,
    {
        self.next_if(|next| next == expected)
    }
}

impl<T> Iterator for Remaining<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T> DoubleEndedIterator for Remaining<T> {
    fn next_back(&mut self) -> Option<T> {
        self.0.pop_back()
    }
}

impl<T> ExactSizeIterator for Remaining<T> {}
impl<T> FusedIterator for Remaining<T> {}

impl<T> IntoItems for Remaining<T> {
    type Items = Queue<T>;
    fn into_items(self) -> Queue<T> {
        Queue::from(self.0)
    }
}

/// Chosen where a value [`Remains`]; what is taken by one reference less goes first.
pub trait Taking {
    /// How it is kept.
    fn keeping(&self) -> TakesOut {
        TakesOut
    }
}

impl<I: Remains> Taking for I {}

/// Chosen for any other value.
pub trait Leaving {
    /// How it is kept.
    fn keeping(&self) -> Leaves {
        Leaves
    }
}

impl<V> Leaving for &V {}

/// Keeps what is left of an iterator.
#[derive(Debug)]
pub struct TakesOut;

impl TakesOut {
    /// Its items.
    pub fn keep<I: Remains>(self, iterator: I) -> Remaining<I::Item> {
        Remaining(iterator.collect())
    }
}

/// Keeps a value as it is.
#[derive(Debug)]
pub struct Leaves;

impl Leaves {
    /// It.
    pub fn keep<V>(self, value: V) -> V {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! kept {
        ($value:expr) => {
            match $value {
                value => (&value).keeping().keep(value),
            }
        };
    }

    #[test]
    fn it_is_what_the_iterator_was() {
        let mut left: Remaining<i32> = kept!(vec![1, 2, 3, 4].into_iter().peekable());
        assert_eq!(left.len(), 4);
        assert_eq!(left.peek(), Some(&1));
        assert_eq!(left.next_if(|next| *next > 1), None);
        assert_eq!(left.next_if_eq(&1), Some(1));
        *left.peek_mut().unwrap() = 7;
        assert_eq!((left.next_back(), left.next()), (Some(4), Some(7)));
        assert_eq!(left.collect::<Vec<_>>(), [3]);

        let mut letters: Remaining<(usize, char)> = kept!("añb".char_indices().rev());
        assert_eq!(letters.next(), Some((3, 'b')));
    }

    #[test]
    fn what_is_no_such_iterator_stays_as_it_is() {
        let range: std::ops::Range<u8> = kept!(0..3);
        assert_eq!(range, 0..3);
        assert_eq!(kept!("text").len(), 4);
    }
}
