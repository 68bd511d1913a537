//! Types of one's own: serde is all they need, and errors convert by `?`.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
    cents: Vec<u64>,
}

#[derive(Debug)]
enum OrderError {
    Empty,
    Activity(ActivityError),
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the order is empty"),
            Self::Activity(error) => write!(f, "a step failed: {error}"),
        }
    }
}

impl Error for OrderError {}

impl From<ActivityError> for OrderError {
    fn from(error: ActivityError) -> Self {
        Self::Activity(error)
    }
}

type Answer<T> = Result<T, OrderError>;

#[activity]
async fn reserve(order: &Order) -> Result<u64, std::num::ParseIntError> {
    // Any error type will do: the engine keeps its text and its type's name.
    format!("{}{}", order.id, order.cents.len()).parse()
}

#[workflow]
async fn handle_order(order: Order) -> Answer<u64> {
    if order.cents.is_empty() {
        return Err(OrderError::Empty);
    }
    let reservation = reserve(&order).await?;
    Ok(reservation + order.cents.iter().sum::<u64>())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let config = Config::new().path(data.path()).register::<handle_order>();
    let executor = workflow::new("default", config).await?;
    let order = Order {
        id: 4,
        cents: vec![1_200, 350],
    };
    println!("{}", executor.execute(handle_order(order)).await?);
    let empty = Order {
        id: 5,
        cents: vec![],
    };
    println!(
        "{}",
        executor.execute(handle_order(empty)).await.unwrap_err()
    );
    Ok(())
}
