use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn counts(x: i64) -> Result<i64, WorkflowError> {
    let mut total = 0;
    let mut add = |n: i64| {
        total += n;
        total
    };
    add(1);
    let y = give(x).await?;
    Ok(add(y))
}

#[workflow]
async fn takes(names: Vec<String>) -> Result<bool, WorkflowError> {
    let knows = move |name: &str| names.iter().any(|known| known == name);
    give(1).await?;
    Ok(knows("a"))
}

fn main() {}
