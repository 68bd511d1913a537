//! A `Deserializer` that stands before both formats, so that no bytes, however damaged, exhaust
//! the stack, the memory or the time of the reader.
//!
//! bincode allocates what a length prefix says before it looks for the bytes, and neither format
//! bounds how deep a recursive type may go.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, Error, Visitor};

/// How many values may stand inside each other: a list node with `next: Option<Box<Self>>`
/// counts twice, as a struct and as an option.
pub(super) const MAX_DEPTH: usize = 512;

/// How many elements a sequence may claim that is longer than its bytes, as one of `()` is.
const MAX_EMPTY_ELEMENTS: usize = 1 << 16;

/// Reads a `T` within bounds.
pub(super) struct Within<T> {
    longest: usize,
    of: PhantomData<T>,
}

impl<T> Within<T> {
    /// Bounds for a body of `bytes` bytes.
    pub(super) fn body(bytes: usize) -> Within<T> {
        Within {
            longest: bytes.max(MAX_EMPTY_ELEMENTS),
            of: PhantomData,
        }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Within<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        let limits = Limits {
            longest: self.longest,
            marked: false,
            depth: Cell::new(0),
        };
        T::deserialize(Bounded {
            inner,
            limits: &limits,
        })
    }
}

/// A `T` read from CBOR, which writes at least a byte for each element, so lengths need no bound.
/// `MARKED` says whether present options are marked.
pub(super) struct FromCbor<T, const MARKED: bool>(pub(super) T);

impl<'de, T: Deserialize<'de>, const MARKED: bool> Deserialize<'de> for FromCbor<T, MARKED> {
    fn deserialize<D: Deserializer<'de>>(inner: D) -> Result<Self, D::Error> {
        let limits = Limits {
            longest: usize::MAX,
            marked: MARKED,
            depth: Cell::new(0),
        };
        T::deserialize(Bounded {
            inner,
            limits: &limits,
        })
        .map(FromCbor)
    }
}

struct Limits {
    longest: usize,
    marked: bool,
    depth: Cell<usize>,
}

impl Limits {
    fn deeper<T, E: Error>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.depth.get() == MAX_DEPTH {
            return Err(E::custom(format_args!(
                "nested more than {MAX_DEPTH} levels"
            )));
        }
        self.depth.set(self.depth.get() + 1);
        let result = read();
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn check_length<E: Error>(&self, length: Option<usize>) -> Result<(), E> {
        match length {
            Some(length) if length > self.longest => Err(E::custom(format_args!(
                "a length of {length} is more than the bytes hold"
            ))),
            _ => Ok(()),
        }
    }
}

/// Adapts a deserializer, its visitors, seeds and accesses.
struct Bounded<'a, I> {
    inner: I,
    limits: &'a Limits,
}

macro_rules! forward {
    ($($method:ident => $inner:ident($($arg:ident: $ty:ty),*),)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$inner($($arg,)* Bounded { inner: visitor, limits: self.limits })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any => deserialize_any(),
        deserialize_bool => deserialize_bool(),
        deserialize_i8 => deserialize_i8(),
        deserialize_i16 => deserialize_i16(),
        deserialize_i32 => deserialize_i32(),
        deserialize_i64 => deserialize_i64(),
        deserialize_i128 => deserialize_i128(),
        deserialize_u8 => deserialize_u8(),
        deserialize_u16 => deserialize_u16(),
        deserialize_u32 => deserialize_u32(),
        deserialize_u64 => deserialize_u64(),
        deserialize_u128 => deserialize_u128(),
        deserialize_f32 => deserialize_f32(),
        deserialize_f64 => deserialize_f64(),
        deserialize_char => deserialize_char(),
        // The borrowed forms look for the bytes before they take memory for them.
        deserialize_str => deserialize_str(),
        deserialize_string => deserialize_str(),
        deserialize_bytes => deserialize_bytes(),
        deserialize_byte_buf => deserialize_bytes(),
        deserialize_option => deserialize_option(),
        deserialize_unit => deserialize_unit(),
        deserialize_unit_struct => deserialize_unit_struct(name: &'static str),
        deserialize_newtype_struct => deserialize_newtype_struct(name: &'static str),
        deserialize_seq => deserialize_seq(),
        deserialize_tuple => deserialize_tuple(len: usize),
        deserialize_tuple_struct => deserialize_tuple_struct(name: &'static str, len: usize),
        deserialize_map => deserialize_map(),
        deserialize_struct =>
            deserialize_struct(name: &'static str, fields: &'static [&'static str]),
        deserialize_enum => deserialize_enum(name: &'static str, variants: &'static [&'static str]),
        deserialize_identifier => deserialize_identifier(),
        deserialize_ignored_any => deserialize_ignored_any(),
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident: $ty:ty,)*) => {$(
        fn $method<E: Error>(self, v: $ty) -> Result<V::Value, E> {
            self.inner.$method(v)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool: bool,
        visit_i8: i8,
        visit_i16: i16,
        visit_i32: i32,
        visit_i64: i64,
        visit_i128: i128,
        visit_u8: u8,
        visit_u16: u16,
        visit_u32: u32,
        visit_u64: u64,
        visit_u128: u128,
        visit_f32: f32,
        visit_f64: f64,
        visit_char: char,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
        visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8],
        visit_byte_buf: Vec<u8>,
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let limits = self.limits;
        limits.deeper(|| match limits.marked {
            true => inner.deserialize_tuple(1, Present(self)),
            false => self.inner.visit_some(Bounded { inner, limits }),
        })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let limits = self.limits;
        limits.deeper(|| self.inner.visit_newtype_struct(Bounded { inner, limits }))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let limits = self.limits;
        limits.check_length(inner.size_hint())?;
        limits.deeper(|| self.inner.visit_seq(Bounded { inner, limits }))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let limits = self.limits;
        limits.check_length(inner.size_hint())?;
        limits.deeper(|| self.inner.visit_map(Bounded { inner, limits }))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let limits = self.limits;
        limits.deeper(|| self.inner.visit_enum(Bounded { inner, limits }))
    }
}

/// Takes the mark off a present option: visits the array of one, then what is in it.
struct Present<'a, V>(Bounded<'a, V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Present<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an option marked as present")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        seq.next_element_seed(self)?
            .ok_or_else(|| A::Error::custom("an empty mark of an option"))
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Present<'_, V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Bounded {
            inner: visitor,
            limits,
        } = self.0;
        visitor.visit_some(Bounded { inner, limits })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded {
            inner,
            limits: self.limits,
        })
    }
}

impl<'de, A: de::SeqAccess<'de>> de::SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Bounded {
            inner: seed,
            limits: self.limits,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(Bounded {
            inner: seed,
            limits: self.limits,
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Bounded {
            inner: seed,
            limits: self.limits,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 'a, A: de::EnumAccess<'de>> de::EnumAccess<'de> for Bounded<'a, A> {
    type Error = A::Error;
    type Variant = Bounded<'a, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let limits = self.limits;
        let (value, inner) = self.inner.variant_seed(Bounded {
            inner: seed,
            limits,
        })?;
        Ok((value, Bounded { inner, limits }))
    }
}

impl<'de, A: de::VariantAccess<'de>> de::VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Bounded {
            inner: seed,
            limits: self.limits,
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(
            len,
            Bounded {
                inner: visitor,
                limits: self.limits,
            },
        )
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(
            fields,
            Bounded {
                inner: visitor,
                limits: self.limits,
            },
        )
    }
}
