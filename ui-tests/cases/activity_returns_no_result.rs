use workflow::prelude::*;

#[activity]
async fn give() -> i64 {
    1
}

fn main() {}
