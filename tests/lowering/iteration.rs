//! Collections, ranges and references that ordinary loops go over.

use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[test]
fn collections_in_loops() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        use std::collections::{BTreeSet, VecDeque};
        let mut total = 0;
        let set: BTreeSet<i64> = [3, 1, x].into();
        let queue = VecDeque::from([x, 2]);
        for n in set.iter().rev() {
            total += give(*n).await?;
        }
        for n in set {
            total += give(n).await?;
        }
        for n in &queue {
            total += give(*n).await?;
        }
        for n in queue.into_iter().rev() {
            total += give(n).await?;
        }
        for n in Some(x) {
            total += give(n).await?;
        }
        for n in (0..x).step_by(2) {
            total += give(n).await?;
        }
        for n in (0..=x).rev() {
            total += give(n).await?;
        }
        let list = vec![1, 2, x];
        for n in &list[1..] {
            total += give(*n).await?;
        }
        for (a, b) in list.into_iter().zip(0..2) {
            total += give(a + b).await?;
        }
        Ok(total)
    }
    same!(run; (2), (5));
}

#[test]
fn accessors_are_made_again() {
    #[workflow]
    async fn run(text: String, list: Vec<i64>) -> Result<i64, WorkflowError> {
        let trimmed = text.trim();
        let first = list.first();
        let last = list.last();
        let second = list.get(1);
        let n = give(1).await?;
        Ok(n + trimmed.len() as i64
            + first.copied().unwrap_or(0)
            + last.copied().unwrap_or(0)
            + second.copied().unwrap_or(0))
    }
    same!(run; (" a ".to_owned(), vec![1, 2, 3]), (String::new(), vec![]));
}

#[test]
fn mutable_references_in_loops() {
    #[workflow]
    async fn run(mut list: Vec<i64>) -> Result<Vec<i64>, WorkflowError> {
        for n in &mut list {
            *n += give(*n).await?;
        }
        for n in list.iter_mut() {
            *n += give(1).await?;
        }
        Ok(list)
    }
    same!(run; (vec![1, 2, 3]), (vec![]));
}
