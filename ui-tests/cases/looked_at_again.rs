use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Rates(i64);

impl Rates {
    fn get(&self, key: i64) -> i64 {
        self.0 + key
    }
    fn first(&self) -> Option<String> {
        None
    }
}

#[workflow]
async fn run(rates: Rates) -> Result<i64, WorkflowError> {
    let asked = rates.get(1);
    let typed: i64 = rates.get(2);
    if let Some(name) = rates.first() {
        give(1).await?;
        drop(name);
    }
    let both = (rates.get(3), give(typed).await?);
    Ok(asked + typed + both.0)
}

fn main() {}
