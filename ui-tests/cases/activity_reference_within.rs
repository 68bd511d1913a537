use workflow::prelude::*;

#[activity]
async fn greet(name: Option<&str>, lines: Vec<&String>) -> Result<i64, ActivityError> {
    Ok((name.map_or(0, str::len) + lines.len()) as i64)
}

#[activity]
async fn name() -> Result<&'static str, ActivityError> {
    Ok("eu")
}

#[workflow]
async fn run(x: Vec<&str>) -> Result<i64, WorkflowError> {
    Ok(greet(None, Vec::new()).await?)
}

fn main() {}
