use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{CodecError, Persist, shape};

/// How a body is written. The discriminant is the first byte of every payload and record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Format {
    /// bincode 2, standard configuration.
    Bincode = 1,
    /// CBOR (RFC 8949), for types that need a self-describing format.
    Cbor = 2,
    /// CBOR where a present option is an array of one, so that `Some(None)` is not `None`.
    CborMarked = 3,
}

impl Format {
    /// Splits bytes into their format and their body.
    pub(super) fn split(bytes: &[u8]) -> Result<(Format, &[u8]), CodecError> {
        let (&first, body) = bytes.split_first().ok_or(CodecError::Empty)?;
        match first {
            1 => Ok((Format::Bincode, body)),
            2 => Ok((Format::Cbor, body)),
            3 => Ok((Format::CborMarked, body)),
            unknown => Err(CodecError::UnknownFormat(unknown)),
        }
    }
}

/// An encoded value: a format byte and the body. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Arc<[u8]>);

impl Payload {
    /// Takes bytes that [`as_bytes`](Payload::as_bytes) gave, checking only the format byte.
    ///
    /// # Errors
    ///
    /// [`CodecError::Empty`] and [`CodecError::UnknownFormat`].
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Payload, CodecError> {
        let bytes = bytes.into();
        Format::split(&bytes)?;
        Ok(Payload(bytes))
    }

    /// Takes what was just written, with its format byte.
    pub(super) fn written(bytes: Vec<u8>) -> Payload {
        Payload(bytes.into())
    }

    /// The format byte and the body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes, shared.
    pub(crate) fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.0)
    }

    /// The length in bytes, the format byte included.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a payload has at least its format byte"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn split(&self) -> (Format, &[u8]) {
        Format::split(&self.0).expect("every constructor checks or writes the format byte")
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?}, {} bytes)", self.split().0, self.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a payload")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Payload, E> {
        Payload::from_bytes(bytes).map_err(E::custom)
    }

    // JSON has no bytes and writes them as an array.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Payload, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element::<u8>()? {
            bytes.push(byte);
        }
        Payload::from_bytes(bytes).map_err(de::Error::custom)
    }
}

/// A payload beside the shape of the type that wrote it: for what outlives the code that wrote
/// it (inputs, results, signals).
///
/// ```
/// use workflow::codec::Sealed;
///
/// let sealed = Sealed::seal(&("report".to_string(), 3u8))?;
/// assert_eq!(sealed.open::<(String, u8)>()?, ("report".to_string(), 3));
/// assert!(sealed.open::<(String, u16)>().is_err());
/// # Ok::<(), workflow::codec::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// [`Shape::hash`](super::Shape::hash) of the type that wrote the payload.
    pub shape: u64,
    /// The value.
    pub payload: Payload,
}

impl Sealed {
    /// Encodes a value and notes the shape of its type.
    ///
    /// # Errors
    ///
    /// As [`encode`](super::encode).
    pub fn seal<T: Persist>(value: &T) -> Result<Sealed, CodecError> {
        Sealed::seal_as::<T, T>(value)
    }

    /// Encodes a borrowed view as the owned type `T` it will be read back as.
    ///
    /// # Errors
    ///
    /// As [`encode_as`](super::encode_as).
    pub fn seal_as<T: Persist, B: Serialize + ?Sized>(value: &B) -> Result<Sealed, CodecError> {
        Ok(Sealed {
            shape: shape::<T>().hash,
            payload: super::encode_as::<T, B>(value)?,
        })
    }

    /// Reads the value back, if `T` has the shape that wrote it.
    ///
    /// # Errors
    ///
    /// [`CodecError::Shape`] before a byte is read, else as [`decode`](super::decode).
    pub fn open<T: Persist>(&self) -> Result<T, CodecError> {
        self.check_shape::<T>()?;
        super::decode(&self.payload)
    }

    /// The value as JSON, if `T` has the shape that wrote it.
    ///
    /// # Errors
    ///
    /// As [`open`](Sealed::open), and [`CodecError::Json`].
    pub fn to_json<T: Persist>(&self) -> Result<serde_json::Value, CodecError> {
        self.check_shape::<T>()?;
        super::to_json::<T>(&self.payload)
    }

    fn check_shape<T: Persist>(&self) -> Result<(), CodecError> {
        let expected = shape::<T>();
        if self.shape == expected.hash {
            return Ok(());
        }
        Err(CodecError::Shape {
            type_name: super::local::name::<T>(),
            written: super::shape::name_of(self.shape),
            expected: expected.name(),
        })
    }
}
