//! How values become bytes and come back.
//!
//! Everything the library writes goes through here, so the crates that do the encoding can be
//! exchanged in this module alone. Every payload and every record starts with a format byte.
//!
//! A user's value is written with bincode where its type can be read back by it, and with CBOR
//! where the type needs a self-describing format (`#[serde(tag)]`, `untagged`, `flatten`,
//! `serde_json::Value`, a field left out by `skip_serializing_if`). What was written is read back
//! and compared: the first time, then ever more rarely, always in debug builds, and always where
//! the type leaves a doubt. So a type that does not come back is found when it is saved, not
//! after a restart.

mod bounds;
mod error;
mod graph;
mod guard;
mod json;
mod local;
mod payload;
mod shape;
mod tracer;

#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;
use serde::de::DeserializeOwned;

use bounds::{FromCbor, Within};
use guard::{Guarded, Rules};
use payload::Format;
use shape::Record;

pub use error::{CodecError, ShapeName};
pub use json::{from_json, to_faithful_json};
pub(crate) use local::Local;
pub use local::PersistLocal;
pub use payload::{Payload, Sealed};
pub use shape::{Shape, hash_text, shape};

/// A value that can be kept in a workflow: serde's `Serialize` and `Deserialize`, owning its data.
///
/// Implemented for every type that qualifies; there is nothing to write.
#[diagnostic::on_unimplemented(
    message = "WF0061: `{Self}` cannot be kept in a workflow",
    label = "this value would have to be saved",
    note = "what is live across an `.await` is saved to disk, and so are inputs, results and \
            signals: such a type implements serde's `Serialize` and `Deserialize` and owns its data",
    note = "lock guards, `Rc`, `Instant`, references and futures cannot be saved: drop them before \
            the `.await`, or keep the data they stand for"
)]
pub trait Persist: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Persist for T {}

/// Encodes a value.
///
/// # Errors
///
/// [`CodecError::Encode`] if its `Serialize` refuses it, [`CodecError::NotRestored`] if it does
/// not come back.
pub fn encode<T: Persist>(value: &T) -> Result<Payload, CodecError> {
    encode_as::<T, T>(value)
}

/// Encodes a borrowed view as the owned type `T` it will be read back as: `(&str, u8)` as
/// `(String, u8)`. Both must serialize alike.
///
/// # Errors
///
/// As [`encode`]; a view that `T` cannot be read from is [`CodecError::NotRestored`].
pub fn encode_as<T: Persist, B: Serialize + ?Sized>(value: &B) -> Result<Payload, CodecError> {
    let record = shape::record::<T>();
    if record.bincode.load(Relaxed) {
        let rules = Rules::Readable(&record.expected);
        // A refusal is about this value: another one of the type may fit.
        if let Ok(bytes) = write_bincode(&Guarded { value, rules }) {
            let body = &bytes[1..];
            if !must_check(record) || comes_back::<T>(Format::Bincode, body, body).is_ok() {
                return Ok(Payload::written(bytes));
            }
            record.bincode.store(false, Relaxed);
        }
    }
    let expected = write_bincode(&Guarded {
        value,
        rules: Rules::Compared,
    })
    .map_err(encode_error::<T>)?;
    let try_cbor = |format, payload: Result<Payload, String>| {
        let payload = payload.map_err(encode_error::<T>)?;
        match comes_back::<T>(format, &payload.as_bytes()[1..], &expected[1..]) {
            Ok(()) => Ok(payload),
            Err(reason) => Err(CodecError::NotRestored {
                type_name: local::name::<T>(),
                reason,
            }),
        }
    };
    try_cbor(Format::Cbor, write_cbor(Format::Cbor, value)).or_else(|error| {
        let marked = Guarded {
            value,
            rules: Rules::Marked,
        };
        try_cbor(Format::CborMarked, write_cbor(Format::CborMarked, &marked)).map_err(|_| error)
    })
}

/// Decodes a value, which must take up all bytes.
///
/// # Errors
///
/// [`CodecError::Decode`] if the bytes were not written by this type or are damaged.
pub fn decode<T: Persist>(payload: &Payload) -> Result<T, CodecError> {
    let (format, body) = payload.split();
    read(format, body).map_err(decode_error::<T>)
}

/// A value as JSON, for people to read.
///
/// # Errors
///
/// As [`decode`], and [`CodecError::Json`] where JSON has no form for it, as for a map with tuples
/// as keys.
pub fn to_json<T: Persist>(payload: &Payload) -> Result<serde_json::Value, CodecError> {
    serde_json::to_value(decode::<T>(payload)?).map_err(|error| CodecError::Json {
        type_name: local::name::<T>(),
        reason: error.to_string(),
    })
}

/// Encodes any value in the self-describing format: what a sender whose type is not the
/// receiver's sends, say a signal, or JSON from an HTTP request.
///
/// # Errors
///
/// [`CodecError::Encode`] if its `Serialize` refuses it.
pub fn encode_open<S: Serialize + ?Sized>(value: &S) -> Result<Payload, CodecError> {
    write_cbor(Format::Cbor, value).map_err(encode_error::<S>)
}

/// Reads what [`encode_open`] wrote as a `T`, and seals it as one.
///
/// The value may also be JSON in which `T` is written as JSON has it: a UUID as a string, a map
/// key that is a number as a string, a float without a fraction.
///
/// # Errors
///
/// [`CodecError::Sent`] if it is not a `T`.
pub fn reseal<T: Persist>(open: &Payload) -> Result<Sealed, CodecError> {
    let (format, body) = open.split();
    let value = read::<T>(format, body).or_else(|reason| {
        let from_json = match read::<serde_json::Value>(format, body) {
            Ok(json) => serde_json::from_value(json).map_err(|error| error.to_string()),
            Err(_) => Err(reason),
        };
        from_json.map_err(|reason| CodecError::Sent {
            type_name: local::name::<T>(),
            reason,
            expected: shape::<T>().name(),
        })
    })?;
    Sealed::seal(&value)
}

/// Encodes a record of the library's own: bincode behind a format byte. Its type must be one that
/// bincode reads back.
///
/// # Errors
///
/// [`CodecError::Encode`].
pub fn encode_record<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    write_bincode(value).map_err(encode_error::<T>)
}

/// Decodes what [`encode_record`] wrote; it must take up all bytes.
///
/// # Errors
///
/// [`CodecError::Decode`], [`CodecError::UnknownFormat`] and [`CodecError::Empty`].
pub fn decode_record<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (format, body) = Format::split(bytes)?;
    read(format, body).map_err(decode_error::<T>)
}

/// Whether this value, now written with bincode, is to be read back: the first, second, fourth …
/// of its type, since a type may come back for some values only.
fn must_check(record: &Record) -> bool {
    let saved = record.saved.fetch_add(1, Relaxed) + 1;
    cfg!(debug_assertions) || record.unsure || saved.is_power_of_two()
}

/// Reads a body as `T` and compares what that writes with `expected`, both by [`Rules::Compared`].
fn comes_back<T: Persist>(format: Format, body: &[u8], expected: &[u8]) -> Result<(), String> {
    let value: T = read(format, body)?;
    let again = write_bincode(&Guarded {
        value: &value,
        rules: Rules::Compared,
    })?;
    match same(expected, &again[1..]) {
        true => Ok(()),
        false => Err("reading it back gave another value".to_string()),
    }
}

/// Equal up to order, which hash maps and sets do not keep.
fn same(left: &[u8], right: &[u8]) -> bool {
    let counts = |bytes: &[u8]| {
        let mut counts = [0usize; 256];
        bytes.iter().for_each(|&byte| counts[byte as usize] += 1);
        counts
    };
    left == right || (left.len() == right.len() && counts(left) == counts(right))
}

/// Most values have room in so many bytes.
const USUAL_BYTES: usize = 256;

fn write_bincode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    use bincode::error::EncodeError;

    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(Format::Bincode as u8);
    let config = bincode::config::standard();
    bincode::serde::encode_into_std_write(value, &mut bytes, config).map_err(
        |error| match error {
            EncodeError::OtherString(reason) => reason,
            other => other.to_string(),
        },
    )?;
    Ok(bytes)
}

fn write_cbor<T: Serialize + ?Sized>(format: Format, value: &T) -> Result<Payload, String> {
    use ciborium::ser::Error;

    let mut bytes = vec![format as u8];
    ciborium::into_writer(value, &mut bytes).map_err(|error| match error {
        Error::Value(reason) => reason,
        Error::Io(error) => error.to_string(),
    })?;
    Ok(Payload::written(bytes))
}

fn read<T: DeserializeOwned>(format: Format, body: &[u8]) -> Result<T, String> {
    match format {
        Format::Bincode => read_bincode(body),
        Format::Cbor => read_cbor(body).map(|FromCbor::<T, false>(value)| value),
        Format::CborMarked => read_cbor(body).map(|FromCbor::<T, true>(value)| value),
    }
}

fn read_bincode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    use bincode::error::DecodeError;

    let bounds = Within::<T>::body(body.len());
    let config = bincode::config::standard();
    let (value, taken) = bincode::serde::seed_decode_from_slice(bounds, body, config).map_err(
        |error| match error {
            DecodeError::OtherString(reason) => reason,
            DecodeError::UnexpectedEnd { .. } => CUT_SHORT.to_string(),
            other => other.to_string(),
        },
    )?;
    nothing_left(value, body.len() - taken)
}

fn read_cbor<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    use ciborium::de::Error;

    let mut rest = body;
    // ciborium hands out strings and bytes no longer than this.
    let mut buffer = vec![0; body.len()];
    let value =
        ciborium::de::from_reader_with_buffer(&mut rest, &mut buffer).map_err(
            |error| match error {
                Error::Semantic(_, reason) => reason,
                Error::Io(_) => CUT_SHORT.to_string(),
                Error::Syntax(at) => format!("not CBOR at byte {at}"),
                Error::RecursionLimitExceeded => "nested too deep".to_string(),
            },
        )?;
    nothing_left(value, rest.len())
}

fn nothing_left<T>(value: T, left: usize) -> Result<T, String> {
    match left {
        0 => Ok(value),
        left => Err(format!("{left} bytes are left over")),
    }
}

const CUT_SHORT: &str = "the bytes are cut short";

fn encode_error<T: ?Sized>(reason: String) -> CodecError {
    CodecError::Encode {
        type_name: local::name::<T>(),
        reason,
    }
}

fn decode_error<T>(reason: String) -> CodecError {
    CodecError::Decode {
        type_name: local::name::<T>(),
        reason,
    }
}
