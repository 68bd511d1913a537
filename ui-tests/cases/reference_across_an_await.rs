use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let short = &format!("{x}");
    let mut name = short.clone();
    name.push(' ');
    let trimmed = name.trim();
    let all = [1, 2];
    let mut i = 0;
    let one = &all[i];
    i += 1;
    let mut text = "one";
    let part = &text[1..];
    text = "two";
    give(x).await?;
    Ok((short.len() + trimmed.len()) as i64 + one + i as i64 + (part.len() + text.len()) as i64)
}

fn main() {}
