//! The limits of the store, named and with their units.

/// Cache of the journal's file. It is written at one end and read only at recovery.
pub(super) const JOURNAL_CACHE_BYTES: usize = 8 << 20;

/// Cache of the state's file: what waiting runs are read through.
pub(super) const STATE_CACHE_BYTES: usize = 64 << 20;

/// One call of `commit` may bring so much; a row has to fit into memory several times over.
pub(super) const COMMIT_BYTES_MAX: usize = 256 << 20;

/// Changes in one row. The place of a change in its row is part of its history key.
pub(super) const ROW_CHANGES_MAX: usize = 1 << HISTORY_PLACE_BITS;

/// Bits of a history key that hold the place in the row; the others hold the row.
pub(super) const HISTORY_PLACE_BITS: u32 = 16;

/// When the store writes, waits and checks. A struct, so that tests can force every path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
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
    /// Rows that one commit removes at most, so that trimming delays nobody for long.
    pub trim_rows_max: u64,
    /// A state file up to this size is checked page by page when it is opened. A larger one is
    /// not, since opening must not cost more in a large database; its values have checksums.
    pub state_check_bytes_max: u64,
}

impl Bounds {
    pub(super) const DEFAULT: Self = Self {
        group_bytes_max: 1 << 20,
        checkpoint_journal_bytes: 4 << 20,
        checkpoint_rows: 16 << 10,
        checkpoint_image_bytes: 64 << 20,
        wait_journal_bytes: 64 << 20,
        wait_image_bytes: 256 << 20,
        trim_rows_max: 4 << 10,
        state_check_bytes_max: 16 << 20,
    };
}
