use std::fmt;

/// Why a value could not be written or read. Every message names the type and says what to do.
#[derive(thiserror::Error, Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CodecError {
    /// `Serialize` refused the value, or no format can hold it.
    #[error("`{type_name}` cannot be encoded: {reason}")]
    Encode {
        /// The type that was written.
        type_name: &'static str,
        /// What the encoder said.
        reason: String,
    },
    /// The value was written, but reading it at once gave an error or another value.
    #[error(
        "`{type_name}` does not come back as it was saved: {reason}; \
         make its `Serialize` and `Deserialize` mirror each other, or keep another type"
    )]
    NotRestored {
        /// The type that was written.
        type_name: &'static str,
        /// What differed.
        reason: String,
    },
    /// The bytes were written by a type of another shape, so they are not read at all.
    #[error(
        "the value was written as {written} and cannot be read as `{type_name}`, which is {expected}"
    )]
    Shape {
        /// The type it should be read as.
        type_name: &'static str,
        /// The shape that wrote the value.
        written: ShapeName,
        /// The shape of `type_name` in this program.
        expected: ShapeName,
    },
    /// A sender's value (a signal, a JSON body) is not what the receiver takes.
    #[error("the value sent is not a `{type_name}`: {reason}; expected {expected}")]
    Sent {
        /// The type the receiver takes.
        type_name: &'static str,
        /// What did not fit.
        reason: String,
        /// The shape the receiver takes.
        expected: ShapeName,
    },
    /// The bytes are damaged or cut short, or were not written by this type.
    #[error("the bytes cannot be read as `{type_name}`: {reason}")]
    Decode {
        /// The type that was read.
        type_name: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The first byte names no format that this version knows.
    #[error("unknown format byte {0:#04x}: the bytes are damaged, or a newer version wrote them")]
    UnknownFormat(u8),
    /// There is not even a format byte.
    #[error("no bytes at all, not even the format byte: the record was cut short")]
    Empty,
    /// Who keeps the run takes less at once.
    #[error(
        "{bytes} bytes are more than the server takes (at most {bytes_max}); pass a reference to them"
    )]
    TooLarge {
        /// How many bytes.
        bytes: usize,
        /// How many are allowed.
        bytes_max: usize,
    },
    /// The value has no JSON form.
    #[error("`{type_name}` cannot be shown as JSON: {reason}")]
    Json {
        /// The type that was read.
        type_name: &'static str,
        /// What serde_json said.
        reason: String,
    },
}

/// A shape in an error: its hash, and its text where this process has seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeName {
    /// The stable hash, see [`Shape::hash`](super::Shape::hash).
    pub hash: u64,
    /// The readable description.
    pub text: Option<&'static str>,
}

impl fmt::Display for ShapeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text {
            Some(text) => write!(f, "`{text}`"),
            None => write!(f, "shape {:016x}", self.hash),
        }
    }
}
