use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Counter(i64);

impl Counter {
    fn bump(&mut self) {
        self.0 += 1;
    }

    fn plus(self, n: i64) -> i64 {
        self.0 + n
    }
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let mut counter = Counter(x);
    Ok(counter.plus({
        counter.bump();
        give(x).await?
    }))
}

fn main() {}
