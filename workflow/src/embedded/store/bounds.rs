//! The limits of the store, named and with their units.

use super::image::Image;
use super::summary::Kinship;

/// One call of `commit` may bring so much; a row has to fit into memory several times over.
pub(super) const COMMIT_BYTES_MAX: usize = 256 << 20;

/// One checkpoint removes so many runs that need not be kept; the others wait for the next.
pub(super) const REMOVED_RUNS_MAX: usize = 4 << 10;

/// A caller commits on its own thread only where the last commit took no longer than this, in
/// microseconds: handing over costs some tens of them, and a runtime is not to be held up.
pub(super) const INLINE_COMMIT_US_MAX: u64 = 1_000;

/// Changes in one row. The place of a change in its row is part of its history key.
pub(super) const ROW_CHANGES_MAX: usize = 1 << HISTORY_PLACE_BITS;

/// Changes in one commit. A group that has room takes a whole further commit.
pub(super) const COMMIT_CHANGES_MAX: usize = ROW_CHANGES_MAX / 2;

/// After a failed checkpoint the next one is tried so many rows later.
pub(super) const CHECKPOINT_RETRY_ROWS: u64 = 64;

/// Bits of a history key that hold the place in the row; the others hold the row.
pub(super) const HISTORY_PLACE_BITS: u32 = 16;

/// When the store writes, waits and checks. A struct, so that tests can force every path.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedded) struct Bounds {
    /// A group takes no further caller once it has so many bytes.
    pub group_bytes_max: usize,
    /// A checkpoint is due after so many bytes of rows.
    pub checkpoint_journal_bytes: u64,
    /// A checkpoint is due after so many rows.
    pub checkpoint_rows: u64,
    /// A checkpoint is due when the images in memory have so many bytes.
    pub checkpoint_image_bytes: u64,
    /// Callers wait for the checkpoint when so many bytes of rows are not in the state.
    pub wait_journal_bytes: u64,
    /// Callers wait for the checkpoint when the images in memory have so many bytes.
    pub wait_image_bytes: u64,
    /// Cache of the state's file: what waiting runs are read through.
    pub state_cache_bytes: usize,
    /// Of an image of so many bytes a checkpoint may write just what changed.
    pub delta_image_bytes_min: u64,
    /// Reading a run applies so many deltas at most.
    pub deltas_max: u64,
    /// Commits and checkpoints are made by whoever asks for them, so that a simulation repeats
    /// itself.
    #[cfg(test)]
    pub is_single_threaded: bool,
    /// Which runs that ended are kept whatever their age.
    pub kinship: Kinship,
}

impl Bounds {
    pub(in crate::embedded) const DEFAULT: Self = Self {
        group_bytes_max: 1 << 20,
        checkpoint_journal_bytes: 1 << 20,
        checkpoint_rows: 4 << 10,
        checkpoint_image_bytes: 8 << 20,
        wait_journal_bytes: 16 << 20,
        wait_image_bytes: 16 << 20,
        state_cache_bytes: 8 << 20,
        // A smaller one takes no more than the page that would hold its delta.
        delta_image_bytes_min: 4 << 10,
        deltas_max: 32,
        #[cfg(test)]
        is_single_threaded: false,
        kinship: Kinship::NONE,
    };

    pub(super) fn is_worth_a_delta(&self, image: &Image) -> bool {
        image.size_bytes() >= self.delta_image_bytes_min
    }
}
