use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let all = std::collections::HashMap::from([(1, 2)]);
    for n in &vec![1, 2, 3] {
        give(*n).await?;
    }
    for (n, _) in all.iter() {
        give(*n).await?;
    }
    Ok(x)
}

fn main() {}
