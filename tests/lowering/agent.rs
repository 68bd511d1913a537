//! An agent that talks to tools, as anybody would write it.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tool {
    Search { query: String, limit: Option<usize> },
    Fetch { url: String },
    Answer { text: String },
}
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Message {
    role: String,
    content: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<Tool>,
}
#[derive(Debug, Default, Clone, Serialize, Deserialize, PartialEq)]
pub struct Conversation {
    messages: Vec<Message>,
    tokens: u64,
    cost: f64,
    budget: Budget,
}
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Budget {
    max_tokens: u64,
    max_turns: u32,
}
impl Conversation {
    fn push(&mut self, role: impl Into<String>, content: impl std::fmt::Display) -> &mut Message {
        self.messages.push(Message {
            role: role.into(),
            content: content.to_string().into(),
            tool: None,
        });
        self.messages.last_mut().unwrap()
    }
    fn spent(&self) -> f64 {
        self.cost
    }
    fn is_over(&self) -> bool {
        self.tokens > self.budget.max_tokens
    }
    fn last(&self) -> Option<&Message> {
        self.messages.last()
    }
}
#[activity]
pub async fn llm(c: Conversation) -> Result<(Tool, u64), ActivityError> {
    note(c.messages.len());
    Ok(match c.messages.len() {
        1 => (
            Tool::Search {
                query: "q".into(),
                limit: Some(3),
            },
            10,
        ),
        2 | 3 => (
            Tool::Fetch {
                url: format!("u{}", c.messages.len()),
            },
            20,
        ),
        _ => (
            Tool::Answer {
                text: "done".into(),
            },
            5,
        ),
    })
}
#[activity]
pub async fn search(query: String, limit: usize) -> Result<Vec<String>, ActivityError> {
    note((&query, limit));
    Ok((0..limit).map(|i| format!("{query}{i}")).collect())
}
#[activity]
pub async fn fetch(url: &str) -> Result<serde_json::Value, ActivityError> {
    note(url);
    Ok(serde_json::json!({ "url": url, "items": [1, 2, { "a": null }] }))
}

#[test]
fn an_agent_with_tools() {
    #[workflow]
    async fn run(
        ctx: &mut Context,
        question: String,
        max_turns: u32,
    ) -> Result<Conversation, WorkflowError> {
        let mut conversation = Conversation {
            budget: Budget {
                max_tokens: 100,
                max_turns,
            },
            ..Default::default()
        };
        conversation.push("user", &question);
        let answer = 'turns: {
            for turn in 1..=conversation.budget.max_turns {
                let (tool, used) = llm(conversation.clone()).await?;
                conversation.tokens += used;
                conversation.cost += used as f64 * 0.5;
                if conversation.is_over() {
                    return Err(WorkflowError::new(format!(
                        "over budget in turn {turn}: {}",
                        conversation.spent()
                    )));
                }
                let result = match &tool {
                    Tool::Search { query, limit } => {
                        let hits = search(query.clone(), limit.unwrap_or(5)).await?;
                        let mut pages = Vec::new();
                        for hit in hits.iter().take(2) {
                            pages.push(fetch(hit).await?);
                        }
                        serde_json::json!({ "hits": hits, "pages": pages })
                    }
                    Tool::Fetch { url } => match fetch(url).await {
                        Ok(page) => page["items"].clone(),
                        Err(e) => serde_json::json!({ "error": e.to_string() }),
                    },
                    Tool::Answer { text } => break 'turns Some(text.clone()),
                };
                let message = conversation.push("tool", result);
                message.tool = Some(tool);
                ctx.sleep(Duration::from_millis(5)).await?;
            }
            None
        };
        let answer = answer.unwrap_or_else(|| "no answer".to_owned());
        if let Some(last) = conversation.last()
            && last.tool.is_some()
        {
            greet(&last.role).await?;
            note(last);
        }
        conversation.push("assistant", answer);
        Ok(conversation)
    }
    same!(run with []; ("what".into(), 2));
    same!(run with []; ("what".into(), 9));
    same!(run with []; ("x".into(), 0));
}
