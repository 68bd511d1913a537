//! An agent's loop: its history grows, and each step still saves only what changed.

use std::error::Error;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
struct Message {
    role: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
enum Move {
    Search(String),
    Answer(String),
}

/// Stands in for a language model.
#[activity(timeout = "2m", retry(max_attempts = 5))]
async fn think(history: &[Message]) -> Result<Move, ActivityError> {
    Ok(match history.len() {
        1 => Move::Search("durable execution".to_owned()),
        3 => Move::Search("state machines".to_owned()),
        n => Move::Answer(format!("after {n} messages: save the state, not the past")),
    })
}

#[activity(timeout = "30s")]
async fn search(query: &str) -> Result<String, ActivityError> {
    Ok(format!("ten pages about {query}"))
}

#[workflow]
async fn agent(question: String) -> Result<String, WorkflowError> {
    let mut history = vec![Message {
        role: "user".to_owned(),
        text: question,
    }];
    loop {
        match think(&history).await? {
            Move::Answer(answer) => return Ok(answer),
            Move::Search(query) => {
                let found = search(&query).await?;
                history.push(Message {
                    role: "agent".to_owned(),
                    text: query,
                });
                history.push(Message {
                    role: "search".to_owned(),
                    text: found,
                });
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<agent>();
    let executor = workflow::new("default", config).await?;
    let answer = executor
        .execute(agent("How do programs survive?".to_owned()))
        .await?;
    println!("{answer}");
    Ok(())
}
