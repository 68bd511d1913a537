//! Time and chance, the two things an engine takes from the world; tests may simulate both.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// The time in milliseconds since 1970: what records and timers count in.
pub(super) fn now_ms() -> u64 {
    #[cfg(test)]
    if let Some(now_ms) = super::simulation::now_ms() {
        return now_ms;
    }
    to_ms(SystemTime::now())
}

/// A time of the standard library's as it is saved.
pub(super) fn to_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A saved time as the standard library's.
pub(super) fn to_time(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

/// When a duration that begins now is over.
pub(super) fn after(now_ms: u64, duration: Duration) -> u64 {
    // Rounded up, so that nothing is over too early.
    let ms = duration.as_nanos().div_ceil(1_000_000);
    now_ms.saturating_add(u64::try_from(ms).unwrap_or(u64::MAX))
}

/// A random number, nothing secret: the standard library's hash keys, which cost no system call.
pub(super) fn random() -> u64 {
    #[cfg(test)]
    if let Some(number) = super::simulation::random() {
        return number;
    }
    RandomState::new().hash_one(())
}

/// An id that no run ever had. Those of later runs are greater, so that what a checkpoint writes of
/// many new runs stands together in the index of ids.
pub(super) fn run_id() -> String {
    #[cfg(test)]
    if let Some(number) = super::simulation::random() {
        return format!("{number:016x}");
    }
    Uuid::now_v7().to_string()
}

/// A random number between 0 and 1, for jitter.
pub(super) fn random_fraction() -> f64 {
    random() as f64 / u64::MAX as f64
}
