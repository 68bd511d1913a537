use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn tried(n: i64) -> Result<i64, WorkflowError> {
    let (c, d) = futures::try_join!(give(n), give(n + 1))?;
    Ok(c + d)
}

#[workflow]
async fn conditional(n: i64) -> Result<i64, WorkflowError> {
    tokio::select! {
        a = give(n), if n > 3 => Ok(a?),
        b = give(n) => Ok(b?),
    }
}

#[workflow]
async fn otherwise(n: i64) -> Result<i64, WorkflowError> {
    tokio::select! {
        a = give(n) => Ok(a?),
        else => Ok(0),
    }
}

#[workflow]
async fn none(n: i64) -> Result<i64, WorkflowError> {
    join!();
    Ok(n)
}

#[workflow]
async fn of_other_libraries(x: i64) -> Result<i64, WorkflowError> {
    let all = futures::future::join_all([1, 2].map(give)).await;
    let some = futures::future::try_join_all([1, 2].map(give)).await?;
    let (one, two) = futures::try_join!(give(x), give(2))?;
    Ok(one + two + some[0])
}

#[workflow]
async fn only_when_it_fits(n: i64) -> Result<i64, WorkflowError> {
    select! {
        Ok(a) = give(n) => Ok(a),
        b = give(n + 1) => Ok(b?),
    }
}

#[workflow]
async fn inline(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
    let (a, b) = join!(none(ctx, n), give(1));
    Ok(a? + b?)
}

fn main() {}
