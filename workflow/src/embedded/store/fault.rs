//! What a redb operation ends with, before it is known in which file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::error::StoreError;
use super::summed::DamagedPage;

/// A failed operation on a file.
#[derive(Debug)]
pub(super) enum Fault {
    /// redb gave an error.
    Redb(redb::Error),
    /// redb panicked, as it may on pages that it did not write.
    Panicked(String),
    /// A value is not what was stored.
    Damaged(String),
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}
from_redb!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    CompactionError
);

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Redb(redb::Error::Io(error))
    }
}

impl Fault {
    /// Whether redb can do nothing more with the file until it is opened again.
    pub(super) fn breaks_database(&self) -> bool {
        matches!(
            self,
            Self::Panicked(_) | Self::Redb(redb::Error::Io(_) | redb::Error::PreviousIo)
        )
    }

    /// The error a caller sees.
    pub(super) fn of(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        let corrupt = |path, reason| StoreError::Corrupt { path, reason };
        match self {
            Self::Damaged(reason) | Self::Panicked(reason) => corrupt(path, reason),
            Self::Redb(redb::Error::DatabaseClosed) => StoreError::Closed,
            Self::Redb(redb::Error::Io(error)) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::DiskFull { path }
                }
                _ if error
                    .get_ref()
                    .is_some_and(|inner| inner.is::<DamagedPage>()) =>
                {
                    corrupt(path, error.to_string())
                }
                io::ErrorKind::UnexpectedEof => corrupt(path, "it is cut off".to_owned()),
                _ => StoreError::Io {
                    path,
                    source: Arc::new(error),
                },
            },
            Self::Redb(error @ redb::Error::PreviousIo) => StoreError::Io {
                path,
                source: Arc::new(io::Error::other(error)),
            },
            Self::Redb(error) => corrupt(path, error.to_string()),
        }
    }
}
