//! The journal: one row for each group commit, at the right edge of one table.
//!
//! A commit costs one sync. The file stays small, because the rows that a checkpoint has brought
//! into the state are removed by the commits that follow, so reading all of it after a kill is quick.

use std::path::Path;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};

use super::backup::copy_table;
use super::bounds::JOURNAL_CACHE_BYTES;
use super::encoding::{decode, encode};
use super::error::StoreError;
use super::fault::Fault;
use super::file::{Check, Commit, DataFile, Settings, Snapshot};
use super::meta::{self, DatabaseId};
use super::row::Row;

const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

/// The file is small, so every page of it is checked whenever it is opened.
pub(super) const SETTINGS: Settings = Settings {
    cache_bytes: JOURNAL_CACHE_BYTES,
    check: Check::AtOpening,
};

/// The one writer of the journal.
pub(super) struct Journal {
    file: Arc<DataFile>,
    /// The oldest row that may still be in the file.
    first: u64,
    /// The last row that was committed. Rows are numbered without gaps, from 1.
    last: u64,
    /// A commit failed, so the file may hold a row after `last`.
    in_doubt: bool,
}

/// The rows of a journal after the state's mark.
pub(super) struct Tail {
    /// The oldest row in the file, or the one after the mark.
    pub first: u64,
    /// Number, row, bytes; ascending, beginning with the row after the mark.
    pub rows: Vec<(u64, Row, u64)>,
}

pub(super) fn create(files: &super::directory::Files, id: &DatabaseId) -> Result<(), StoreError> {
    DataFile::create(&files.journal, SETTINGS, |transaction| {
        transaction.open_table(ROWS)?;
        meta::create(transaction, id)
    })
}

/// Makes a new file of what a snapshot shows.
pub(super) fn copy(snapshot: Snapshot<'_>, path: &Path) -> Result<(), StoreError> {
    snapshot.read(|from| {
        Ok(DataFile::create(path, SETTINGS, |to| {
            copy_table(from, to, ROWS)?;
            copy_table(from, to, meta::META)
        }))
    })?
}

/// Reads what the state does not contain yet.
pub(super) fn tail(file: &DataFile, mark: u64) -> Result<Tail, StoreError> {
    file.snapshot()?.read(|transaction| {
        let table = transaction.open_table(ROWS)?;
        let first = table.first()?.map_or(mark + 1, |(key, _)| key.value());
        let mut rows = Vec::new();
        for row in table.range(mark + 1..)? {
            let (key, bytes) = row?;
            let (number, bytes) = (key.value(), bytes.value());
            let row = decode(&format!("row {number}"), bytes)?;
            rows.push((number, row, bytes.len() as u64));
        }
        Ok(Tail { first, rows })
    })
}

impl Journal {
    pub(super) fn new(file: Arc<DataFile>, first: u64, last: u64) -> Self {
        assert!(first <= last + 1, "rows {first} to {last}");
        Self {
            file,
            first,
            last,
            in_doubt: false,
        }
    }

    /// The number of the next row.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }

    /// Commits one row, durably, and removes up to `trim_rows_max` rows up to the mark, which the
    /// state contains. Returns the bytes of the row.
    pub(super) fn append(
        &mut self,
        row: &Row,
        mark: u64,
        trim_rows_max: u64,
    ) -> Result<u64, StoreError> {
        assert!(mark <= self.last, "the state is ahead of the journal");
        let number = self.next();
        let bytes = encode(row)?;
        let trim_to = mark.min(self.first.saturating_add(trim_rows_max) - 1);
        let (first, last, in_doubt) = (self.first, self.last, self.in_doubt);
        let committed = self.file.write(Commit::OneSync, |transaction| {
            let mut rows = transaction.open_table(ROWS)?;
            if in_doubt {
                // Who handed the failed row in was told so: it must not come back.
                rows.retain_in(number.., |_, _| false)?;
                if last > mark && rows.get(last)?.is_none() {
                    return Err(Fault::Damaged(format!("row {last} is gone")));
                }
            }
            if trim_to >= first {
                rows.retain_in(first..=trim_to, |_, _| false)?;
            }
            if rows.insert(number, bytes.as_slice())?.is_some() {
                return Err(Fault::Damaged(format!("row {number} is there already")));
            }
            Ok(())
        });
        self.in_doubt = committed.is_err();
        committed?;
        self.last = number;
        self.first = first.max(trim_to + 1);
        Ok(bytes.len() as u64)
    }

    /// Leaves only the rows that are committed and not in the state.
    pub(super) fn trim(&mut self, mark: u64) -> Result<(), StoreError> {
        assert!(mark <= self.last, "the state is ahead of the journal");
        if !self.in_doubt && self.first > mark {
            return Ok(());
        }
        let last = self.last;
        self.file.write(Commit::OneSync, |transaction| {
            let mut rows = transaction.open_table(ROWS)?;
            rows.retain(|number, _| mark < number && number <= last)?;
            Ok(())
        })?;
        self.first = mark + 1;
        self.in_doubt = false;
        Ok(())
    }
}
