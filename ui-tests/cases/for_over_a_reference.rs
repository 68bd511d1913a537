use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn positive(items: &[i64]) -> Vec<&i64> {
    items.iter().filter(|n| **n > 0).collect()
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let all = std::collections::HashMap::from([(1, 2)]);
    let items = [x, 2, 3];
    for n in &positive(&items) {
        give(**n).await?;
    }
    for (n, _) in all.iter() {
        give(*n).await?;
    }
    Ok(x)
}

fn main() {}
