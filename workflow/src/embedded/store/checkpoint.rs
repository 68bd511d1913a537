//! The checkpoint: brings the overlay into the state, off the critical path.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::embedded::{clock, telemetry};

use super::error::StoreError;
use super::shared::Shared;
use super::state;

/// Asks for checkpoints and waits for them.
pub(super) struct Lever {
    passes: Mutex<Passes>,
    changed: Condvar,
}

/// Passes are numbered from 1.
struct Passes {
    /// The last pass asked for.
    asked: u64,
    /// The last pass that ended.
    ended: u64,
    running: bool,
    stop: bool,
    /// How the last pass ended.
    outcome: Result<(), StoreError>,
}

impl Lever {
    pub(super) fn new() -> Self {
        Self {
            passes: Mutex::new(Passes {
                asked: 0,
                ended: 0,
                running: false,
                stop: false,
                outcome: Ok(()),
            }),
            changed: Condvar::new(),
        }
    }

    /// Asks for a pass, if none is asked for.
    pub(super) fn ask(&self) {
        let mut passes = self.passes();
        if passes.asked == passes.ended {
            passes.asked += 1;
            self.changed.notify_all();
        }
    }

    /// Whether the last pass failed.
    pub(super) fn has_failed(&self) -> bool {
        self.passes().outcome.is_err()
    }

    /// Returns when a pass that began after this call has ended.
    pub(super) fn run(&self) -> Result<(), StoreError> {
        let mut passes = self.passes();
        let mine = passes.ended + 1 + u64::from(passes.running);
        passes.asked = passes.asked.max(mine);
        self.changed.notify_all();
        while passes.ended < mine && !passes.stop {
            passes = self.wait(passes);
        }
        passes.outcome.clone()
    }

    /// Makes a pass on this thread, for simulations.
    #[cfg(test)]
    pub(super) fn pass_here(&self, shared: &Shared) -> Result<(), StoreError> {
        let outcome = unless_panicked(|| pass(shared));
        self.passes().outcome = outcome.clone();
        outcome
    }

    /// Ends the thread, after the pass that runs.
    pub(super) fn stop(&self) {
        self.passes().stop = true;
        self.changed.notify_all();
    }

    fn passes(&self) -> MutexGuard<'_, Passes> {
        self.passes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, passes: MutexGuard<'a, Passes>) -> MutexGuard<'a, Passes> {
        self.changed
            .wait(passes)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The checkpoint thread.
pub(super) fn run(shared: &Shared) {
    let lever = &shared.lever;
    let mut passes = lever.passes();
    loop {
        if passes.stop {
            return;
        }
        if passes.asked == passes.ended {
            passes = lever.wait(passes);
            continue;
        }
        passes.running = true;
        drop(passes);
        let begin = Instant::now();
        let outcome = unless_panicked(|| pass(shared));
        telemetry::checkpoint(begin.elapsed(), outcome.is_ok());
        if let Err(error) = &outcome {
            tracing::warn!(%error, "checkpoint failed; what it was to write stays in the journal");
        }
        passes = lever.passes();
        passes.running = false;
        passes.ended += 1;
        passes.outcome = outcome;
        lever.changed.notify_all();
    }
}

/// A panic must not leave the writer waiting for ever.
fn unless_panicked(pass: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(pass)).unwrap_or(Err(StoreError::Panicked))
}

fn pass(shared: &Shared) -> Result<(), StoreError> {
    let batch = shared
        .overlay()
        .batch(shared.next_run.load(Ordering::Acquire));
    let bounds = &shared.bounds;
    state::write(
        &shared.state,
        &batch,
        bounds,
        &shared.retention,
        clock::now_ms(),
    )?;
    shared.overlay().forget(&batch, bounds);
    Ok(())
}
