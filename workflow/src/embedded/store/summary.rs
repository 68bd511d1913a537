//! What a run is found by: what the indexes of the state are made from.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::image::Image;

/// What a run is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub identity: Arc<Identity>,
    pub standing: Standing,
}

/// What a run keeps from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub workflow_id: String,
    pub run_id: String,
    /// The workflow's durable name.
    pub workflow: String,
    /// Milliseconds since 1970.
    pub started_ms: u64,
}

impl Identity {
    /// Bytes this takes in memory, nearly.
    pub(super) fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.workflow_id.len() + self.run_id.len() + self.workflow.len()
    }
}

/// What changes while a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// 0 is in flight; the others are the engine's.
    pub status: u8,
    /// When it ended, in milliseconds since 1970.
    pub closed_ms: Option<u64>,
    /// When the engine has to look at it, in milliseconds since 1970; 0 is whenever it is opened.
    pub wake_ms: Option<u64>,
    /// Equal where code that fits one of two runs in flight fits the other.
    pub fit: u64,
}

/// What the store asks its user before it removes a run that has ended: whether another one is
/// still to hear of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinship {
    /// Who awaits a run.
    pub awaited_by: fn(&Image) -> Option<Awaiter>,
    /// The numbers under which a run awaits others; `None` where nobody knows.
    pub awaits: fn(&Image) -> Option<BTreeSet<u64>>,
}

/// A run that awaits another one, and under which number.
pub(crate) struct Awaiter {
    pub workflow_id: String,
    pub run_id: String,
    pub number: u64,
}

impl Kinship {
    /// No run awaits another.
    pub(in crate::embedded) const NONE: Self = Self {
        awaited_by: |_| None,
        awaits: |_| None,
    };
}

/// The status of a run in flight.
pub(crate) const IN_FLIGHT: u8 = 0;

/// Which runs are looked for. What is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub status: Option<u8>,
    pub workflow: Option<String>,
    pub id_prefix: Option<String>,
    /// Started then or later.
    pub started_from_ms: Option<u64>,
    /// Started before.
    pub started_before_ms: Option<u64>,
}

impl Filter {
    pub(super) fn fits(&self, summary: &Summary) -> bool {
        let (identity, standing) = (&summary.identity, &summary.standing);
        self.status.is_none_or(|status| standing.status == status)
            && (self.workflow.as_ref()).is_none_or(|workflow| identity.workflow == *workflow)
            && (self.id_prefix.as_ref())
                .is_none_or(|prefix| identity.workflow_id.starts_with(prefix.as_str()))
            && self
                .started_from_ms
                .is_none_or(|from| identity.started_ms >= from)
            && self
                .started_before_ms
                .is_none_or(|before| identity.started_ms < before)
    }
}

/// The place of a run among those that are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Newest first: when it was started, and its number.
    Started(u64, u64),
    /// By workflow id, then by number.
    Id(String, u64),
}
