use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(Serialize, Deserialize)]
enum Stage {
    Open,
    Closed,
}

impl Stage {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    id: i64,
    stage: Stage,
    title: String,
}

fn tier(vip: bool) -> &'static str {
    if vip { "gold" } else { "plain" }
}

#[workflow]
async fn of_a_method(mut ticket: Ticket) -> Result<String, WorkflowError> {
    let stage = ticket.stage.as_str();
    ticket.stage = Stage::Closed;
    give(1).await?;
    Ok(format!("{stage} {}", ticket.title))
}

#[workflow]
async fn of_an_arm(mut tickets: Vec<Ticket>) -> Result<i64, WorkflowError> {
    let ticket = &mut tickets[0];
    match ticket {
        Ticket {
            stage: Stage::Open,
            title,
            ..
        } => {
            ticket.stage = Stage::Closed;
            title.push_str("!");
            give(1).await?;
            title.push_str("?");
        }
        _ => {}
    }
    Ok(0)
}

#[workflow]
async fn of_a_closure(vip: bool) -> Result<i64, WorkflowError> {
    let mut name = tier(vip);
    let longer = |by: usize| name.len() + by;
    name = tier(!vip);
    let by = give(1).await?;
    Ok((longer(by as usize) + name.len()) as i64)
}

#[workflow]
async fn through_a_reference(mut tickets: Vec<Ticket>) -> Result<String, WorkflowError> {
    let ticket = &tickets[0];
    let stage = ticket.stage.as_str();
    tickets[0].stage = Stage::Closed;
    give(1).await?;
    Ok(stage.to_owned())
}

#[workflow]
async fn found_by_what_it_changes() -> Result<usize, WorkflowError> {
    let mut nodes = [0usize, 2, 0, 5];
    let node = &mut nodes[nodes[0]];
    *node = 1;
    give(1).await?;
    *node += 10;
    Ok(nodes[0])
}

#[workflow]
async fn by_a_key(prices: BTreeMap<String, i64>) -> Result<i64, WorkflowError> {
    let mut key = "tea".to_owned();
    let price = prices.get(&key).unwrap();
    key.push('s');
    Ok(give(*price).await? + price)
}

#[workflow]
async fn letters() -> Result<(), WorkflowError> {
    let mut names = vec!["one", "two"];
    let name = &names[0];
    for letter in name.chars() {
        names[0] = "another";
        give(letter as i64).await?;
    }
    Ok(())
}

fn main() {}
