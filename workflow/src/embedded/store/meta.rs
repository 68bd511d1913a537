//! The table `meta` of the state: what it is and how far it stands.

use std::path::Path;

use redb::{ReadTransaction, TableDefinition, WriteTransaction};

use super::error::{OpenError, StoreError};
use super::fault::Fault;
use super::file::DataFile;

pub(super) const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");

/// Version of the layout of both files. Raised by every change that an older library cannot read.
pub(super) const FORMAT_VERSION: u32 = 3;

const FORMAT: &str = "format";
const DATABASE: &str = "database";
/// The last row of the journal that the state contains.
pub(super) const MARK: &str = "mark";
/// The checksum of that row.
pub(super) const MARK_CRC: &str = "mark_crc";
/// No run number from here on had been given out.
pub(super) const NEXT_RUN: &str = "next_run";

/// Shared by the two files of one data directory, and by no others.
pub(super) type DatabaseId = [u8; 16];

pub(super) fn create(transaction: &WriteTransaction, id: &DatabaseId) -> Result<(), Fault> {
    put_version(transaction, FORMAT_VERSION)?;
    put(transaction, DATABASE, id)
}

pub(super) fn put_version(transaction: &WriteTransaction, version: u32) -> Result<(), Fault> {
    put(transaction, FORMAT, &version.to_le_bytes())
}

pub(super) fn put_number(
    transaction: &WriteTransaction,
    key: &'static str,
    number: u64,
) -> Result<(), Fault> {
    put(transaction, key, &number.to_le_bytes())
}

/// The number under this key; zero where none was put yet.
pub(super) fn number(transaction: &ReadTransaction, key: &'static str) -> Result<u64, Fault> {
    Ok(get(transaction, key)?.map_or(0, u64::from_le_bytes))
}

/// Says whose file this is, and refuses what this library did not write or cannot read.
pub(super) fn identify(file: &DataFile) -> Result<DatabaseId, OpenError> {
    file.snapshot()?
        .read(|transaction| Ok(known(file.path(), transaction)))?
}

/// The format version of a file that [`identify`] accepts.
pub(super) fn version(file: &DataFile) -> Result<u32, StoreError> {
    file.snapshot()?.read(|transaction| {
        let version = get(transaction, FORMAT)?;
        Ok(version.map_or(0, u32::from_le_bytes))
    })
}

fn known(path: &Path, transaction: &ReadTransaction) -> Result<DatabaseId, OpenError> {
    let not_ours = || OpenError::NotADatabase {
        path: path.to_owned(),
    };
    let faulty = |fault: Fault| match fault {
        Fault::Redb(
            redb::Error::TableDoesNotExist(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. },
        ) => not_ours(),
        fault => OpenError::Store(fault.of(path)),
    };
    let version = get(transaction, FORMAT).map_err(faulty)?;
    let found = version.map(u32::from_le_bytes).ok_or_else(not_ours)?;
    if found > FORMAT_VERSION {
        return Err(OpenError::NewerFormat {
            path: path.to_owned(),
            found,
            known: FORMAT_VERSION,
        });
    }
    get(transaction, DATABASE)
        .map_err(faulty)?
        .ok_or_else(not_ours)
}

fn put(transaction: &WriteTransaction, key: &'static str, bytes: &[u8]) -> Result<(), Fault> {
    transaction.open_table(META)?.insert(key, bytes)?;
    Ok(())
}

fn get<const N: usize>(
    transaction: &ReadTransaction,
    key: &'static str,
) -> Result<Option<[u8; N]>, Fault> {
    let table = transaction.open_table(META)?;
    let Some(bytes) = table.get(key)? else {
        return Ok(None);
    };
    let bytes = bytes.value();
    bytes
        .try_into()
        .map(Some)
        .map_err(|_| Fault::Damaged(format!("`{key}` in table `meta` has a wrong length")))
}
