//! What is saved of a run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What is saved of one run: named sections, so that a delta touches only what changed.
///
/// Keys are unique in an image. The order of the sections is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub sections: Vec<Section>,
}

/// One named part of an [`Image`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub key: String,
    #[serde(with = "super::bytes")]
    pub bytes: Vec<u8>,
}

/// One step of one run.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Number of the run.
    pub run: u64,
    /// The workflow id; a run keeps the one it began with.
    pub workflow_id: Arc<str>,
    /// Whether the run is in flight after this change.
    pub open: bool,
    /// What was last committed; `None` for a new run.
    pub before: Option<Arc<Image>>,
    /// What is to be committed.
    pub after: Arc<Image>,
    /// One entry of the run's history.
    pub event: Option<Vec<u8>>,
}

impl Image {
    /// Bytes this image takes in memory, nearly.
    pub(super) fn size_bytes(&self) -> u64 {
        let bytes: usize = self
            .sections
            .iter()
            .map(|section| size_of::<Section>() + section.key.len() + section.bytes.len())
            .sum();
        (size_of::<Self>() + bytes) as u64
    }
}
