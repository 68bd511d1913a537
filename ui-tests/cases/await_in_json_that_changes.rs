use serde_json::json;
use workflow::prelude::*;

#[activity]
async fn step(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[workflow]
async fn pages(mut page: i64) -> Result<String, WorkflowError> {
    let body = json!({ "page": page, "next": ({ page += 1; step(page).await? }) });
    Ok(body.to_string())
}

fn main() {}
