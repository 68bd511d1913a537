//! What is looked up or searched for in a collection, and used after an await.

use std::collections::{BTreeMap, HashMap};

use workflow::prelude::*;

use crate::driver::*;
use crate::looking::{Line, Order, order};
use crate::same;

#[test]
fn what_is_looked_up() {
    #[workflow]
    async fn run(n: i64, o: Order) -> Result<i64, WorkflowError> {
        let prices: BTreeMap<String, i64> = (0..n).map(|i| (format!("s{i}"), i * 10)).collect();
        let key = format!("s{}", n - 1);
        let p = prices.get(&key).unwrap();
        give(*p).await?;
        note(p);
        let q = prices.get("s0").expect("there");
        give(*q).await?;
        note(q);
        let r = prices.get(&key).ok_or_else(|| WorkflowError::new("none"))?;
        give(*r).await?;
        note(r);
        let t = prices.get(&key).ok_or(WorkflowError::new("none"))?;
        give(*t).await?;
        note(t);
        let first = o.lines.first().unwrap();
        greet(&first.sku).await?;
        note(first);
        let Some(last) = o.lines.last() else {
            return Ok(1);
        };
        greet(&last.sku).await?;
        note(last);
        if let Some(&z) = prices.get("s1") {
            give(z).await?;
            note(z);
        }
        let who = o.who.as_deref().unwrap_or("nobody");
        greet(who).await?;
        note(who);
        let w2 = o.who.as_ref().map(|w| &w[..]).unwrap_or("n");
        greet(w2).await?;
        note(w2);
        Ok(0)
    }
    same!(run; (1, order(1)), (3, order(3)), (2, order(2)));
}

#[test]
fn entries_of_maps() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut m: BTreeMap<i64, i64> = BTreeMap::new();
        let mut w: HashMap<String, Vec<i64>> = HashMap::new();
        let k = n % 2;
        let name = format!("k{n}");
        let e = m.entry(k).or_insert(7);
        *e += give(1).await?;
        *e *= give(2).await?;
        let l = w.entry(name.clone()).or_default();
        l.push(give(3).await?);
        l.push(give(4).await?);
        let l = w.entry("x".to_string()).or_insert_with(|| vec![n]);
        l.push(give(5).await?);
        l.push(give(6).await?);
        if let Some(l) = w.get_mut(&name) {
            l.push(give(8).await?);
            give(1).await?;
            l.push(9);
        }
        let g = m.get_mut(&k).ok_or_else(|| WorkflowError::new("gone"))?;
        *g += give(1).await?;
        *g += give(1).await?;
        note((&m, w.len(), w.get(&name), w.get("x")));
        w.entry("y".into()).or_default().push(give(4).await?);
        w.entry("y".into())
            .or_insert_with(|| vec![1])
            .push(give(4).await?);
        note(w.get("y"));
        Ok(0)
    }
    same!(run; (1), (2));
}

#[test]
fn searches() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        let key = "s0";
        let hit = o.lines.iter().find(|l| l.sku == key);
        if let Some(hit) = hit {
            greet(&hit.sku).await?;
            note(hit);
        }
        let hit = o.lines.iter().find(|l| l.sku == key).unwrap();
        greet(&hit.sku).await?;
        note(hit);
        let hit = o
            .lines
            .iter()
            .max_by_key(|l| l.qty)
            .ok_or(WorkflowError::new("none"))?;
        greet(&hit.sku).await?;
        note(hit);
        let mut o2 = order(o.id);
        let m = o.lines.iter().map(|l| l.qty).max().unwrap_or(0);
        o2.id += 1;
        give(m).await?;
        note(m);
        note(o2);
        Ok(0)
    }
    same!(run; (order(1)), (order(2)));
}

#[test]
fn closures_that_look() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut names = vec!["a".to_string()];
        names.push("b".into());
        let has = |x: &str| names.iter().any(|n| n == x);
        give(has("a") as i64).await?;
        note(has("b"));
        let k = n + 1;
        let f = move |x: i64| x + k;
        give(f(1)).await?;
        note(f(2));
        Ok(0)
    }
    same!(run; (1), (2));
}

#[test]
fn loops_over_iterators() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let a: Vec<i64> = (0..n).collect();
        let b: Vec<i64> = (0..n).map(|x| x * 2).collect();
        for (x, y) in a.iter().zip(&b) {
            give(x + y).await?;
            note((x, y));
        }
        for (x, y) in a.iter().zip(b.iter().rev()) {
            give(x + y).await?;
            note((x, y));
        }
        for x in a.iter().chain(&b) {
            give(*x).await?;
            note(x);
        }
        for x in a.iter().chain(b.iter()) {
            give(*x).await?;
            note(x);
        }
        for x in &list(n).await? {
            give(*x).await?;
            note(x);
        }
        for x in list(n).await?.iter() {
            give(*x).await?;
            note(x);
        }
        for (i, x) in list(n).await?.iter().enumerate() {
            give(*x).await?;
            note((i, x));
        }
        for x in a.iter().filter(|x| **x > 1) {
            give(*x).await?;
            note(x);
        }
        for x in a.iter().map(|x| x * 2) {
            give(x).await?;
            note(x);
        }
        for l in order(n).lines.iter().filter(|l| l.qty > 0).map(|l| &l.sku) {
            greet(l).await?;
            note(l);
        }
        let o = order(n);
        for l in o.lines.iter().skip_while(|l| l.qty < 1) {
            greet(&l.sku).await?;
            note(l);
        }
        for (i, l) in o.lines.iter().filter(|l| l.qty < 2).enumerate() {
            match l {
                Line { sku, .. } if i < 1 => {
                    greet(sku).await?;
                    note(sku);
                }
                _ => {}
            }
        }
        Ok(0)
    }
    same!(run; (1), (3));
}

#[test]
fn what_changes_after_a_search() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut v: Vec<i64> = (0..n).collect();
        let most = v.iter().copied().max().unwrap_or(0);
        let least = v.iter().min().copied().unwrap_or(7);
        let mut key = 1;
        let fixed: Vec<i64> = (0..n + 2).collect();
        let at = fixed.iter().copied().find(|x| *x == key);
        v.push(100);
        v.insert(0, -5);
        key += 1;
        give(key).await?;
        note((most, least, at));
        Ok(0)
    }
    same!(run; (1), (3));
}

#[test]
fn what_changes_after_an_entry() {
    #[workflow]
    async fn run(mut k: i64) -> Result<i64, WorkflowError> {
        let mut m: BTreeMap<i64, i64> = BTreeMap::new();
        let e = m.entry(k).or_insert(5);
        *e += 1;
        k += 1;
        give(k).await?;
        m.insert(9, 9);
        let x = *m.entry(k).or_insert(5);
        k += 1;
        give(k).await?;
        note((x, &m));
        Ok(0)
    }
    same!(run; (1));
}

#[test]
fn items_that_are_chosen() {
    #[workflow]
    async fn run(n: i64, o: Order) -> Result<i64, WorkflowError> {
        let mut least = 0;
        least += 1;
        for x in list(n).await?.into_iter().filter(|x| *x > least) {
            give(x).await?;
        }
        for (i, sku) in o.lines.into_iter().map(|l| l.sku).enumerate() {
            greet(&sku).await?;
            note(i);
        }
        for x in (0..n).filter(|x| x % 2 == 0).map(|x| x * 10).rev() {
            give(x).await?;
        }
        for x in vec![1, 2, 3].into_iter().take_while(|x| *x < 3).chain([9]) {
            give(x + o.id).await?;
        }
        Ok(least)
    }
    same!(run; (1, order(1)), (5, order(3)));
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Slot {
    id: i64,
    used: i64,
    by: Option<String>,
}

fn slots(n: i64) -> Vec<Slot> {
    let slot = |id| Slot {
        id,
        used: 0,
        by: None,
    };
    (0..n).map(slot).collect()
}

#[test]
fn what_is_searched_for_to_be_changed() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = slots(n);
        // After the first change it would be another one that is found.
        if let Some(slot) = all.iter_mut().find(|slot| slot.used == 0) {
            slot.used = give(n).await?;
            slot.by = Some(greet("a").await?);
            slot.id += give(1).await?;
        }
        note(&all);
        let wanted = give(n - 1).await?;
        let Some(last) = all.iter_mut().find(|slot| slot.id == wanted) else {
            return Ok(give(-n).await?);
        };
        last.id = give(7).await?;
        last.used += give(2).await?;
        let first = all
            .iter_mut()
            .find(|slot| slot.id > 0)
            .ok_or_else(|| WorkflowError::new("none"))?;
        first.used = give(first.used + 1).await?;
        first.used += 1;
        let mut by_name: std::collections::BTreeMap<String, Slot> = all
            .iter()
            .map(|slot| (slot.id.to_string(), slot.clone()))
            .collect();
        if let Some((name, slot)) = by_name.iter_mut().find(|(_, slot)| slot.used > 0) {
            slot.used = -give(name.len() as i64).await?;
            slot.id += 1;
        }
        if let Some(slot) = by_name.values_mut().find(|slot| slot.used == 0) {
            slot.used = give(5).await?;
            slot.used += 1;
        }
        if let Some(Slot { by: Some(by), .. }) = all.iter_mut().find(|slot| slot.by.is_some()) {
            note(by);
        } else {
            give(9).await?;
        }
        if let Some(slot) = by_name.values_mut().nth(1) {
            slot.used = give(1).await?;
            slot.used += 3;
        }
        if let Some((name, Slot { used, by, .. })) = by_name.iter_mut().next() {
            *used += give(name.len() as i64).await?;
            by.take();
            *used += 1;
        }
        note((all, by_name));
        Ok(0)
    }
    same!(run; (0), (1), (2), (4));
}

#[test]
fn what_is_put_there_if_nothing_is() {
    #[workflow]
    async fn run(mut kept: Option<i64>) -> Result<i64, WorkflowError> {
        let value = kept.get_or_insert(3);
        *value += give(2).await?;
        *value *= 2;
        let mut last = None;
        let first = last.get_or_insert_with(|| kept.map_or(7, |kept| kept - 1));
        *first -= give(*first - 1).await?;
        let end = *first;
        note((kept, last));
        Ok(give(end).await?)
    }
    same!(run; (None), (Some(1)));
}

#[test]
fn what_is_searched_for_again_and_again() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = slots(n);
        let mut looked = 0;
        while let Some(slot) = all.iter_mut().find(|slot| {
            looked += 1;
            slot.used == 0
        }) {
            slot.used = give(slot.id + 1).await?;
            slot.by = Some(greet("b").await?);
        }
        if let Some(slot) = all.iter_mut().find(|slot| slot.id == looked % 3)
            && slot.used < 9
        {
            slot.used += give(looked).await?;
            slot.used *= 2;
        }
        let first = all.first().cloned();
        let copy = all.iter().map(|slot| slot.id).max();
        give(n).await?;
        note((first, copy, looked));
        note(all);
        Ok(0)
    }
    same!(run; (0), (1), (3));
}

#[test]
fn numbers_of_what_was_found_are_kept() {
    #[workflow]
    async fn run(mut xs: Vec<i64>) -> Result<usize, WorkflowError> {
        let found = xs.iter().enumerate().min_by_key(|(_, x)| **x);
        let Some((at, _)) = found else { return Ok(9) };
        xs[at] += 5;
        give(1).await?;
        note(at);
        let found = xs.iter().enumerate().rev().find(|(_, x)| **x > 1);
        if let Some(pair) = found {
            give(2).await?;
            note(pair);
            let (i, x) = pair;
            give(*x).await?;
            xs[i] += 100;
            give(3).await?;
            note(i);
        }
        match xs.iter().enumerate().max_by_key(|(_, x)| **x) {
            Some(whole @ (i, x)) => {
                give(*x).await?;
                note((whole, x));
                xs.clear();
                give(1).await?;
                note(i);
            }
            None => {}
        }
        Ok(at)
    }
    same!(run; (vec![1, 2]), (vec![4, 2, 7, 1]), (vec![]));
}
#[test]
fn numbers_in_pairs_are_kept() {
    #[workflow]
    async fn run(mut xs: Vec<i64>) -> Result<usize, WorkflowError> {
        let ys = vec![3, 4];
        if let Some(((i, x), y)) = xs.iter().enumerate().zip(&ys).find(|((_, x), y)| **x < **y) {
            give(*x).await?;
            note((i, y));
            xs[i] = 100;
            give(1).await?;
            note(i);
        }
        if let Some((i, (x, y))) = xs
            .iter()
            .zip(ys.iter())
            .enumerate()
            .find(|(_, (x, y))| **x < **y)
        {
            give(*x).await?;
            note((i, x, y));
            xs.clear();
            give(1).await?;
            note(i);
        }
        let Some((.., k)) = ys.iter().zip(5..).last() else {
            return Ok(0);
        };
        give(k).await?;
        Ok(k as usize)
    }
    same!(run; (vec![1, 2]), (vec![4, 2, 7, 1]), (vec![]));
}

#[test]
fn what_was_found_by_number_is_not_searched_for_again() {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    struct Job {
        id: i64,
        done: bool,
        tags: Vec<String>,
    }
    #[workflow]
    async fn run(n: i64) -> Result<usize, WorkflowError> {
        let job = |id| Job {
            id,
            done: id == 1,
            tags: Vec::new(),
        };
        let mut jobs: Vec<Job> = (0..n).map(job).collect();
        while let Some((i, job)) = jobs.iter().enumerate().find(|(_, j)| !j.done) {
            give(job.id).await?;
            jobs[i].done = true;
            give(10).await?;
            jobs[i].tags.push(format!("t{i}"));
        }
        note(&jobs);
        let Some((at, _)) = jobs.windows(2).enumerate().find(|(_, w)| w[0].id < w[1].id) else {
            return Ok(99);
        };
        jobs.swap(at, at + 1);
        give(11).await?;
        let (last, _) = jobs.iter().enumerate().last().unwrap();
        jobs.clear();
        give(12).await?;
        Ok(at + last)
    }
    same!(run; (0), (1), (4));
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Worker {
    load: i64,
    name: String,
}
fn worker(n: i64) -> Worker {
    Worker {
        load: (n * 7) % 5,
        name: format!("w{n}"),
    }
}
#[test]
fn what_a_search_chooses_to_be_changed() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut pool: Vec<Worker> = (0..n).map(worker).collect();
        let Some(least) = pool.iter_mut().min_by_key(|w| w.load) else {
            return Ok(0);
        };
        least.load += 20;
        give(1).await?;
        least.name.push('x');
        give(2).await?;
        note(&pool);
        if let Some((i, job)) = pool.iter_mut().enumerate().find(|(_, j)| j.load > 1) {
            job.load = give(i as i64).await?;
            job.name.push_str("found");
            give(job.load).await?;
            note((i, job));
        }
        if let Some(j) = pool.iter_mut().rev().find(|j| j.load < 3) {
            j.load = 9;
            give(j.load).await?;
            j.name.push('r');
        }
        if let Some(j) = pool.iter_mut().filter(|j| j.load > 2).nth(1) {
            j.load -= 1;
            give(j.load).await?;
            j.name.push('f');
        }
        let most = pool.iter_mut().max_by(|a, b| a.load.cmp(&b.load)).unwrap();
        most.load = 0;
        give(3).await?;
        most.name.clear();
        note(&pool);
        while let Some((at, job)) = pool.iter_mut().enumerate().rev().find(|(_, j)| j.load > 0) {
            job.load = 0;
            give(at as i64).await?;
            job.name.push('!');
            give(4).await?;
            note(at);
        }
        let mut map: BTreeMap<i64, Worker> = (0..n).map(|i| (i, worker(i))).collect();
        if let Some(v) = map.values_mut().filter(|v| v.load > 1).last() {
            v.load = 100;
            give(v.load).await?;
            v.name.push('m');
        }
        let last = pool
            .iter_mut()
            .last()
            .ok_or_else(|| WorkflowError::new("none"))?;
        last.load = 5;
        give(5).await?;
        last.load += 1;
        note((&pool, &map));
        Ok(0)
    }
    same!(run; (0), (1), (3), (6));
}

#[test]
fn loops_that_choose_among_what_they_change() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut pool: Vec<Worker> = (0..n).map(worker).collect();
        for (i, job) in pool.iter_mut().enumerate().filter(|(i, _)| i % 2 == 0) {
            job.load = give(i as i64).await?;
            job.name.push('e');
            give(job.load).await?;
            note((i, job));
        }
        for (i, job) in pool
            .iter()
            .enumerate()
            .filter(|(i, j)| noted(*i as i64) > 0 && j.load % 2 == 0)
        {
            give(job.load).await?;
            note((i, job));
        }
        for job in pool.iter_mut().filter(|j| j.load > 1) {
            job.load = give(job.load + 1).await?;
            job.name.push('f');
            note(job);
        }
        for (i, job) in pool
            .into_iter()
            .enumerate()
            .filter(|(i, j)| noted(*i as i64) > 0 && j.load % 2 == 0)
        {
            give(job.load).await?;
            note((i, job));
        }
        Ok(0)
    }
    same!(run; (0), (1), (3), (6));
}
