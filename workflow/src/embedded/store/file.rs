//! One redb file: opened, opened again after a fault, closed; never a panic out of it.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{Builder, Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::panic_text;

use super::disk::{Disk, Health};
use super::error::{OpenError, StoreError};
use super::fault::Fault;
use super::summed::Summed;

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Memory for its pages.
    pub cache_bytes: usize,
    /// How the file is known to be what was written.
    pub check: Check,
}

/// How a file is known to be what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// redb checks every page at each opening.
    AtOpening,
    /// Each page is checked when it is read: see [`Summed`].
    AtReading,
}

/// A redb file with a path to name in errors.
pub(super) struct DataFile {
    path: PathBuf,
    settings: Settings,
    health: Arc<Health>,
    slot: RwLock<Slot>,
}

enum Slot {
    Open(Database),
    /// A fault ended the use of the database; the next use opens it again.
    Broken,
    Closed,
}

impl DataFile {
    /// Makes a new file; `fill` writes its first contents, durably.
    pub(super) fn create(
        path: &Path,
        settings: Settings,
        fill: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        fs::File::create_new(path).map_err(|error| Fault::from(error).of(path))?;
        let health = Arc::new(Health::default());
        barrier(|| {
            let database = database(Disk::open(path, health)?, settings)?;
            commit(&database, fill)?;
            Ok(database.close()?)
        })
        .map_err(|fault| fault.of(path))
    }

    pub(super) fn open(path: &Path, settings: Settings) -> Result<Self, OpenError> {
        let health = Arc::new(Health::default());
        let database = open_database(path, settings, &health)?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            health,
            slot: RwLock::new(Slot::Open(database)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A view of the file as it stands now.
    pub(super) fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        let transaction = self.with(|database| Ok(database.begin_read()?))?;
        Ok(Snapshot {
            file: self,
            transaction,
        })
    }

    /// One transaction, durable when this returns.
    pub(super) fn write(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        self.with(|database| commit(database, work))
    }

    /// Gives back the space that nothing uses; whoever reads or writes waits meanwhile. Whether it
    /// could: not while somebody reads.
    pub(super) fn compact(&self) -> Result<bool, StoreError> {
        let outcome = match &mut *self.slot_mut() {
            Slot::Open(database) => barrier(|| match database.compact() {
                Ok(_) => Ok(true),
                Err(redb::CompactionError::TransactionInProgress) => Ok(false),
                Err(error) => Err(error.into()),
            }),
            Slot::Broken => Ok(false),
            Slot::Closed => return Err(StoreError::Closed),
        };
        self.settle(outcome)
    }

    /// Releases the file and its lock. Later uses get [`StoreError::Closed`].
    pub(super) fn close(&self) -> Result<(), StoreError> {
        match std::mem::replace(&mut *self.slot_mut(), Slot::Closed) {
            Slot::Open(database) => {
                barrier(|| Ok(database.close()?)).map_err(|fault| fault.of(&self.path))
            }
            Slot::Broken | Slot::Closed => Ok(()),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        loop {
            let slot = self.slot();
            match &*slot {
                Slot::Open(database) => {
                    let outcome = barrier(|| work(database));
                    drop(slot);
                    return self.settle(outcome);
                }
                Slot::Broken => {
                    drop(slot);
                    self.reopen()?;
                }
                Slot::Closed => return Err(StoreError::Closed),
            }
        }
    }

    /// Names the file in a fault, and gives up the database where the fault demands it.
    fn settle<T>(&self, outcome: Result<T, Fault>) -> Result<T, StoreError> {
        outcome.map_err(|fault| {
            if fault.breaks_database() {
                self.give_up();
            }
            if self.health.sync_failed() {
                return self.sync_failed();
            }
            match fault {
                // Somebody else's fault ended the database under this reader.
                Fault::Redb(redb::Error::DatabaseClosed) if !self.is_closed() => {
                    Fault::Redb(redb::Error::PreviousIo)
                }
                fault => fault,
            }
            .of(&self.path)
        })
    }

    fn is_closed(&self) -> bool {
        matches!(*self.slot(), Slot::Closed)
    }

    fn give_up(&self) {
        let mut slot = self.slot_mut();
        if matches!(*slot, Slot::Open(_)) {
            let broken = std::mem::replace(&mut *slot, Slot::Broken);
            // It closes as well as it can; that it may fail at that is known.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        }
    }

    fn reopen(&self) -> Result<(), StoreError> {
        if self.health.sync_failed() {
            return Err(self.sync_failed());
        }
        let mut slot = self.slot_mut();
        if matches!(*slot, Slot::Broken) {
            let database = open_database(&self.path, self.settings, &self.health);
            *slot = Slot::Open(database.map_err(|error| match error {
                OpenError::Store(error) => error,
                other => Fault::Damaged(other.to_string()).of(&self.path),
            })?);
        }
        Ok(())
    }

    fn sync_failed(&self) -> StoreError {
        StoreError::SyncFailed {
            path: self.path.clone(),
        }
    }

    // A panic while the lock is held is caught before it reaches the lock, so poison means nothing.
    fn slot(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot_mut(&self) -> RwLockWriteGuard<'_, Slot> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A view of a [`DataFile`] at one moment.
pub(super) struct Snapshot<'a> {
    file: &'a DataFile,
    transaction: ReadTransaction,
}

impl Snapshot<'_> {
    pub(super) fn read<T>(
        self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let Self { file, transaction } = self;
        // The transaction ends inside the barrier, too.
        let outcome = barrier(move || work(&transaction));
        file.settle(outcome)
    }
}

fn commit(
    database: &Database,
    work: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut transaction = database.begin_write()?;
    // Two syncs; after a kill the file opens at once, whatever its size.
    transaction.set_quick_repair(true);
    work(&transaction)?;
    Ok(transaction.commit()?)
}

fn open_database(
    path: &Path,
    settings: Settings,
    health: &Arc<Health>,
) -> Result<Database, OpenError> {
    let faulty = |fault: Fault| OpenError::Store(fault.of(path));
    let length_bytes = fs::metadata(path)
        .map_err(|error| faulty(error.into()))?
        .len();
    if length_bytes == 0 {
        // redb would make a new database of it.
        return Err(faulty(Fault::Damaged("it is empty".to_owned())));
    }
    let opened = barrier(|| {
        let disk = Disk::open(path, Arc::clone(health))?;
        Ok(database(disk, settings)?)
    });
    opened.map_err(|fault| match fault {
        Fault::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
            OpenError::AlreadyOpen {
                path: path.to_owned(),
            }
        }
        Fault::Redb(redb::Error::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            OpenError::NotADatabase {
                path: path.to_owned(),
            }
        }
        fault => faulty(fault),
    })
}

fn database(disk: Disk, settings: Settings) -> Result<Database, redb::DatabaseError> {
    let mut builder = Builder::new();
    builder.set_cache_size(settings.cache_bytes);
    match settings.check {
        Check::AtReading => builder.create_with_backend(Summed::new(disk)),
        Check::AtOpening => builder
            .set_check_integrity_on_open(true)
            .create_with_backend(disk),
    }
}

/// redb trusts a file that was closed in order, and may panic where that trust is wrong.
fn barrier<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Fault::Panicked(format!(
            "reading it panicked ({})",
            panic_text::of(panic)
        )))
    })
}
