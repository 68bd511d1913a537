//! What the generated code of a state enum is made of: it is read from a saved state, and written and
//! read with serde as its derive would.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeStructVariant;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Map, Value};

use crate::__private::Called;
use crate::codec::CodecError;
use crate::compiled::Stated;
use crate::contract::SavedState;

/// A state enum.
pub trait StateEnum: Sized {
    /// The names of its variants.
    const VARIANTS: &'static [&'static str];

    /// Reads one; `None` where something cannot be read, which the source then knows.
    fn read(from: &mut ReadState<'_>) -> Option<Self>;
}

/// What a state enum is read from, field by field in the order of the variant.
#[derive(Debug)]
pub struct ReadState<'a> {
    variant: usize,
    source: Source<'a>,
    error: Option<CodecError>,
}

#[derive(Debug)]
enum Source<'a> {
    Saved {
        state: &'a SavedState<'a>,
        next: usize,
    },
    /// What serde read in a self-describing format.
    Json(Map<String, Value>),
}

impl<'a> ReadState<'a> {
    /// Reads a saved state.
    ///
    /// # Errors
    /// When a field cannot be read.
    pub fn saved<S: StateEnum>(state: &'a SavedState<'a>) -> Result<S, CodecError> {
        let source = Source::Saved { state, next: 0 };
        Self::whole(state.index(), source)
    }

    /// Reads one as serde wrote it.
    ///
    /// # Errors
    /// When it is of no variant, or a field cannot be read.
    pub fn deserialize<'de, S, D>(deserializer: D) -> Result<S, D::Error>
    where
        S: StateEnum,
        D: Deserializer<'de>,
    {
        let mut variants = BTreeMap::<String, Map<String, Value>>::deserialize(deserializer)?;
        let (Some((name, fields)), true) = (variants.pop_first(), variants.is_empty()) else {
            return Err(D::Error::custom("expected one variant and its fields"));
        };
        let variant = S::VARIANTS.iter().position(|known| *known == name);
        let variant = variant
            .ok_or_else(|| D::Error::custom(format_args!("there is no variant `{name}`")))?;
        Self::whole(variant, Source::Json(fields)).map_err(D::Error::custom)
    }

    fn whole<S: StateEnum>(variant: usize, source: Source<'a>) -> Result<S, CodecError> {
        let mut from = Self {
            variant,
            source,
            error: None,
        };
        let read = S::read(&mut from);
        read.ok_or_else(|| match from.error {
            Some(error) => error,
            None => unreadable::<S>("its variant is not known".to_owned()),
        })
    }

    /// The variant, by its place in the enum.
    #[must_use]
    pub fn variant(&self) -> usize {
        self.variant
    }

    /// The next field.
    pub fn field<S: Stated>(&mut self, name: &'static str) -> Option<S::Type> {
        let read = match &mut self.source {
            Source::Saved { state, next } => {
                *next += 1;
                state.field::<S>(*next - 1)
            }
            Source::Json(fields) => from_json(fields, name),
        };
        self.kept(read)
    }

    /// The state of the workflow that runs inline there.
    pub fn inline<C: Called>(&mut self, name: &'static str) -> Option<Box<C::State>> {
        let read = match &mut self.source {
            Source::Saved { state, .. } => C::state(state),
            Source::Json(fields) => from_json(fields, name),
        };
        self.kept(read)
    }

    fn kept<T>(&mut self, read: Result<T, CodecError>) -> Option<T> {
        read.map_err(|error| self.error = Some(error)).ok()
    }
}

/// Takes a field; one that is left out is read as a null.
fn from_json<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<T, CodecError> {
    serde_json::from_value(fields.remove(name).unwrap_or_default())
        .map_err(|error| unreadable::<T>(format!("field `{name}`: {error}")))
}

pub(crate) fn unreadable<T>(reason: String) -> CodecError {
    CodecError::Decode {
        type_name: std::any::type_name::<T>(),
        reason,
    }
}

/// Writes one variant of a state enum, as serde's derive does. An error is kept until the end.
#[derive(Debug)]
pub struct WriteVariant<Z: SerializeStructVariant>(Result<Z, Z::Error>);

impl<Z: SerializeStructVariant> WriteVariant<Z> {
    /// Begins a variant.
    pub fn begin<S>(
        serializer: S,
        state_enum: &'static str,
        (index, name): (u32, &'static str),
        fields: usize,
    ) -> Self
    where
        S: Serializer<SerializeStructVariant = Z, Error = Z::Error>,
    {
        Self(serializer.serialize_struct_variant(state_enum, index, name, fields))
    }

    /// Writes the next field.
    #[must_use]
    pub fn field<S: Stated>(self, name: &'static str, value: &S::Type) -> Self {
        Self(self.0.and_then(|mut variant| {
            variant.serialize_field(name, value)?;
            Ok(variant)
        }))
    }

    /// Ends the variant.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn end(self) -> Result<Z::Ok, Z::Error> {
        self.0?.end()
    }
}

/// Prints a state enum through serde, so that users' types need no `Debug`.
pub fn debug<S: serde::Serialize>(state: &S, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match serde_json::to_value(state) {
        Ok(Value::Object(variant)) => {
            for (name, fields) in variant {
                write!(f, "{name} {fields}")?;
            }
            Ok(())
        }
        Ok(other) => write!(f, "{other}"),
        Err(error) => write!(f, "<{error}>"),
    }
}
