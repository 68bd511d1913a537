//! Workflows as people write them: a saga that undoes what it did, an agent's loop.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use workflow::prelude::*;

use crate::same;
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Item {
    sku: String,
    quantity: u32,
    price: f64,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    id: String,
    items: Vec<Item>,
    customer: Customer,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Customer {
    name: String,
    email: Option<String>,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Action {
    Tool { name: String, input: String },
    Answer(String),
    Think,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Receipt {
    id: String,
    total: f64,
}
#[activity(timeout = "1m")]
async fn reserve(item: &Item) -> Result<String, ActivityError> {
    Ok(item.sku.clone())
}
#[activity]
async fn release(reservation: String) -> Result<(), ActivityError> {
    drop(reservation);
    Ok(())
}
#[activity]
async fn charge(customer: &Customer, cents: u64) -> Result<Receipt, ActivityError> {
    if cents > 100000 {
        return Err(ActivityError::new("too much"));
    }
    Ok(Receipt {
        id: customer.name.clone(),
        total: cents as f64,
    })
}
#[activity]
async fn think(history: &[String]) -> Result<Action, ActivityError> {
    Ok(match history.len() {
        0 => Action::Think,
        1 | 2 => Action::Tool {
            name: "t".into(),
            input: history[0].clone(),
        },
        _ => Action::Answer("done".into()),
    })
}
#[activity]
async fn tool(name: &str, input: &str) -> Result<String, ActivityError> {
    Ok(format!("{name}{input}"))
}

#[workflow]
async fn order_workflow(ctx: &mut Context, order: Order) -> Result<Receipt, WorkflowError> {
    let mut reservations = Vec::new();
    let mut total = 0.0;
    for item in order.items.clone() {
        match reserve(&item).await {
            Ok(reservation) => reservations.push(reservation),
            Err(error) => {
                for reservation in reservations.into_iter().rev() {
                    if let Err(lost) = release(reservation).await {
                        #[workflow::allow(nondeterminism, reason = "it may be printed again")]
                        eprintln!("lost: {lost}");
                    }
                }
                return Err(error.into());
            }
        }
        total += item.price * f64::from(item.quantity);
    }
    let receipt = match charge(&order.customer, (total * 100.0) as u64).await {
        Ok(receipt) => receipt,
        Err(error) => {
            while let Some(reservation) = reservations.pop() {
                release(reservation).await?;
            }
            return Err(WorkflowError::new(format!("order {}: {error}", order.id)));
        }
    };
    let mut by_sku: HashMap<String, u32> = HashMap::new();
    for item in &order.items {
        *by_sku.entry(item.sku.clone()).or_default() += item.quantity;
    }
    ctx.sleep(Duration::from_secs(60)).await?;
    if let Some(email) = order
        .customer
        .email
        .as_deref()
        .filter(|email| email.contains('@'))
    {
        tool("mail", email).await?;
    }
    let counts: BTreeMap<_, _> = by_sku.into_iter().collect();
    for (sku, count) in counts {
        tool(&sku, &format!("{count}")).await?;
    }
    Ok(receipt)
}
#[workflow]
async fn agent(ctx: &mut Context, goal: String) -> Result<String, WorkflowError> {
    let mut history: Vec<String> = vec![];
    let mut spent = 0u32;
    let answer = loop {
        spent += 1;
        if spent > 10 {
            return Err(WorkflowError::new("gave up"));
        }
        match think(&history).await? {
            Action::Answer(text) => break text,
            Action::Think => {
                history.push(format!("thinking about {goal}"));
                continue;
            }
            Action::Tool { name, input } => {
                let result = tool(&name, &input).await?;
                let allowed = ctx
                    .wait_for_signal::<bool>("allow", Duration::from_secs(5))
                    .await
                    .unwrap_or(true);
                if !allowed {
                    history.push(format!("{name} was refused"));
                    continue;
                }
                history.push(format!("{name}({input}) = {result}"));
            }
        }
    };
    Ok(format!("{answer} after {spent}: {}", history.join("; ")))
}
#[test]
fn orders_and_agents() {
    let order = |price: f64| Order {
        id: "o".into(),
        items: vec![
            Item {
                sku: "a".into(),
                quantity: 2,
                price,
            },
            Item {
                sku: "b".into(),
                quantity: 1,
                price: 2.5,
            },
        ],
        customer: Customer {
            name: "n".into(),
            email: Some("a@b".into()),
        },
    };
    same!(order_workflow with []; (order(1.0)), (order(10000.0)));
    same!(agent with []; ("g".into()));
}
