use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(numbers: Vec<i64>, text: String) -> Result<i64, WorkflowError> {
    let mut left = numbers.iter();
    let mut lines = text.lines().peekable();
    let mut sum = 0;
    while let Some(number) = left.next() {
        sum += give(*number).await?;
        sum += lines.next().map_or(0, |line| line.len() as i64);
    }
    Ok(sum)
}

fn main() {}
