//! Data of format version 1, whose journal was a redb file with the same rows.

use std::path::{Path, PathBuf};

use redb::TableDefinition;

use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::file::{Check, DataFile, Settings};
use super::{journal, meta, state};

/// The version whose journal is read here.
const VERSION: u32 = 1;

const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

/// The old journal of a directory that is not of this version yet.
pub(super) struct Upgrade {
    old: PathBuf,
}

/// Gives a directory of version 1 a journal of this version, beside its own. The old one is the one
/// to go by until the state says otherwise: see [`Upgrade::finish`].
pub(super) fn begin(
    directory: &Directory,
    cache_bytes: usize,
) -> Result<Option<Upgrade>, OpenError> {
    let Some(old) = directory.old_journal() else {
        return Ok(None);
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
    if meta::version(&state)? > VERSION {
        // Interrupted before its last act; or somebody put an old file back.
        return Ok(Some(Upgrade { old }));
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
    state.close()?;
    Ok(Some(Upgrade { old }))
}

impl Upgrade {
    /// The new journal and the state were read, and belong together: the directory is of this
    /// version. Nothing is committed to it before that.
    pub(super) fn finish(self, directory: &Directory, state: &DataFile) -> Result<(), OpenError> {
        state.write(|transaction| meta::put_version(transaction, meta::FORMAT_VERSION))?;
        directory.remove(&self.old)
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
