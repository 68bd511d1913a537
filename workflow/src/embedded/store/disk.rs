//! The door to the bytes of one file.
//!
//! It is redb's own, and remembers whether a sync ever failed. After a failed write the file can be
//! opened again and read: what is there is there. After a failed *sync* it cannot: the operating
//! system may have dropped the pages and still show them, so nothing read proves anything.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// What is known of a file's disk; outlives each opening of the file.
#[derive(Debug, Default)]
pub(super) struct Health {
    sync_failed: AtomicBool,
}

impl Health {
    pub(super) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }
}

/// redb's file backend, watched.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    health: Arc<Health>,
    #[cfg(test)]
    name: std::ffi::OsString,
    #[cfg(test)]
    faults: Arc<super::tests::faults::Faults>,
}

/// What changes a file.
pub(super) enum Change<'a> {
    Length(u64),
    Bytes { offset: u64, data: &'a [u8] },
}

impl Change<'_> {
    fn apply(&self, file: &FileBackend) -> io::Result<()> {
        match *self {
            Self::Length(len) => file.set_len(len),
            Self::Bytes { offset, data } => file.write(offset, data),
        }
    }
}

impl Disk {
    pub(super) fn open(path: &Path, health: Arc<Health>) -> Result<Self, redb::DatabaseError> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self {
            file: FileBackend::new(file)?,
            health,
            #[cfg(test)]
            name: path.file_name().unwrap().to_owned(),
            #[cfg(test)]
            faults: super::tests::faults::of(path),
        })
    }

    #[cfg(not(test))]
    fn change(&self, change: Change<'_>) -> io::Result<()> {
        change.apply(&self.file)
    }

    #[cfg(not(test))]
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    #[cfg(test)]
    fn change(&self, change: Change<'_>) -> io::Result<()> {
        let work = || change.apply(&self.file);
        self.faults.change(&self.name, &change, work)
    }

    #[cfg(test)]
    fn sync(&self) -> io::Result<()> {
        self.faults.sync(&self.name, || self.file.sync_data())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
            .inspect_err(|_| self.health.sync_failed.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Bytes { offset, data })
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, redb::BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, redb::BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), redb::BackendError> {
        self.file.unlock_range(start, end)
    }
}
