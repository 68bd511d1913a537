use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use workflow::prelude::*;

static CALLS: AtomicI64 = AtomicI64::new(0);
static LAST: Mutex<i64> = Mutex::new(0);

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    static NAMES: [&str; 2] = ["one", "two"];
    static SEEN: Mutex<i64> = Mutex::new(0);
    let calls = CALLS.fetch_add(1, Ordering::Relaxed);
    *LAST.lock().unwrap() = x;
    let last = unsafe { *(&raw const x) };
    thread_local! {
        static MINE: i64 = 5;
    }
    Ok(calls + last + NAMES.len() as i64)
}

fn main() {}
