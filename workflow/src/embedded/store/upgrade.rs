//! Data of format version 1, whose journal was a redb file with the same rows.

use std::fs;
use std::path::Path;

use redb::TableDefinition;

use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::file::{Check, DataFile, Settings};
use super::{journal, meta, state};

const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

/// Makes a directory of version 1 one of this version. Until its last act, which removes the old
/// journal, the directory is as it was; nothing is committed to the new one before that.
pub(super) fn upgrade(directory: &Directory, cache_bytes: usize) -> Result<(), OpenError> {
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
    state.write(|transaction| meta::put_version(transaction, meta::FORMAT_VERSION))?;
    state.close()?;
    directory.finish(|| fs::remove_file(&old))
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
