//! What the callers, the writer and the checkpoint share.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::retention::Retention;

use super::bounds::Bounds;
use super::checkpoint::Lever;
use super::file::DataFile;
use super::overlay::Overlay;

/// The parts of an open store.
///
/// What was committed is in the overlay or in the state, and during a checkpoint in both: it is
/// taken out of the overlay after the state has it. So who looks into the overlay first, and takes
/// the snapshot of the state before letting the overlay go, sees everything.
pub(super) struct Shared {
    pub bounds: Bounds,
    pub state: DataFile,
    overlay: Mutex<Overlay>,
    pub lever: Lever,
    pub next_run: AtomicU64,
    pub retention: Retention,
    /// How long the last commit took, in microseconds.
    pub commit_us: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        bounds: Bounds,
        state: DataFile,
        overlay: Overlay,
        next_run: u64,
        retention: Retention,
    ) -> Self {
        Self {
            bounds,
            state,
            overlay: Mutex::new(overlay),
            lever: Lever::new(),
            next_run: AtomicU64::new(next_run),
            retention,
            commit_us: AtomicU64::new(0),
        }
    }

    pub(super) fn overlay(&self) -> MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
