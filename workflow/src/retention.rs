//! What is removed in time.

use std::time::Duration;

/// What is removed in time; without this everything is kept. Runs in flight are never removed.
///
/// ```
/// use workflow::prelude::*;
/// use workflow::Retention;
///
/// let config = Config::new().retention(Retention {
///     age: Some(Duration::from_hours(24 * 30)),
///     history_events: Some(1_000),
///     ..Retention::default()
/// });
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long a run is kept after it ended.
    pub age: Option<Duration>,
    /// How many runs that ended are kept: the latest.
    pub runs: Option<u64>,
    /// How many entries of a run's history are kept: the latest.
    pub history_events: Option<u64>,
}
