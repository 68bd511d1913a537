//! What is looked up by keys that are references themselves, and more that is asked of maps and lists.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    id: u32,
    name: String,
    open: bool,
    prio: i64,
}

fn jobs() -> Vec<Job> {
    let job = |id: u32| Job {
        id,
        name: format!("j{id}"),
        open: id.is_multiple_of(2),
        prio: (i64::from(id) * 7) % 5,
    };
    (0..4).map(job).collect()
}

fn graph() -> BTreeMap<String, Vec<String>> {
    let edges = [("a", vec!["b", "c"]), ("b", vec!["c"]), ("c", vec![])];
    let edges = edges
        .into_iter()
        .map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect()));
    edges.collect()
}

#[test]
fn items_of_a_key() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let m = graph();
        let mut keys: Vec<String> = m.keys().cloned().collect();
        keys.reverse();
        for k in &keys {
            for y in &m[k] {
                greet(y).await?;
                greet(k).await?;
            }
        }
        keys.clear();
        Ok(n)
    }
    same!(run; (1));
}

#[test]
fn items_of_a_key_in_other_words() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let m = graph();
        let mut keys: Vec<String> = m.keys().cloned().collect();
        keys.reverse();
        for k in &keys {
            for y in m[k].iter() {
                greet(y).await?;
            }
            if let Some(ys) = m.get(k) {
                for y in ys {
                    greet(y).await?;
                }
            }
            for y in m.get(k).unwrap() {
                greet(y).await?;
            }
        }
        keys.clear();
        Ok(n)
    }
    same!(run; (1));
}

#[test]
fn a_key_taken_from_a_stack() {
    #[workflow]
    async fn run() -> Result<i64, WorkflowError> {
        let m = graph();
        let mut stack = vec!["a".to_string()];
        let mut seen = BTreeSet::new();
        while let Some(k) = stack.pop() {
            if !seen.insert(k.clone()) {
                continue;
            }
            for y in &m[&k] {
                greet(y).await?;
                stack.push(y.clone());
            }
            let Some(ys) = m.get(&k) else { continue };
            for (i, y) in ys.iter().enumerate() {
                give(i as i64).await?;
                greet(y).await?;
            }
        }
        Ok(seen.len() as i64)
    }
    same!(run; ());
}

#[test]
fn given_on_a_condition() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut js = jobs();
        let names: Vec<&str> = js
            .iter()
            .filter_map(|j| j.open.then_some(j.name.as_str()))
            .collect();
        for x in &names {
            greet(x).await?;
        }
        let q = js.iter().find(|j| j.prio > n).unwrap_or(&js[0]);
        greet(&q.name).await?;
        give(q.prio).await?;
        let q = js.iter().find(|j| j.prio > n).unwrap_or_else(|| &js[0]);
        greet(&q.name).await?;
        give(q.prio).await?;
        js.clear();
        Ok(1)
    }
    same!(run; (1), (9));
}

#[test]
fn a_range_of_a_map() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let m: BTreeMap<i64, String> = (0..6).map(|i| (i, format!("v{i}"))).collect();
        for (k, v) in m.range(n..) {
            give(*k).await?;
            greet(v).await?;
        }
        for (k, v) in m.range(..=n).rev().take(2) {
            give(*k).await?;
            greet(v).await?;
        }
        let first = m.range(n..).next();
        give(1).await?;
        if let Some((k, v)) = first {
            give(*k).await?;
            greet(v).await?;
        }
        Ok(1)
    }
    same!(run; (1), (4), (9));
}

#[test]
fn drained() {
    #[workflow]
    async fn run() -> Result<i64, WorkflowError> {
        let mut js = jobs();
        for j in js.drain(1..).map(|j| j.prio) {
            give(j).await?;
        }
        for j in js.drain(..).filter(|j| j.open) {
            greet(&j.name).await?;
        }
        Ok(1)
    }
    same!(run; ());
}

#[test]
fn closures_with_blocks() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let js = jobs();
        let pick = js
            .iter()
            .filter(|j| {
                let p = j.prio;
                p > n && j.open
            })
            .max_by(|a, b| a.prio.cmp(&b.prio).then_with(|| b.id.cmp(&a.id)));
        give(1).await?;
        if let Some(p) = pick {
            greet(&p.name).await?;
            give(p.prio).await?;
        }
        let p = js.iter().max_by_key(|j| (j.open, Reverse(j.prio)));
        give(2).await?;
        greet(&p.unwrap().name).await?;
        let allowed = vec![1u32, 2];
        let f = js.iter().find(|j| allowed.contains(&j.id));
        give(3).await?;
        if let Some(f) = f {
            greet(&f.name).await?;
        }
        Ok(1)
    }
    same!(run; (1), (2));
}

#[test]
fn keys_that_change_on_leaving() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut m = graph();
        let mut keys: Vec<String> = m.keys().cloned().collect();
        'o: for k in &keys {
            for (i, y) in m[k].iter().enumerate() {
                greet(y).await?;
                if i as i64 == n {
                    keys.clear();
                    give(i as i64).await?;
                    note(&keys);
                    break 'o;
                }
            }
            if n == 2 {
                let z = m[k].len();
                m.clear();
                keys = vec![];
                give(z as i64).await?;
                note((&m, &keys));
                break;
            }
        }
        Ok(n)
    }
    same!(run; (0), (1), (2));
}

#[test]
fn a_reference_by_a_key() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let m = graph();
        let mut keys: Vec<String> = m.keys().cloned().collect();
        for k in keys.iter() {
            let ys = &m[k];
            for y in ys {
                greet(y).await?;
            }
            let z = &m[k];
            give(z.len() as i64).await?;
            greet(k).await?;
        }
        keys.pop();
        note(&keys);
        Ok(n)
    }
    same!(run; (0));
}

#[test]
fn parts_given_of_what_is_found() {
    #[workflow]
    async fn run(text: String) -> Result<i64, WorkflowError> {
        let mut text = text.clone();
        let value = text.split_once(':').map_or("none", |(_, value)| value);
        greet(value).await?;
        greet(value).await?;
        let key = text.split_once(':').map(|(key, _)| key).unwrap_or("?");
        greet(key).await?;
        greet(key).await?;
        let first = text.lines().next().unwrap_or_default();
        greet(first).await?;
        note(first);
        text.push('x');
        let mut named = vec![(1, "a".to_string()), (3, "b".to_string())];
        let name = named.iter().find(|(n, _)| *n > 1).map(|(_, name)| name);
        give(1).await?;
        note(name);
        let place = named
            .iter()
            .enumerate()
            .find(|(_, (n, _))| *n > 1)
            .map(|(i, _)| i);
        let number = named.iter().find(|(n, _)| *n > 1).map(|(n, _)| *n);
        give(1).await?;
        named.clear();
        note((place, number));
        let long: Vec<&str> = ["a", "bb"]
            .iter()
            .filter_map(|s| if s.len() > 1 { Some(*s) } else { None })
            .collect();
        for word in long {
            greet(word).await?;
        }
        Ok(1)
    }
    same!(run; ("a:b\nc".to_string()), (String::new()));
}

#[test]
fn copies_put_into_collections() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let v: Vec<i64> = vec![1, n];
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        let mut best = None;
        let mut pairs = vec![];
        for &x in &v {
            out.push(x);
            seen.insert(x);
            best = Some(x);
            pairs.push((x, 1));
            give(x).await?;
        }
        for (i, &x) in v.iter().enumerate() {
            out.push(x);
            pairs.push((x, i as i64));
            give(x).await?;
            best = Some(x);
        }
        let m: BTreeMap<i64, i64> = BTreeMap::from([(1, 2)]);
        if let Some(&y) = m.get(&1) {
            give(y).await?;
            out.push(y);
            seen.insert(y);
        }
        for (&k, &y) in &m {
            give(k).await?;
            out.push(y);
            seen.insert(k);
            pairs.push((k, y));
        }
        let Some(&z) = v.first() else { return Ok(0) };
        give(z).await?;
        out.push(z);
        give(1).await?;
        note((out, seen, best, pairs));
        Ok(1)
    }
    same!(run; (3));
}

#[test]
fn characters_put_into_collections() {
    #[workflow]
    async fn run(text: String) -> Result<i64, WorkflowError> {
        let mut out = Vec::new();
        let mut m = BTreeMap::new();
        for (i, c) in text.chars().enumerate() {
            out.push(c);
            m.insert(c, i);
            give(1).await?;
            m.entry(c).or_insert(2);
        }
        for b in text.bytes() {
            give(1).await?;
            m.insert(b as char, 3);
        }
        for (i, c) in text.char_indices() {
            give(1).await?;
            out.push(c);
            m.insert(c, i);
        }
        let mut lens = VecDeque::new();
        for w in text.split(' ') {
            let l = w.len();
            lens.push_back(l);
            give(1).await?;
            lens.push_front(l);
        }
        give(1).await?;
        note((out, m, lens));
        Ok(1)
    }
    same!(run; ("a b".to_string()));
}

#[test]
fn copies_beside_references_put_into_collections() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let v: Vec<(i64, String)> = vec![(1, "a".into()), (n, "b".into())];
        let mut out = Vec::new();
        let mut names = vec![];
        for &(k, ref s) in &v {
            out.push(k);
            give(k).await?;
            names.push(s.clone());
        }
        for (k, s) in v.iter().map(|(k, s)| (*k, s)) {
            out.push(k);
            greet(s).await?;
            names.push(s.to_string());
        }
        for (k, _) in v.iter().map(|t| (t.0, &t.1)) {
            give(k).await?;
            out.push(k);
        }
        let k = v[0].0;
        give(k).await?;
        out.push(k);
        for (i, x) in v.iter().zip(3..) {
            let (k, _) = i;
            out.push(*k);
            out.push(x);
            give(x).await?;
        }
        for i in (0..3).zip(&v).map(|(i, _)| i) {
            give(i).await?;
            out.push(i);
        }
        give(1).await?;
        note((out, names));
        Ok(1)
    }
    same!(run; (3));
}
