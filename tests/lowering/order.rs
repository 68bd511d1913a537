//! What is read before an await of the same expression, what after it, and when closures are called.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    id: i64,
    who: Option<String>,
    alt: Option<String>,
    tags: Vec<String>,
    n: i64,
}

fn order(id: i64) -> Order {
    Order {
        id,
        who: (id % 2 == 1).then(|| format!("who{id}")),
        alt: Some(format!("alt{id}")),
        tags: vec![format!("tag{id}")],
        n: id * 10,
    }
}

fn pair(one: impl std::fmt::Debug, other: impl std::fmt::Debug) -> String {
    format!("{one:?} {other:?}")
}

#[test]
fn what_a_mutable_reference_refers_to_changes_beside_it() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all: Vec<Order> = (0..n).map(order).collect();
        let mut sum = 0;
        let list = &mut all;
        for one in list {
            note((one.n, {
                one.n += 1;
                give(one.n).await?
            }));
            sum += one.n.max({
                one.n += 1;
                give(one.n - 5).await?
            });
        }
        let mut other = order(n);
        let whole = &mut other;
        let Order { n, tags, .. } = whole;
        note(pair(*n, {
            let old = std::mem::replace(n, 99);
            give(old).await?
        }));
        let same = *n == {
            *n += 1;
            give(*n).await?
        };
        tags.push(same.to_string());
        note((&other, sum));
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn closures_are_called_for_one_item_after_the_other() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let table = vec![3i64, 5, 7];
        for price in vec![0usize, 1, 9].into_iter().map(|i| table[i]) {
            give(price).await?;
            if price == 5 {
                break;
            }
        }
        for one in [1u8, 2, 255].into_iter().map(|n| n + 1) {
            give(i64::from(one)).await?;
            if one == 3 {
                break;
            }
        }
        for one in (1..i64::MAX).filter(|n| n % 7 == 0) {
            if give(one).await? > 2 * n {
                break;
            }
        }
        let words = ["a", "", "c", "d"].map(str::to_owned);
        let mut empty = 0;
        for (i, (at, word)) in words
            .into_iter()
            .enumerate()
            .filter(|(_, word)| {
                empty += i32::from(word.is_empty());
                !word.is_empty()
            })
            .enumerate()
        {
            note((i, at));
            greet(&word).await?;
        }
        note(empty);
        for (at, half) in (0..6i64)
            .filter_map(|n| if n % 2 == 0 { Some(n / 2) } else { None })
            .enumerate()
            .take_while(|(at, _)| *at < 2)
        {
            note((at, give(half).await?));
        }
        for twice in (0..3i64).filter(|n| *n != 1).map(|n| n * 2).rev() {
            give(twice).await?;
        }
        for twice in [1i64, 2, 3].map(|n| {
            note(("map", n));
            n * 2
        }) {
            give(twice).await?;
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut sum = 0;
        for one in [1i64, 2, 1]
            .into_iter()
            .filter(|n| seen.insert(*n))
            .map(|n| n * 10)
            .filter(|n| {
                sum += n;
                true
            })
        {
            give(one).await?;
        }
        note((seen, sum));
        let mut asked = 0;
        for word in table.iter().filter(|n| {
            asked += **n;
            asked % 2 == 1
        }) {
            give(*word).await?;
            note(word);
        }
        note(asked);
        let mut all: Vec<Order> = (0..4).map(order).collect();
        for one in all.iter_mut().filter(|one| one.who.is_none()) {
            one.n -= give(1).await?;
            give(one.n).await?;
            one.who = Some("nobody".to_owned());
        }
        note(all);
        for one in (0..4i64).rev().map(|i| 12 / i) {
            give(one).await?;
        }
        Ok(0)
    }
    same!(run; (3), (30));
}

#[test]
fn a_range_ends_as_the_number_does() {
    #[workflow]
    async fn run(from: u8) -> Result<i64, WorkflowError> {
        for i in from.. {
            give(i64::from(i)).await?;
            if i == 7 {
                return Ok(7);
            }
        }
        Ok(0)
    }
    same!(run; (5), (253));
}

#[test]
fn parts_that_are_wanted_in_some_form() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        let Order {
            who: who @ Some(_),
            alt,
            ..
        } = o
        else {
            return Ok(-1);
        };
        give(1).await?;
        note((who, alt));
        Ok(o.n)
    }
    same!(run; (order(1)), (order(2)));

    #[workflow]
    async fn wrapped(o: Order) -> Result<i64, WorkflowError> {
        let all: VecDeque<String> = o.tags.into();
        let name = o.who.filter(|who| who.len() > 2).or(o.alt);
        give(o.id).await?;
        note((all, name));
        Ok(o.n)
    }
    same!(wrapped; (order(1)), (order(2)));
}

#[test]
fn what_is_indexed_is_looked_at_in_its_time() {
    #[workflow]
    async fn run(i: usize) -> Result<i64, WorkflowError> {
        let mut all = [1i64, 2, 3];
        let first = all[{
            all[0] = 9;
            give(0).await? as usize
        }];
        note(first);
        let mut names = vec!["a".to_owned(), "b".to_owned()];
        let mut at = 0;
        names[at].push_str(&{
            at += 1;
            greet("x").await?
        });
        note((&names, at));
        let more = |n: i64| n + first;
        note((Some(1).map(|n: i64| n + first), give(more(1)).await?));
        all[i] += give(1).await?;
        names[i] += &greet("y").await?;
        note(&names);
        Ok(all[0])
    }
    same!(run; (0), (1), (2), (9));
}

#[test]
fn what_is_not_there_is_noticed_in_its_time() {
    #[workflow]
    async fn of_bools(i: usize) -> Result<i64, WorkflowError> {
        let mut all = vec![true, false];
        all[i] |= even(2).await?;
        Ok(i64::from(all[i]))
    }
    same!(of_bools; (0), (9));

    #[workflow]
    async fn by_reference(i: usize) -> Result<i64, WorkflowError> {
        let mut all = vec![1i64, 2];
        all[i] += &give(1).await?;
        Ok(all[i])
    }
    same!(by_reference; (0), (9));
}

#[test]
fn functions_by_name_are_called_for_one_item_after_the_other() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let list: Vec<i32> = (0..n as i32).collect();
        let mut sum = 0;
        for x in list.clone().into_iter().map(i64::from) {
            sum += give(x).await?;
        }
        for x in list.iter().copied().map(i64::from).map(i64::abs) {
            sum += give(x).await?;
        }
        for x in list.iter().map(|x| i64::from(*x)) {
            sum += give(x).await?;
        }
        for x in "a b c".split(' ').map(String::from) {
            greet(&x).await?;
        }
        for x in "a b c".split(' ').map(str::to_owned) {
            greet(&x).await?;
        }
        for (i, x) in vec!["a".to_string()].into_iter().map(Some).enumerate() {
            greet(&x.unwrap()).await?;
            give(i as i64).await?;
        }
        Ok(sum)
    }
    same!(run; (0), (3), (4));
}

#[test]
fn items_are_counted_as_they_come() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let names: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
        let results: Vec<i64> = (0..n).collect();
        let mut sum = 0;
        for (name, r) in names.iter().zip(results) {
            greet(name).await?;
            sum += give(r).await?;
            note(name);
        }
        for (i, x) in names.iter().enumerate().skip(1) {
            greet(x).await?;
            sum += give(i as i64).await?;
        }
        for (i, x) in names.iter().map(|x| x.len() as i64 / 2).enumerate().skip(1) {
            give(x).await?;
            sum += give(i as i64).await?;
        }
        for x in names.iter().map(|x| x.len() as i64 / 2).take(2) {
            give(x).await?;
        }
        for x in names.iter().filter(|x| x.len() > 1).take(2) {
            greet(x).await?;
            note(x);
        }
        for x in names
            .iter()
            .filter(|x| x[1..].parse::<i64>().unwrap() > 1)
            .take(2)
        {
            greet(x).await?;
            note(x);
        }
        for x in names
            .into_iter()
            .map(|x| x.len() as i64 + 2)
            .skip(1)
            .take(2)
        {
            give(x).await?;
        }
        Ok(sum)
    }
    same!(run; (0), (3), (4));
}

#[test]
fn what_is_zipped_with_comes_in_the_body() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        for x in (250u8..).map(|x| x / 2).take(5) {
            give(x as i64).await?;
        }
        for x in (250u8..)
            .filter(|x| {
                note(x);
                x % 2 == 0
            })
            .take(3)
        {
            give(x as i64).await?;
        }
        for x in (250u8..)
            .filter(|x| {
                note(x);
                x % 2 == 0
            })
            .skip(1)
            .take(2)
            .map(i64::from)
            .take(n as usize)
        {
            give(x).await?;
        }
        let k = n as usize;
        for x in (1..).map(|i| i * 2).take(k) {
            give(x).await?;
            if x > 4 {
                continue;
            }
            note(x);
        }
        for (i, x) in (1..).map(|i| i * 2).skip(k).enumerate().take(k) {
            give(x).await?;
            if i == 1 {
                break;
            }
            note(x);
        }
        for x in (1..)
            .filter(|i| {
                note(i);
                i % (n + 1) != 0
            })
            .take(k)
            .skip(1)
        {
            give(x).await?;
        }
        let names = vec!["a".to_owned(), "b".to_owned()];
        for (a, b) in names.iter().zip(list(n).await?) {
            greet(a).await?;
            note(b);
        }
        for ((a, b), c) in names.iter().zip(list(n).await?).zip(vec![noted(1), 2, 3]) {
            greet(a).await?;
            note((b, c));
        }
        for (mut a, b) in names.iter().cloned().zip(vec![1, 2, 3]) {
            greet(&a).await?;
            a.push('x');
            note((b, a));
        }
        for (a, b) in names.into_iter().zip(vec![1, 2, 3]) {
            greet(&a).await?;
            note(b);
        }
        Ok(0)
    }
    same!(run; (1), (3), (4));
}
