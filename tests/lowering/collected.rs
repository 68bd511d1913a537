//! References that are collected.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct User {
    name: String,
    age: i64,
    email: Option<String>,
    tags: Vec<String>,
}
fn user(n: i64) -> User {
    User {
        name: format!("u{n}"),
        age: n,
        email: (n % 2 == 0).then(|| format!("e{n}")),
        tags: vec![format!("t{n}")],
    }
}
#[test]
fn parts_of_a_text() {
    #[workflow]
    async fn run(text: String) -> Result<i64, WorkflowError> {
        let parts: Vec<&str> = text.split(',').collect();
        for part in &parts {
            greet(part).await?;
            note(part);
        }
        let words = text
            .split_whitespace()
            .filter(|w| w.len() > 1)
            .collect::<Vec<_>>();
        give(words.len() as i64).await?;
        note(&words);
        for (i, word) in words.iter().enumerate() {
            greet(word).await?;
            note((i, word));
        }
        for part in parts {
            greet(part).await?;
            note(part);
        }
        for (i, part) in words.into_iter().enumerate() {
            greet(part).await?;
            note((i, part));
        }
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let Some(first) = lines.first() else {
            return Ok(0);
        };
        greet(first).await?;
        note((first, lines.len(), lines[0]));
        if let [a, .., b] = lines[..] {
            greet(a).await?;
            greet(b).await?;
        }
        Ok(lines.len() as i64)
    }
    same!(run; ("a,b,c dd\n ee \n\nff,gg".to_owned()), (String::new()));
}
#[test]
fn of_what_changes_later() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut users: Vec<User> = (0..n).map(user).collect();
        let limit = 2;
        let young: Vec<&User> = users.iter().filter(|u| u.age <= limit).collect();
        for u in &young {
            give(u.age).await?;
            note(&u.name);
        }
        for u in young {
            give(u.age).await?;
            note(u);
        }
        let names: Vec<&str> = users.iter().map(|u| u.name.as_str()).collect();
        let emails: Vec<_> = users.iter().filter_map(|u| u.email.as_deref()).collect();
        give(names.len() as i64).await?;
        note(names.join("+"));
        greet(&emails.join("+")).await?;
        let mut skip = 1;
        let rest: Vec<(usize, &User)> = users.iter().enumerate().skip(skip).collect();
        skip += 1;
        for (i, u) in &rest {
            give(*i as i64).await?;
            note((i, u));
        }
        let mut sum = 0;
        for (i, u) in rest {
            give(i as i64).await?;
            note((i, u));
            sum += i;
        }
        users.push(user(99));
        let set: BTreeSet<&User> = users.iter().rev().collect();
        give(skip as i64).await?;
        for u in &set {
            give(u.age).await?;
            note(u);
        }
        let oldest = set.last();
        give(3).await?;
        note(oldest);
        let (a, b): (Vec<&User>, Vec<&User>) = users.iter().partition(|u| u.age > 1);
        note((a.len(), b.len()));
        let own: Vec<String> = users.iter().map(|u| u.name.clone()).collect();
        users.clear();
        give(4).await?;
        note(own);
        Ok(sum as i64)
    }
    same!(run; (0), (1), (4));
}
#[test]
fn the_columns_of_lines() {
    #[workflow]
    async fn run(csv: String) -> Result<i64, WorkflowError> {
        let mut total = 0;
        for line in csv.lines() {
            let cols: Vec<&str> = line.split(';').map(|c| c.trim()).collect();
            if cols.len() < 2 {
                continue;
            }
            let name = cols[0];
            let n: i64 = cols[1].parse().unwrap_or(0);
            total += add(total, n).await?;
            greet(name).await?;
            note((name, &cols, cols.len()));
            let [a, b] = cols[..] else { continue };
            greet(a).await?;
            greet(b).await?;
        }
        Ok(total)
    }
    same!(run; ("a; 1\nb;2\nc\nd;4;5".to_owned()));
}

#[test]
fn items_of_what_is_collected_are_found_by_a_copy_of_their_number() {
    #[workflow]
    async fn run(text: String) -> Result<i64, WorkflowError> {
        let parts: Vec<&str> = text.split(',').collect();
        let mut i = 0;
        while i < parts.len() {
            let part = parts[i];
            i += 1;
            give(i as i64).await?;
            note(part);
        }
        let mut k = 0i64;
        let first = parts[k as usize];
        k += 1;
        give(k).await?;
        note(first);
        Ok(k)
    }
    same!(run; ("a,b,c".to_owned()));
}

#[test]
fn a_count_comes_after_what_is_gone_over() {
    fn bump(n: &mut usize) -> Vec<i64> {
        *n += 1;
        vec![1, 2, 3]
    }
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut sum = n;
        let list: Vec<i64> = vec![1, 2, 3];
        let count = n as usize;
        for x in list.into_iter().map(noted).take(count) {
            sum += give(x).await?;
        }
        let mut many = 0;
        let more = bump(&mut many);
        for x in more.into_iter().map(noted).take(many) {
            sum += give(x).await?;
        }
        Ok(sum)
    }
    same!(run; (0), (2));
}

#[test]
fn items_without_a_size_have_numbers() {
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Unit;
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut units: Vec<Unit> = (0..n).map(|_| Unit).collect();
        if let Some((i, unit)) = units.iter_mut().enumerate().last() {
            give(i as i64).await?;
            note((i, unit));
        }
        let mut map: std::collections::BTreeMap<i64, Unit> = (0..n).map(|i| (i, Unit)).collect();
        if let Some((k, unit)) = map.iter_mut().find(|(k, _)| **k > 0) {
            give(*k).await?;
            note((k, unit));
        }
        Ok(n)
    }
    same!(run; (0), (2), (3));
}
