use workflow::prelude::*;

#[workflow]
async fn run(x: i64) -> Result<i64, i64> {
    if x > 1 {
        return Err(1);
    }
    Ok(x)
}

fn main() {}
