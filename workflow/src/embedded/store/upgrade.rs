//! Data of earlier format versions. Version 1 had a journal that was a redb file with the same rows;
//! version 2 had no deltas in its state, and its rows were no chain.

use std::path::Path;

use redb::TableDefinition;

use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::fault::Fault;
use super::file::{Check, DataFile, Settings};
use super::images::DELTAS;
use super::journal::{self, Journal};
use super::log::{Link, UNCHAINED};
use super::{meta, state};

/// The version whose journal was a redb file.
const REDB_JOURNAL: u32 = 1;

const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

/// Gives a directory of version 1 a journal of this version, beside its own. The old one is the one
/// to go by until the state says otherwise: see [`finish`].
pub(super) fn begin(directory: &Directory, cache_bytes: usize) -> Result<(), OpenError> {
    let Some(old) = directory.old_journal() else {
        return Ok(());
    };
    let state_path = directory.state();
    if !state_path.exists() {
        return Err(OpenError::Missing {
            missing: state_path,
            present: old,
        });
    }
    let state = DataFile::open(&state_path, state::settings(cache_bytes))?;
    let database = meta::identify(&state)?;
    if meta::version(&state)? > REDB_JOURNAL {
        // Interrupted before its last act; or somebody put an old file back.
        return Ok(());
    }
    let settings = Settings {
        cache_bytes,
        check: Check::AtOpening,
    };
    let file = DataFile::open(&old, settings)?;
    if meta::identify(&file)? != database {
        return Err(OpenError::Mismatch {
            journal: old,
            state: state_path,
            reason: "they are of different databases".to_owned(),
        });
    }
    let mark = state::mark(state.snapshot()?)?.last;
    let records = records(&file, mark.row)?;
    file.close()?;
    directory.make_journal(|new: &Path| {
        let records = records.iter().map(Vec::as_slice);
        journal::create(new, &database, mark, records)
    })?;
    Ok(state.close()?)
}

/// Whether the journal is not older than the state by its version: the state's is raised last.
pub(super) fn may_go_together(journal: &Journal, state: &DataFile) -> Result<bool, StoreError> {
    Ok(journal.is_chained() || meta::version(state)? <= UNCHAINED)
}

/// The journal and the state were read, and belong together: the directory is of this version.
/// Nothing is committed to it before that.
pub(super) fn finish(directory: &Directory, state: &DataFile) -> Result<(), OpenError> {
    if meta::version(state)? < meta::FORMAT_VERSION {
        // The journal may have its name from an opening that was killed, and not on the disk.
        directory.sync_names()?;
        state.write(|transaction| {
            transaction.open_table(DELTAS)?;
            meta::put_version(transaction, meta::FORMAT_VERSION)
        })?;
    }
    match directory.old_journal() {
        Some(old) => directory.remove(&old),
        None => Ok(()),
    }
}

/// Makes a chain of the rows of a journal of version 2, which were read, and follow the state.
pub(super) fn chain(
    directory: &Directory,
    journal: Journal,
    mark: Link,
) -> Result<Journal, OpenError> {
    let (path, database) = (journal.path().to_owned(), *journal.database());
    let records = journal.records(mark.row)?;
    drop(journal);
    directory.make_journal(|new: &Path| {
        let records = records.iter().map(Vec::as_slice);
        journal::create(new, &database, mark, records)
    })?;
    Journal::open(&path)
}

/// The records of the rows after the mark.
fn records(file: &DataFile, mark: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    file.snapshot()?.read(|transaction| {
        let table = transaction.open_table(ROWS)?;
        let mut records = Vec::new();
        for (row, expected) in table.range(mark + 1..)?.zip(mark + 1..) {
            let (number, record) = row?;
            let number = number.value();
            if number != expected {
                let reason = format!("it goes on with row {number} instead of {expected}");
                return Err(Fault::Damaged(reason));
            }
            records.push(record.value().to_vec());
        }
        Ok(records)
    })
}
