//! The state: every run as it stood at the last checkpoint, its history, and the indexes.

use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, TableDefinition};

use super::bounds::STATE_CACHE_BYTES;
use super::directory::Files;
use super::error::StoreError;
use super::file::{Commit, DataFile, Settings, Snapshot};
use super::image::Image;
use super::meta::{self, DatabaseId};
use super::overlay::Batch;
use super::seal::Place;

/// Run -> sealed image.
const RUNS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("runs");
/// Workflow id and run -> checksum of the key.
const IDS: TableDefinition<'static, (&str, u64), u32> = TableDefinition::new("ids");
/// Runs in flight -> checksum of the key.
const OPEN: TableDefinition<'static, u64, u32> = TableDefinition::new("open");
/// Run and number of the entry -> sealed entry.
const HISTORY: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("history");

pub(super) fn settings(check_bytes_max: u64) -> Settings {
    Settings {
        cache_bytes: STATE_CACHE_BYTES,
        check_bytes_max,
    }
}

pub(super) fn create(files: &Files, id: &DatabaseId) -> Result<(), StoreError> {
    DataFile::create(&files.state, settings(0), |transaction| {
        transaction.open_table(RUNS)?;
        transaction.open_table(IDS)?;
        transaction.open_table(OPEN)?;
        transaction.open_table(HISTORY)?;
        meta::create(transaction, id)
    })
}

/// Brings a batch into the state, with the row it stands at: all of it or nothing.
pub(super) fn write(file: &DataFile, batch: &Batch) -> Result<(), StoreError> {
    // Encoded first: what cannot be encoded must not look like a fault of the file.
    let mut images = Vec::with_capacity(batch.runs.len());
    for (run, image, _) in &batch.runs {
        images.push(run_place(&run.to_le_bytes()).encode(&**image)?);
    }
    file.write(Commit::QuickRepair, |transaction| {
        let mut runs = transaction.open_table(RUNS)?;
        let mut open = transaction.open_table(OPEN)?;
        for ((run, _, is_open), sealed) in batch.runs.iter().zip(&images) {
            runs.insert(run, sealed.as_slice())?;
            if *is_open {
                open.insert(run, open_place(&run.to_le_bytes()).sum(&[]))?;
            } else {
                open.remove(run)?;
            }
        }
        let mut ids = transaction.open_table(IDS)?;
        for (workflow_id, run) in &batch.ids {
            let sum = id_place(&id_key(workflow_id, *run)).sum(&[]);
            ids.insert((&**workflow_id, *run), sum)?;
        }
        let mut history = transaction.open_table(HISTORY)?;
        for (run, number, event) in &batch.events {
            let sealed = event_place(&event_key(*run, *number)).seal(event);
            history.insert((*run, *number), sealed.as_slice())?;
        }
        meta::put_number(transaction, meta::MARK, batch.upto)?;
        meta::put_number(transaction, meta::NEXT_RUN, batch.next_run)
    })
}

/// How far the state stands.
pub(super) struct Standing {
    /// The last row of the journal that the state contains.
    pub mark: u64,
    /// No run number from here on had been given out.
    pub next_run: u64,
}

pub(super) fn standing(snapshot: Snapshot<'_>) -> Result<Standing, StoreError> {
    snapshot.read(|transaction| {
        Ok(Standing {
            mark: meta::number(transaction, meta::MARK)?,
            next_run: meta::number(transaction, meta::NEXT_RUN)?,
        })
    })
}

pub(super) fn image(snapshot: Snapshot<'_>, run: u64) -> Result<Option<Arc<Image>>, StoreError> {
    snapshot.read(|transaction| {
        let table = transaction.open_table(RUNS)?;
        let Some(sealed) = table.get(run)? else {
            return Ok(None);
        };
        let image: Image = run_place(&run.to_le_bytes()).decode(sealed.value())?;
        Ok(Some(Arc::new(image)))
    })
}

pub(super) fn runs_of(snapshot: Snapshot<'_>, workflow_id: &str) -> Result<Vec<u64>, StoreError> {
    snapshot.read(|transaction| {
        let table = transaction.open_table(IDS)?;
        let mut runs = Vec::new();
        for entry in table.range((workflow_id, 0)..=(workflow_id, u64::MAX))? {
            let (key, sum) = entry?;
            let (workflow_id, run) = key.value();
            id_place(&id_key(workflow_id, run)).check_sum(sum.value())?;
            runs.push(run);
        }
        Ok(runs)
    })
}

pub(super) fn open_runs(snapshot: Snapshot<'_>) -> Result<Vec<u64>, StoreError> {
    snapshot.read(|transaction| {
        let table = transaction.open_table(OPEN)?;
        let mut runs = Vec::new();
        for entry in table.iter()? {
            let (run, sum) = entry?;
            open_place(&run.value().to_le_bytes()).check_sum(sum.value())?;
            runs.push(run.value());
        }
        Ok(runs)
    })
}

/// Entries with their numbers, ascending.
pub(super) fn history(snapshot: Snapshot<'_>, run: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    snapshot.read(|transaction: &ReadTransaction| {
        let table = transaction.open_table(HISTORY)?;
        let mut events = Vec::new();
        for entry in table.range((run, 0)..=(run, u64::MAX))? {
            let (key, sealed) = entry?;
            let (run, number) = key.value();
            let key = event_key(run, number);
            events.push((number, event_place(&key).open(sealed.value())?.to_vec()));
        }
        Ok(events)
    })
}

fn run_place(key: &[u8]) -> Place<'_> {
    Place { table: "runs", key }
}

fn id_place(key: &[u8]) -> Place<'_> {
    Place { table: "ids", key }
}

fn open_place(key: &[u8]) -> Place<'_> {
    Place { table: "open", key }
}

fn event_place(key: &[u8]) -> Place<'_> {
    Place {
        table: "history",
        key,
    }
}

fn id_key(workflow_id: &str, run: u64) -> Vec<u8> {
    [workflow_id.as_bytes(), &run.to_le_bytes()].concat()
}

fn event_key(run: u64, number: u64) -> [u8; 16] {
    (u128::from(run) << 64 | u128::from(number)).to_le_bytes()
}
