//! A `Serializer` that stands before a format and does what the format does not.
//!
//! bincode writes no names, so a reader relies on every field and variant standing where its
//! `Deserialize` expects it. The guard compares what is written with what the tracer saw being
//! read, and refuses it with an error where they differ; the value then goes to CBOR. Before CBOR
//! it marks the options that are present, since CBOR writes nothing for `Some`.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{self, Error, Serializer};

use super::bounds::MAX_DEPTH;
use super::graph::Expected;

/// Writes `value` through the guard.
pub(super) struct Guarded<'a, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) rules: Rules<'a>,
}

/// What the guard is for.
#[derive(Clone, Copy)]
pub(super) enum Rules<'a> {
    /// Refuse what bincode cannot read back by position.
    Readable(&'a Expected),
    /// Have bincode write anything: the bytes are only compared, never read. Unlike CBOR and JSON
    /// they tell `Some(None)` from `None`.
    Compared,
    /// Mark in CBOR that an option is present.
    Marked,
}

impl<T: Serialize + ?Sized> Serialize for Guarded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Guard {
            inner: serializer,
            rules: self.rules,
            depth: 0,
        })
    }
}

/// Adapts a serializer and each of its compound serializers.
struct Guard<'a, S> {
    inner: S,
    rules: Rules<'a>,
    depth: usize,
}

/// A value inside a guarded one.
struct Nested<'a, T: ?Sized> {
    value: &'a T,
    rules: Rules<'a>,
    depth: usize,
}

impl<T: Serialize + ?Sized> Serialize for Nested<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Guard {
            inner: serializer,
            rules: self.rules,
            depth: self.depth,
        })
    }
}

impl<'a, S> Guard<'a, S> {
    fn nested<'v, T: ?Sized>(&self, value: &'v T) -> Nested<'v, T>
    where
        'a: 'v,
    {
        Nested {
            value,
            rules: self.rules,
            depth: self.depth,
        }
    }

    fn with<C>(&self, inner: C) -> Guard<'a, C> {
        Guard {
            inner,
            rules: self.rules,
            depth: self.depth,
        }
    }

    /// Goes `levels` deeper: no value is written that the reader would refuse as too deep.
    fn deeper<E: Error>(mut self, levels: usize) -> Result<Self, E> {
        self.depth += levels;
        match self.rules {
            Rules::Readable(_) if self.depth > MAX_DEPTH => Err(E::custom(format_args!(
                "nested more than {MAX_DEPTH} levels"
            ))),
            _ => Ok(self),
        }
    }

    fn check<E: Error>(&self, fits: impl FnOnce(&Expected) -> bool) -> Result<(), E> {
        match self.rules {
            Rules::Readable(expected) if !fits(expected) => {
                Err(E::custom("not written as it is read"))
            }
            _ => Ok(()),
        }
    }

    fn skip<E: Error>(&self, key: &'static str) -> Result<(), E> {
        match self.rules {
            Rules::Readable(_) => Err(E::custom(format_args!("the field `{key}` is skipped"))),
            Rules::Compared | Rules::Marked => Ok(()),
        }
    }

    /// Bytes that are only compared need no true length.
    fn length(&self, len: Option<usize>) -> Option<usize> {
        match self.rules {
            Rules::Compared => len.or(Some(0)),
            Rules::Readable(_) | Rules::Marked => len,
        }
    }
}

macro_rules! forward {
    ($($method:ident: $ty:ty,)*) => {$(
        fn $method(self, v: $ty) -> Result<S::Ok, S::Error> {
            self.inner.$method(v)
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Guard<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Guard<'a, S::SerializeSeq>;
    type SerializeTuple = Guard<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Guard<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Guard<'a, S::SerializeTupleVariant>;
    type SerializeMap = Guard<'a, S::SerializeMap>;
    type SerializeStruct = Guard<'a, S::SerializeStruct>;
    type SerializeStructVariant = Guard<'a, S::SerializeStructVariant>;

    forward! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let this = self.deeper(1)?;
        let value = this.nested(value);
        if let Rules::Marked = this.rules {
            let mut mark = this.inner.serialize_tuple(1)?;
            ser::SerializeTuple::serialize_element(&mut mark, &value)?;
            return ser::SerializeTuple::end(mark);
        }
        this.inner.serialize_some(&value)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.check(|expected| expected.variant(name, index, variant, None))?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let this = self.deeper(1)?;
        let value = this.nested(value);
        this.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.check(|expected| expected.variant(name, index, variant, None))?;
        let this = self.deeper(1)?;
        let value = this.nested(value);
        this.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let this = self.deeper(1)?;
        let (len, outer) = (this.length(len), this.with(()));
        Ok(outer.with(this.inner.serialize_seq(len)?))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let this = self.deeper(1)?;
        let outer = this.with(());
        Ok(outer.with(this.inner.serialize_tuple(len)?))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let this = self.deeper(1)?;
        let outer = this.with(());
        Ok(outer.with(this.inner.serialize_tuple_struct(name, len)?))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.check(|expected| expected.variant(name, index, variant, Some(len)))?;
        let this = self.deeper(2)?;
        let outer = this.with(());
        Ok(outer.with(
            this.inner
                .serialize_tuple_variant(name, index, variant, len)?,
        ))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let this = self.deeper(1)?;
        let (len, outer) = (this.length(len), this.with(()));
        Ok(outer.with(this.inner.serialize_map(len)?))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.check(|expected| expected.fields(name, len))?;
        let this = self.deeper(1)?;
        let outer = this.with(());
        Ok(outer.with(this.inner.serialize_struct(name, len)?))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.check(|expected| expected.variant(name, index, variant, Some(len)))?;
        let this = self.deeper(2)?;
        let outer = this.with(());
        Ok(outer.with(
            this.inner
                .serialize_struct_variant(name, index, variant, len)?,
        ))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($compound:ident::$method:ident,)*) => {$(
        impl<S: ser::$compound> ser::$compound for Guard<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let value = self.nested(value);
                self.inner.$method(&value)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! fields {
    ($($compound:ident,)*) => {$(
        impl<S: ser::$compound> ser::$compound for Guard<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let value = self.nested(value);
                self.inner.serialize_field(key, &value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.skip(key)?;
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

fields! {
    SerializeStruct,
    SerializeStructVariant,
}

impl<S: ser::SerializeMap> ser::SerializeMap for Guard<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        let key = self.nested(key);
        self.inner.serialize_key(&key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let value = self.nested(value);
        self.inner.serialize_value(&value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
