use std::collections::BTreeMap;
use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn filtered(items: Vec<i64>, text: String, map: BTreeMap<String, Vec<i64>>) -> Result<i64, WorkflowError> {
    let mut seen = 0;
    for n in items.iter().skip_while(|n| { seen += 1; **n > seen }) {
        give(*n).await?;
    }
    for _ in items.into_iter().zip(map.values()) {
        give(1).await?;
    }
    for _ in text.split(|c: char| c == 'x') {
        give(1).await?;
    }
    Ok(1)
}

fn main() {}
