//! Patterns that move parts out of a value while the rest is used later.

use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Rank {
    Silver(String),
    Gold { n: i64, names: Vec<String> },
    None,
}
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Order {
    id: i64,
    rank: Rank,
    who: Option<String>,
    tags: Vec<String>,
    pair: (String, i64),
}
fn order(n: i64) -> Order {
    Order {
        id: n,
        rank: match n % 3 {
            0 => Rank::Silver(format!("s{n}")),
            1 => Rank::Gold {
                n,
                names: vec![format!("g{n}")],
            },
            _ => Rank::None,
        },
        who: (n % 2 == 0).then(|| format!("w{n}")),
        tags: vec![format!("t{n}")],
        pair: ("p".into(), n),
    }
}

#[test]
fn an_enum_in_a_field() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        match o.rank {
            Rank::Silver(s) => {
                greet(&s).await?;
                note(s);
            }
            Rank::Gold { n, names } if n > 1 => {
                for name in names {
                    greet(&name).await?;
                }
                note(n);
            }
            Rank::Gold { n, mut names } => {
                names.push("x".into());
                give(n).await?;
                note(names);
            }
            Rank::None => {}
        }
        give(o.id).await?;
        note((o.id, &o.who, &o.tags));
        Ok(o.id)
    }
    same!(run; (order(0)), (order(1)), (order(2)), (order(4)));
}

#[test]
fn an_option_in_a_field() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        if let Some(w) = o.who {
            greet(&w).await?;
            note(w);
        }
        let Some(first) = o.tags.into_iter().next() else {
            return Ok(0);
        };
        greet(&first).await?;
        give(o.id).await?;
        note(o.id);
        Ok(o.id)
    }
    same!(run; (order(0)), (order(1)), (order(2)), (order(4)));
}

#[test]
fn a_struct_and_a_tuple() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        let Order { tags, who, .. } = o;
        give(1).await?;
        note((&tags, &who));
        let (text, k) = o.pair;
        give(k).await?;
        note((text, o.id));
        give(o.id).await?;
        Ok(o.id)
    }
    same!(run; (order(0)), (order(1)), (order(2)), (order(4)));
}

#[test]
fn patterns_before_an_await() {
    #[workflow]
    async fn run(o: Order) -> Result<i64, WorkflowError> {
        let label = match o.rank {
            Rank::Silver(s) => s,
            Rank::Gold { names, .. } => names.join(","),
            Rank::None => "none".to_string(),
        };
        greet(&label).await?;
        if let Some(w) = o.who {
            note(w);
        }
        give(o.id).await?;
        note((label, o.id));
        let whole = &o.tags;
        let copy = match o.pair {
            (_, k) if k > 2 => k,
            (_, k) => -k,
        };
        give(copy).await?;
        note((whole, copy));
        Ok(o.id)
    }
    same!(run; (order(0)), (order(1)), (order(2)), (order(4)));
}

#[test]
fn in_loops() {
    #[workflow]
    async fn run(n: i64, mut o: Order) -> Result<i64, WorkflowError> {
        for o in (0..n).map(order).collect::<Vec<_>>() {
            match o.rank {
                Rank::Silver(s) if s.len() > 1 => {
                    greet(&s).await?;
                }
                Rank::Silver(s) => note(s),
                _ => {}
            }
            let who = match o.who {
                Some(w) => w,
                None => continue,
            };
            greet(&who).await?;
            give(o.id).await?;
        }
        while let Some(w) = o.who {
            greet(&w).await?;
            o.who = None;
            give(o.id).await?;
        }
        note(o.who);
        Ok(0)
    }
    same!(run; (0, order(0)), (1, order(1)), (2, order(2)), (4, order(4)));
}

#[test]
fn methods_that_take_their_receiver() {
    #[workflow]
    async fn run(o: Order, p: Order, q: Order) -> Result<i64, WorkflowError> {
        let name = o.who.unwrap_or_default();
        greet(&name).await?;
        note(o.id);
        let name = p.who.map(|w| w + "!").unwrap_or_else(|| "n".to_string());
        greet(&name).await?;
        let (text, k) = p.pair;
        let bytes = text.into_bytes();
        give(p.id).await?;
        note((p.id, &p.tags, bytes, k));
        let w = q.who.ok_or_else(|| WorkflowError::new("no"))?;
        greet(&w).await?;
        note(q.tags.into_iter().map(|t| t + "x").collect::<Vec<_>>());
        give(q.id).await?;
        Ok(q.id)
    }
    same!(run; (order(0), order(0), order(0)), (order(1), order(1), order(1)), (order(2), order(2), order(2)), (order(4), order(4), order(4)));
}
