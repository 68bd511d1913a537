//! What is saved of a run.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::summary::Summary;

/// What is saved of one run: named sections, so that a delta touches only what changed.
///
/// The order of the sections is kept. Several may have one key: a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub sections: Vec<Section>,
}

/// One named part of an [`Image`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub key: Cow<'static, str>,
    /// Shared with the images before and after, where they have the same.
    #[serde(with = "super::bytes")]
    pub bytes: Arc<[u8]>,
}

/// One step of one run.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Number of the run.
    pub run: u64,
    /// What the run is found by after this change.
    pub summary: Summary,
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
