//! W2: one run of so many activities one after the other; and the same with a `Vec` in its state
//! that each of them makes longer.

use std::time::Instant;

use tokio::runtime::Runtime;

use crate::contestant::Contestant;
use crate::report::{Report, Rounds, Unit, median};
use crate::syscalls::Syscalls;
use crate::{Options, directory, floor};

const STEPS: [u32; 3] = [10, 100, 1_000];
const STEPS_FULL: [u32; 4] = [10, 100, 1_000, 10_000];
/// What each activity adds to the run's `Vec`: 1 MB after 10,000 steps.
const GROWTH_BYTES: usize = 100;

pub(crate) fn measure(
    runtime: &Runtime,
    contestants: &[&dyn Contestant],
    options: &Options,
    report: &mut Report,
) {
    let steps: &[u32] = if options.full { &STEPS_FULL } else { &STEPS };
    for bytes in [0, GROWTH_BYTES] {
        for &steps in steps {
            let what = match bytes {
                0 => format!("W2 {steps} activities in a run"),
                bytes => format!("W2 {steps} activities, +{bytes} B of state each"),
            };
            one_size(runtime, contestants, options, (&what, steps, bytes), report);
        }
    }
}

fn one_size(
    runtime: &Runtime,
    contestants: &[&dyn Contestant],
    options: &Options,
    (what, steps, bytes): (&str, u32, usize),
    report: &mut Report,
) {
    let mut rounds: Vec<Rounds> = contestants.iter().map(|_| Rounds::default()).collect();
    let mut floors = Vec::new();
    for _ in 0..options.rounds {
        floors.push(floor::append_s(directory(options).path()) * 1e3);
        for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
            let data = directory(options);
            let (ms_a_step, did) = runtime.block_on(async {
                let engine = contestant.open(data.path()).await;
                engine.sequence(1, 0).await;
                let before = Syscalls::now();
                let begin = Instant::now();
                engine.sequence(steps, bytes).await;
                let elapsed_s = begin.elapsed().as_secs_f64();
                let did = Syscalls::now() - before;
                engine.close().await;
                (elapsed_s * 1e3 / f64::from(steps), did)
            });
            rounds.add(ms_a_step, did, steps);
        }
    }
    for (contestant, rounds) in contestants.iter().zip(&rounds) {
        let floor = Some(median(&floors));
        let row = rounds.row(what, *contestant, Unit::MillisecondsAStep, floor);
        report.rows.push(row);
    }
}
