use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let mut list = vec![x];
    let first = &mut list;
    let second = &list;
    first.push(second.len() as i64);
    give(x).await?;
    let fixed = 5;
    fixed = 6;
    let late: i64;
    give(fixed).await?;
    let outer;
    {
        let inner = String::from("inner");
        outer = &inner;
    }
    let size = outer.len() as i64;
    give(size).await?;
    Ok(late)
}

fn main() {}
