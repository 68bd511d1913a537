//! Which runs are listed, a page at a time.

use std::time::SystemTime;

use crate::provider::RunInfo;
use crate::status::Status;

/// How many runs a page has at most, unless the filter says otherwise.
const PAGE_RUNS: usize = 100;

/// Which runs [`Executor::list`](crate::Executor::list) gives: all, until something is asked for.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use workflow::{RunFilter, Status};
///
/// let yesterday = SystemTime::now() - Duration::from_hours(24);
/// let filter = RunFilter::new()
///     .status(Status::Failed)
///     .workflow("research_workflow")
///     .started_from(yesterday);
/// # let _ = filter;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RunFilter {
    pub(crate) status: Option<Status>,
    pub(crate) workflow: Option<String>,
    pub(crate) id_prefix: Option<String>,
    pub(crate) started_from: Option<SystemTime>,
    pub(crate) started_before: Option<SystemTime>,
    pub(crate) after: Option<PageToken>,
    pub(crate) page_runs: usize,
}

/// Where the next page begins: what [`RunPage::next`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(pub(crate) String);

impl PageToken {
    /// For providers: a token of a text of the provider's.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be sent to a page's reader and back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPage {
    /// Newest first; by workflow id where a prefix of ids was asked for.
    pub runs: Vec<RunInfo>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<PageToken>,
}

impl Default for RunFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl RunFilter {
    /// All runs.
    pub fn new() -> Self {
        Self {
            status: None,
            workflow: None,
            id_prefix: None,
            started_from: None,
            started_before: None,
            after: None,
            page_runs: PAGE_RUNS,
        }
    }

    /// Only runs of that status.
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Only runs of the workflow of that durable name.
    pub fn workflow(mut self, name: impl Into<String>) -> Self {
        self.workflow = Some(name.into());
        self
    }

    /// Only runs whose workflow id begins so. They are ordered by it.
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.id_prefix = Some(prefix.into());
        self
    }

    /// Only runs that were started at that time or later.
    pub fn started_from(mut self, time: SystemTime) -> Self {
        self.started_from = Some(time);
        self
    }

    /// Only runs that were started before that time.
    pub fn started_before(mut self, time: SystemTime) -> Self {
        self.started_before = Some(time);
        self
    }

    /// The page that begins there.
    pub fn after(mut self, token: PageToken) -> Self {
        self.after = Some(token);
        self
    }

    /// How many runs a page has at most; 100 unless this is called, and at least one.
    pub fn page_runs(mut self, runs: usize) -> Self {
        self.page_runs = runs.max(1);
        self
    }
}
