//! Bindings by `ref`, and references beside what changes.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Status {
    New,
    Done(i64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    status: Status,
    name: String,
    opt: Option<String>,
}

fn order() -> Order {
    Order {
        status: Status::New,
        name: "xx".into(),
        opt: Some("o".into()),
    }
}

#[test]
fn a_ref_beside_what_changes() {
    #[workflow]
    async fn run(mut order: Order) -> Result<i64, WorkflowError> {
        match order {
            Order {
                status: Status::New,
                ref name,
                ..
            } => {
                order.status = Status::Done(1);
                greet(name).await?;
                greet(name).await?;
            }
            _ => {}
        }
        Ok(1)
    }
    same!(run; (order()), (Order { status: Status::Done(2), ..order() }));
}

#[test]
fn a_ref_beside_a_number_that_changes() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut pair = (n, "s".to_string());
        if let (3, ref s) = pair {
            pair.0 = 5;
            greet(s).await?;
            greet(s).await?;
        }
        Ok(pair.0)
    }
    same!(run; (3), (4));
}

#[test]
fn a_mutable_ref_beside_what_changes() {
    #[workflow]
    async fn run(mut order: Order) -> Result<i64, WorkflowError> {
        let Order {
            status: Status::New,
            ref mut name,
            ..
        } = order
        else {
            return Ok(1);
        };
        order.status = Status::Done(1);
        greet(name).await?;
        name.push('x');
        greet(&order.name).await?;
        Ok(2)
    }
    same!(run; (order()), (Order { status: Status::Done(2), ..order() }));
}

#[test]
fn a_ref_within_an_option() {
    #[workflow]
    async fn run(order: Order) -> Result<i64, WorkflowError> {
        if let Order {
            opt: Some(ref o),
            status: Status::New,
            ..
        } = order
        {
            greet(o).await?;
            greet(o).await?;
        }
        Ok(2)
    }
    same!(run; (order()), (Order { status: Status::Done(2), ..order() }));
}

#[test]
fn the_number_of_one_of_two_searches() {
    #[workflow]
    async fn run(c: bool) -> Result<i64, WorkflowError> {
        let mut v = vec![1, 5, 7];
        let Some((i, x)) = (if c {
            v.iter().enumerate().find(|(_, x)| **x == 5)
        } else {
            v.iter().enumerate().last()
        }) else {
            return Ok(0);
        };
        note(x);
        v.clear();
        give(1).await?;
        note(i);
        Ok(i as i64)
    }
    same!(run; (true), (false));
}

#[test]
fn a_text_or_nothing() {
    #[workflow]
    async fn run(name: Option<String>) -> Result<i64, WorkflowError> {
        let who = name.as_deref().unwrap_or_default();
        greet(who).await?;
        greet(who).await?;
        Ok(1)
    }
    same!(run; (None), (Some("a".to_string())));
}

#[test]
fn references_side_by_side() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let a = Some("a".to_string());
        let b = Some(n);
        match (&a, &b) {
            (Some(x), Some(3)) => {
                greet(x).await?;
                greet(x).await?;
            }
            (Some(x), ..) => {
                greet(x).await?;
                greet(x).await?;
            }
            _ => {}
        }
        let pair = (&a, &b);
        greet("n").await?;
        if let (Some(x), Some(y)) = pair {
            greet(x).await?;
            give(*y).await?;
        }
        Ok(1)
    }
    same!(run; (3), (4), (5));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    A(String),
    B(i64, String),
    C(i64, String, String),
    D,
}

#[test]
fn a_ref_in_one_of_several() {
    #[workflow]
    async fn run(kind: Kind) -> Result<i64, WorkflowError> {
        match kind {
            Kind::A(ref s) | Kind::B(_, ref s) | Kind::C(_, ref s, _) => {
                greet(s).await?;
                greet(s).await?;
            }
            Kind::D => {}
        }
        Ok(1)
    }
    same!(run; (Kind::A("a".into())), (Kind::B(1, "b".into())), (Kind::C(1, "b".into(), "c".into())), (Kind::D));
}

#[test]
fn a_ref_in_an_arm_with_a_guard() {
    #[workflow]
    async fn run(kind: Kind) -> Result<i64, WorkflowError> {
        let x = Some(kind);
        match x {
            Some(Kind::B(n, ref s)) if n > 1 => {
                greet(s).await?;
                give(n).await?;
                greet(s).await?;
            }
            Some(Kind::C(1, ref s, ref t)) => {
                greet(s).await?;
                greet(t).await?;
                greet(s).await?;
            }
            _ => {}
        }
        Ok(1)
    }
    same!(run; (Kind::A("a".into())), (Kind::B(2, "b".into())), (Kind::C(1, "b".into(), "c".into())), (Kind::D));
}
