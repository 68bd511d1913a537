//! How often an activity is tried, and how long between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// How often a failing activity is tried, and how long between attempts.
///
/// The wait before attempt n + 1 is `initial_interval * backoff_coefficient^(n - 1)`, at most
/// `max_interval`, times a jitter between 0.5 and 1.5.
///
/// ```
/// use std::time::Duration;
/// use workflow::RetryPolicy;
///
/// let policy = RetryPolicy { max_attempts: 5, ..RetryPolicy::default() };
/// assert_eq!(policy.interval(3, 0.5), Duration::from_millis(400)); // 100 ms * 2², jitter 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How often at most, the first time included. 1 is at most once: an attempt that died with
    /// its process is then not made again. Default 3.
    pub max_attempts: u32,
    /// The wait after the first attempt. Default 100 ms.
    pub initial_interval: Duration,
    /// By how much the wait grows each time; at least 1. Default 2.
    pub backoff_coefficient: f64,
    /// The longest wait, before jitter. Default 10 s.
    pub max_interval: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_interval: Duration::from_millis(100),
            backoff_coefficient: 2.0,
            max_interval: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// The wait after the `attempt`-th attempt (counted from 1). `random` is between 0 and 1 and
    /// decides the jitter.
    #[must_use]
    pub fn interval(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let growth = self.backoff_coefficient.max(1.0).powi(exponent);
        let longest = self.max_interval.as_secs_f64();
        let wait = (self.initial_interval.as_secs_f64() * growth).min(longest);
        Duration::try_from_secs_f64(wait * (0.5 + random)).unwrap_or(self.max_interval)
    }

    /// The wait before the next attempt after one that failed; `None` when there is none.
    #[must_use]
    pub fn after(&self, attempt: u32, failure: &Failure, random: f64) -> Option<Duration> {
        if failure.non_retryable || attempt >= self.max_attempts {
            return None;
        }
        let interval = self.interval(attempt, random);
        Some(
            failure
                .retry_after
                .map_or(interval, |least| least.max(interval)),
        )
    }
}
