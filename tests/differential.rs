//! Random bodies, run as written and as machines that are saved and read again at every await.
//!
//! 100 bodies from fixed seeds, 500 in CI; `tests/differential/long-run` makes many more.

// The bodies are random.
#![allow(warnings, clippy::all, clippy::pedantic)]

#[path = "lowering/driver.rs"]
mod driver;

mod prelude {
    pub use std::collections::{BTreeMap, BTreeSet, VecDeque};

    pub use serde::{Deserialize, Serialize};
    pub use workflow::prelude::*;

    pub use crate::driver::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub enum Decision {
        Approve { by: String, limit: i64 },
        Reject(String),
        Ask(i64),
        Wait,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Order {
        pub id: i64,
        pub name: String,
        pub items: Vec<i64>,
    }

    impl Order {
        pub fn of(id: i64) -> Self {
            let name = format!("order {id}");
            Self {
                id,
                name,
                items: vec![id, 5],
            }
        }
    }

    /// Keeps texts from growing without end.
    pub fn shorten(text: String) -> String {
        text.chars().take(12).collect()
    }

    /// Keeps loops short.
    pub fn few(mut items: Vec<i64>) -> Vec<i64> {
        items.truncate(3);
        items
    }
}

include!(concat!(env!("OUT_DIR"), "/bodies.rs"));
