//! Opening a data directory: the state, and on top of it the rows it does not contain.
//!
//! Nothing of a workflow runs here. A row says what a run became, not what happened to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::bounds::Bounds;
use super::directory::{Directory, Files};
use super::error::{OpenError, StoreError};
use super::fault::Fault;
use super::file::DataFile;
use super::image::Image;
use super::journal::{self, Journal};
use super::meta;
use super::overlay::{Applied, Overlay};
use super::row::{Entry, Row};
use super::shared::Shared;
use super::state;

/// Runs are numbered from here.
const FIRST_RUN: u64 = 1;

/// Opens both files, which are made if there are none, and reads what is newer than the state.
pub(super) fn recover(
    directory: &Directory,
    bounds: Bounds,
) -> Result<(Shared, Journal), OpenError> {
    let files = directory.files(create)?;
    let state = DataFile::open(&files.state, state::settings(bounds.state_check_bytes_max))?;
    let journal = Arc::new(DataFile::open(&files.journal, journal::SETTINGS)?);
    let mismatch = |reason: String| OpenError::Mismatch {
        journal: files.journal.clone(),
        state: files.state.clone(),
        reason,
    };
    if meta::identify(&state)? != meta::identify(&journal)? {
        return Err(mismatch("they are of different databases".to_owned()));
    }

    let standing = state::standing(state.snapshot()?)?;
    let tail = journal::tail(&journal, standing.mark)?;
    let mut overlay = Overlay::new(standing.mark);
    let mut next_run = standing.next_run.max(FIRST_RUN);
    for (number, row, bytes) in tail.rows {
        let expected = overlay.applied() + 1;
        if number != expected {
            return Err(mismatch(format!(
                "the journal goes on with row {number} instead of {expected}"
            )));
        }
        next_run = next_run.max(row.next_run);
        let changes = replay(row, &overlay, &state, &journal)?;
        overlay.apply(number, bytes, changes);
    }

    let journal_writer = Journal::new(Arc::clone(&journal), tail.first, overlay.applied());
    let shared = Shared::new(bounds, journal, state, overlay, next_run);
    Ok((shared, journal_writer))
}

fn create(files: &Files) -> Result<(), StoreError> {
    let id = Uuid::new_v4().into_bytes();
    state::create(files, &id)?;
    journal::create(files, &id)
}

/// What a row made of the runs it changed.
fn replay(
    row: Row,
    overlay: &Overlay,
    state: &DataFile,
    journal: &DataFile,
) -> Result<Vec<Applied>, StoreError> {
    // A run may change more than once in a row.
    let mut latest: BTreeMap<u64, Arc<Image>> = BTreeMap::new();
    let mut changes = Vec::with_capacity(row.entries.len());
    for entry in row.entries {
        let pending = latest.get(&entry.run).or_else(|| overlay.image(entry.run));
        let before = match (&entry.workflow_id, pending) {
            (Some(_), _) => None,
            (None, Some(image)) => Some(Arc::clone(image)),
            (None, None) => state::image(state.snapshot()?, entry.run)?,
        };
        let change = become_applied(entry, before.as_deref())
            .map_err(|reason| Fault::Damaged(reason).of(journal.path()))?;
        latest.insert(change.run, Arc::clone(&change.image));
        changes.push(change);
    }
    Ok(changes)
}

fn become_applied(entry: Entry, before: Option<&Image>) -> Result<Applied, String> {
    let run = entry.run;
    if entry.workflow_id.is_none() && before.is_none() {
        return Err(format!("run {run} changes, and was never begun"));
    }
    let image = entry.delta.apply(before);
    Ok(Applied {
        run,
        workflow_id: entry.workflow_id.map(Arc::from),
        open: entry.open,
        image: Arc::new(image.map_err(|reason| format!("a change of run {run}: {reason}"))?),
        event: entry.event.map(|event| event.0),
    })
}
