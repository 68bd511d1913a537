//! The record of one row of the journal: everything one group commit changes.

use serde::{Deserialize, Serialize};

use super::delta::Delta;
use super::image::{Change, Image};
use super::summary::{Identity, Standing};

/// All changes of one group commit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    /// No run number from here on had been given out when this row was written.
    pub next_run: u64,
    pub entries: Vec<Entry>,
}

/// One [`Change`], as it stands in a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub run: u64,
    /// For a new run only; afterwards the state knows it.
    pub identity: Option<Identity>,
    pub standing: Standing,
    pub delta: Delta,
    pub event: Option<Event>,
}

/// One entry of a run's history.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event(#[serde(with = "super::bytes")] pub Vec<u8>);

impl Entry {
    /// The entry of a change. It takes the event, which nobody else needs.
    pub(super) fn new(change: &mut Change) -> Self {
        let before: Option<&Image> = change.before.as_deref();
        Self {
            run: change.run,
            identity: before
                .is_none()
                .then(|| Identity::clone(&change.summary.identity)),
            standing: change.summary.standing,
            delta: Delta::between(before, &change.after),
            event: change.event.take().map(Event),
        }
    }

    /// Bytes this entry takes in its row, nearly.
    pub(super) fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.identity.as_ref().map_or(0, Identity::size_bytes)
            + self.delta.size_bytes()
            + self.event.as_ref().map_or(0, |event| event.0.len())
    }
}
