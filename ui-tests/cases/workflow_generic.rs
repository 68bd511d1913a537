use std::rc::Rc;

use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run<T: Clone>(x: T) -> Result<T, WorkflowError> {
    Ok(x)
}

#[workflow]
async fn local<T: Default>(n: i64) -> Result<i64, WorkflowError> {
    let value = T::default();
    give(n).await?;
    drop(value);
    Ok(n)
}

#[workflow]
async fn borrowed<'a>(n: i64) -> Result<i64, WorkflowError> {
    Ok(n)
}

fn start() {
    let _ = run(Rc::new(1));
}

fn main() {}
