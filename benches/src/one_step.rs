//! W1: runs of one activity, from start to result, by so many callers at a time.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::contestant::{Contestant, Engine};
use crate::report::{Report, Rounds, Unit, median};
use crate::syscalls::Syscalls;
use crate::{Options, directory, floor};

const CALLERS: [u32; 3] = [1, 64, 512];

pub(crate) fn measure(
    runtime: &Runtime,
    contestants: &[&dyn Contestant],
    options: &Options,
    report: &mut Report,
) {
    for callers in CALLERS {
        // So many that a second or so passes where a commit is shared, and few where it is not.
        let runs_each = match (callers, options.full) {
            (1, false) => 300,
            (1, true) => 3_000,
            (_, false) => 20,
            (_, true) => 100,
        };
        let contestants: Vec<_> = contestants
            .iter()
            .filter(|contestant| callers <= contestant.callers_max())
            .collect();
        let mut rounds: Vec<Rounds> = contestants.iter().map(|_| Rounds::default()).collect();
        let mut floors = Vec::new();
        for _ in 0..options.rounds {
            floors.push(floor::append_s(directory(options).path()));
            for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
                let data = directory(options);
                let (runs_a_second, did) = runtime.block_on(async {
                    let engine = contestant.open(data.path()).await;
                    // What is made at the first use is not what is measured.
                    engine.sequence(1, 0).await;
                    let before = Syscalls::now();
                    let begin = Instant::now();
                    run_all(&engine, callers, runs_each).await;
                    let elapsed_s = begin.elapsed().as_secs_f64();
                    let did = Syscalls::now() - before;
                    engine.close().await;
                    (f64::from(callers * runs_each) / elapsed_s, did)
                });
                rounds.add(runs_a_second, did, callers * runs_each);
            }
        }
        for (contestant, rounds) in contestants.iter().zip(&rounds) {
            let what = format!("W1 one-step runs, {callers} callers");
            let floor = Some(1.0 / median(&floors));
            let row = rounds.row(&what, **contestant, Unit::PerSecond, floor);
            report.rows.push(row);
        }
    }
}

/// Callers are tasks of one runtime, as the handlers of a server are.
async fn run_all(engine: &Arc<dyn Engine>, callers: u32, runs_each: u32) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let engine = Arc::clone(engine);
        tasks.spawn(async move {
            for _ in 0..runs_each {
                engine.sequence(1, 0).await;
            }
        });
    }
    tasks.join_all().await;
}
