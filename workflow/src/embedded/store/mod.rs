//! The storage of the embedded engine.
//!
//! Two files. Each group commit is one row in the small *journal*, one sync; a background
//! *checkpoint* brings rows in bulk into the *state*, a redb file which says up to which row it
//! stands, and the space of the rows is used again. An *overlay* in memory holds what the state does
//! not have yet.
//!
//! ```text
//! commit ──▶ writer ──▶ journal.log           one row a group, one sync
//!               │
//!               ▼
//!            overlay ──▶ checkpoint ──▶ state.redb
//!               ▲                          ▲
//!               └───────── reads ──────────┘
//! ```
//!
//! Opening reads the state's mark and applies the rows after it: deltas of saved state, so no code
//! of a workflow runs, and the time does not depend on the length of any run.

mod backup;
pub(in crate::embedded) mod bounds;
mod bytes;
mod checkpoint;
mod committer;
mod delta;
mod directory;
mod disk;
mod encoding;
mod error;
mod extents;
mod fault;
mod file;
mod image;
mod images;
mod journal;
mod listing;
mod log;
mod meta;
mod overlay;
mod recovery;
mod row;
mod shared;
mod state;
mod summary;
mod summed;
#[cfg(test)]
pub(in crate::embedded) mod tests;
mod upgrade;
mod writer;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::limits::Limits;
use crate::retention::Retention;

use self::bounds::Bounds;
use self::committer::{Committer, Work};
use self::directory::Directory;
pub(crate) use self::error::{OpenError, StoreError};
pub(crate) use self::image::{Change, Image, Section};
pub(crate) use self::listing::Listed;
use self::shared::Shared;
pub(crate) use self::summary::{
    Awaiter, Filter, IN_FLIGHT, Identity, Kinship, Place, Standing, Summary,
};
use self::writer::{HandIn, Message, Writer};

/// How long a compaction waits for readers to end.
const COMPACTION_RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// A data directory, open. Clones are the same store; the last one dropped closes it.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    committer: Arc<Committer>,
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
    pub(crate) fn open(
        directory: &Path,
        limits: &Limits,
        retention: Retention,
        kinship: Kinship,
    ) -> Result<Self, OpenError> {
        let bounds = Bounds {
            kinship,
            wait_journal_bytes: limits.journal_bytes,
            state_cache_bytes: limits.cache_bytes,
            ..Bounds::DEFAULT
        };
        #[cfg(test)]
        let bounds = crate::embedded::simulation::bounds(directory).unwrap_or(bounds);
        Self::open_with(directory, bounds, retention)
    }

    pub(in crate::embedded) fn open_with(
        directory: &Path,
        bounds: Bounds,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let directory = Directory::lock(directory)?;
        let (shared, journal) = recovery::recover(&directory, bounds, retention)?;
        let shared = Arc::new(shared);
        let (inbox, messages) = mpsc::channel();
        let committer = Arc::new(Committer::new(journal, Arc::clone(&shared)));
        let writer = Writer {
            inbox: messages,
            committer: Arc::clone(&committer),
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
                committer,
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
    /// Waits for one sync, which is shared with everybody who commits at the same time; a caller
    /// that says that it is alone makes it on its own thread, where that does not hold it up.
    /// Dropping the future does not undo the commit.
    ///
    /// # Errors
    ///
    /// Nothing of the changes is visible after an error. See [`StoreError`].
    pub(crate) async fn commit(
        &self,
        changes: Vec<Change>,
        is_alone: bool,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let next_run = self.inner.shared.next_run.load(Ordering::Acquire);
        debug_assert!(
            changes.iter().all(|change| change.run < next_run),
            "run numbers come from `next_run`"
        );
        let mut work = Work::new(changes)?;
        #[cfg(test)]
        if self.inner.shared.bounds.is_single_threaded {
            let mut outcomes = self.inner.committer.commit(vec![work]);
            return outcomes.pop().expect("one outcome for each work");
        }
        if is_alone && self.inner.is_open() {
            match self.inner.committer.try_commit(work) {
                Ok(outcome) => return outcome,
                Err(back) => work = back,
            }
        }
        let (done, committed) = oneshot::channel();
        let hand_in = HandIn { work, done };
        let sent = self.inner.inbox.send(Message::Commit(hand_in));
        sent.map_err(|_| self.inner.why_ended())?;
        // Who is still waiting when the writer ends gets no answer.
        match committed.await {
            Ok(told) => told.outcome,
            Err(_) => Err(self.inner.why_ended()),
        }
    }

    /// What was last committed of a run.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn load(&self, run: u64) -> Result<Option<(Summary, Arc<Image>)>, StoreError> {
        let overlay = self.inner.shared.overlay();
        if let Some((summary, image)) = overlay.pending(run) {
            return Ok(Some((summary.clone(), Arc::clone(image))));
        }
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        state::run(snapshot, run)
    }

    /// What a run is found by.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn summary(&self, run: u64) -> Result<Option<Summary>, StoreError> {
        let overlay = self.inner.shared.overlay();
        if let Some((summary, _)) = overlay.pending(run) {
            return Ok(Some(summary.clone()));
        }
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        state::summary(snapshot, run)
    }

    /// The latest run of a workflow id, or the one with that run id.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn find(
        &self,
        workflow_id: &str,
        run_id: Option<&str>,
    ) -> Result<Option<(u64, Summary)>, StoreError> {
        let is_wanted = |summary: &Summary| run_id.is_none_or(|id| id == summary.identity.run_id);
        let overlay = self.inner.shared.overlay();
        // The newest ones are those that the state does not know.
        for run in overlay.runs_of(workflow_id).into_iter().rev() {
            if let Some((summary, _)) = overlay.pending(run)
                && is_wanted(summary)
            {
                return Ok(Some((run, summary.clone())));
            }
        }
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        for run in state::runs_of(snapshot, workflow_id)?.into_iter().rev() {
            // Gone since is a run that was removed.
            if let Some(summary) = self.summary(run)?.filter(&is_wanted) {
                return Ok(Some((run, summary)));
            }
        }
        Ok(None)
    }

    /// The first `limit` runs to be looked at after a place in their order, up to a time: when, and
    /// which.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn wakes(
        &self,
        after: (u64, u64),
        until_ms: u64,
        limit: usize,
    ) -> Result<Vec<(u64, u64)>, StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending: HashSet<u64> = overlay.summaries().map(|(run, _)| run).collect();
        let mut wakes: Vec<(u64, u64)> = overlay
            .summaries()
            .filter_map(|(run, summary)| Some((summary.standing.wake_ms?, run)))
            .filter(|wake| *wake > after && wake.0 <= until_ms)
            .collect();
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        let is_here = |run| !pending.contains(&run);
        wakes.extend(state::wakes(snapshot, after, until_ms, limit, is_here)?);
        wakes.sort_unstable();
        wakes.truncate(limit);
        Ok(wakes)
    }

    /// Every run in flight, with its [`Standing::fit`].
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn in_flight(&self, mut each: impl FnMut(u64, u64)) -> Result<(), StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending: Vec<(u64, Standing)> = overlay
            .summaries()
            .map(|(run, summary)| (run, summary.standing))
            .collect();
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        let runs: HashSet<u64> = pending.iter().map(|(run, _)| *run).collect();
        state::in_flight(snapshot, |run| !runs.contains(&run), &mut each)?;
        for (run, standing) in pending {
            if standing.status == IN_FLIGHT {
                each(run, standing.fit);
            }
        }
        Ok(())
    }

    /// Up to `limit` runs that the filter fits, after a place: newest first, or by id where an id
    /// prefix is asked for.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub(crate) fn list(
        &self,
        filter: &Filter,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        let overlay = self.inner.shared.overlay();
        let pending: HashSet<u64> = overlay.summaries().map(|(run, _)| run).collect();
        let mut page: Vec<Listed> = overlay
            .summaries()
            .filter(|(_, summary)| filter.fits(summary))
            .map(|(run, summary)| (filter.place(run, summary), summary.clone()))
            .filter(|(place, _)| after.is_none_or(|after| after.is_before(place)))
            .collect();
        let snapshot = self.inner.shared.state.snapshot()?;
        drop(overlay);
        let is_here = |run| !pending.contains(&run);
        page.extend(listing::page(snapshot, filter, after, limit, is_here)?);
        page.sort_by(|(a, _), (b, _)| b.is_before(a).cmp(&a.is_before(b)));
        page.truncate(limit);
        Ok(page)
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

    /// Writes a data directory that opens as this one stands now. Blocks; commits go on.
    ///
    /// # Errors
    ///
    /// Where the target cannot be written or has data, or this store cannot be read.
    pub(crate) fn backup(&self, target: &Path) -> Result<(), OpenError> {
        backup::write(&self.inner.shared, &self.inner.committer, target)
    }

    /// Brings the state up to date, removes from it what is not to be kept, and gives back the
    /// space that this freed. Blocks; commits go on until the journal is full, reads wait.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub(crate) fn compact(&self) -> Result<(), StoreError> {
        let shared = &self.inner.shared;
        shared.lever.run()?;
        while !shared.state.compact()? {
            // Somebody reads, for a moment.
            std::thread::sleep(COMPACTION_RETRY_INTERVAL);
        }
        Ok(())
    }

    /// Removes what is not to be kept, in the background.
    pub(crate) fn tidy(&self) {
        self.inner.shared.lever.ask();
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

    /// Whether it was not closed, and is not being closed.
    fn is_open(&self) -> bool {
        matches!(self.running.try_lock(), Ok(running) if running.is_some())
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
        if let Err(error) = self.shared.state.close() {
            tracing::warn!(%error, "the state was not closed in order");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
