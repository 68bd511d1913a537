//! References that are collected and then sorted, and what closures give of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    n: i64,
}

fn users() -> Vec<User> {
    let users = [("b", 3), ("a", 3), ("c", 4)];
    let users = users.into_iter().map(|(name, n)| User {
        name: name.to_owned(),
        n,
    });
    users.collect()
}

#[test]
fn sorted_pairs() {
    #[workflow]
    async fn run(k: usize) -> Result<i64, WorkflowError> {
        let counts = BTreeMap::from([
            ("a".to_string(), 3),
            ("b".to_string(), 5),
            ("c".to_string(), 1),
        ]);
        let mut words: Vec<(&String, &i64)> = counts.iter().collect();
        words.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        words.truncate(k);
        for (w, n) in words {
            greet(w).await?;
            give(*n).await?;
        }
        let mut v: Vec<&String> = counts.keys().collect();
        v.sort_by_key(|s| Reverse(*s));
        for w in &v {
            greet(w).await?;
        }
        note(v.len());
        Ok(1)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn arranged_in_several_steps() {
    #[workflow]
    async fn run(k: usize) -> Result<i64, WorkflowError> {
        let us = users();
        let mut by: Vec<&User> = us.iter().filter(|u| u.n > 2).collect();
        by.sort_by(|a, b| a.n.cmp(&b.n).then_with(|| a.name.cmp(&b.name)));
        by.reverse();
        by.dedup_by_key(|u| u.n);
        for u in by.iter().take(k) {
            greet(&u.name).await?;
        }
        let first = by[0];
        give(first.n).await?;
        greet(&first.name).await?;
        note(&by);
        Ok(1)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn keys_of_a_hash_map_that_are_sorted() {
    #[workflow]
    async fn run() -> Result<i64, WorkflowError> {
        let mut m = HashMap::new();
        for (i, u) in users().into_iter().enumerate() {
            m.insert(u.name.clone(), u.n + i as i64);
        }
        let mut names: Vec<&String> = m.keys().collect();
        names.sort();
        for n in names {
            greet(n).await?;
            give(m[n]).await?;
        }
        let mut all: Vec<_> = m.iter().filter(|(_, n)| **n > 3).collect();
        all.sort_unstable();
        all.reverse();
        for (name, n) in &all {
            greet(name).await?;
            give(**n).await?;
        }
        Ok(1)
    }
    same!(run; ());
}

#[test]
fn arranged_anew_in_a_loop() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut us = users();
        for _ in 0..k {
            let mut by: Vec<&User> = us.iter().collect();
            by.sort_by_key(|u| (u.n, &u.name));
            let mut text = String::new();
            for u in &by {
                greet(&u.name).await?;
                text += &u.name;
            }
            note(text);
            us[0].n += 1;
        }
        let line = "c b a b".to_string();
        let mut parts: Vec<&str> = line.split_whitespace().collect();
        parts.sort();
        parts.dedup();
        for p in &parts {
            greet(p).await?;
        }
        note(parts.join("-"));
        Ok(1)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn values_that_are_sorted() {
    #[workflow]
    async fn run() -> Result<i64, WorkflowError> {
        let us = users();
        let mut nums: Vec<i64> = us.iter().map(|u| u.n).collect();
        nums.sort();
        nums.dedup();
        for n in &nums {
            give(*n).await?;
        }
        nums.push(4);
        note(&nums);
        let mut owned: Vec<_> = us.iter().map(|u| u.name.clone()).collect();
        owned.sort();
        for o in owned {
            greet(&o).await?;
        }
        Ok(1)
    }
    same!(run; ());
}

#[test]
fn collected_from_what_may_change() {
    #[workflow]
    async fn run() -> Result<i64, WorkflowError> {
        let mut m = BTreeMap::new();
        for (i, u) in users().into_iter().enumerate() {
            m.insert(u.name.clone(), u.n + i as i64);
        }
        let names: Vec<&String> = m.keys().collect();
        for n in names {
            greet(n).await?;
            give(m[n]).await?;
        }
        Ok(1)
    }
    same!(run; ());
}

#[test]
fn arranged_from_what_changes_on_leaving() {
    #[workflow]
    async fn run(k: usize) -> Result<i64, WorkflowError> {
        let mut m = BTreeMap::new();
        for (i, u) in users().into_iter().enumerate() {
            m.insert(u.name.clone(), u.n + i as i64);
        }
        let mut names: Vec<&String> = m.keys().collect();
        names.reverse();
        for (i, n) in names.iter().enumerate() {
            greet(n).await?;
            if i == k {
                let n = n.len();
                m.clear();
                give(i as i64).await?;
                note((i, n));
                break;
            }
        }
        let mut pairs: Vec<(usize, &String)> = m.keys().enumerate().collect();
        pairs.sort_by_key(|(i, s)| (s.len(), std::cmp::Reverse(*i)));
        for (i, n) in pairs {
            greet(n).await?;
            give(i as i64).await?;
        }
        Ok(1)
    }
    same!(run; (1), (0), (3));
}

#[test]
fn parts_given_by_a_pattern() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let m: BTreeMap<String, i64> = users().into_iter().map(|u| (u.name, u.n)).collect();
        let v: Vec<&String> = m.iter().filter(|(_, c)| **c > k).map(|(s, _)| s).collect();
        for s in &v {
            greet(s).await?;
        }
        note(&v);
        let us = users();
        let names: Vec<&String> = us.iter().map(|User { name, .. }| name).collect();
        for n in names {
            greet(n).await?;
        }
        let odd: Vec<&User> = us
            .iter()
            .enumerate()
            .filter(|(i, _)| i % 2 == 0)
            .map(|(_, u)| u)
            .collect();
        for u in odd {
            give(u.n).await?;
        }
        for u in us
            .iter()
            .enumerate()
            .filter(|(i, _)| i % 2 == 0)
            .map(|(_, u)| u)
        {
            give(u.n).await?;
        }
        let first = us.iter().zip(1..).map(|(u, _)| u).find(|u| u.n > k);
        give(1).await?;
        if let Some(u) = first {
            greet(&u.name).await?;
        }
        let at: Vec<usize> = us
            .iter()
            .enumerate()
            .filter(|(_, u)| u.n == 3)
            .map(|(i, _)| i)
            .collect();
        for i in at {
            give(i as i64).await?;
        }
        let mut best: Vec<_> = m.iter().map(|(k, v)| (v, k)).collect();
        best.sort();
        for (v, k) in best {
            give(*v).await?;
            greet(k).await?;
        }
        Ok(1)
    }
    same!(run; (1), (3));
}

#[test]
fn references_beside_copies() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut us = users();
        let pairs: Vec<(&String, i64)> = us.iter().map(|u| (&u.name, u.n)).collect();
        for (name, n) in &pairs {
            greet(name).await?;
            give(*n).await?;
        }
        for (name, n) in pairs {
            greet(name).await?;
            give(n).await?;
            if n > k {
                us.clear();
                give(n).await?;
                break;
            }
        }
        let mut us = users();
        let mut by: Vec<_> = us.iter().map(|u| (u.n, &u.name)).collect();
        by.sort();
        by.reverse();
        for (n, name) in by {
            greet(name).await?;
            give(n).await?;
            if n > k {
                us.clear();
                give(n).await?;
                note(n);
                break;
            }
        }
        let us = users();
        for (name, n) in us.iter().map(|u| (&u.name, u.n)) {
            greet(name).await?;
            give(n).await?;
        }
        for (name, n) in us.iter().map(|u| (u.name.as_str(), u.n)) {
            greet(name).await?;
            give(n).await?;
        }
        let best = us.iter().map(|u| (u.n, &u.name)).max();
        give(3).await?;
        if let Some((n, name)) = best {
            greet(name).await?;
            give(n).await?;
        }
        Ok(1)
    }
    same!(run; (1), (3));
}
