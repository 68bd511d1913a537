//! Patterns that look into references, and into values that nobody else has.

use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Stage {
    Draft { by: String, n: i64 },
    Sent(i64),
    Done,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    pub sku: String,
    pub qty: i64,
    pub stage: Stage,
    pub tags: Vec<String>,
    pub note: Option<String>,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    pub id: i64,
    pub lines: Vec<Line>,
    pub who: Option<String>,
    pub stage: Stage,
}
pub fn line(n: i64) -> Line {
    Line {
        sku: format!("s{n}"),
        qty: n,
        stage: match n % 3 {
            0 => Stage::Draft {
                by: format!("b{n}"),
                n,
            },
            1 => Stage::Sent(n),
            _ => Stage::Done,
        },
        tags: vec![format!("t{n}"), "x".into()],
        note: (n % 2 == 0).then(|| format!("n{n}")),
    }
}
pub fn order(n: i64) -> Order {
    Order {
        id: n,
        lines: (0..n).map(line).collect(),
        who: (n % 2 == 0).then(|| format!("w{n}")),
        stage: line(n).stage,
    }
}

#[test]
fn a_pattern_that_looks_into_an_item() {
    #[workflow]
    async fn run(all: Vec<Line>) -> Result<i64, WorkflowError> {
        let mut sum = 0;
        for line in &all {
            match &line.stage {
                Stage::Draft { by, n } => {
                    greet(by).await?;
                    sum += give(*n).await?;
                    note((by, n));
                }
                Stage::Sent(k) => {
                    give(*k).await?;
                    note(k);
                }
                Stage::Done => {}
            }
            match line {
                Line { sku, qty, .. } if *qty > 1 => {
                    give(1).await?;
                    note((sku, qty));
                }
                other => {
                    give(2).await?;
                    note(other);
                }
            }
            let Line {
                sku,
                qty,
                note: why,
                ..
            } = line;
            if let Some(why) = why {
                greet(why).await?;
                note((why, sku));
            }
            give(*qty).await?;
            note(sku);
        }
        Ok(sum)
    }
    same!(run; (order(0).lines), (order(3).lines), (order(4).lines));
}

#[test]
fn an_item_that_is_matched() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let all: Vec<Stage> = order(n).lines.into_iter().map(|l| l.stage).collect();
        let mut sum = 0;
        for st in &all {
            match st {
                Stage::Draft { by, n } => {
                    greet(by).await?;
                    sum += give(*n).await?;
                    note((by, n));
                }
                Stage::Sent(k) => {
                    give(*k).await?;
                    note(k);
                }
                Stage::Done => {}
            }
            let again = st;
            if let Stage::Sent(k) = again {
                give(*k).await?;
                note((k, again));
            }
        }
        for st in all.iter() {
            if let Stage::Draft { by, .. } = st {
                greet(by).await?;
                note(by);
            }
        }
        for (i, st) in all.iter().enumerate() {
            let Stage::Sent(k) = st else { continue };
            give(*k).await?;
            note((i, k));
        }
        Ok(sum)
    }
    same!(run; (0), (3), (4));
}

#[test]
fn an_item_that_is_changed_by_a_pattern() {
    #[workflow]
    async fn run(mut all: Vec<Line>) -> Result<i64, WorkflowError> {
        for line in &mut all {
            let Line { sku, qty, .. } = line;
            *qty += give(*qty).await?;
            sku.push('!');
            give(*qty).await?;
            note((sku, qty));
        }
        for line in all.iter_mut() {
            match &mut line.stage {
                Stage::Draft { n, .. } => {
                    *n += give(2).await?;
                    *n += give(*n).await?;
                }
                _ => {}
            }
            match line {
                Line {
                    stage: Stage::Sent(k),
                    ..
                } => {
                    *k += give(1).await?;
                    *k *= give(2).await?;
                }
                _ => {}
            }
        }
        note(&all);
        Ok(0)
    }
    same!(run; (order(0).lines), (order(3).lines), (order(4).lines));
}

#[test]
fn a_copy_of_a_reference() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let o = order(n + 1);
        let cur = &o.lines[0];
        let old = cur;
        give(1).await?;
        note(old);
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn references_side_by_side() {
    #[workflow]
    async fn run(a: Order, b: Order) -> Result<i64, WorkflowError> {
        let (x, y) = (&a.who, &b.who);
        give(1).await?;
        note((x, y));
        match (&a.who, &b.who) {
            (Some(p), None) => {
                greet(p).await?;
                note(p);
            }
            (None, Some(p)) => {
                greet(p).await?;
                note(p);
            }
            _ => {}
        }
        if let (Some(p), k) = (&a.who, &b.id) {
            give(*k).await?;
            note((p, k));
        }
        match (a.who.as_deref(), b.id) {
            (Some(p), 3) => {
                greet(p).await?;
                note(p);
            }
            (None, k) => {
                give(k).await?;
                note(k);
            }
            _ => {}
        }
        Ok(0)
    }
    same!(run; (order(0), order(1)), (order(3), order(4)), (order(2), order(3)));
}

#[test]
fn what_nobody_else_has() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        match &half(n).await? {
            Some(x) => {
                give(*x).await?;
                note(x);
            }
            None => {
                give(0).await?;
            }
        }
        if let Some(x) = &half(n).await? {
            give(*x).await?;
            note(x);
        }
        match greet("you").await?.as_str() {
            "x" => {}
            other => {
                greet(other).await?;
                note(other);
            }
        }
        match order(n).who.as_deref() {
            Some(other) => {
                greet(other).await?;
                note(other);
            }
            None => {}
        }
        let o = &order(n);
        give(o.id).await?;
        note(o);
        let t = greet("a").await?;
        let t = t.trim();
        greet(t).await?;
        note(t);
        while let Some(w) = &half(n + 1).await? {
            give(*w).await?;
            note(w);
            break;
        }
        Ok(0)
    }
    same!(run; (1), (2));
}

#[test]
fn parts_of_slices() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut v: Vec<i64> = (0..n + 3).collect();
        let tail = &mut v[1..];
        tail[0] += give(5).await?;
        tail[1] += give(6).await?;
        let i = 1u8;
        v[i as usize] += give(4).await?;
        v[(n as usize) % 2] += give(4).await?;
        let [first, .., last] = &mut v[..] else {
            return Ok(1);
        };
        *first += give(1).await?;
        *last += give(1).await?;
        note((first, last));
        if let [a, b, rest @ ..] = v.as_slice() {
            give(*a).await?;
            note((a, b, rest));
        }
        match &v[..] {
            [one] => {
                give(*one).await?;
                note(one);
            }
            [one, two, ..] => {
                give(*two).await?;
                note((one, two));
            }
            [] => {}
        }
        let mut grid = vec![vec![0; 3]; 3];
        let row = &mut grid[1];
        row[0] = give(3).await?;
        row[2] = give(4).await?;
        let mut at = 0;
        grid[0].push({
            at += 1;
            give(at).await?
        });
        grid[at as usize].push(give(2).await?);
        note(&grid);
        Ok(0)
    }
    same!(run; (1), (2));
}

#[test]
fn what_changes_beside_a_part() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = order(n).lines;
        for line in &mut all {
            match line {
                Line { qty: 1, sku, .. } => {
                    give(1).await?;
                    note(sku);
                }
                Line { note: Some(w), .. } => {
                    w.push('!');
                    greet(w).await?;
                    note(w);
                    line.note = None;
                }
                _ => {}
            }
        }
        note(&all);
        let o = order(n);
        let mut i = n;
        let (p, k) = (&o.who, i);
        i += 1;
        give(i).await?;
        note((p, k));
        let pair = (&o.id, &o.stage);
        give(*pair.0).await?;
        note(pair);
        Ok(0)
    }
    same!(run; (1), (3), (5));
}

#[test]
fn a_reference_in_one_branch_and_a_change_in_the_other() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = vec![n, n + 1];
        let Some(first) = all.get(1) else {
            return Ok(0);
        };
        if even(n).await? {
            give(1).await?;
            note(first);
        } else {
            give(*first).await?;
            all = vec![7];
            give(2).await?;
        }
        note(all);
        Ok(0)
    }
    same!(run; (1), (2));
}

#[test]
fn what_is_copied_of_a_reference_and_used_after_the_change() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = vec![n, n + 1];
        let Some(first) = all.iter().rev().nth(1) else {
            return Ok(0);
        };
        let pair: (i64, bool) = (*first, even(*first).await?);
        let mut more = give(*first + 1).await?;
        let is_large = *first > 2;
        if even(*first).await? {
            note(*first);
        } else {
            all = vec![give(7).await?];
        }
        more += pair.0;
        note((pair, more, is_large, &all));
        Ok(give(more).await?)
    }
    same!(run; (1), (2));
}

#[test]
fn what_is_handed_a_copy_of_a_reference() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = vec![n, n + 1];
        let first = all.first().unwrap_or(&7);
        let sum = half(n).await?.unwrap_or(*first) + n.max(*first);
        all = vec![n, give(sum).await?];
        note((n, &all));
        Ok(sum)
    }
    same!(run; (1), (2));
}

#[test]
fn a_reference_into_what_is_initialised_later() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let all: Vec<i64>;
        if even(n).await? {
            all = list(3).await?;
        } else {
            all = vec![n, give(n + 1).await?];
        }
        let Some(first) = all.get(1) else {
            return Ok(0);
        };
        let last = all.last().unwrap_or(&0);
        give(*first).await?;
        Ok(first + last)
    }
    same!(run; (1), (2));
}

#[test]
fn a_condition_that_changes_what_it_looked_into() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut left = Some(n);
        if let Some(first) = left
            && first > 0
            && (match left {
                Some(value) => {
                    left = Some(value + 1);
                    even(value)
                }
                None => false,
            })
        {
            note(first);
        } else {
            give(3).await?;
        }
        while let Some(next) = left
            && next < 8
            && left.take().is_some()
        {
            note(next);
            left = half(give(next * 2 + 2).await?).await?;
        }
        note(left);
        Ok(give(n).await?)
    }
    fn even(n: i64) -> bool {
        n % 2 == 0
    }
    same!(run; (0), (2), (3));
}
