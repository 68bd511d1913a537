//! The checksum on every value stored.
//!
//! It covers the key too, so that a value found under another key is as wrong as a flipped byte.
//!
//! ```text
//! crc32 of key and record (4 bytes, little endian) | record (its first byte is the format)
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::fault::Fault;
use crate::codec;

const SUM_BYTES: usize = size_of::<u32>();

/// Bytes that name a value: table and key.
pub(super) struct Place<'a> {
    pub table: &'static str,
    pub key: &'a [u8],
}

impl Place<'_> {
    pub(super) fn sum(&self, record: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.table.as_bytes());
        hasher.update(self.key);
        hasher.update(record);
        hasher.finalize()
    }

    fn damaged(&self, what: &str) -> Fault {
        Fault::Damaged(format!(
            "{what} in table `{}`, key {:02x?}",
            self.table, self.key
        ))
    }

    /// The bytes with their checksum in front.
    pub(super) fn seal(&self, record: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(SUM_BYTES + record.len());
        sealed.extend_from_slice(&self.sum(record).to_le_bytes());
        sealed.extend_from_slice(record);
        sealed
    }

    /// The bytes that [`Place::seal`] was given.
    pub(super) fn open<'v>(&self, sealed: &'v [u8]) -> Result<&'v [u8], Fault> {
        let (sum, record) = sealed
            .split_first_chunk::<SUM_BYTES>()
            .ok_or_else(|| self.damaged("a value without checksum"))?;
        if u32::from_le_bytes(*sum) != self.sum(record) {
            return Err(self.damaged("a wrong checksum"));
        }
        Ok(record)
    }

    /// For keys whose value is nothing but their checksum.
    pub(super) fn check_sum(&self, sum: u32) -> Result<(), Fault> {
        if sum == self.sum(&[]) {
            Ok(())
        } else {
            Err(self.damaged("a wrong checksum"))
        }
    }

    /// The value behind a sealed record.
    pub(super) fn decode<T: DeserializeOwned>(&self, sealed: &[u8]) -> Result<T, Fault> {
        codec::decode_record(self.open(sealed)?)
            .map_err(|error| self.damaged(&format!("an unreadable record ({error})")))
    }

    /// A sealed record of the value.
    pub(super) fn encode<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, StoreError> {
        Ok(self.seal(&encode(value)?))
    }
}

/// A record without checksum.
fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    codec::encode_record(value).map_err(|error| StoreError::Encode {
        reason: error.to_string(),
    })
}
