use workflow::prelude::*;

#[activity]
fn not_async() -> Result<(), ActivityError> {
    Ok(())
}

#[activity]
async fn generic<T>(x: T) -> Result<(), ActivityError> {
    drop(x);
    Ok(())
}

#[activity]
async fn changes(x: &mut String) -> Result<(), ActivityError> {
    x.clear();
    Ok(())
}

#[activity]
async fn context_second(x: i64, ctx: ActivityContext) -> Result<(), ActivityError> {
    drop((x, ctx));
    Ok(())
}

fn main() {}
