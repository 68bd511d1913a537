//! The commit: a group of changes becomes one row, and one sync. Made by the writer's thread, or
//! by a caller that is alone.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use crate::embedded::telemetry;

use super::bounds::{
    CHECKPOINT_RETRY_ROWS, COMMIT_BYTES_MAX, COMMIT_CHANGES_MAX, INLINE_COMMIT_US_MAX,
};
use super::error::StoreError;
use super::image::{Change, Image};
use super::journal::Journal;
use super::overlay::Applied;
use super::row::{Entry, Row};
use super::shared::Shared;

/// The changes of one caller, with their deltas.
pub(super) struct Work {
    changes: Vec<Change>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Work {
    /// Computes the deltas, on the caller's thread: the writer is one for all.
    pub(super) fn new(mut changes: Vec<Change>) -> Result<Self, StoreError> {
        assert!(
            changes.len() <= COMMIT_CHANGES_MAX,
            "too many changes in one commit"
        );
        let entries: Vec<Entry> = changes.iter_mut().map(Entry::new).collect();
        let bytes = entries.iter().map(Entry::size_bytes).sum();
        if bytes > COMMIT_BYTES_MAX {
            return Err(StoreError::TooLarge {
                bytes,
                bytes_max: COMMIT_BYTES_MAX,
            });
        }
        Ok(Self {
            changes,
            entries,
            bytes,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn changes(&self) -> usize {
        self.changes.len()
    }
}

pub(super) struct Committer {
    journal: Mutex<Journal>,
    shared: Arc<Shared>,
}

impl Committer {
    pub(super) fn new(journal: Journal, shared: Arc<Shared>) -> Self {
        Self {
            journal: Mutex::new(journal),
            shared,
        }
    }

    pub(super) fn group_bytes_max(&self) -> usize {
        self.shared.bounds.group_bytes_max
    }

    /// Commits a group: all that is fresh is durable, or nothing is. One outcome for each work.
    pub(super) fn commit(&self, group: Vec<Work>) -> Vec<Result<(), StoreError>> {
        self.commit_with(&mut self.journal(), group)
    }

    /// Commits here and now, where nobody else is at it and it does not take long; or gives the
    /// work back.
    pub(super) fn try_commit(&self, work: Work) -> Result<Result<(), StoreError>, Work> {
        let is_slow = self.shared.commit_us.load(Ordering::Relaxed) > INLINE_COMMIT_US_MAX;
        if is_slow || self.shared.overlay().is_full(&self.shared.bounds) {
            return Err(work);
        }
        match self.journal.try_lock() {
            Ok(mut journal) => {
                let mut outcomes = self.commit_with(&mut journal, vec![work]);
                Ok(outcomes.pop().expect("one outcome for each work"))
            }
            Err(_) => Err(work),
        }
    }

    /// A panic in a commit leaves the journal where nobody knows: nothing more is committed.
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().expect("no commit has panicked")
    }

    /// The journal, to which nothing is added while it is looked at.
    pub(super) fn still(&self) -> Result<MutexGuard<'_, Journal>, StoreError> {
        self.journal.lock().map_err(|_| StoreError::Panicked)
    }

    fn commit_with(&self, journal: &mut Journal, group: Vec<Work>) -> Vec<Result<(), StoreError>> {
        let mut outcomes = self.refuse_stale(&group);
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for (work, outcome) in group.into_iter().zip(&outcomes) {
            if outcome.is_ok() {
                changes.extend(work.changes);
                entries.extend(work.entries);
            }
        }
        if let Err(error) = self.write(journal, changes, entries) {
            outcomes.fill_with(|| Err(error.clone()));
        }
        outcomes
    }

    fn write(
        &self,
        journal: &mut Journal,
        changes: Vec<Change>,
        entries: Vec<Entry>,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.wait_for_room()?;
        let row = Row {
            next_run: self.shared.next_run.load(Ordering::Acquire),
            entries,
        };
        let mark = self.shared.overlay().mark().row;
        let begin = Instant::now();
        let bytes = journal.append(&row, mark)?;
        let link = journal.last();
        let took = begin.elapsed();
        telemetry::committed(changes.len(), bytes, took);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.shared.commit_us.store(took_us, Ordering::Relaxed);
        let applied = changes
            .into_iter()
            .zip(row.entries)
            .map(|(change, entry)| Applied {
                run: change.run,
                summary: change.summary,
                before: change.before,
                image: change.after,
                event: entry.event.map(|event| event.0),
            })
            .collect();
        let is_due = {
            let mut overlay = self.shared.overlay();
            overlay.apply(link, bytes, applied, &self.shared.bounds);
            telemetry::journal_bytes(overlay.journal_bytes());
            overlay.is_due(&self.shared.bounds)
        };
        let lever = &self.shared.lever;
        if is_due && (link.row.is_multiple_of(CHECKPOINT_RETRY_ROWS) || !lever.has_failed()) {
            #[cfg(test)]
            if self.shared.bounds.is_single_threaded {
                let _ = lever.pass_here(&self.shared);
                return Ok(());
            }
            lever.ask();
        }
        Ok(())
    }

    /// Holds everybody back while the journal is full.
    fn wait_for_room(&self) -> Result<(), StoreError> {
        if self.shared.overlay().is_full(&self.shared.bounds) {
            tracing::warn!("the journal is full; commits wait for a checkpoint");
            telemetry::journal_full();
            #[cfg(test)]
            if self.shared.bounds.is_single_threaded {
                return self.shared.lever.pass_here(&self.shared);
            }
            self.shared.lever.run()?;
        }
        Ok(())
    }

    /// Refuses changes that were not made from what was committed last: their deltas would make
    /// nonsense of it. What the state alone knows is not read for that.
    fn refuse_stale(&self, group: &[Work]) -> Vec<Result<(), StoreError>> {
        let overlay = self.shared.overlay();
        let mut latest: HashMap<u64, &Arc<Image>> = HashMap::new();
        let mut outcomes = Vec::with_capacity(group.len());
        for work in group {
            let mut own: HashMap<u64, &Arc<Image>> = HashMap::new();
            let stale = work.changes.iter().find(|change| {
                let committed = own.insert(change.run, &change.after);
                let committed = committed
                    .or_else(|| latest.get(&change.run).copied())
                    .or_else(|| overlay.image(change.run));
                committed.is_some_and(|committed| !is_same(committed, change.before.as_ref()))
            });
            outcomes.push(match stale {
                None => {
                    latest.extend(own);
                    Ok(())
                }
                Some(change) => Err(StoreError::Stale { run: change.run }),
            });
        }
        outcomes
    }

    /// Leaves as little as can be for the next opening, and lets the journal go.
    pub(super) fn finish(&self) {
        let pending = {
            let overlay = self.shared.overlay();
            overlay.applied() != overlay.mark()
        };
        if pending && let Err(error) = self.shared.lever.run() {
            tracing::warn!(%error, "no checkpoint at close; the next opening reads the journal");
        }
        let mark = self.shared.overlay().mark().row;
        if let Err(error) = self.journal().close(mark) {
            tracing::warn!(%error, "the journal was not closed in order");
        }
    }
}

fn is_same(committed: &Arc<Image>, before: Option<&Arc<Image>>) -> bool {
    before.is_some_and(|before| Arc::ptr_eq(committed, before) || committed == before)
}
