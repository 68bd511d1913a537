//! Loops that await.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[test]
fn loops_over_ranges() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        for i in 0..n {
            total += give(i).await?;
        }
        for i in 1..=n {
            total += add(i, total).await?;
        }
        for _ in 0..2u8 {
            total += give(total).await?;
        }
        for i in 3.. {
            if i > give(4).await? {
                break;
            }
        }
        Ok(total)
    }
    same!(run; (0), (1), (3));
}

#[test]
fn loops_over_collections() {
    #[workflow]
    async fn run(
        names: Vec<String>,
        known: BTreeMap<String, i64>,
    ) -> Result<Vec<String>, WorkflowError> {
        let mut all = Vec::new();
        for name in names {
            all.push(greet(&name).await?);
        }
        for (name, n) in known {
            let n = give(n).await?;
            all.push(format!("{name}{n}"));
        }
        for n in VecDeque::from([1, 2]) {
            give(n).await?;
        }
        for n in BTreeSet::from([2, 1]) {
            give(n).await?;
        }
        for n in [5, 6] {
            give(n).await?;
        }
        for n in Some(7) {
            give(n).await?;
        }
        for n in list(2).await? {
            all.push(give(n).await?.to_string());
        }
        for n in list(3).await? {
            all.push(n.to_string());
        }
        for n in all.iter().map(String::len).collect::<Vec<_>>() {
            give(n as i64).await?;
        }
        Ok(all)
    }
    same!(run; (vec!["a".into(), "b".into()], BTreeMap::from([("x".into(), 1), ("w".into(), 2)])));
}

#[test]
fn break_and_continue() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut seen = Vec::new();
        for i in 0..n {
            if i == 1 {
                continue;
            }
            if even(i).await? {
                if i > 4 {
                    break;
                }
                seen.push(i);
                continue;
            }
            seen.push(-give(i).await?);
            if i == 5 {
                give(55).await?;
                break;
            }
        }
        seen.push(give(9).await?);
        Ok(seen)
    }
    same!(run; (0), (1), (2), (5), (6), (9));
}

#[test]
fn loop_with_a_value() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut i = n;
        let found = loop {
            i += 1;
            if i > 10 {
                break -1;
            }
            if even(i).await? {
                break i * give(2).await?;
            }
            match i {
                3 => break add(i, 3).await?,
                5 => continue,
                7 => {
                    give(7).await?;
                }
                _ => break 100,
            }
        };
        let last = loop {
            if found > 0 {
                break None;
            }
            if give(found).await? < 0 {
                break Some(found);
            }
        };
        Ok(found + last.unwrap_or(1000))
    }
    same!(run; (0), (1), (2), (4), (6), (10), (-4));
}

#[test]
fn while_with_an_await_in_the_head() {
    #[workflow]
    async fn run(mut n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut seen = Vec::new();
        while even(n).await? && n > 0 {
            n /= 2;
            seen.push(n);
        }
        while let Some(half) = half(n + 1).await? {
            seen.push(half);
            n = half;
            if n < 2 {
                break;
            }
        }
        while n < 5 {
            n = add(n, 1).await?;
        }
        while n > 0 || even(n).await? {
            n -= 3;
            if n < -10 {
                seen.push(n);
            }
        }
        let mut queue = VecDeque::from(seen);
        let mut out = Vec::new();
        while let Some(next) = queue.pop_front() {
            out.push(give(next).await?);
            if next == 3 {
                queue.push_back(30);
            }
        }
        Ok(out)
    }
    same!(run; (0), (1), (6), (8), (12), (7));
}

#[test]
fn labels_through_nested_loops() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut seen = Vec::new();
        'outer: for i in 0..n {
            seen.push(give(i).await?);
            'middle: loop {
                let mut k = 0;
                while k < 4 {
                    k += 1;
                    let product = add(i, k).await?;
                    seen.push(product);
                    if product == 3 {
                        continue 'outer;
                    }
                    if product == 5 {
                        break 'middle;
                    }
                    if product == 6 {
                        break 'outer;
                    }
                    if product == 2 {
                        continue;
                    }
                    for native in 0..3 {
                        if native == 1 && i == 1 {
                            seen.push(99);
                            continue 'middle;
                        }
                        if native == 2 {
                            break;
                        }
                        if seen.len() > 40 {
                            break 'outer;
                        }
                    }
                }
                seen.push(give(100).await?);
                break;
            }
            seen.push(-give(i).await?);
        }
        seen.push(give(-1).await?);
        Ok(seen)
    }
    same!(run; (0), (1), (2), (3), (6));
}

#[test]
fn jumps_out_of_code_that_stays() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let mut text = String::new();
        'all: for i in 0..n {
            let half = match i % 3 {
                0 => i,
                1 => continue,
                _ => {
                    for j in 0..i {
                        if j == 4 {
                            text.push('!');
                            break 'all;
                        }
                        if j == 3 {
                            return Ok(text);
                        }
                    }
                    if i > 7 { break } else { i + 1 }
                }
            };
            let owned = format!("{half}");
            give(half).await?;
            let found = 'find: {
                for letter in owned.chars() {
                    if letter == '3' {
                        break 'find true;
                    }
                    if letter == '6' {
                        continue 'all;
                    }
                }
                false
            };
            text += &format!("{owned}{found} ");
        }
        give(0).await?;
        Ok(text)
    }
    same!(run; (0), (1), (3), (4), (5), (6), (12));
}

#[test]
fn what_lives_through_a_loop() {
    #[workflow]
    async fn run(n: i64) -> Result<(i64, String, Vec<String>), WorkflowError> {
        let prefix = greet("p").await?;
        let mut best = None;
        let mut names = Vec::new();
        let mut last = String::new();
        for i in 0..n {
            let name = format!("{prefix}{i}");
            last = greet(&name).await?;
            if best.is_none_or(|best| i > best) && even(i).await? {
                best = Some(i);
            }
            names.push(name);
        }
        Ok((best.unwrap_or(-1), last, names))
    }
    same!(run; (0), (1), (4));
}

#[test]
fn what_is_known_of_a_type_from_the_loop_before() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut last = None;
        for i in 1..=2 {
            match check(n + i).await {
                Ok(given) => return Ok(given),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap().into())
    }
    same!(run; (0), (-2), (-5));
    #[workflow]
    async fn twice(n: i64) -> Result<i64, WorkflowError> {
        let mut seen = Vec::new();
        let mut most = Default::default();
        loop {
            if seen.len() as i64 == n {
                break;
            }
            seen.push(give(seen.len() as i64).await?);
        }
        let mut sum: i64 = seen.iter().map(|seen| seen.pow(2)).sum();
        while sum > 3 {
            most = give(sum).await?;
            sum -= 3;
        }
        Ok(most.abs())
    }
    same!(twice; (0), (3));
}

#[test]
fn nested_loops_and_returns() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        for i in 0..n {
            for j in list(i).await? {
                for k in [i, j] {
                    total += add(j, k).await?;
                    if total > 12 {
                        return Ok(total);
                    }
                    if total == 7 {
                        return Ok(give(-7).await?);
                    }
                }
            }
            if i == 3 {
                total += loop {
                    if even(total).await? {
                        break 1;
                    }
                    total += 1;
                };
            }
        }
        Ok(total)
    }
    same!(run; (0), (1), (2), (3), (4), (5));
}

#[test]
fn a_loop_that_never_comes_round() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        loop {
            let n = give(n).await?;
            if n > 1 {
                return Ok(n);
            }
            break;
        }
        Ok(give(5).await?)
    }
    same!(run; (1), (2));
    #[workflow]
    async fn endless(mut n: i64) -> Result<i64, WorkflowError> {
        loop {
            n = add(n, 1).await?;
            if n > 3 {
                return Ok(n);
            }
        }
    }
    same!(endless; (1), (7));
}

#[test]
fn collected_state_grows_over_rounds() {
    #[workflow]
    async fn run(goal: i64) -> Result<Vec<String>, WorkflowError> {
        let mut history: Vec<String> = Vec::new();
        let mut round = 0;
        let answer = loop {
            round += 1;
            let thought = greet(&format!("{round} of {}", history.len())).await?;
            history.push(thought.clone());
            match round {
                n if n == goal => break thought,
                n if n > 5 => return Err(WorkflowError::new("too long")),
                _ => {}
            }
            let checked = check(4 - round).await;
            if let Err(error) = checked {
                history.push(error.to_string());
                continue;
            }
            history.push(format!("{checked:?}", checked = checked.unwrap()));
        };
        history.push(answer);
        Ok(history)
    }
    same!(run; (1), (2), (5), (7));
}

#[test]
fn loops_over_owned_iterators() {
    #[workflow]
    async fn run(names: Vec<String>) -> Result<String, WorkflowError> {
        let mut text = String::new();
        for (i, name) in names.clone().into_iter().enumerate() {
            text += &format!("{i}{} ", greet(&name).await?);
        }
        for name in names.into_iter().rev() {
            text += &greet(&name).await?;
        }
        Ok(text)
    }
    same!(run; (vec!["a".into(), "b".into()]), (vec![]));
}

#[test]
fn labeled_blocks_in_loops() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut seen = vec![];
        'all: for i in 0..n {
            let kind = 'kind: {
                if even(i).await? {
                    if i == 4 {
                        continue 'all;
                    }
                    break 'kind 2;
                }
                for j in 0..i {
                    if give(j).await? == 2 {
                        break 'kind 3;
                    }
                    if j == 4 {
                        break 'all;
                    }
                }
                match i {
                    1 => break 'kind 1,
                    _ => {}
                }
                0
            };
            seen.push(kind);
            'done: {
                if kind == 3 {
                    break 'done;
                }
                seen.push(give(kind * 10).await?);
            }
        }
        Ok(seen)
    }
    same!(run; (0), (1), (2), (3), (4), (6), (9));
}

#[test]
fn deferred_in_loops() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let first;
        let mut i = 0;
        loop {
            let next;
            if even(i).await? {
                next = i + 1;
            } else {
                next = give(i + 2).await?;
            }
            if next > n {
                first = next;
                break;
            }
            i = next;
        }
        let mut last;
        loop {
            last = give(first).await?;
            if last > 0 {
                break;
            }
        }
        Ok(first * 100 + last)
    }
    same!(run; (0), (1), (5));
}

#[test]
fn borrows_that_end_before_the_await() {
    #[workflow]
    async fn run(names: Vec<String>) -> Result<i64, WorkflowError> {
        let mut known: BTreeMap<String, i64> = BTreeMap::new();
        for name in names {
            let n = match known.get(&name) {
                Some(n) => *n,
                None => give(name.len() as i64).await?,
            };
            if let Some(n) = known.get_mut(&name) {
                *n += 1;
                let n = *n;
                give(n).await?;
            } else {
                known.insert(name, n);
            }
            let total = &mut known;
            total.retain(|_, n| *n < 5);
            let longest = known
                .keys()
                .map(|name| name.as_str())
                .max_by_key(|name| name.len());
            give(longest.map_or(0, str::len) as i64).await?;
        }
        Ok(known.values().sum())
    }
    same!(run; (vec![]), (vec!["a".into(), "bb".into(), "a".into(), "a".into(), "cccccc".into()]));
}

#[test]
fn a_jump_while_something_is_moved_or_borrowed() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let mut text = String::from("x");
        let mut all = vec![1, 2, 3];
        loop {
            give(all.len() as i64).await?;
            for n in &all {
                if *n == text.len() as i64 {
                    text.push('y');
                    all.push(7);
                    break;
                }
            }
            let taken = if text.len() > 3 { break } else { text };
            text = taken + "z";
            if all.len() as i64 > n {
                return Ok(text);
            }
        }
        Ok(text)
    }
    same!(run; (2), (9));
}
