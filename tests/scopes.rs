//! Where activities and workflows may stand, and what they may take and give.

use std::time::Duration as Span;

use serde::{Deserialize, Serialize};
use tests::upper as loud;
use tests::{open, reach};
use workflow::prelude::*;

/// A user's type: serde and nothing else.
#[derive(Serialize, Deserialize)]
pub struct Order {
    id: u64,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
pub struct Item {
    name: String,
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Kind {
    Plain,
    Gift { text: Option<String> },
}

mod shop {
    pub mod left {
        use workflow::prelude::*;

        #[activity]
        pub async fn fetch(order: &super::super::Order) -> Result<u64, ActivityError> {
            Ok(order.id)
        }
    }

    pub mod right {
        use workflow::prelude::*;

        #[activity]
        pub async fn fetch(
            names: &[String],
            extra: &str,
            wait: Duration,
        ) -> Result<String, ActivityError> {
            Ok(format!("{} {extra} {wait:?}", names.join("+")))
        }
    }
}

type Answer<T> = Result<T, Trouble>;

#[derive(Debug)]
enum Trouble {
    Activity(ActivityError),
    Workflow(WorkflowError),
    Empty,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Activity(error) => write!(f, "activity: {error}"),
            Self::Workflow(error) => write!(f, "workflow: {error}"),
            Self::Empty => f.write_str("empty"),
        }
    }
}

impl std::error::Error for Trouble {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Activity(error) => Some(&**error),
            Self::Workflow(error) => Some(&**error),
            Self::Empty => None,
        }
    }
}

impl From<ActivityError> for Trouble {
    fn from(error: ActivityError) -> Self {
        Self::Activity(error)
    }
}

impl From<WorkflowError> for Trouble {
    fn from(error: WorkflowError) -> Self {
        Self::Workflow(error)
    }
}

#[workflow]
async fn order(ctx: &mut Context, order: Order, wait: Span) -> Answer<String> {
    if order.items.is_empty() {
        return Err(Trouble::Empty);
    }
    let id = shop::left::fetch(&order).await?;
    ctx.sleep(wait).await?;
    let names: Vec<String> = order.items.iter().map(|item| item.name.clone()).collect();
    let text = shop::right::fetch(&names, "and", wait).await?;
    let gifts = order
        .items
        .iter()
        .filter(|item| matches!(&item.kind, Kind::Gift { text: Some(_) }))
        .count();
    Ok(loud(&format!("{id}: {text}, {gifts} gift")).await?)
}

fn sample() -> Order {
    Order {
        id: 7,
        items: vec![
            Item {
                name: "tea".to_owned(),
                kind: Kind::Plain,
            },
            Item {
                name: "cup".to_owned(),
                kind: Kind::Gift {
                    text: Some("hi".to_owned()),
                },
            },
        ],
    }
}

#[tokio::test]
async fn users_types_references_aliases_modules_and_crates() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<order>(data.path()).await;
    let call = order(sample(), Span::from_millis(2));
    assert_eq!(
        executor.execute(call).await.unwrap(),
        "7: TEA+CUP AND 2MS, 1 GIFT"
    );
    let empty = order(
        Order {
            id: 1,
            items: vec![],
        },
        Span::ZERO,
    );
    let error = executor.execute(empty).await.unwrap_err();
    assert_eq!(error.to_string(), "the workflow failed: empty");
}

#[tokio::test]
async fn a_cancellation_in_an_error_of_ones_own_is_one() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<order>(data.path()).await;
    let run = executor
        .start(order(sample(), Span::from_hours(1)))
        .await
        .unwrap();
    reach(&run, |state| matches!(state, OrderState::Sleep { .. })).await;
    run.cancel().await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Canceled(_)), "{error}");
}

#[tokio::test]
async fn inside_a_function() {
    #[derive(Serialize, Deserialize)]
    struct Local(u8);

    #[activity]
    async fn bump(value: &Local, by: u8) -> Result<u8, ActivityError> {
        Ok(value.0 + by)
    }

    #[workflow]
    async fn local(value: Local) -> Result<u8, WorkflowError> {
        let first = bump(&value, 1).await?;
        let second = bump(&value, first).await?;
        Ok(second)
    }

    let data = tempfile::tempdir().unwrap();
    let executor = open::<local>(data.path()).await;
    assert_eq!(executor.execute(local(Local(3))).await.unwrap(), 7);
}

#[workflow]
async fn many(
    a: u8,
    b: String,
    (c, d): (i64, bool),
    mut e: Vec<u8>,
) -> Result<String, WorkflowError> {
    e.push(a);
    let big = loud(&b).await?;
    Ok(format!("{a} {big} {c} {d} {e:?}"))
}

#[tokio::test]
async fn several_parameters() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<many>(data.path()).await;
    let call = many(1, "b".to_owned(), (-3, true), vec![9]);
    assert_eq!(executor.execute(call).await.unwrap(), "1 B -3 true [9, 1]");
}
