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

fn show(word: &str, n: i64) -> String {
    format!("{word} {n}")
}

fn tier(vip: bool) -> &'static str {
    if vip { "gold" } else { "plain" }
}

#[workflow]
async fn operand_of_a_macro(words: Vec<String>) -> Result<String, WorkflowError> {
    let mut i = 0;
    let word = &words[i];
    Ok(format!("{} {}", word, {
        i += 1;
        give(i as i64).await?
    }))
}

#[workflow]
async fn operand_of_a_call(words: Vec<String>) -> Result<String, WorkflowError> {
    let mut i = 0;
    let word = &words[i];
    Ok(show(word, {
        i += 1;
        give(i as i64).await?
    }))
}

#[workflow]
async fn made_of_another(words: Vec<String>) -> Result<String, WorkflowError> {
    let mut i = 0;
    let word = &words[i];
    let text = (*word).as_str();
    i += 1;
    give(i as i64).await?;
    Ok(text.to_owned())
}

#[workflow]
async fn looped_over(lists: Vec<Vec<i64>>) -> Result<i64, WorkflowError> {
    let mut i = 0;
    let list = &lists[i];
    let mut sum = 0;
    for n in list.iter() {
        i = 1;
        sum += give(*n).await?;
    }
    Ok(sum + i as i64)
}

#[workflow]
async fn searched_for(tickets: Vec<Ticket>) -> Result<i64, WorkflowError> {
    let mut id = 1;
    let ticket = tickets.iter().find(|ticket| ticket.id == id).unwrap();
    id += 1;
    Ok(give(id).await? + ticket.id)
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
async fn asked_by_a_search(tickets: Vec<Ticket>) -> Result<i64, WorkflowError> {
    let mut at = 0;
    let wanted = &tickets[at];
    let found = tickets.iter().find(|ticket| ticket.id > wanted.id).unwrap();
    at += 1;
    Ok(give(at as i64).await? + found.id)
}

#[workflow]
async fn asked_by_a_loop(tickets: Vec<Ticket>) -> Result<i64, WorkflowError> {
    let names = vec!["long name", "name"];
    let mut at = 0;
    let name = &names[at];
    let mut sum = 0;
    for ticket in tickets.iter().filter(|ticket| ticket.title.len() < name.len()) {
        at = 1;
        sum += give(ticket.id).await?;
    }
    Ok(sum + at as i64)
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
async fn coerced() -> Result<String, WorkflowError> {
    let names = vec!["one", "two"];
    let mut at = 0;
    let name = &names[at];
    let text: &str = name;
    at += 1;
    give(at as i64).await?;
    Ok(text.to_owned())
}

#[workflow]
async fn letters() -> Result<i64, WorkflowError> {
    let names = vec!["one", "two"];
    let mut at = 0;
    let name = &names[at];
    for letter in name.chars() {
        at = 1;
        give(letter as i64).await?;
    }
    Ok(at as i64)
}

fn main() {}
