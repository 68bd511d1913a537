use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

#[workflow]
async fn run(name: String) -> Result<i64, WorkflowError> {
    let first = first_word(&name);
    give(1).await?;
    Ok(first.len() as i64)
}

fn main() {}
