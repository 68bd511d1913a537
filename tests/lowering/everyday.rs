//! Workflows as they are written by somebody who does not think of how they are saved.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

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
