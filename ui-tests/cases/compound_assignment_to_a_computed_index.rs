use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

fn index(x: i64) -> usize {
    x as usize
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let mut all = vec![1, 2];
    all[index(x)] += give(x).await?;
    let mut i = 0;
    all[i] += {
        i += 1;
        give(x).await?
    };
    Ok(all[i])
}

fn main() {}
