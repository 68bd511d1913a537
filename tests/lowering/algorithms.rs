//! Algorithms in the middle of workflows: searches, trees, counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

const LIMIT: usize = 3;
static NAMES: [&str; 3] = ["x", "y", "z"];

#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
struct Node {
    id: i64,
    next: Option<Box<Node>>,
    kids: Vec<Node>,
    w: f32,
}
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
struct Stats {
    ok: u32,
    failed: u32,
    last: Option<String>,
    seen: BTreeSet<i64>,
    grid: [[i64; 3]; 2],
}
impl Stats {
    fn add(&mut self, x: i64) -> &mut Self {
        self.seen.insert(x);
        self.ok += 1;
        self
    }
    fn total(&self) -> u32 {
        self.ok + self.failed
    }
    fn last(&self) -> &str {
        self.last.as_deref().unwrap_or("")
    }
}

#[test]
fn a_search_in_breadth() {
    #[workflow]
    async fn run(root: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut queue = VecDeque::from([(root, 0usize)]);
        let mut seen = BTreeSet::new();
        let mut order = vec![];
        while let Some((node, depth)) = queue.pop_front() {
            if depth >= LIMIT || !seen.insert(node) {
                continue;
            }
            order.push(node);
            for next in list(node % 4).await?.into_iter().filter(|n| *n != node) {
                if !seen.contains(&next) {
                    queue.push_back((next + 10 * depth as i64, depth + 1));
                }
            }
        }
        Ok(order)
    }
    same!(run; (3), (7));
}
#[test]
fn values_swapped_and_taken() {
    #[workflow]
    async fn run(n: i64) -> Result<Stats, WorkflowError> {
        let mut stats = Stats::default();
        let mut buffer = vec![];
        let mut previous = None;
        for i in 0..n {
            buffer.push(give(i).await?);
            if buffer.len() == 2 {
                let batch = std::mem::take(&mut buffer);
                for b in &batch {
                    stats.add(*b).add(b * 2);
                }
                stats.last = Some(greet(&format!("{batch:?}")).await?);
            }
            if let Some(old) = previous.replace(i) {
                stats.grid[(old % 2) as usize][(i % 3) as usize] += give(old).await?;
            }
            let Some(p) = previous.take() else { continue };
            if p % 3 == 0 {
                previous = Some(p + 1);
            }
        }
        let Stats { ok, failed, .. } = &stats;
        note((ok, failed, stats.total()));
        let s = Stats {
            failed: give(2).await? as u32,
            ..stats.clone()
        };
        let (mut a, mut b) = (s.ok, s.failed);
        std::mem::swap(&mut a, &mut b);
        give(a as i64).await?;
        note((a, b, s.last()));
        Ok(Stats { ok: a, ..s })
    }
    same!(run; (0), (1), (5));
}
#[test]
fn boxes_and_trees() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut head: Option<Box<Node>> = None;
        for id in 0..n {
            head = Some(Box::new(Node {
                id: give(id).await?,
                next: head.take(),
                ..Default::default()
            }));
        }
        let mut sum = 0;
        while let Some(mut node) = head {
            node.w = 1.5;
            sum += give(node.id).await? * node.w as i64;
            head = node.next;
        }
        let tree = Node {
            id: 1,
            kids: vec![
                Node {
                    id: 2,
                    ..Default::default()
                },
                Node {
                    id: 3,
                    kids: vec![Node::default()],
                    ..Default::default()
                },
            ],
            ..Default::default()
        };
        let mut stack = vec![&tree];
        let mut ids = vec![];
        while let Some(t) = stack.pop() {
            ids.push(t.id);
            stack.extend(t.kids.iter());
        }
        for id in ids {
            sum += give(id).await?;
        }
        for kid in &tree.kids {
            for grand in &kid.kids {
                give(grand.id).await?;
                note((&kid.id, grand));
            }
        }
        Ok(sum)
    }
    same!(run; (0), (3));
}
#[test]
fn words_counted() {
    #[workflow]
    async fn run(words: Vec<String>) -> Result<Vec<(String, usize)>, WorkflowError> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for word in &words {
            counts
                .entry(word.to_lowercase())
                .and_modify(|c| *c += 1)
                .or_insert(1);
        }
        let mut sorted: Vec<(String, usize)> =
            counts.iter().map(|(k, v)| (k.clone(), *v)).collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (word, count) in sorted.iter().take(2) {
            greet(word).await?;
            give(*count as i64).await?;
        }
        let top = sorted.first().map(|(w, _)| w.clone()).unwrap_or_default();
        if let Some(c) = counts.get_mut(&top) {
            *c = give(*c as i64 * 10).await? as usize;
        }
        let max = counts.values().max().copied();
        give(max.unwrap_or(0) as i64).await?;
        if counts.contains_key("b") {
            let gone = counts.remove("b");
            greet(&format!("{gone:?}")).await?;
        }
        Ok(counts.into_iter().collect())
    }
    same!(run; (vec![]), (vec!["a".into(), "B".into(), "b".into()]));
}
#[test]
fn attempts_by_hand() {
    #[workflow]
    async fn run(ctx: &mut Context, n: i64) -> Result<String, WorkflowError> {
        let mut attempt = 0u32;
        let value = loop {
            attempt += 1;
            match check(n + attempt as i64).await {
                Ok(v) => break Some(v),
                Err(e) if attempt >= 3 => {
                    note(e.to_string());
                    break None;
                }
                Err(_) => ctx.sleep(Duration::from_secs(1 << attempt)).await?,
            }
        };
        let text = match value {
            Some(v @ 1..=5) => format!("few {v}"),
            Some(v) if v % 2 == 0 => greet("even").await?,
            Some(_) => NAMES[attempt as usize % 3].to_string(),
            None => return Err(WorkflowError::new("gave up")),
        };
        let t0 = ctx.now();
        give(1).await?;
        let took = ctx.now().duration_since(t0).unwrap_or_default();
        note(took.as_secs() < 100);
        Ok(text)
    }
    same!(run with []; (-1));
    same!(run with []; (3));
    same!(run with []; (-9));
    same!(run with []; (8));
}
#[test]
fn closures_and_items() {
    #[workflow]
    async fn run(n: i64, rate: f64) -> Result<f64, WorkflowError> {
        #[derive(Serialize, Deserialize, Debug, Clone, Copy)]
        struct Local {
            a: i64,
            b: f64,
        }
        fn twice(x: i64) -> i64 {
            x * 2
        }
        let scale = |x: f64| x * rate;
        let mut l = Local {
            a: twice(n),
            b: scale(n as f64),
        };
        l.a += give(l.a).await?;
        l.b += scale(l.a as f64);
        let names: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
        let pick = |i: usize| names.get(i).map(String::as_str).unwrap_or("?");
        let mut out = 0.0;
        for i in (0..n as usize).rev().step_by(2) {
            give(1).await?;
            greet(pick(i)).await?;
            out += scale(i as f64);
        }
        let all_ok = names.iter().all(|n| n.starts_with('n'));
        let r: Result<Vec<i64>, _> = ["1", "2", "x"].iter().map(|s| s.parse::<i64>()).collect();
        give(all_ok as i64 + r.is_ok() as i64).await?;
        note((l, pick(1)));
        Ok(out + l.b)
    }
    same!(run; (3, 1.5), (0, 2.0));
}
#[test]
fn a_helper_inline() {
    async fn plain_math(a: i64) -> i64 {
        a + 1
    }
    #[workflow]
    async fn inner(ctx: &mut Context, items: Vec<i64>) -> Result<i64, WorkflowError> {
        let [first, .., last] = items.as_slice() else {
            return Ok(-1);
        };
        let a = give(*first).await?;
        ctx.sleep(Duration::from_secs(1)).await?;
        Ok(a + give(*last).await?)
    }
    #[workflow]
    async fn run(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        for k in 0..n {
            let part = inner(ctx, (0..k).collect()).await?;
            total += part * if part > 2 { give(2).await? } else { 1 };
        }
        let x = {
            let y = give(total).await?;
            y * y
        };
        let t = (give(1).await?, [give(2).await?, x], Some(give(3).await?));
        let (a, [b, c], Some(d)) = t else {
            unreachable!()
        };
        Ok(a + b + c + d)
    }
    same!(run with []; (0));
    same!(run with []; (4));
}
#[test]
fn a_list_that_changes() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut v = list(n).await?;
        v.push(v.len() as i64);
        let k = v.len();
        v[k - 1] = v[0] - give(v[k - 1]).await?;
        v.swap(0, k - 1);
        let mut it: VecDeque<_> = v.clone().into();
        let mut sums = Vec::new();
        while let (Some(a), Some(b)) = (it.pop_front(), it.pop_front()) {
            sums.push(add(a, b).await?);
        }
        sums.iter_mut().for_each(|s| *s += 1);
        let mut acc = 1;
        for s in &mut sums {
            acc = (acc * give(*s).await?) % 1009;
            *s = acc;
        }
        let (left, right) = sums.split_at(sums.len() / 2);
        give(left.len() as i64).await?;
        note((left, right));
        if let Some((head, tail)) = sums.split_first() {
            give(*head).await?;
            note(tail.len());
        }
        let joined: Vec<i64> = left.iter().chain(right).map(|x| x + 1).collect();
        v.extend_from_slice(&joined);
        v.retain(|x| x % 2 == 0 || *x > 3);
        Ok(v)
    }
    same!(run; (1), (5), (6));
}
#[test]
fn ranges() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        for i in (0..n as usize).step_by(2).rev() {
            give(i as i64).await?;
        }
        for i in (0..=n).rev().skip(1).take(2) {
            give(i).await?;
        }
        for (k, i) in (0..=n).rev().enumerate() {
            add(k as i64, i).await?;
        }
        for (k, i) in (0..n).zip((0..n).rev()) {
            add(k, i).await?;
        }
        for c in ('a'..='e').filter(|c| *c != 'b').collect::<Vec<_>>() {
            greet(&c.to_string()).await?;
        }
        Ok(0)
    }
    same!(run; (1), (5));
}
