//! Data of earlier format versions. Version 1 had a journal that was a redb file with the same rows;
//! version 2 had no deltas in its state.

use std::path::Path;

use redb::TableDefinition;

use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::file::{Check, DataFile, Settings};
use super::images::DELTAS;
use super::{journal, meta, state};

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
    let rows = rows(&file, state::mark(state.snapshot()?)?.row)?;
    file.close()?;
    directory.make_journal(|new: &Path| {
        let rows = rows.iter().map(|(number, row)| (*number, row.as_slice()));
        journal::create(new, &database, rows)
    })?;
    Ok(state.close()?)
}

/// The journal and the state were read, and belong together: the directory is of this version.
/// Nothing is committed to it before that.
pub(super) fn finish(directory: &Directory, state: &DataFile) -> Result<(), OpenError> {
    if meta::version(state)? < meta::FORMAT_VERSION {
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

/// The records of the rows after the mark.
fn rows(file: &DataFile, mark: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    file.snapshot()?.read(|transaction| {
        let table = transaction.open_table(ROWS)?;
        let mut rows = Vec::new();
        for row in table.range(mark + 1..)? {
            let (number, row) = row?;
            rows.push((number.value(), row.value().to_vec()));
        }
        Ok(rows)
    })
}
