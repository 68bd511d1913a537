//! The journal: what was committed last, one row for each group commit.
//!
//! A commit is one write into space that the file has already, and one sync, which then has no
//! metadata to write. The file stays small, because the space of rows that a checkpoint has brought
//! into the state is used again; so reading all of it at an opening is quick.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::StorageBackend;

use super::disk::{Disk, Health};
use super::encoding::{decode, encode};
use super::error::{OpenError, StoreError};
use super::extents::{EXTENT_BYTES, Extents};
use super::fault::Fault;
use super::log::{self, HEADER_BYTES, Header, Link, Unread};
use super::meta::{DatabaseId, FORMAT_VERSION};
use super::row::Row;

/// The file grows by so many extents at least; each time costs a sync more.
const GROWTH_EXTENTS: u64 = 4;

/// A file that was larger is made so small at a close.
const KEPT_EXTENTS: u64 = 64;

/// The one writer of the journal.
pub(super) struct Journal {
    path: PathBuf,
    /// Nothing once it is closed.
    disk: Option<Disk>,
    health: Arc<Health>,
    header: Header,
    extents: Extents,
    /// The last row that was committed. Rows are numbered without gaps, from 1.
    last: Link,
    /// Where a row may stand whose commit failed.
    doubt: Option<u64>,
}

/// A row that was read.
pub(super) struct Read {
    pub link: Link,
    pub row: Row,
    pub bytes: u64,
}

/// Why what is to be read cannot be.
pub(super) enum TailError {
    /// It does not go on where the state stands.
    Mismatch(String),
    Store(StoreError),
}

impl From<StoreError> for TailError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes a new file that goes on after a row that the state contains, with these records.
pub(super) fn create<'r>(
    path: &Path,
    database: &DatabaseId,
    start: Link,
    records: impl Iterator<Item = &'r [u8]>,
) -> Result<(), StoreError> {
    let mut extents = Extents::default();
    extents.grow(GROWTH_EXTENTS);
    let mut file = vec![0; log::file_bytes(GROWTH_EXTENTS) as usize];
    let mut last = start;
    for record in records {
        let number = last.row + 1;
        let bytes = log::row_bytes(record.len());
        let place = extents.place(number, bytes, 0).unwrap_or_else(|| {
            let count = growth(bytes);
            extents.grow(count);
            extents.place(number, bytes, 0).expect("it has grown")
        });
        file.resize(log::file_bytes(extents.count()) as usize, 0);
        extents.take(number, &place);
        let offset = HEADER_BYTES + place.start;
        let row;
        (row, last) = log::row(database, offset, last, record);
        file[offset as usize..][..row.len()].copy_from_slice(&row);
    }
    let header = Header::new(*database, extents.count(), start).to_bytes();
    file[..header.len()].copy_from_slice(&header);
    let write = || {
        fs::File::create_new(path)?;
        let disk = Disk::open(path, Arc::default())?;
        disk.write(0, &file)?;
        Ok(disk.sync_data()?)
    };
    write().map_err(|fault: Fault| fault.of(path))
}

/// How many extents to add where a row of so many bytes has no place.
fn growth(bytes: u64) -> u64 {
    bytes.div_ceil(EXTENT_BYTES).max(GROWTH_EXTENTS)
}

impl Journal {
    /// Opens the file; [`Journal::tail`] is to be read before anything is added.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let faulty = |fault: Fault| OpenError::Store(fault.of(path));
        let health = Arc::new(Health::default());
        let disk = Disk::open(path, Arc::clone(&health)).map_err(|error| faulty(error.into()))?;
        let bytes = disk.len().map_err(|error| faulty(error.into()))?;
        if bytes == 0 {
            return Err(faulty(Fault::Damaged("it is empty".to_owned())));
        }
        let mut head = vec![0; bytes.min(HEADER_BYTES) as usize];
        disk.read(0, &mut head)
            .map_err(|error| faulty(error.into()))?;
        let header = Header::read(&head).map_err(|unread| match unread {
            Unread::Foreign => OpenError::NotADatabase {
                path: path.to_owned(),
            },
            Unread::Damaged => faulty(Fault::Damaged("its header is unreadable".to_owned())),
            Unread::Newer(found) => OpenError::NewerFormat {
                path: path.to_owned(),
                found,
                known: FORMAT_VERSION,
            },
        })?;
        if bytes < log::file_bytes(header.extents) {
            return Err(faulty(Fault::Damaged("it is cut off".to_owned())));
        }
        let mut extents = Extents::default();
        // What is behind them is left of a growth or of a cut that was interrupted.
        extents.grow(header.extents);
        Ok(Self {
            path: path.to_owned(),
            disk: Some(disk),
            health,
            header,
            extents,
            last: Link::default(),
            doubt: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> &DatabaseId {
        &self.header.database
    }

    /// Whether its rows are a chain: not in data of version 2.
    pub(super) fn is_chained(&self) -> bool {
        self.header.start.is_some()
    }

    /// Reads what the state does not contain yet, ascending, and stands behind it.
    pub(super) fn tail(&mut self, mark: Link) -> Result<Vec<Read>, TailError> {
        let (file, found) = self.rows(mark.row)?;
        log::check(&found, self.header.start, mark).map_err(TailError::Mismatch)?;
        self.last = mark;
        let mut rows = Vec::with_capacity(found.len());
        let mut last = None;
        for found in found {
            let number = found.link.row;
            let place = found.place.start - HEADER_BYTES..found.place.end - HEADER_BYTES;
            self.extents.take(number, &place);
            if number == mark.row {
                continue;
            }
            self.last = found.link;
            let record = &file[found.record];
            let row = decode(&format!("row {number}"), record);
            let row = row.map_err(|fault| fault.of(&self.path))?;
            rows.push(Read {
                link: found.link,
                row,
                bytes: record.len() as u64,
            });
            last = Some(found.place);
        }
        if !self.is_chained() {
            // It is made anew from what was read: see `upgrade`.
            return Ok(rows);
        }
        // A killed process may have left them on their way to the disk; and after a failed sync the
        // system may show what it will never write. So they are written again.
        self.note(self.header.extents, Some(mark))?;
        if let Some(place) = last {
            self.write(place.start, &file[place.start as usize..place.end as usize])?;
        }
        self.sync()?;
        Ok(rows)
    }

    /// The records of the committed rows after the mark, ascending: all of them, or an error.
    pub(super) fn records(&self, mark: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let (file, found) = self.rows(mark + 1)?;
        let mut records = Vec::with_capacity(found.len());
        let committed = found
            .into_iter()
            .filter(|row| row.link.row <= self.last.row);
        for (row, expected) in committed.zip(mark + 1..) {
            if row.link.row != expected {
                break;
            }
            records.push(file[row.record].to_vec());
        }
        let end = mark + records.len() as u64;
        if end < self.last.row {
            let reason = format!("row {} is gone", end + 1);
            return Err(Fault::Damaged(reason).of(&self.path));
        }
        Ok(records)
    }

    fn rows(&self, first: u64) -> Result<(Vec<u8>, Vec<log::Found>), StoreError> {
        let disk = self.disk()?;
        let read = || {
            let mut file = vec![0; log::file_bytes(self.extents.count()) as usize];
            disk.read(0, &mut file)?;
            Ok(file)
        };
        let file = read().map_err(|error| self.fault(error))?;
        let found = log::rows(self.database(), &file, first);
        Ok((file, found))
    }

    /// The last row that was committed.
    pub(super) fn last(&self) -> Link {
        self.last
    }

    /// Commits one row, durably, in the space of rows up to the mark, which the state contains.
    /// Returns the bytes of the row.
    pub(super) fn append(&mut self, row: &Row, mark: u64) -> Result<u64, StoreError> {
        assert!(mark <= self.last.row, "the state is ahead of the journal");
        let record = encode(row)?;
        self.settle_doubt()?;
        let place = self.place(log::row_bytes(record.len()), mark)?;
        let offset = HEADER_BYTES + place.start;
        let (bytes, link) = log::row(self.database(), offset, self.last, &record);
        if self.header.extents < self.extents.count() {
            self.note(self.extents.count(), self.header.start)?;
        }
        self.doubt = Some(offset);
        self.write(offset, &bytes)?;
        self.sync()?;
        self.doubt = None;
        self.extents.take(link.row, &place);
        self.last = link;
        Ok(record.len() as u64)
    }

    /// Who handed a failed row in was told so: it must not come back.
    fn settle_doubt(&mut self) -> Result<(), StoreError> {
        if let Some(offset) = self.doubt {
            self.write(offset, log::NO_ROW)?;
            self.sync()?;
            self.doubt = None;
        }
        Ok(())
    }

    /// A place for the next row, in a file that is made longer where it has none.
    fn place(&mut self, bytes: u64, mark: u64) -> Result<Range<u64>, StoreError> {
        let number = self.last.row + 1;
        if let Some(place) = self.extents.place(number, bytes, mark) {
            return Ok(place);
        }
        let count = growth(bytes);
        let zeroes = vec![0; (count * EXTENT_BYTES) as usize];
        self.write(log::file_bytes(self.extents.count()), &zeroes)?;
        // The header must not speak of extents before they are there.
        self.sync()?;
        self.extents.grow(count);
        let place = self.extents.place(number, bytes, mark);
        Ok(place.expect("the file has grown"))
    }

    /// Leaves no row whose commit failed, and a small file where the state contains every row; then
    /// lets the file go.
    pub(super) fn close(&mut self, mark: u64) -> Result<(), StoreError> {
        let mut outcome = self.settle_doubt();
        if outcome.is_ok() && mark == self.last.row {
            outcome = self.begin_anew();
        }
        self.disk = None;
        outcome
    }

    /// No row is needed any more, and what is left of them may be cut off.
    fn begin_anew(&mut self) -> Result<(), StoreError> {
        let count = self.extents.count().min(KEPT_EXTENTS);
        if self.header.start == Some(self.last) && self.header.extents == count {
            return Ok(());
        }
        self.note(count, Some(self.last))?;
        self.sync()?;
        if count < self.extents.count() {
            let cut = self.disk()?.set_len(log::file_bytes(count));
            cut.map_err(|error| self.fault(error))?;
        }
        Ok(())
    }

    /// Writes down how long the file is: one that is shorter was cut off; and where it begins.
    fn note(&mut self, extents: u64, start: Option<Link>) -> Result<(), StoreError> {
        let header = Header {
            extents,
            start,
            ..self.header
        };
        self.write(0, &header.to_bytes())?;
        self.header = header;
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.disk()?.write(offset, bytes);
        written.map_err(|error| self.fault(error))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let synced = self.disk()?.sync_data();
        synced.map_err(|error| self.fault(error))
    }

    fn disk(&self) -> Result<&Disk, StoreError> {
        if self.health.sync_failed() {
            return Err(self.sync_failed());
        }
        self.disk.as_ref().ok_or(StoreError::Closed)
    }

    fn fault(&self, error: io::Error) -> StoreError {
        if self.health.sync_failed() {
            return self.sync_failed();
        }
        Fault::from(error).of(&self.path)
    }

    fn sync_failed(&self) -> StoreError {
        StoreError::SyncFailed {
            path: self.path.clone(),
        }
    }
}
