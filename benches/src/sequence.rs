//! W2: a run of so many activities one after the other; and the same with a `Vec` in its state
//! that each of them makes longer. Of short runs there are several, one after the other, so that
//! each size makes as many steps and meets as many checkpoints.

use std::fmt::Write as _;
use std::time::Instant;

use tokio::runtime::Runtime;

use crate::contestant::Contestant;
use crate::report::{Report, Rounds, Row, Unit, median};
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
    let sizes: &[u32] = if options.full { &STEPS_FULL } else { &STEPS };
    for bytes in [0, GROWTH_BYTES] {
        let trials = sizes.iter().flat_map(|steps| {
            contestants.iter().map(|contestant| Trial {
                steps: *steps,
                bytes,
                contestant: *contestant,
                rounds: Rounds::default(),
            })
        });
        let mut trials: Vec<Trial<'_>> = trials.collect();
        let mut floors = Vec::new();
        for _ in 0..options.rounds {
            floors.push(floor::append_s(directory(options).path()) * 1e3);
            for trial in &mut trials {
                trial.run(runtime, sizes[sizes.len() - 1], options);
            }
        }
        let floor = median(&floors);
        report
            .rows
            .extend(trials.iter().map(|trial| trial.row(floor)));
    }
}

/// One size of one contestant.
struct Trial<'c> {
    /// Of a run.
    steps: u32,
    /// That a step adds to the run's state.
    bytes: usize,
    contestant: &'c dyn Contestant,
    rounds: Rounds,
}

impl Trial<'_> {
    /// One round: as many runs as make all these steps.
    fn run(&mut self, runtime: &Runtime, all_steps: u32, options: &Options) {
        let data = directory(options);
        let (elapsed_s, did) = runtime.block_on(async {
            let engine = self.contestant.open(data.path()).await;
            engine.sequence(1, 0).await;
            let before = Syscalls::now();
            let begin = Instant::now();
            for _ in 0..all_steps / self.steps {
                engine.sequence(self.steps, self.bytes).await;
            }
            let elapsed_s = begin.elapsed().as_secs_f64();
            let did = Syscalls::now() - before;
            engine.close().await;
            (elapsed_s, did)
        });
        let ms_a_step = elapsed_s * 1e3 / f64::from(all_steps);
        self.rounds.add(ms_a_step, did, all_steps);
    }

    fn row(&self, floor: f64) -> Row {
        let mut what = format!("W2 {} activities", self.steps);
        match self.bytes {
            0 => what.push_str(" in a run"),
            bytes => {
                let _ = write!(what, ", +{bytes} B of state each");
            }
        }
        let unit = Unit::MillisecondsAStep;
        self.rounds.row(&what, self.contestant, unit, Some(floor))
    }
}
