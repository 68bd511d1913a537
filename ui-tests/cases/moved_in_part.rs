use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[derive(Serialize, Deserialize)]
enum Rank {
    Gold,
}

#[derive(Serialize, Deserialize)]
struct Order {
    id: i64,
    rank: Rank,
    name: String,
}

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[activity]
async fn find(id: i64) -> Result<Order, ActivityError> {
    let (rank, name) = (Rank::Gold, String::new());
    Ok(Order { id, rank, name })
}

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    let order = find(x).await?;
    let rank = order.rank;
    give(x).await?;
    drop(rank);
    Ok(order.id)
}

#[workflow]
async fn used_again(x: i64) -> Result<String, WorkflowError> {
    let order = find(x).await?;
    let name = order.name;
    give(x).await?;
    Ok(format!("{name} {}", order.name))
}

fn main() {}
