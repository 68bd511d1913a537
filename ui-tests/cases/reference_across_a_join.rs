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
    if x > 1 {
        if x > 2 {
            give(x).await?;
            return Ok(1);
        }
    } else {
        drop(1);
    }
    Ok(short.len() as i64)
}

fn main() {}
