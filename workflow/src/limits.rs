//! What one run may take, and how much of the process all of them together.

/// The limits of an executor. Whoever goes beyond one gets an error that names it.
///
/// ```
/// use workflow::{Config, Limits};
///
/// let config = Config::new().limits(Limits {
///     concurrent_activities: 64,
///     ..Limits::default()
/// });
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one argument, result or signal, encoded. 4 MiB.
    pub payload_bytes: usize,
    /// Signals of one run that wait until somebody waits for them. 10,000.
    pub mailbox_signals: usize,
    /// Operations of one run that are under way at a time. 10,000.
    pub pending_operations: usize,
    /// Attempts of activities that are made at a time, which is also how many runs are in memory for
    /// theirs; the others wait for their turn on the disk, and their timeouts begin with it. 10,000.
    pub concurrent_activities: usize,
    /// Bytes of what is committed and not yet brought into the state; beyond that, callers wait.
    /// After a crash so much has to be read. 16 MiB.
    pub journal_bytes: u64,
    /// Bytes of the cache through which runs that wait are read. 8 MiB.
    pub cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes: 4 << 20,
            mailbox_signals: 10_000,
            pending_operations: 10_000,
            concurrent_activities: 10_000,
            journal_bytes: 16 << 20,
            cache_bytes: 8 << 20,
        }
    }
}
