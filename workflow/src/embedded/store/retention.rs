//! What is removed in time.

/// What is removed in time. What is `None` is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retention {
    /// How long a run is kept after it ended, in milliseconds.
    pub age_ms: Option<u64>,
    /// How many runs that ended are kept.
    pub runs_max: Option<u64>,
    /// How many entries of a run's history are kept.
    pub events_max: Option<u64>,
}
