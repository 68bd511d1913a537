//! What is committed and not yet in the state: the journal's contents, in memory and ready to read.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::bounds::{Bounds, HISTORY_PLACE_BITS, ROW_CHANGES_MAX};
use super::image::Image;
use super::log::Link;
use super::summary::{Identity, Summary};

/// The workflow id of a run, shared with its summary.
struct Id(Arc<Identity>);

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0.workflow_id
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.workflow_id.hash(state);
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.0.workflow_id == other.0.workflow_id
    }
}

impl Eq for Id {}

/// Everything newer than the state. Empty after a checkpoint, if nothing was committed meanwhile.
#[derive(Default)]
pub(super) struct Overlay {
    /// By number, so that a checkpoint writes its pages in order.
    runs: BTreeMap<u64, Pending>,
    /// Runs that the state does not know, by workflow id.
    ids: HashMap<Id, BTreeSet<u64>>,
    /// The last row applied.
    applied: Link,
    /// The last row that the state contains.
    mark: Link,
    /// Bytes of all rows applied since the store was opened.
    applied_bytes: u64,
    /// The same, at the mark.
    mark_bytes: u64,
    /// Bytes of the images here.
    image_bytes: u64,
}

/// What a pending run takes in memory besides its image, nearly: here, and for the pages of the
/// indexes that a checkpoint writes for it.
const PENDING_BYTES: u64 = 4096;

/// What is pending of one run.
struct Pending {
    /// The row that changed it last.
    row: u64,
    summary: Summary,
    image: Arc<Image>,
    /// What the state has of it, where that is worth a delta.
    base: Option<Arc<Image>>,
    /// History entries by their number.
    events: Vec<(u64, Arc<[u8]>)>,
}

impl Pending {
    /// The image and its base share what did not change: the smaller one is taken to be in the
    /// larger one, so that at worst it is twice as much.
    fn size_bytes(&self) -> u64 {
        let base = self.base.as_ref().map_or(0, |base| base.size_bytes());
        PENDING_BYTES + base.max(self.image.size_bytes())
    }
}

/// One change, committed.
pub(super) struct Applied {
    pub run: u64,
    pub summary: Summary,
    /// What was committed before; `None` for a new run.
    pub before: Option<Arc<Image>>,
    pub image: Arc<Image>,
    pub event: Option<Vec<u8>>,
}

/// What one checkpoint writes.
pub(super) struct Batch {
    /// The row that the state is to stand at before it.
    pub mark: u64,
    /// The row it stands at.
    pub upto: Link,
    pub next_run: u64,
    /// By run.
    pub runs: Vec<Written>,
    /// Run, number of the entry, entry; in this order.
    pub events: Vec<(u64, u64, Arc<[u8]>)>,
    /// Bytes of rows up to `upto`, to be given back.
    upto_bytes: u64,
}

/// What a checkpoint writes of a run.
pub(super) struct Written {
    pub run: u64,
    pub summary: Summary,
    pub image: Arc<Image>,
    /// What the state has of it, where that is worth a delta.
    pub base: Option<Arc<Image>>,
}

impl Overlay {
    /// An overlay on a state that contains all rows up to the mark.
    pub(super) fn new(mark: Link) -> Self {
        Self {
            applied: mark,
            mark,
            ..Self::default()
        }
    }

    pub(super) fn mark(&self) -> Link {
        self.mark
    }

    /// The last row applied.
    pub(super) fn applied(&self) -> Link {
        self.applied
    }

    pub(super) fn image(&self, run: u64) -> Option<&Arc<Image>> {
        self.runs.get(&run).map(|pending| &pending.image)
    }

    pub(super) fn pending(&self, run: u64) -> Option<(&Summary, &Arc<Image>)> {
        let pending = self.runs.get(&run)?;
        Some((&pending.summary, &pending.image))
    }

    /// Every pending run.
    pub(super) fn summaries(&self) -> impl Iterator<Item = (u64, &Summary)> {
        let runs = self.runs.iter();
        runs.map(|(run, pending)| (*run, &pending.summary))
    }

    /// Runs that the state does not know, ascending.
    pub(super) fn runs_of(&self, workflow_id: &str) -> Vec<u64> {
        let runs = self.ids.get(workflow_id);
        runs.map_or_else(Vec::new, |runs| runs.iter().copied().collect())
    }

    /// Pending history of a run, ascending.
    pub(super) fn history(&self, run: u64) -> Vec<(u64, Arc<[u8]>)> {
        let pending = self.runs.get(&run);
        pending.map_or_else(Vec::new, |pending| pending.events.clone())
    }

    /// Takes in one row, whole.
    pub(super) fn apply(
        &mut self,
        link: Link,
        row_bytes: u64,
        changes: Vec<Applied>,
        bounds: &Bounds,
    ) {
        let row = link.row;
        assert_eq!(row, self.applied.row + 1, "rows are applied in order");
        assert!(
            changes.len() <= ROW_CHANGES_MAX,
            "a row has room for so many"
        );
        for (change, place) in changes.into_iter().zip(0..) {
            self.change(row, place, change, bounds);
        }
        self.applied = link;
        self.applied_bytes += row_bytes;
    }

    fn change(&mut self, row: u64, place: u64, change: Applied, bounds: &Bounds) {
        let number = row << HISTORY_PLACE_BITS | place;
        let event = change.event.map(|event| (number, Arc::from(event)));
        if change.before.is_none() {
            let id = Id(Arc::clone(&change.summary.identity));
            self.ids.entry(id).or_default().insert(change.run);
        }
        match self.runs.get_mut(&change.run) {
            Some(pending) => {
                self.image_bytes -= pending.size_bytes();
                pending.row = row;
                pending.summary = change.summary;
                pending.image = change.image;
                pending.events.extend(event);
                self.image_bytes += pending.size_bytes();
            }
            None => {
                let base = change.before.filter(|base| bounds.is_worth_a_delta(base));
                let pending = Pending {
                    row,
                    summary: change.summary,
                    image: change.image,
                    base,
                    events: event.into_iter().collect(),
                };
                self.image_bytes += pending.size_bytes();
                self.runs.insert(change.run, pending);
            }
        }
    }

    /// Everything here, to be written. It stays until [`Overlay::forget`].
    pub(super) fn batch(&self, next_run: u64) -> Batch {
        let mut batch = Batch {
            mark: self.mark.row,
            upto: self.applied,
            next_run,
            runs: Vec::with_capacity(self.runs.len()),
            events: Vec::new(),
            upto_bytes: self.applied_bytes,
        };
        for (run, pending) in &self.runs {
            batch.runs.push(Written {
                run: *run,
                summary: pending.summary.clone(),
                image: Arc::clone(&pending.image),
                base: pending.base.clone(),
            });
            let events = pending.events.iter();
            batch
                .events
                .extend(events.map(|(number, event)| (*run, *number, Arc::clone(event))));
        }
        batch
    }

    /// Takes out what the state now contains, except what has changed since.
    pub(super) fn forget(&mut self, batch: &Batch, bounds: &Bounds) {
        let upto = batch.upto.row;
        assert!(self.mark.row <= upto && upto <= self.applied.row);
        for written in &batch.runs {
            let Written { run, summary, .. } = written;
            let id = Id(Arc::clone(&summary.identity));
            if let Some(runs) = self.ids.get_mut(&id) {
                runs.remove(run);
                if runs.is_empty() {
                    self.ids.remove(&id);
                }
            }
            let Some(pending) = self.runs.get_mut(run) else {
                continue;
            };
            self.image_bytes -= pending.size_bytes();
            if pending.row <= upto {
                self.runs.remove(run);
                continue;
            }
            let image = Some(&written.image);
            pending.base = image
                .filter(|image| bounds.is_worth_a_delta(image))
                .map(Arc::clone);
            self.image_bytes += pending.size_bytes();
            let newer = |number: u64| number >> HISTORY_PLACE_BITS > upto;
            pending.events.retain(|(number, _)| newer(*number));
        }
        self.mark = batch.upto;
        self.mark_bytes = batch.upto_bytes;
    }

    /// Bytes of the rows that are not in the state.
    pub(super) fn journal_bytes(&self) -> u64 {
        self.applied_bytes - self.mark_bytes
    }

    /// Whether a checkpoint should run.
    pub(super) fn is_due(&self, bounds: &Bounds) -> bool {
        self.applied.row - self.mark.row >= bounds.checkpoint_rows
            || self.applied_bytes - self.mark_bytes >= bounds.checkpoint_journal_bytes
            || self.image_bytes >= bounds.checkpoint_image_bytes
    }

    /// Whether nothing more may come in before a checkpoint has run.
    pub(super) fn is_full(&self, bounds: &Bounds) -> bool {
        self.applied_bytes - self.mark_bytes >= bounds.wait_journal_bytes
            || self.image_bytes >= bounds.wait_image_bytes
    }
}
