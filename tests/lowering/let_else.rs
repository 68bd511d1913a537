//! A `match` that leaves unless it finds something, which is a `let … else` by another name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    name: String,
    n: i64,
}

fn users() -> BTreeMap<i64, User> {
    BTreeMap::from([
        (
            1,
            User {
                name: "a".into(),
                n: 1,
            },
        ),
        (
            2,
            User {
                name: "b".into(),
                n: 2,
            },
        ),
    ])
}

#[test]
fn a_match_that_leaves_for_what_is_not_there() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut m = users();
        let t = match m.get_mut(&k) {
            Some(t) => t,
            None => return Ok(0),
        };
        give(1).await?;
        t.n += 1;
        greet(&t.name).await?;
        Ok(m[&k].n)
    }
    same!(run; (1), (2), (3));
}

#[test]
fn an_if_that_leaves_for_what_is_not_there() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut m = users();
        let t = if let Some(t) = m.get_mut(&k) {
            t
        } else {
            note("none");
            return Ok(0);
        };
        give(1).await?;
        t.n += 1;
        greet(&t.name).await?;
        Ok(m[&k].n)
    }
    same!(run; (1), (2), (3));
}

#[test]
fn a_match_that_gives_a_part() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let m = users();
        let name = match m.get(&k) {
            Some(User { name, .. }) => name,
            None => {
                note("no");
                return Err(WorkflowError::new("none"));
            }
        };
        give(1).await?;
        greet(name).await?;
        Ok(m[&k].n)
    }
    same!(run; (1), (2), (3));
}

#[test]
fn a_match_that_gives_what_was_found() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut v = vec![3, 1, 2];
        let (i, x) = match v.iter().enumerate().find(|(_, x)| **x == k) {
            Some(pair) => pair,
            None => return Ok(0),
        };
        note(x);
        v.clear();
        give(1).await?;
        Ok(i as i64)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn a_match_that_goes_on_with_the_loop() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut m = users();
        let mut sum = 0;
        for i in 0..k {
            let User { n, name } = match m.get_mut(&i) {
                Some(u) if u.n == 9 => continue,
                Some(u) => u,
                None => continue,
            };
            give(*n).await?;
            *n += 7;
            name.push('x');
            greet(name).await?;
            sum += *n;
        }
        note(&m);
        Ok(sum)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn a_match_that_moves() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let user = users().remove(&k);
        let u = match user {
            Some(u) => u,
            None => return Ok(3),
        };
        give(u.n).await?;
        greet(&u.name).await?;
        let r = match Ok::<_, String>(u.n) {
            Ok(n) => n,
            Err(e) => {
                note(e);
                return Ok(1);
            }
        };
        give(r).await?;
        Ok(r)
    }
    same!(run; (1), (2), (5));
}

#[test]
fn a_match_that_awaits_as_it_leaves() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let text = "a=b,c".to_string();
        for part in text.split(',') {
            let (a, b) = match part.split_once('=') {
                Some(ab) => ab,
                None => {
                    greet(part).await?;
                    continue;
                }
            };
            greet(a).await?;
            greet(b).await?;
        }
        Ok(k)
    }
    same!(run; (1));
}

#[test]
fn a_match_of_what_changes() {
    #[workflow]
    async fn run(k: i64) -> Result<i64, WorkflowError> {
        let mut prices = BTreeMap::from([(1, 2)]);
        let price = match prices.get(&k) {
            None => {
                give(4).await?;
                return Ok(1);
            }
            Some(price) => price,
        };
        give(*price).await?;
        give(*price).await?;
        prices.clear();
        let mut items = vec![1, 2, 3];
        let item = match items.iter_mut().find(|item| **item > k) {
            Some(item) => item,
            None => return Ok(1),
        };
        give(*item).await?;
        *item -= 4;
        let item = if let Some(item) = items.iter_mut().find(|item| **item > k) {
            item
        } else {
            give(9).await?;
            return Ok(2);
        };
        *item -= 2;
        give(*item).await?;
        note(&items);
        Ok(3)
    }
    same!(run; (1), (2), (3));
}
