//! The process that the kill tests beside a server kill: a worker, of which there may be several.
//!
//! `traveller DATA LOG CACHED` where CACHED is how many runs it keeps in memory.

use std::env::args;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use std::time::Duration;

use tests::open_with;
use tests::travel::travel;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    let [data, log, cached] = &arguments[..] else {
        panic!("traveller DATA LOG CACHED");
    };
    let cached = cached.parse().expect("a number");
    let executor = open_with(Path::new(data), |config| {
        config
            .cached_runs(cached)
            // It is killed, and the next is to take over soon.
            .heartbeat_timeout(Duration::from_secs(10))
            .register::<travel>()
    });
    let _executor = executor.await;
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .expect("a log");
    writeln!(log, "working").expect("it can be written");
    // It works until it is killed.
    std::future::pending::<()>().await;
}
