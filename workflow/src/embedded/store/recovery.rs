//! Opening a data directory: the state, and on top of it the rows it does not contain.
//!
//! Nothing of a workflow runs here. A row says what a run became, not what happened to it.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::retention::Retention;

use super::bounds::Bounds;
use super::directory::{Directory, Files};
use super::error::{OpenError, StoreError};
use super::fault::Fault;
use super::file::DataFile;
use super::image::Image;
use super::journal::{self, Journal, Read, TailError};
use super::log::Link;
use super::meta;
use super::overlay::{Applied, Overlay};
use super::row::{Entry, Row};
use super::shared::Shared;
use super::state;
use super::summary::{Identity, Summary};
use super::upgrade;

/// Runs are numbered from here.
const FIRST_RUN: u64 = 1;

/// Opens both files, which are made if there are none, and reads what is newer than the state.
pub(super) fn recover(
    directory: &Directory,
    bounds: Bounds,
    retention: Retention,
) -> Result<(Shared, Journal), OpenError> {
    upgrade::begin(directory, bounds.state_cache_bytes)?;
    let files = directory.files(|new| create(new, bounds.state_cache_bytes))?;
    let state = DataFile::open(&files.state, state::settings(bounds.state_cache_bytes))?;
    let mut journal = Journal::open(&files.journal)?;
    let mismatch = |reason: String| OpenError::Mismatch {
        journal: files.journal.clone(),
        state: files.state.clone(),
        reason,
    };
    if meta::identify(&state)? != *journal.database() {
        return Err(mismatch("they are of different databases".to_owned()));
    }
    if !upgrade::may_go_together(&journal, &state)? {
        let reason = "the journal is of an earlier format version than the state";
        return Err(mismatch(reason.to_owned()));
    }

    let mark = state::mark(state.snapshot()?)?;
    let read = |journal: &mut Journal| {
        let tail = journal.tail(mark.last).map_err(|error| match error {
            TailError::Mismatch(reason) => mismatch(reason),
            TailError::Store(error) => error.into(),
        })?;
        let mut overlay = Overlay::new(mark.last);
        let mut next_run = mark.next_run.max(FIRST_RUN);
        for Read { link, row, bytes } in tail {
            next_run = next_run.max(row.next_run);
            let changes = replay(row, &overlay, &state, journal.path())?;
            overlay.apply(link, bytes, changes, &bounds);
        }
        Ok::<_, OpenError>((overlay, next_run))
    };
    let (mut overlay, mut next_run) = read(&mut journal)?;
    if !journal.is_chained() {
        journal = upgrade::chain(directory, journal, mark.last)?;
        (overlay, next_run) = read(&mut journal)?;
    }
    upgrade::finish(directory, &state)?;
    let shared = Shared::new(bounds, state, overlay, next_run, retention);
    Ok((shared, journal))
}

fn create(files: &Files, cache_bytes: usize) -> Result<(), StoreError> {
    let id = Uuid::new_v4().into_bytes();
    state::create(files, &id, cache_bytes)?;
    journal::create(&files.journal, &id, Link::default(), iter::empty())
}

/// What a row made of the runs it changed.
fn replay(
    row: Row,
    overlay: &Overlay,
    state: &DataFile,
    journal: &Path,
) -> Result<Vec<Applied>, StoreError> {
    // A run may change more than once in a row.
    let mut latest: BTreeMap<u64, (Arc<Identity>, Arc<Image>)> = BTreeMap::new();
    let mut changes = Vec::with_capacity(row.entries.len());
    for entry in row.entries {
        let run = entry.run;
        let before = match (&entry.identity, latest.get(&run)) {
            (Some(_), _) => None,
            (None, Some(pending)) => Some(pending.clone()),
            (None, None) => match overlay.pending(run) {
                Some((summary, image)) => Some((summary.identity.clone(), Arc::clone(image))),
                None => state::run(state.snapshot()?, run)?
                    .map(|(summary, image)| (summary.identity, image)),
            },
        };
        let change =
            become_applied(entry, before).map_err(|reason| Fault::Damaged(reason).of(journal))?;
        let identity = Arc::clone(&change.summary.identity);
        latest.insert(run, (identity, Arc::clone(&change.image)));
        changes.push(change);
    }
    Ok(changes)
}

fn become_applied(
    entry: Entry,
    before: Option<(Arc<Identity>, Arc<Image>)>,
) -> Result<Applied, String> {
    let run = entry.run;
    let (known, before) = before.unzip();
    let identity = (entry.identity.map(Arc::new).or(known))
        .ok_or_else(|| format!("run {run} changes, and was never begun"))?;
    let image = entry.delta.apply(before.as_deref());
    Ok(Applied {
        run,
        summary: Summary {
            identity,
            standing: entry.standing,
        },
        before,
        image: Arc::new(image.map_err(|reason| format!("a change of run {run}: {reason}"))?),
        event: entry.event.map(|event| event.0),
    })
}
