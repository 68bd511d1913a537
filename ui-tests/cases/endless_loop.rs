use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn run(mut x: i64) -> Result<i64, WorkflowError> {
    loop {
        x += 1;
        for i in 0..x {
            if i > 5 {
                break;
            }
        }
    }
}

#[workflow]
async fn others(mut x: i64) -> Result<i64, WorkflowError> {
    'all: loop {
        loop {
            x += 1;
            if x > 5 {
                break 'all;
            }
        }
    }
    loop {
        if give(x).await? > 3 {
            x = "5".parse::<i64>()?;
            continue;
        }
        loop {
            x += "5".parse::<i64>()?;
        }
    }
}

fn main() {}
