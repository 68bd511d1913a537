//! Values that a part is moved out of while the rest is used later.

use crate::driver::{add, give, greet, list, note};
use crate::same;
use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    id: i64,
    items: Vec<i64>,
    customer: Customer,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Customer {
    name: String,
    /// Neither `Default` nor `Copy`.
    rank: Rank,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Rank {
    Silver(String),
    Gold,
}

fn order(id: i64) -> Order {
    Order {
        id,
        items: vec![id, id + 1],
        customer: Customer {
            name: format!("customer {id}"),
            rank: if id > 2 {
                Rank::Gold
            } else {
                Rank::Silver("s".to_owned())
            },
        },
    }
}

#[test]
fn a_field_into_a_binding() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let order = order(x);
        let items = order.items;
        let mut total = give(order.id).await?;
        for item in items {
            total += add(item, order.id).await?;
        }
        let Customer { name, rank } = order.customer;
        note((greet(&name).await?, rank));
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn nested_fields_into_calls_and_loops() {
    #[workflow]
    async fn run(mut order: Vec<Order>, x: i64) -> Result<String, WorkflowError> {
        let mut said = Vec::new();
        while let Some(order) = order.pop() {
            for item in order.items {
                said.push(give(item + order.id).await?.to_string());
            }
            let rank = order.customer.rank;
            said.push(greet(&give(x).await?.to_string()).await? + &order.customer.name);
            let name = shorter(order.customer.name);
            give(order.id).await?;
            note((name, rank));
        }
        Ok(said.join(" "))
    }
    fn shorter(mut name: String) -> String {
        name.truncate(3);
        name
    }
    same!(run; (vec![order(1), order(5)], 3), (vec![], 0));
}

#[test]
fn what_is_put_back_is_there() {
    #[workflow]
    async fn run(x: i64) -> Result<Order, WorkflowError> {
        let mut pair = (order(x), String::from("kept"));
        for i in 0..3 {
            let items = pair.0.items;
            give(pair.0.id + i).await?;
            pair.0.items = items.into_iter().rev().collect();
            if i == 1 {
                let text = (pair.1, i);
                give(i).await?;
                pair.1 = text.0 + "!";
            }
        }
        note(give(pair.0.items[0]).await?);
        note(pair.1);
        Ok(pair.0)
    }
    same!(run; (1), (4));
}

#[test]
fn parts_that_are_assigned_to() {
    #[workflow]
    async fn run(x: i64) -> Result<Order, WorkflowError> {
        let mut order = order(x);
        (order.id, order.items) = (give(x + 1).await?, vec![x]);
        [order.items[0], _] = [7, give(order.id).await?];
        Customer {
            name: order.customer.name,
            ..
        } = self::order(give(3).await?).customer;
        Ok(order)
    }
    same!(run; (1), (4));
}

#[test]
fn copies_stay_and_only_looking_takes_nothing() {
    #[workflow]
    async fn run(x: i64) -> Result<String, WorkflowError> {
        let order = order(x);
        let id = order.id;
        let same = order.customer.name == format!("customer {}", add(order.id, 0).await?);
        match order.customer.rank {
            Rank::Gold => note("gold"),
            Rank::Silver(_) => note("silver"),
        }
        give(order.id + id).await?;
        note((same, &order.customer.rank, order.items.len()));
        let tail = if same {
            order.customer.name
        } else {
            String::new()
        };
        give(order.items.len() as i64).await?;
        Ok(format!("{tail} {:?}", order.items))
    }
    same!(run; (1), (4));
}

#[test]
fn a_copied_part_beside_references() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let order = order(x);
        let name = order.customer.name.trim_matches(char::is_numeric);
        let first = order.items.iter().max();
        note((order.id, name, first));
        let mut total = add(order.id, first.copied().unwrap_or(0)).await?;
        let customer = &order.customer;
        total += give(order.id).await? + customer.name.len() as i64;
        let items = order.items;
        total += give(order.id).await?;
        Ok(total + items.len() as i64)
    }
    same!(run; (1), (4));
}

#[test]
fn parts_within_macros() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut n = 0;
        loop {
            n += 1;
            if n > 3 {
                break;
            }
            let pair = (give(n).await?, format!("{n}"));
            assert!({
                let taken = pair.1;
                note(taken);
                note(give(5).await? + pair.0);
                if x > 3 {
                    continue;
                }
                true
            });
        }
        let pair = (vec![x], n);
        let lists = vec![pair.0, list(pair.1).await?];
        note(add(pair.1, 1).await?);
        Ok(n + lists.len() as i64)
    }
    same!(run; (1), (4));
}
