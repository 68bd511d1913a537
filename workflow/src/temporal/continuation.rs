//! A run as the input of the run that continues it.

use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::codec::{self, CodecError};

use super::payloads;
use super::standing::Standing;

/// The encoding of a [`Standing`]; the number is that of its form.
const ENCODING: &str = "binary/workflow-run-2";

/// Where a run stands, as the only argument of the run that continues it.
pub(super) fn input(standing: &Standing, bytes_max: usize) -> Result<RawValue, CodecError> {
    let standing = codec::encode_record(standing)?;
    payloads::sendable(vec![payloads::of(ENCODING, standing)], bytes_max)
}

/// The run to continue, where that is what the input is.
pub(super) fn standing(input: &[Payload]) -> Option<Result<Standing, CodecError>> {
    match input {
        [payload] if payloads::encoding(payload) == ENCODING => {
            Some(codec::decode_record(&payload.data))
        }
        _ => None,
    }
}
