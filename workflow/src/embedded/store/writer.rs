//! The writer: one thread that turns everything waiting into one row, and one sync.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::bounds::{COMMIT_BYTES_MAX, ROW_CHANGES_MAX};
use super::error::StoreError;
use super::image::{Change, Image};
use super::journal::Journal;
use super::overlay::Applied;
use super::row::{Entry, Row};
use super::shared::Shared;

/// Changes in one commit. A group that has room takes a whole further commit.
const COMMIT_CHANGES_MAX: usize = ROW_CHANGES_MAX / 2;

/// After a failed checkpoint the next one is tried so many rows later.
const CHECKPOINT_RETRY_ROWS: u64 = 64;

pub(super) enum Message {
    Commit(HandIn),
    Close,
}

/// What one caller of `commit` wants to be durable.
pub(super) struct HandIn {
    changes: Vec<Change>,
    entries: Vec<Entry>,
    bytes: usize,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl HandIn {
    /// Computes the deltas, here on the caller's thread: the writer is one for all.
    pub(super) fn new(
        mut changes: Vec<Change>,
        done: oneshot::Sender<Result<(), StoreError>>,
    ) -> Result<Self, StoreError> {
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
            done,
        })
    }
}

pub(super) struct Writer {
    pub inbox: Receiver<Message>,
    pub journal: Journal,
    pub shared: Arc<Shared>,
}

impl Writer {
    /// The writer thread: until the store is closed.
    pub(super) fn run(mut self) {
        let mut closing = false;
        while !closing {
            let group;
            (group, closing) = self.gather();
            if !group.is_empty() {
                self.commit(group);
            }
        }
        self.finish();
    }

    /// Waits for one caller and takes all others that wait; and whether the store is being closed.
    fn gather(&self) -> (Vec<HandIn>, bool) {
        let mut group = Vec::new();
        let (mut bytes, mut changes) = (0, 0);
        // A lost sender means that nobody is left to hand anything in.
        let mut next = self.inbox.recv().unwrap_or(Message::Close);
        loop {
            match next {
                Message::Commit(hand_in) => {
                    bytes += hand_in.bytes;
                    changes += hand_in.changes.len();
                    group.push(hand_in);
                }
                Message::Close => return (group, true),
            }
            if bytes >= self.shared.bounds.group_bytes_max || changes >= COMMIT_CHANGES_MAX {
                return (group, false);
            }
            match self.inbox.try_recv() {
                Ok(message) => next = message,
                Err(_) => return (group, false),
            }
        }
    }

    /// Commits a group and wakes its callers: all are durable, or none is.
    fn commit(&mut self, group: Vec<HandIn>) {
        let (mut callers, mut changes, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for hand_in in self.refuse_stale(group) {
            callers.push(hand_in.done);
            changes.extend(hand_in.changes);
            entries.extend(hand_in.entries);
        }
        if callers.is_empty() {
            return;
        }
        let outcome = self.write(changes, entries);
        for caller in callers {
            // A caller that went away changes nothing.
            let _ = caller.send(outcome.clone());
        }
    }

    fn write(&mut self, changes: Vec<Change>, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.wait_for_room()?;
        let row = Row {
            next_run: self.shared.next_run.load(Ordering::Acquire),
            entries,
        };
        let number = self.journal.next();
        let mark = self.shared.overlay().mark();
        let trim_rows_max = self.shared.bounds.trim_rows_max;
        let bytes = self.journal.append(&row, mark, trim_rows_max)?;
        let applied = changes
            .into_iter()
            .zip(row.entries)
            .map(|(change, entry)| Applied {
                run: change.run,
                workflow_id: change.before.is_none().then_some(change.workflow_id),
                open: change.open,
                image: change.after,
                event: entry.event.map(|event| event.0),
            })
            .collect();
        let is_due = {
            let mut overlay = self.shared.overlay();
            overlay.apply(number, bytes, applied);
            overlay.is_due(&self.shared.bounds)
        };
        let lever = &self.shared.lever;
        if is_due && (number.is_multiple_of(CHECKPOINT_RETRY_ROWS) || !lever.has_failed()) {
            lever.ask();
        }
        Ok(())
    }

    /// Holds everybody back while the journal is full.
    fn wait_for_room(&self) -> Result<(), StoreError> {
        if self.shared.overlay().is_full(&self.shared.bounds) {
            tracing::warn!("the journal is full; commits wait for a checkpoint");
            self.shared.lever.run()?;
        }
        Ok(())
    }

    /// Refuses changes that were not made from what was committed last: their deltas would make
    /// nonsense of it. What the state alone knows is not read for that.
    fn refuse_stale(&self, group: Vec<HandIn>) -> Vec<HandIn> {
        let overlay = self.shared.overlay();
        let mut latest: HashMap<u64, Arc<Image>> = HashMap::new();
        let mut fresh = Vec::with_capacity(group.len());
        for hand_in in group {
            let mut own: HashMap<u64, &Arc<Image>> = HashMap::new();
            let stale = hand_in.changes.iter().find(|change| {
                let committed = own.insert(change.run, &change.after);
                let committed = committed
                    .or_else(|| latest.get(&change.run))
                    .or_else(|| overlay.image(change.run));
                committed.is_some_and(|committed| !is_same(committed, change.before.as_ref()))
            });
            match stale {
                None => {
                    let images = own.into_iter().map(|(run, image)| (run, Arc::clone(image)));
                    latest.extend(images);
                    fresh.push(hand_in);
                }
                Some(change) => {
                    let error = StoreError::Stale { run: change.run };
                    let _ = hand_in.done.send(Err(error));
                }
            }
        }
        fresh
    }

    /// Leaves as little as can be for the next opening.
    fn finish(mut self) {
        let pending = {
            let overlay = self.shared.overlay();
            overlay.applied() > overlay.mark()
        };
        if pending && let Err(error) = self.shared.lever.run() {
            tracing::warn!(%error, "no checkpoint at close; the next opening reads the journal");
        }
        let mark = self.shared.overlay().mark();
        if let Err(error) = self.journal.trim(mark) {
            tracing::warn!(%error, "the journal was not trimmed at close");
        }
    }
}

fn is_same(committed: &Arc<Image>, before: Option<&Arc<Image>>) -> bool {
    before.is_some_and(|before| Arc::ptr_eq(committed, before) || committed == before)
}
