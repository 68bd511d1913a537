//! A run as the input of the run that continues it.

use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::codec::{self, CodecError};
use crate::contract::Run;

use super::payloads;

/// The encoding of a [`Run`]; the number is that of its form.
const ENCODING: &str = "binary/workflow-run-1";

/// A run, as the only argument of the run that continues it.
pub(super) fn input(run: &Run) -> Result<RawValue, CodecError> {
    let run = codec::encode_record(run)?;
    Ok(RawValue::new(vec![payloads::of(ENCODING, run)]))
}

/// The run to continue, where that is what the input is.
pub(super) fn run(input: &[Payload]) -> Option<Result<Run, CodecError>> {
    match input {
        [payload] if payloads::encoding(payload) == ENCODING => {
            Some(codec::decode_record(&payload.data))
        }
        _ => None,
    }
}
