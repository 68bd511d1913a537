//! A saved value whose type the state enum does not spell.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::codec::{self, CodecError, Persist, Sealed};

/// A saved local whose type only the workflow's own code knows.
///
/// A field of a state enum is of this type where the macro cannot spell the local's type. A type
/// annotation on the `let` makes it a typed field.
#[derive(Clone, PartialEq)]
pub struct Saved {
    json: Value,
    sealed: Option<Sealed>,
}

impl Saved {
    pub(crate) fn new(json: Value, sealed: Sealed) -> Self {
        Self {
            json,
            sealed: Some(sealed),
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The value as the type it was saved as.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn get<T: Persist>(&self) -> Result<T, CodecError> {
        match &self.sealed {
            Some(sealed) => sealed.open(),
            None => codec::reseal::<T>(&codec::encode_open(&self.json)?)?.open(),
        }
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.json)
    }
}

impl Serialize for Saved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Saved {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            json: Value::deserialize(deserializer)?,
            sealed: None,
        })
    }
}
