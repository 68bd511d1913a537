//! A copy of an open data directory, as it stands at one moment; commits and checkpoints go on.

use std::path::Path;

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction};

use super::committer::Committer;
use super::directory::Directory;
use super::error::OpenError;
use super::fault::Fault;
use super::shared::Shared;
use super::{journal, state};

/// Writes a data directory that opens as this one stood. The target has none yet.
pub(super) fn write(
    shared: &Shared,
    committer: &Committer,
    target: &Path,
) -> Result<(), OpenError> {
    let target = Directory::lock(target)?;
    target.check_empty()?;
    // Of one moment: whatever the state does not have yet is in the journal.
    let (database, state, first, records) = {
        let journal = committer.still()?;
        let overlay = shared.overlay();
        let state = shared.state.snapshot()?;
        let mark = overlay.mark().row;
        (*journal.database(), state, mark + 1, journal.records(mark)?)
    };
    let cache_bytes = shared.bounds.state_cache_bytes;
    target.files(|new| {
        let mark = state::copy(state, &new.state, cache_bytes)?.last;
        // The state may be ahead of the overlay by a checkpoint.
        let records = (first..).zip(&records).filter(|(row, _)| *row > mark.row);
        let records = records.map(|(_, record)| record.as_slice());
        journal::create(&new.journal, &database, mark, records)
    })?;
    Ok(())
}

pub(super) fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<(), Fault> {
    let source = from.open_table(table)?;
    let mut target = to.open_table(table)?;
    for row in source.iter()? {
        let (key, value) = row?;
        target.insert(key.value(), value.value())?;
    }
    Ok(())
}
