//! Locals that are saved at an await, among them such as hold a `&'static str`.
//!
//! `let tier = if vip { "gold" } else { "plain" };` is ordinary code, but a `&'static str` cannot
//! be deserialized from bytes that go away. So locals are read through a deserializer of lifetime
//! `'static`, which lends nothing of its input; where a `&str` is wanted it gives the one out of a
//! pool that keeps each distinct text once, for ever. Texts of `'static` lifetime are literals, so
//! the pool holds about as much as the program text does.

use std::any::type_name;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Serialize, Serializer};

/// A local that can be saved at an await: like [`Persist`](super::Persist), and it may also hold
/// texts that live for ever, as literals do.
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
pub trait PersistLocal: Serialize + Deserialize<'static> + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + Deserialize<'static> + 'static> PersistLocal for T {}

/// A local as a [`Persist`](super::Persist), encoded as it is itself.
pub(crate) struct Local<T>(pub(crate) T);

impl<T: Serialize> Serialize for Local<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'static>> Deserialize<'de> for Local<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Lasting::new(deserializer)).map(Self)
    }
}

/// A type's name, for people and for shapes: that of the local.
pub(super) fn name<T: ?Sized>() -> &'static str {
    let name = type_name::<T>();
    let local = name.strip_prefix(concat!(module_path!(), "::Local<"));
    local
        .and_then(|name| name.strip_suffix('>'))
        .unwrap_or(name)
}

/// The text, for ever.
fn pooled(text: &str) -> &'static str {
    static POOL: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = pool.get_or_insert_default();
    if let Some(known) = pool.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    pool.insert(text);
    text
}

/// Anything of serde's that reads, turned into one that lends only what lasts.
struct Lasting<'de, X>(X, PhantomData<&'de ()>);

impl<X> Lasting<'_, X> {
    fn new(reads: X) -> Self {
        Self(reads, PhantomData)
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $ty:ty),*);)*) => {$(
        fn $method<V: Visitor<'static>>(self, $($argument: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($argument,)* Lasting::new(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'static> for Lasting<'de, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($ty:ty);)*) => {$(
        fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'static>> Visitor<'de> for Lasting<'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_bytes(&[u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        // A visitor says nothing of what it wants to keep but what it makes.
        if type_name::<V::Value>() == type_name::<&str>() {
            self.0.visit_borrowed_str(pooled(text))
        } else {
            self.0.visit_str(text)
        }
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        if type_name::<V::Value>() == type_name::<&str>() {
            self.0.visit_borrowed_str(pooled(&text))
        } else {
            self.0.visit_string(text)
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Lasting::new(deserializer))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Lasting::new(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Lasting::new(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Lasting::new(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Lasting::new(data))
    }
}

impl<'de, S: DeserializeSeed<'static>> DeserializeSeed<'de> for Lasting<'de, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Lasting::new(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'static> for Lasting<'de, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Lasting::new(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'static> for Lasting<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'static>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(Lasting::new(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Lasting::new(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'static> for Lasting<'de, A> {
    type Error = A::Error;
    type Variant = Lasting<'de, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(Lasting::new(seed))?;
        Ok((value, Lasting::new(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'static> for Lasting<'de, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Lasting::new(seed))
    }

    fn tuple_variant<V: Visitor<'static>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Lasting::new(visitor))
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Lasting::new(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Sealed, shape};

    type Row = (
        Option<&'static str>,
        Vec<[&'static str; 2]>,
        String,
        serde_json::Value,
    );

    #[test]
    fn texts_come_back_and_each_is_kept_once() {
        let row: Row = (
            Some("eu"),
            vec![["a", "b"], ["", "a"]],
            "own".to_owned(),
            serde_json::json!({ "x": ["y", 1] }),
        );
        let sealed = Sealed::seal_as::<Local<Row>, _>(&row).unwrap();
        let Local(one) = sealed.open::<Local<Row>>().unwrap();
        let Local(other) = sealed.open::<Local<Row>>().unwrap();
        assert_eq!(one, row);
        assert_eq!(one.0.map(str::as_ptr), other.0.map(str::as_ptr));
    }

    #[test]
    fn a_local_has_the_shape_of_its_type() {
        assert_eq!(shape::<Local<&'static str>>(), shape::<String>());
        assert_eq!(
            shape::<Local<serde_json::Value>>(),
            shape::<serde_json::Value>()
        );
        assert_eq!(shape::<Local<Option<u8>>>(), shape::<Option<u8>>());
        assert_eq!(name::<Local<Vec<u8>>>(), type_name::<Vec<u8>>());
    }
}
