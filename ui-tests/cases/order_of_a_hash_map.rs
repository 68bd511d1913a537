use std::collections::{BTreeSet, HashMap, HashSet};

use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(known: HashMap<String, i64>, x: i64) -> Result<i64, WorkflowError> {
    let seen: HashSet<i64> = known.values().copied().collect();
    let mut total = seen.len() as i64 + known.values().sum::<i64>();
    for n in &seen {
        total = total * 2 + n;
    }
    let first = known.keys().next().cloned();
    let mut sorted: Vec<_> = known.iter().collect();
    sorted.sort();
    for n in seen.iter().copied().collect::<BTreeSet<_>>() {
        give(n).await?;
    }
    Ok(total)
}

fn main() {}
