#![deny(warnings)]

use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn unused(x: i64, nobody_wants_it: String) -> Result<i64, WorkflowError> {
    let never_used = give(x).await?;
    let mut never_changed = 1;
    let overwritten = give(never_changed).await?;
    overwritten;
    if x > 1 {
        return Ok(x);
        give(x).await?;
    }
    let wait = give(x);
    give(x);
    match x {
        1 => {}
        n => {}
        2 => {}
    }
    Ok(x)
}

fn main() {}
