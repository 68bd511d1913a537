//! The storage of the embedded engine.
//!
//! Two redb files. Each group commit is one row in the small *journal*, one sync; a background
//! *checkpoint* brings rows in bulk into the *state*, which says up to which row it stands, and the
//! rows are removed. An *overlay* in memory holds what the state does not have yet.
//!
//! ```text
//! commit ──▶ writer ──▶ journal.redb          one row a group, one sync
//!               │
//!               ▼
//!            overlay ──▶ checkpoint ──▶ state.redb
//!               ▲                          ▲
//!               └───────── reads ──────────┘
//! ```
//!
//! Opening reads the state's mark and applies the rows after it: deltas of saved state, so no code
//! of a workflow runs, and the time does not depend on the length of any run.

mod bounds;
mod bytes;
mod checkpoint;
mod delta;
mod directory;
mod disk;
mod error;
mod fault;
mod file;
mod image;
mod journal;
mod meta;
mod overlay;
mod recovery;
mod row;
mod seal;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::bounds::Bounds;
use self::directory::Directory;
pub(crate) use self::error::{OpenError, StoreError};
pub(crate) use self::image::{Change, Image, Section};
use self::shared::Shared;
use self::writer::{HandIn, Message, Writer};

/// A data directory, open. Clones are the same store; the last one dropped closes it.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    inbox: Sender<Message>,
    /// What [`Store::close`] ends; nothing once it has.
    running: Mutex<Option<Running>>,
}

struct Running {
    writer: JoinHandle<()>,
    checkpoint: JoinHandle<()>,
    /// Let go last.
    _directory: Directory,
}

impl Store {
    /// Opens a data directory, which is created with its files if there is none.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be used, is in use, or does not hold what this library wrote.
    /// Nothing is lost or changed then.
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_with(directory, Bounds::DEFAULT)
    }

    fn open_with(directory: &Path, bounds: Bounds) -> Result<Self, OpenError> {
        let directory = Directory::lock(directory)?;
        let (shared, journal) = recovery::recover(&directory, bounds)?;
        let shared = Arc::new(shared);
        let (inbox, messages) = mpsc::channel();
        let writer = Writer {
            inbox: messages,
            journal,
            shared: Arc::clone(&shared),
        };
        let running = Running {
            checkpoint: directory.spawn("workflow-checkpoint", {
                let shared = Arc::clone(&shared);
                move || checkpoint::run(&shared)
            })?,
            writer: directory.spawn("workflow-writer", || writer.run())?,
            _directory: directory,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                inbox,
                running: Mutex::new(Some(running)),
            }),
        })
    }

    /// A number that no run in this data directory ever had.
    pub(crate) fn next_run(&self) -> u64 {
        self.inner.shared.next_run.fetch_add(1, Ordering::AcqRel)
    }

    /// Commits the changes, all or none, and returns when they are durable.
    ///
    /// Waits for one sync, which is shared with everybody who commits at the same time. Dropping
    /// the future does not undo the commit.
    ///
    /// # Errors
    ///
    /// Nothing of the changes is visible after an error. See [`StoreError`].
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let next_run = self.inner.shared.next_run.load(Ordering::Acquire);
        debug_assert!(
            changes.iter().all(|change| change.run < next_run),
            "run numbers come from `next_run`"
        );
        let (done, committed) = oneshot::channel();
        let hand_in = HandIn::new(changes, done)?;
        let sent = self.inner.inbox.send(Message::Commit(hand_in));
        sent.map_err(|_| self.inner.why_ended())?;
        // Who is still waiting when the writer ends gets no answer.
        committed
            .await
            .unwrap_or_else(|_| Err(self.inner.why_ended()))
    }

    /// What was last committed of a run.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn load(&self, run: u64) -> Result<Option<Arc<Image>>, StoreError> {
        let overlay = self.inner.shared.overlay();
        if let Some(image) = overlay.image(run) {
            return Ok(Some(Arc::clone(image)));
        }
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        state::image(snapshot, run)
    }

    /// All runs of a workflow id, ascending.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn runs_of(&self, workflow_id: &str) -> Result<Vec<u64>, StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending = overlay.runs_of(workflow_id);
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        let mut runs = state::runs_of(snapshot, workflow_id)?;
        runs.extend(pending);
        runs.sort_unstable();
        runs.dedup();
        Ok(runs)
    }

    /// All runs in flight, ascending.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn open_runs(&self) -> Result<Vec<u64>, StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending = overlay.open_runs();
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        let mut runs: BTreeSet<u64> = state::open_runs(snapshot)?.into_iter().collect();
        for (run, open) in pending {
            if open {
                runs.insert(run);
            } else {
                runs.remove(&run);
            }
        }
        Ok(runs.into_iter().collect())
    }

    /// The history of a run, oldest entry first.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn history(&self, run: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending = overlay.history(run);
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        // Entries that are in both stand at the end of the one and at the beginning of the other.
        let first_pending = pending.first().map_or(u64::MAX, |(number, _)| *number);
        let mut events: Vec<Vec<u8>> = state::history(snapshot, run)?
            .into_iter()
            .filter(|(number, _)| *number < first_pending)
            .map(|(_, event)| event)
            .collect();
        events.extend(pending.iter().map(|(_, event)| event.to_vec()));
        Ok(events)
    }

    /// Finishes what was handed in, writes a last checkpoint, and lets the directory go.
    ///
    /// Blocks until that is done. Later calls of anything get [`StoreError::Closed`].
    pub(crate) fn close(&self) {
        self.inner.close();
    }
}

impl Inner {
    /// Why the writer takes nothing more.
    fn why_ended(&self) -> StoreError {
        // Locked means that the store is being closed right now.
        match self.running.try_lock() {
            Ok(running) if running.is_some() => StoreError::Panicked,
            _ => StoreError::Closed,
        }
    }

    fn close(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(threads) = running.take() else {
            return;
        };
        // In this order: the writer's last act is to wait for a checkpoint.
        let _ = self.inbox.send(Message::Close);
        let writer = threads.writer.join();
        self.shared.lever.stop();
        let checkpoint = threads.checkpoint.join();
        if writer.is_err() || checkpoint.is_err() {
            tracing::error!("a thread of the store panicked; report it as a bug in the engine");
        }
        for file in [&*self.shared.journal, &self.shared.state] {
            if let Err(error) = file.close() {
                tracing::warn!(%error, "a file was not closed in order");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
