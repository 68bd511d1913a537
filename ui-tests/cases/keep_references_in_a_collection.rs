use std::collections::{BTreeMap, HashSet};

use workflow::prelude::*;

#[activity]
async fn step(n: usize) -> Result<usize, ActivityError> {
    Ok(n)
}

#[workflow]
async fn words(text: String) -> Result<usize, WorkflowError> {
    let mut places = BTreeMap::new();
    let mut longest: Option<&str> = None;
    let mut seen = HashSet::new();
    for (at, word) in text.split(' ').enumerate() {
        seen.insert(word);
        places.insert(word, at);
        if longest.is_none_or(|longest| word.len() > longest.len()) {
            longest = Some(word);
        }
        step(at).await?;
    }
    Ok(places.len() + seen.len() + longest.map_or(0, str::len))
}

fn main() {}
