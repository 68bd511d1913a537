//! How far a run has come.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In flight: running, waiting, or set aside until code that fits is started.
    Running,
    /// The workflow returned `Ok`.
    Completed,
    /// The workflow returned an error.
    Failed,
    /// The run was asked to cancel, and the workflow returned that.
    Canceled,
    /// The run was ended from outside, without asking the workflow.
    Terminated,
    /// The run's timeout passed.
    TimedOut,
}

impl Status {
    /// Whether the run has ended.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self != Self::Running
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Terminated => "terminated",
            Self::TimedOut => "timed out",
        })
    }
}
