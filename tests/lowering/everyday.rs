//! Workflows as they are written by somebody who does not think of how they are saved.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

const LIMIT: usize = 3;
static NAMES: [&str; 3] = ["x", "y", "z"];

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
enum Status {
    Pending,
    Approved { by: String, notes: Option<String> },
    Rejected(String),
}
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Item {
    sku: String,
    qty: u32,
    price: f64,
    tags: Vec<String>,
}
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Customer {
    name: String,
    email: Option<String>,
    vip: bool,
}
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
struct Order {
    id: u64,
    customer: Customer,
    items: Vec<Item>,
    status: Status,
    meta: HashMap<String, String>,
}
fn order(n: u64) -> Order {
    Order {
        id: n,
        customer: Customer {
            name: format!("c{n}"),
            email: n.is_multiple_of(2).then(|| format!("c{n}@x")),
            vip: n.is_multiple_of(3),
        },
        items: (0..n)
            .map(|i| Item {
                sku: format!("s{i}"),
                qty: i as u32,
                price: 1.5 * i as f64,
                tags: vec!["a".into()],
            })
            .collect(),
        status: match n % 3 {
            0 => Status::Pending,
            1 => Status::Approved {
                by: "me".into(),
                notes: Some("n".into()),
            },
            _ => Status::Rejected("no".into()),
        },
        meta: HashMap::from([("k".to_string(), "v".to_string())]),
    }
}

#[activity]
pub async fn reserve(sku: &str, qty: u32) -> Result<String, ActivityError> {
    note((sku, qty));
    if qty == 3 {
        return Err(ActivityError::new("none left"));
    }
    Ok(format!("r-{sku}"))
}
#[activity]
pub async fn release(id: String) -> Result<(), ActivityError> {
    note(id);
    Ok(())
}
#[activity]
pub async fn charge(cents: i64, who: String) -> Result<String, ActivityError> {
    note((cents, &who));
    if cents > 900 {
        return Err(ActivityError::new("declined"));
    }
    Ok(format!("tx-{cents}"))
}
#[activity]
pub async fn mail(to: &str, subject: &str, body: String) -> Result<(), ActivityError> {
    note((to, subject, body));
    Ok(())
}
#[activity]
pub async fn score(o: Order) -> Result<f64, ActivityError> {
    note(o.id);
    Ok(o.id as f64 / 2.0)
}
#[activity]
pub async fn page(n: u32) -> Result<(Vec<i64>, Option<u32>), ActivityError> {
    note(n);
    Ok((vec![n as i64, 2], (n < 3).then_some(n + 1)))
}

#[test]
fn a_saga() {
    #[workflow]
    async fn run(order: Order) -> Result<Vec<String>, WorkflowError> {
        let mut done: Vec<String> = Vec::new();
        for item in &order.items {
            match reserve(&item.sku, item.qty).await {
                Ok(id) => done.push(id),
                Err(error) => {
                    for id in done.into_iter().rev() {
                        release(id).await?;
                    }
                    return Err(WorkflowError::new(format!("{}: {error}", item.sku)));
                }
            }
        }
        let total: f64 = order.items.iter().map(|i| i.price * i.qty as f64).sum();
        let tx = match charge((total * 100.0) as i64, order.customer.name.clone()).await {
            Ok(tx) => tx,
            Err(e) => {
                while let Some(id) = done.pop() {
                    release(id).await?;
                }
                return Err(e.into());
            }
        };
        if let Some(email) = &order.customer.email {
            mail(
                email,
                "thanks",
                format!("{} items, {tx}", order.items.len()),
            )
            .await?;
        }
        done.push(tx);
        Ok(done)
    }
    same!(run; (order(0)), (order(2)), (order(3)), (order(5)));
}
#[test]
fn pages() {
    #[workflow]
    async fn run(first: u32) -> Result<i64, WorkflowError> {
        let mut next = Some(first);
        let mut all = vec![];
        let mut pages = 0usize;
        while let Some(n) = next {
            let (items, following) = page(n).await?;
            all.extend(items);
            next = following;
            pages += 1;
            if pages >= 10 {
                break;
            }
        }
        let total: i64 = all.iter().sum();
        note((pages, &all));
        Ok(total)
    }
    same!(run; (0), (3));
}
#[test]
fn a_machine_of_states() {
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    enum Step {
        Draft,
        Review { round: u8 },
        Done(bool),
    }
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let mut step = Step::Draft;
        let mut log = String::new();
        let ok = loop {
            step = match step {
                Step::Draft => {
                    log += &greet("d").await?;
                    Step::Review { round: 0 }
                }
                Step::Review { round } if round >= 2 => Step::Done(false),
                Step::Review { round } => {
                    if even(n + round as i64).await? {
                        Step::Done(true)
                    } else {
                        Step::Review { round: round + 1 }
                    }
                }
                Step::Done(ok) => break ok,
            };
            log.push_str(&format!("{step:?};"));
        };
        Ok(format!("{ok} {log}"))
    }
    same!(run; (0), (1), (2));
}
#[test]
fn a_discount() {
    #[workflow]
    async fn run(order: Order) -> Result<f64, WorkflowError> {
        if order.items.is_empty() {
            return Err(WorkflowError::new("empty"));
        }
        let s = score(order.clone()).await?;
        let Order {
            items,
            customer: Customer { name, vip, .. },
            ..
        } = order;
        let discount = match (vip, s) {
            (true, s) if s > 1.0 => 0.2,
            (true, _) => 0.1,
            (false, _) => 0.0,
        };
        let mut sum = 0.0;
        for Item {
            sku, price, qty, ..
        } in items
        {
            let r = reserve(&sku, qty).await.unwrap_or_else(|e| e.to_string());
            note(&r);
            sum += price * f64::from(qty);
        }
        charge((sum * (1.0 - discount)) as i64, name).await?;
        Ok(sum)
    }
    same!(run; (order(0)), (order(2)), (order(3)), (order(4)));
}
#[test]
fn orders_by_status() {
    #[workflow]
    async fn run(orders: Vec<Order>) -> Result<BTreeMap<String, Vec<u64>>, WorkflowError> {
        let mut by: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for o in &orders {
            let key = match &o.status {
                Status::Pending => "pending".to_string(),
                Status::Approved {
                    by,
                    notes: Some(notes),
                } if !notes.is_empty() => format!("{by}/{}", greet(notes).await?),
                Status::Approved { by, .. } => by.clone(),
                Status::Rejected(why) => {
                    mail(&o.customer.name, "rejected", why.clone()).await?;
                    format!("rejected {why}")
                }
            };
            by.entry(key).or_default().push(o.id);
        }
        for (key, ids) in by.iter_mut() {
            ids.sort();
            let n = give(ids.len() as i64).await?;
            ids.push(n as u64);
            note((key, ids));
        }
        let biggest = by
            .iter()
            .max_by_key(|(_, ids)| ids.len())
            .map(|(k, _)| k.clone());
        if let Some(k) = biggest {
            greet(&k).await?;
            by.remove(&k);
        }
        by.retain(|_, ids| !ids.is_empty());
        Ok(by)
    }
    same!(run; ((0..6).map(order).collect()), (vec![]));
}
#[test]
fn an_approval_with_reminders() {
    #[workflow]
    async fn run(ctx: &mut Context, mut order: Order) -> Result<Status, WorkflowError> {
        let deadline = ctx.now() + Duration::from_secs(60);
        let mut reminders = 0;
        order.status = loop {
            match ctx
                .wait_for_signal::<i64>("s", Duration::from_secs(10))
                .await
            {
                Ok(n) if n > 0 => {
                    break Status::Approved {
                        by: format!("u{n}"),
                        notes: None,
                    };
                }
                Ok(n) => break Status::Rejected(format!("{n}")),
                Err(_) if reminders < 2 => {
                    reminders += 1;
                    let to = order.customer.email.as_deref().unwrap_or("ops@x");
                    mail(to, "waiting", format!("{reminders} of {}", order.id)).await?;
                }
                Err(e) => return Err(e),
            }
        };
        let _ = deadline;
        if let Status::Approved { by, notes } = &mut order.status {
            *notes = Some(greet(by).await?);
        }
        Ok(order.status)
    }
    same!(run with [("s", 3)]; (order(2)));
    same!(run with [("s", -3)]; (order(2)));
    same!(run with []; (order(1)));
}
#[test]
fn batches() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let ids = list(n).await?;
        let mut out = Vec::with_capacity(ids.len());
        let mut failed: HashMap<i64, String> = HashMap::new();
        'outer: for (b, chunk) in ids.chunks(3).enumerate() {
            for id in chunk {
                let r = match check(*id - 2).await {
                    Ok(v) => v,
                    Err(e) if b == 0 => {
                        failed.insert(*id, e.to_string());
                        continue;
                    }
                    Err(_) => break 'outer,
                };
                out.push(r);
            }
            let sum: i64 = chunk.iter().copied().sum();
            if give(sum).await? > 20 {
                break;
            }
        }
        let worst = out.iter().copied().max().unwrap_or_default();
        note((worst, failed.len()));
        let evens: Vec<_> = out.iter().filter(|x| *x % 2 == 0).cloned().collect();
        for (i, x) in evens.iter().enumerate().rev() {
            give(*x * i as i64).await?;
        }
        out.sort_by(|a, b| b.cmp(a));
        out.dedup();
        let best = &out[..out.len().min(2)];
        for x in best {
            give(*x).await?;
        }
        Ok(best.to_vec())
    }
    same!(run; (0), (4), (9));
}
#[test]
fn lines_of_a_text() {
    #[workflow]
    async fn run(text: String) -> Result<String, WorkflowError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let n = words.len();
        let first = words.first().copied().unwrap_or("none").to_string();
        let g = greet(&first).await?;
        let mut parts = vec![g];
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            parts.push(format!("{key}:{}", greet(value).await?));
        }
        let joined = parts.join(",");
        give(n as i64).await?;
        Ok(joined.to_uppercase())
    }
    same!(run; ("".into()), ("a=1\n\n b =2 c".into()));
}
#[test]
fn options_and_results() {
    #[workflow]
    async fn run(order: Order) -> Result<String, WorkflowError> {
        let email = order
            .customer
            .email
            .clone()
            .filter(|e| e.contains('@'))
            .ok_or_else(|| WorkflowError::new("no email"));
        let email = match email {
            Ok(e) => e,
            Err(e) => {
                note(e.to_string());
                greet("fallback").await?
            }
        };
        let maybe: Option<i64> = half(order.id as i64).await?;
        let value = if let Some(v) = maybe
            && v > 1
        {
            give(v).await?
        } else if order.customer.vip {
            100
        } else {
            -1
        };
        let parsed: i64 = format!("{value}")
            .parse()
            .map_err(|_| WorkflowError::new("parse"))?;
        let first = order
            .items
            .first()
            .map(|i| i.sku.as_str())
            .unwrap_or_default();
        let r = reserve(first, parsed.unsigned_abs() as u32).await.ok();
        let label = r.as_deref().unwrap_or("-");
        greet(label).await?;
        let len = [email.len(), label.len()].into_iter().max().unwrap();
        Ok(format!(
            "{email}/{label}/{len}/{}",
            order.meta.get("k").map_or("?", |v| v)
        ))
    }
    same!(run; (order(0)), (order(1)), (order(4)), (order(3)));
}
#[test]
fn several_at_once() {
    #[workflow]
    async fn run(ctx: &mut Context, orders: Vec<Order>) -> Result<Vec<String>, WorkflowError> {
        let calls: Vec<_> = orders
            .iter()
            .map(|o| reserve(&o.customer.name, o.id as u32 % 3))
            .collect();
        let results = join_all(calls).await;
        let mut out = vec![];
        for r in results {
            out.push(r?);
        }
        let (a, b) = join!(give(1), greet("you"));
        out.push(format!("{}{}", a?, b?));
        let winner = select! {
            s = ctx.wait_for_signal::<i64>("s", Duration::from_secs(5)) => format!("s{}", s.unwrap_or(-1)),
            _ = ctx.sleep(Duration::from_secs(3)) => "slept".to_string(),
        };
        out.push(winner);
        Ok(out)
    }
    same!(run with [("s", 3)]; ((0..3).map(order).collect()));
}

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

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tool {
    Search { query: String, limit: Option<usize> },
    Fetch { url: String },
    Answer { text: String },
}
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Message {
    role: String,
    content: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<Tool>,
}
#[derive(Debug, Default, Clone, Serialize, Deserialize, PartialEq)]
pub struct Conversation {
    messages: Vec<Message>,
    tokens: u64,
    cost: f64,
    budget: Budget,
}
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Budget {
    max_tokens: u64,
    max_turns: u32,
}
impl Conversation {
    fn push(&mut self, role: impl Into<String>, content: impl std::fmt::Display) -> &mut Message {
        self.messages.push(Message {
            role: role.into(),
            content: content.to_string().into(),
            tool: None,
        });
        self.messages.last_mut().unwrap()
    }
    fn spent(&self) -> f64 {
        self.cost
    }
    fn is_over(&self) -> bool {
        self.tokens > self.budget.max_tokens
    }
    fn last(&self) -> Option<&Message> {
        self.messages.last()
    }
}
#[activity]
pub async fn llm(c: Conversation) -> Result<(Tool, u64), ActivityError> {
    note(c.messages.len());
    Ok(match c.messages.len() {
        1 => (
            Tool::Search {
                query: "q".into(),
                limit: Some(3),
            },
            10,
        ),
        2 | 3 => (
            Tool::Fetch {
                url: format!("u{}", c.messages.len()),
            },
            20,
        ),
        _ => (
            Tool::Answer {
                text: "done".into(),
            },
            5,
        ),
    })
}
#[activity]
pub async fn search(query: String, limit: usize) -> Result<Vec<String>, ActivityError> {
    note((&query, limit));
    Ok((0..limit).map(|i| format!("{query}{i}")).collect())
}
#[activity]
pub async fn fetch(url: &str) -> Result<serde_json::Value, ActivityError> {
    note(url);
    Ok(serde_json::json!({ "url": url, "items": [1, 2, { "a": null }] }))
}

#[test]
fn an_agent_with_tools() {
    #[workflow]
    async fn run(
        ctx: &mut Context,
        question: String,
        max_turns: u32,
    ) -> Result<Conversation, WorkflowError> {
        let mut conversation = Conversation {
            budget: Budget {
                max_tokens: 100,
                max_turns,
            },
            ..Default::default()
        };
        conversation.push("user", &question);
        let answer = 'turns: {
            for turn in 1..=conversation.budget.max_turns {
                let (tool, used) = llm(conversation.clone()).await?;
                conversation.tokens += used;
                conversation.cost += used as f64 * 0.5;
                if conversation.is_over() {
                    return Err(WorkflowError::new(format!(
                        "over budget in turn {turn}: {}",
                        conversation.spent()
                    )));
                }
                let result = match &tool {
                    Tool::Search { query, limit } => {
                        let hits = search(query.clone(), limit.unwrap_or(5)).await?;
                        let mut pages = Vec::new();
                        for hit in hits.iter().take(2) {
                            pages.push(fetch(hit).await?);
                        }
                        serde_json::json!({ "hits": hits, "pages": pages })
                    }
                    Tool::Fetch { url } => match fetch(url).await {
                        Ok(page) => page["items"].clone(),
                        Err(e) => serde_json::json!({ "error": e.to_string() }),
                    },
                    Tool::Answer { text } => break 'turns Some(text.clone()),
                };
                let message = conversation.push("tool", result);
                message.tool = Some(tool);
                ctx.sleep(Duration::from_millis(5)).await?;
            }
            None
        };
        let answer = answer.unwrap_or_else(|| "no answer".to_owned());
        if let Some(last) = conversation.last()
            && last.tool.is_some()
        {
            greet(&last.role).await?;
            note(last);
        }
        conversation.push("assistant", answer);
        Ok(conversation)
    }
    same!(run with []; ("what".into(), 2));
    same!(run with []; ("what".into(), 9));
    same!(run with []; ("x".into(), 0));
}
#[test]
fn options_within_options() {
    #[derive(Debug, Clone, Serialize, Deserialize, Default)]
    struct Inner {
        name: Option<String>,
        kids: Option<Vec<Inner>>,
    }
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let root = Inner {
            name: Some(format!("r{n}")),
            kids: (n > 0).then(|| {
                (0..n)
                    .map(|i| Inner {
                        name: (i % 2 == 0).then(|| format!("k{i}")),
                        kids: None,
                    })
                    .collect()
            }),
        };
        let Inner {
            name: Some(name),
            kids,
        } = &root
        else {
            return Ok("none".into());
        };
        let mut out = greet(name).await?;
        if let Some(kids) = kids {
            for (i, kid) in kids.iter().enumerate().filter(|(i, _)| *i != 1) {
                let label = match (&kid.name, i) {
                    (Some(name), 0) => format!("first {name}"),
                    (Some(name), _) => greet(name).await?,
                    (None, i) => format!("#{i}"),
                };
                out += &label;
                if out.len() > 40 {
                    break;
                }
                give(i as i64).await?;
                note((name, &label, kid));
            }
        }
        let deepest = root
            .kids
            .as_ref()
            .and_then(|k| k.last())
            .and_then(|k| k.name.as_deref())
            .unwrap_or("-");
        greet(deepest).await?;
        Ok(format!("{out}|{deepest}"))
    }
    same!(run; (0), (2), (5));
}
