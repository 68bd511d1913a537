//! When something is due, for all runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock;

/// The longest sleep at a stretch, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// When something is due, for all runs: a queue that its reader sleeps on.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: Mutex<BTreeSet<(u64, Arc<str>)>>,
    earlier: Notify,
}

impl Timers {
    /// Adds a time at which the run in flight of that workflow id is to be looked at.
    pub(super) fn add(&self, at_ms: u64, workflow_id: &Arc<str>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let first = queue.first().map(|(at, _)| *at);
        queue.insert((at_ms, workflow_id.clone()));
        drop(queue);
        if first.is_none_or(|first| at_ms < first) {
            self.earlier.notify_one();
        }
    }

    /// Takes a time back.
    pub(super) fn remove(&self, at_ms: u64, workflow_id: &Arc<str>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.remove(&(at_ms, workflow_id.clone()));
    }

    /// Waits until something is due, and takes it out.
    pub(super) async fn next(&self) -> Arc<str> {
        loop {
            let now = clock::now_ms();
            let wait = {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                match queue.first() {
                    Some((at, _)) if *at <= now => {
                        let (_, workflow_id) = queue.pop_first().expect("it was just seen");
                        return workflow_id;
                    }
                    Some((at, _)) => Duration::from_millis(at - now).min(SLEEP_MAX),
                    None => SLEEP_MAX,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.earlier.notified() => {}
            }
        }
    }
}
