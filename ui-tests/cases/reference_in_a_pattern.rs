use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn shorter(name: &Option<String>) -> Option<&str> {
    name.as_deref().map(|name| &name[1..])
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let order = Some(format!("{x}"));
    match &shorter(&order) {
        Some(name) => {
            give(x).await?;
            Ok::<i64, WorkflowError>(name.len() as i64)
        }
        None => Ok(0),
    }?;
    let pair = (Some(x), x);
    match &pair {
        (Some(one), _) | (_, one) if *one > 2 => {
            give(x).await?;
            Ok(*one)
        }
        _ => Ok(0),
    }
}

fn main() {}
