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

mod operators {
    use super::*;
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Money(i64);
    impl std::ops::Sub for Money {
        type Output = Money;
        fn sub(self, o: Money) -> Money {
            Money(self.0 - o.0)
        }
    }
    impl std::ops::Neg for Money {
        type Output = Money;
        fn neg(self) -> Money {
            Money(-self.0)
        }
    }
    impl std::ops::AddAssign for Money {
        fn add_assign(&mut self, o: Money) {
            self.0 += o.0;
        }
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct O {
        id: i64,
        name: String,
        opt: Option<String>,
        #[allow(clippy::box_collection)]
        bx: Box<Vec<String>>,
        money: Money,
        more: Money,
        inner: Box<In>,
        res: Result<String, String>,
        nb: Box<i64>,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct In {
        a: String,
        b: i64,
    }
    fn o(n: i64) -> O {
        O {
            id: n,
            name: format!("n{n}"),
            opt: (n % 2 == 0).then(|| format!("o{n}")),
            bx: Box::new(vec![format!("b{n}")]),
            money: Money(n),
            more: Money(2 * n),
            inner: Box::new(In {
                a: format!("a{n}"),
                b: n,
            }),
            res: if n < 9 {
                Ok(format!("r{n}"))
            } else {
                Err("bad".into())
            },
            nb: Box::new(n),
        }
    }
    #[test]
    fn parts_by_operators_boxes_and_conditions() {
        #[workflow]
        async fn run(n: i64) -> Result<i64, WorkflowError> {
            let o = o(n);
            if let Some(k) = o.opt
                && o.id > 0
                && !o.name.is_empty()
            {
                greet(&k).await?;
                note(k);
            }
            give(o.id).await?;
            let m = o.money - Money(1);
            give(o.id).await?;
            note(m);
            let m = -o.more;
            give(o.id).await?;
            note(m);
            let v = *o.bx;
            give(o.id).await?;
            note((v, *o.nb));
            let k = *o.nb;
            give(k).await?;
            note((*o.nb, &o.inner));
            let In { a, b } = *o.inner;
            give(b).await?;
            note((a, o.id));
            let v = o.res.map_err(WorkflowError::new)?;
            give(o.id).await?;
            note((v, o.id, o.name));
            Ok(1)
        }
        same!(run; (0), (1), (4), (9));
    }
    #[test]
    fn parts_of_a_box() {
        #[workflow]
        async fn run(n: i64) -> Result<i64, String> {
            let whole = Box::new(o(n));
            let O {
                name, money, id, ..
            } = *whole;
            give(id).await.map_err(|e| e.to_string())?;
            note((name, &whole.opt));
            let mut sum = Money(0);
            sum += money;
            sum += whole.more;
            give(sum.0).await.map_err(|e| e.to_string())?;
            note((sum, whole.id));
            let r = whole.res?;
            give(id).await.map_err(|e| e.to_string())?;
            note((r, &whole.bx));
            fn ship(v: Vec<String>) -> i64 {
                v.len() as i64
            }
            give(ship(*whole.bx)).await.map_err(|e| e.to_string())?;
            if let Some(k) = whole.opt
                && k.len() > 1
                && whole.id > 3
            {
                note(k);
                give(3).await.map_err(|e| e.to_string())?;
            }
            note(whole.id);
            Ok(whole.id)
        }
        same!(run; (0), (1), (4), (9), (12));
    }
}
