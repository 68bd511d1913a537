use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn shorter(name: &str) -> &str {
    &name[1..]
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let name = format!("{x} {x}");
    let short = &shorter(&name);
    let all = [1, 2];
    let mut i = 0;
    let one = &all[i];
    i += 1;
    let index = &i;
    let other = &all[*index];
    i += 1;
    let mut text = "one";
    let part = &text[1..];
    text = "two";
    give(x).await?;
    Ok(short.len() as i64 + one + other + i as i64 + (part.len() + text.len()) as i64)
}

fn main() {}
