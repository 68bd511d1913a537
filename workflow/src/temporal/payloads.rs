//! Values as Temporal's payloads: JSON where that gives the value back, else the library's own
//! encoding, which the metadata names.

use prost::Message;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};

use crate::codec::{self, CodecError, Sealed};
use crate::contract::TypeDefinition;

const ENCODING: &str = "encoding";
/// What the server's user interface, its command line and workers in other languages read.
const JSON: &str = "json/plain";
/// What other languages send for nothing at all.
const NULL: &str = "binary/null";
/// A [`Sealed`] value: its payload, beside its shape in the metadata.
const SEALED: &str = "binary/workflow-sealed";
const SHAPE: &str = "shape";

/// A value of a type, as a payload.
pub(super) fn encode(sealed: &Sealed, ty: &TypeDefinition) -> Result<Payload, CodecError> {
    if let Some(json) = (ty.to_faithful_json)(sealed)? {
        return Ok(of(JSON, json));
    }
    let mut payload = of(SEALED, sealed.payload.as_bytes().to_vec());
    let shape = format!("{:016x}", sealed.shape);
    payload.metadata.insert(SHAPE.to_owned(), shape.into());
    Ok(payload)
}

/// The value of a type that a payload holds.
pub(super) fn decode(payload: &Payload, ty: &TypeDefinition) -> Result<Sealed, CodecError> {
    match encoding(payload) {
        JSON => (ty.from_json)(&payload.data),
        // A payload without any encoding is one that nobody filled in.
        NULL | "" => (ty.from_json)(b"null"),
        SEALED => Ok(Sealed {
            shape: shape(payload).unwrap_or_default(),
            payload: codec::Payload::from_bytes(payload.data.as_slice())?,
        }),
        encoding => Err(CodecError::Decode {
            type_name: &ty.shape.text,
            reason: format!("they are encoded as `{encoding}`; send `{JSON}`"),
        }),
    }
}

/// Values of types, as payloads.
pub(super) fn encode_all(
    values: &[Sealed],
    types: &[TypeDefinition],
) -> Result<Vec<Payload>, CodecError> {
    let pairs = values.iter().zip(types);
    pairs.map(|(value, ty)| encode(value, ty)).collect()
}

/// The value that is alone; none at all is null.
pub(super) fn decode_one(payloads: &[Payload], ty: &TypeDefinition) -> Result<Sealed, CodecError> {
    match payloads.first() {
        Some(payload) => decode(payload, ty),
        None => decode(&Payload::default(), ty),
    }
}

/// One value for each type; what is not there is null, as for a parameter that was added.
pub(super) fn decode_all(
    payloads: &[Payload],
    types: &[TypeDefinition],
) -> Result<Vec<Sealed>, CodecError> {
    let missing = Payload::default();
    let payloads = payloads.iter().chain(std::iter::repeat(&missing));
    let pairs = payloads.zip(types);
    pairs.map(|(payload, ty)| decode(payload, ty)).collect()
}

/// Payloads as the server takes them: where a run sends it more, it ends the run.
pub(super) fn sendable(payloads: Vec<Payload>, bytes_max: usize) -> Result<RawValue, CodecError> {
    let payloads = Payloads { payloads };
    let bytes = payloads.encoded_len();
    if bytes > bytes_max {
        return Err(CodecError::TooLarge { bytes, bytes_max });
    }
    Ok(RawValue::new(payloads.payloads))
}

/// JSON as a payload.
pub(super) fn json(value: &serde_json::Value) -> Payload {
    of(JSON, value.to_string().into_bytes())
}

/// Bytes of an encoding of the library's own.
pub(super) fn of(encoding: &str, data: Vec<u8>) -> Payload {
    Payload {
        metadata: [(ENCODING.to_owned(), encoding.into())].into(),
        data,
        ..Payload::default()
    }
}

/// The encoding that a payload's metadata names.
pub(super) fn encoding(payload: &Payload) -> &str {
    let encoding = payload.metadata.get(ENCODING);
    encoding
        .and_then(|encoding| std::str::from_utf8(encoding).ok())
        .unwrap_or_default()
}

fn shape(payload: &Payload) -> Option<u64> {
    let shape = payload.metadata.get(SHAPE)?;
    u64::from_str_radix(std::str::from_utf8(shape).ok()?, 16).ok()
}
