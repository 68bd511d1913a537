//! Records of the store as bytes, by the library's one codec.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;

use super::error::StoreError;
use super::fault::Fault;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    codec::encode_record(value).map_err(|error| StoreError::Encode {
        reason: error.to_string(),
    })
}

/// The value; `what` names it in the error.
pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Fault> {
    codec::decode_record(bytes)
        .map_err(|error| Fault::Damaged(format!("{what} is unreadable ({error})")))
}
