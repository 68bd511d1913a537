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

#[test]
fn numbers_that_change() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let items = vec![x, x + 1, x + 2, x + 3];
        let mut n = 1;
        let mut total = 0;
        for item in items.iter().skip(n).take(give(2).await? as usize) {
            n += 1;
            total += give(*item).await?;
        }
        for item in &items[n - 2..] {
            n += 1;
            total += give(*item).await?;
        }
        Ok(total + n as i64)
    }
    same!(run; (1), (4));
}

#[test]
fn zipped() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let items = vec![x, x + 1, x + 2];
        let mut names = vec!["a".to_owned(), "b".to_owned()];
        let mut total = 0;
        let mut from = 5;
        for (item, name) in items.iter().zip(&names) {
            total += add(*item, greet(name).await?.len() as i64).await?;
        }
        for (item, i) in items.iter().zip(from..) {
            from += 10;
            total += add(*item, i).await?;
        }
        for (name, (i, item)) in names.iter_mut().zip(items.iter().enumerate()) {
            name.push('!');
            total += add(*item, i as i64).await?;
            name.push('?');
        }
        note(&names);
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn windows_chunks_and_splits() {
    #[workflow]
    async fn run(x: i64, text: String) -> Result<i64, WorkflowError> {
        let mut items = vec![x, x + 1, x + 2, x + 3, x + 4];
        items.push(1);
        let mut total = 0;
        for pair in items.windows(2) {
            total += add(pair[0], pair[1]).await?;
        }
        for some in items.chunks(4) {
            total += add(some.len() as i64, some[0]).await?;
        }
        for (i, word) in text.split(',').enumerate() {
            total += add(greet(word).await?.len() as i64, i as i64).await?;
        }
        for word in text.rsplit(", ") {
            total += greet(word).await?.len() as i64;
        }
        for item in items.drain(1..3) {
            total += give(item).await?;
        }
        for item in items.drain(..).rev() {
            total += give(item).await?;
        }
        Ok(total + items.len() as i64)
    }
    same!(run; (1, "a, b,c".to_owned()), (4, String::new()));
}

#[test]
fn values_of_a_map_that_changes() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut map = std::collections::BTreeMap::new();
        map.insert("a".to_owned(), x);
        map.insert("b".to_owned(), x + 1);
        let mut total = 0;
        for value in map.values() {
            total += give(*value).await?;
        }
        for value in map.values_mut() {
            *value += give(1).await?;
        }
        for key in map.keys() {
            total += greet(key).await?.len() as i64;
        }
        note(&map);
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn an_iterator_that_the_workflow_holds() {
    #[workflow]
    async fn run(items: Vec<i64>, text: String) -> Result<i64, WorkflowError> {
        let mut sum = 0;
        let mut left = items.clone().into_iter();
        while let Some(item) = left.next() {
            sum += give(item).await?;
            if sum > 3 {
                sum -= give(left.next_back().unwrap_or(0)).await?;
            }
            note(left.len());
        }
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            if let Some(next) = letters.peek() {
                sum += give(i64::from(*next == letter)).await?;
            }
            note(letters.next_if_eq(&'x'));
            greet(&letter.to_string()).await?;
        }
        let rest = list(3).await?.into_iter().skip(1);
        sum += give(1).await?;
        for item in rest {
            sum += give(item).await?;
        }
        let mut copies = items.into_iter().enumerate();
        let first = copies.next();
        sum += give(first.map_or(0, |(at, _)| at as i64)).await?;
        note(
            copies
                .map(|(at, item)| at as i64 + item)
                .collect::<Vec<_>>(),
        );
        Ok(sum)
    }
    same!(run; (vec![], String::new()), (vec![1], "a".to_owned()), (vec![4, 1, 2, 3, 9], "abxxbbx".to_owned()));
}

#[test]
fn an_iterator_that_takes_the_items_out() {
    #[workflow]
    async fn run(mut items: Vec<i64>) -> Result<i64, WorkflowError> {
        let map: std::collections::BTreeMap<i64, String> =
            items.iter().map(|n| (*n, n.to_string())).collect();
        let mut sum = 0;
        {
            let mut first = items.drain(..2).rev();
            while let Some(item) = first.next() {
                sum += give(item).await?;
                note(first.len());
            }
        }
        note(&items);
        let mut pairs = map.into_iter();
        let (key, value) = pairs.next().unwrap_or_default();
        sum += give(key).await? + value.len() as i64;
        sum += pairs.map(|(key, _)| key).sum::<i64>();
        let spent = items.clone().into_iter();
        sum += spent.as_slice().len() as i64;
        let mut page = items.into_iter();
        if page.next().is_none() {
            page = vec![give(3).await?].into_iter();
            sum += page.next().unwrap_or(0);
        }
        fn rest(left: std::vec::IntoIter<i64>) -> i64 {
            left.sum()
        }
        let all = list(4).await?.into_iter();
        sum += rest(all);
        Ok(give(sum).await?)
    }
    same!(run; (vec![1, 2]), (vec![7, 8, 9]));
}

#[test]
fn characters() {
    #[workflow]
    async fn run(n: char) -> Result<i64, WorkflowError> {
        let mut s = String::new();
        for c in 'a'..=n {
            s.push(c);
            give(1).await?;
        }
        for c in ('a'..'d').rev() {
            s.push(c);
            greet(&s).await?;
        }
        for c in '\u{D7FE}'..='\u{E001}' {
            s.push(c);
            greet(&s).await?;
        }
        for c in ('\u{D7FE}'..='\u{E001}').rev() {
            s.push(c);
            greet(&s).await?;
        }
        for (i, c) in ('a'..='c').enumerate() {
            note((i, c));
            greet(&s).await?;
        }
        Ok(1)
    }
    same!(run; ('c'), ('A'), ('a'));
}

#[test]
fn numbers_before_items() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut v = vec![3, 4, 5];
        let hit = (1..).zip(&v).find(|(n, x)| *n + *x > k);
        give(1).await?;
        if let Some((n, x)) = hit {
            give(n + x).await?;
        }
        for (n, x) in (1..).zip(&v) {
            give(n + x).await?;
            if even(*x).await? {
                v.push(7);
                give(n).await?;
                break;
            }
        }
        for (n, x) in (k..=5).zip(&mut v) {
            give(n + *x).await?;
            *x += n;
        }
        for (n, x) in (0..k).zip(v.iter()) {
            give(n + x).await?;
        }
        for (n, x) in (1i64..).zip(v) {
            give(n + x).await?;
        }
        Ok(1)
    }
    same!(run; (1), (2), (6));
}

#[test]
fn open_ranges() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        for n in (k..).take(3) {
            give(n).await?;
        }
        for n in (k..).step_by(3).take(2) {
            give(n).await?;
        }
        for (x, n) in vec![3, 4].into_iter().zip(k..) {
            give(n + x).await?;
        }
        for n in (k..).map(|n| n * 2).take_while(|n| *n < 12) {
            give(n).await?;
        }
        Ok(1)
    }
    same!(run; (1), (2));
}

#[test]
fn what_is_made_for_the_loop() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        for pair in [vec![1, 2], vec![n]].concat().chunks(2) {
            give(pair[0]).await?;
        }
        for word in "A b C".to_lowercase().split(' ') {
            greet(word).await?;
        }
        for line in ["x", "y"].join("\n").lines() {
            greet(line).await?;
        }
        Ok(n)
    }
    same!(run; (1));
}

#[test]
fn what_is_taken_beside_what_is_borrowed() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut items = vec!["a".to_string(), "b".to_string(), "c".to_string()];
        let rs = vec![give(1).await?, n];
        let mut t = 0;
        for (r, item) in rs.into_iter().zip(&items) {
            greet(item).await?;
            t += give(r).await?;
            note(item);
        }
        for (i, (r, item)) in vec![7, 8, 9, 10]
            .into_iter()
            .zip(items.iter().skip(1))
            .enumerate()
        {
            greet(item).await?;
            give(r + i as i64).await?;
            note(item);
        }
        for (r, item) in join_all([give(1), give(2)])
            .await
            .into_iter()
            .zip(&mut items)
        {
            item.push('x');
            t += r?;
            greet(item).await?;
        }
        for (r, item) in [1, 2].into_iter().zip(items.iter()).take(1) {
            if r == n {
                items.clear();
                give(r).await?;
                break;
            }
            greet(item).await?;
            give(r).await?;
        }
        let m = std::collections::BTreeMap::from([(1, 2), (3, 4)]);
        for (x, (k, v)) in vec![1, 2, 3].into_iter().rev().zip(&m) {
            give(k + v + x).await?;
        }
        Ok(t)
    }
    same!(run; (1), (4));
}
