use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(Default, Serialize, Deserialize)]
struct Cache {
    hits: i64,
}

impl Cache {
    fn get(&mut self, n: i64) -> i64 {
        self.hits += 1;
        n
    }
}

#[workflow]
async fn a_method_of_the_whole() -> Result<bool, WorkflowError> {
    let mut cache = Cache::default();
    Ok(cache.hits == {
        cache.get(4);
        give(0).await?
    })
}

fn bump(n: &mut i64) -> i64 {
    *n += 1;
    *n
}

#[workflow]
async fn a_reference_that_is_handed_on() -> Result<bool, WorkflowError> {
    let mut n = 5;
    let one = &mut n;
    Ok(*one == {
        bump(one);
        give(6).await?
    })
}

#[workflow]
async fn an_index_behind_a_reference(mut all: Vec<String>) -> Result<String, WorkflowError> {
    let mut at = 0;
    let place = &mut at;
    all[*place] += {
        *place += 1;
        give(6).await?;
        "end"
    };
    Ok(all.concat())
}

#[workflow]
async fn a_text_behind_a_reference() -> Result<String, WorkflowError> {
    let mut text = "abc";
    let found = [&*text, &text[1..], {
        text = "def";
        give(1).await?;
        "end"
    }];
    Ok(found.concat() + text)
}

#[workflow]
async fn closures_that_may_panic(table: Vec<i64>) -> Result<i64, WorkflowError> {
    let mut sum = 0;
    for price in vec![0usize, 1, 9].into_iter().map(|i| table[i]).skip(table.len()) {
        sum += give(price).await?;
    }
    Ok(sum)
}

fn main() {}
