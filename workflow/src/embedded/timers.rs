//! When something is due, for all runs.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock;
use super::store::{Store, StoreError};

/// The longest sleep at a stretch, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// What is due within this time is in memory, in milliseconds; the rest is read later.
const AHEAD_MS: u64 = 10 * 60 * 1000;
/// How many due times are read at once.
const READ_MAX: usize = 4096;

/// When something is due, for all runs: a queue that its reader sleeps on. The store knows all
/// times; the next ones are in memory.
#[derive(Debug)]
pub(super) struct Timers {
    queue: Mutex<Queue>,
    earlier: Notify,
}

#[derive(Debug)]
struct Queue {
    /// Milliseconds since 1970, and the run's number.
    due: BTreeSet<(u64, u64)>,
    /// Up to here the queue has everything that the store has.
    horizon: (u64, u64),
}

impl Timers {
    /// Nothing is due; what the store has from the horizon on is read in time.
    pub(super) fn new(horizon: (u64, u64)) -> Self {
        Self {
            queue: Mutex::new(Queue {
                due: BTreeSet::new(),
                horizon,
            }),
            earlier: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a time at which a run is to be looked at. One that `is_stored` may be left to the
    /// store.
    pub(super) fn add(&self, due: (u64, u64), is_stored: bool) {
        let mut queue = self.queue();
        if is_stored && due > queue.horizon {
            return;
        }
        let first = queue.due.first().copied();
        queue.due.insert(due);
        drop(queue);
        if first.is_none_or(|first| due < first) {
            self.earlier.notify_one();
        }
    }

    /// Takes a time back.
    pub(super) fn remove(&self, due: (u64, u64)) {
        self.queue().due.remove(&due);
    }

    /// Waits until something is due, and takes it out: a run's number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn next(&self, store: &Store) -> Result<u64, StoreError> {
        loop {
            let now = clock::now_ms();
            let wait = {
                let queue = self.queue();
                // Early, while there is room; else when all that was read is through.
                let early_ms = if queue.due.len() < READ_MAX / 2 {
                    AHEAD_MS / 2
                } else {
                    0
                };
                let reread_ms = queue.horizon.0.saturating_sub(early_ms);
                let wake_ms = queue
                    .due
                    .first()
                    .map_or(reread_ms, |(at, _)| (*at).min(reread_ms));
                Duration::from_millis(wake_ms.saturating_sub(now)).min(SLEEP_MAX)
            };
            if !wait.is_zero() {
                tokio::select! {
                    biased;
                    () = tokio::time::sleep(wait) => {}
                    () = self.earlier.notified() => {}
                }
                continue;
            }
            let mut queue = self.queue();
            if queue.due.first().is_some_and(|(at, _)| *at <= now) {
                let (_, run) = queue.due.pop_first().expect("it was just seen");
                return Ok(run);
            }
            drop(queue);
            self.read(store, now)?;
        }
    }

    /// Reads what is due next.
    fn read(&self, store: &Store, now: u64) -> Result<(), StoreError> {
        let until = (now.saturating_add(AHEAD_MS), u64::MAX);
        // Moved first: what is committed from now on adds itself, what was before is read.
        let from = std::mem::replace(&mut self.queue().horizon, until);
        let found = store.wakes(from, until.0, READ_MAX);
        let mut queue = self.queue();
        match found {
            Ok(found) => {
                if found.len() == READ_MAX {
                    queue.horizon = *found.last().expect("it is full");
                }
                queue.due.extend(found);
                Ok(())
            }
            Err(error) => {
                queue.horizon = from;
                Err(error)
            }
        }
    }
}
