//! Learns the structure of a type from its `Deserialize` alone.
//!
//! A type asks its deserializer for what it wants: a struct of these fields, a sequence, a `u8`.
//! The tracer answers as a format would and notes the questions in a graph with one node for each
//! visitor type, so recursion is a cycle. Each pass deserializes the root once, is steered to one
//! part not yet seen, and may fail after it got there: a struct is offered one field at a time,
//! and complains of the others when nothing more is to be learnt. What stands before that part,
//! say the first element of a tuple, is given a sample value.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use super::graph::{Graph, Hint, Id, Leaf, Node, Slot};
use super::local;

/// Passes over one type: each finds one field, element or variant.
const MAX_PASSES: usize = 4096;
/// Values made up in one pass: a tuple of tuples of tuples would take exponentially many.
const MAX_SAMPLES: usize = 8192;
/// Elements of one tuple or array that are told apart.
const MAX_ELEMENTS: usize = 1024;

/// Tried in turn where a visitor refuses a string; what is behind it would stay unseen.
const STRINGS: [&str; 7] = [
    "",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "a:b",
    "0",
];
/// Likewise bytes: 16 are a UUID.
const BYTES: [&[u8]; 4] = [&[], &[0; 16], &[0; 4], &[0; 32]];

/// Traces the `Deserialize` of `T`.
pub(super) fn trace<T: DeserializeOwned>() -> Graph {
    let tracer = RefCell::new(Tracer::default());
    let mut path = Vec::new();
    for _ in 0..MAX_PASSES {
        tracer.borrow_mut().begin_pass();
        let probe = Probe {
            tracer: &tracer,
            from: None,
            way: Way::Steer(&path),
            asked: local::name::<T>(),
        };
        // Most passes end in an error, by design.
        let _ = T::deserialize(probe);

        let mut tracer = tracer.borrow_mut();
        if !tracer.changed {
            tracer.graph.hide(&path);
        }
        match tracer.graph.unseen() {
            Some(next) => path = next,
            None => break,
        }
    }
    let mut graph = tracer.into_inner().graph;
    graph.incomplete |= graph.unseen().is_some();
    graph
}

#[derive(Default)]
struct Tracer {
    graph: Graph,
    /// The visitor type and its hint are the identity of a node.
    ids: HashMap<(Hint, &'static str), Id>,
    /// Of the current pass: whether anything was learnt.
    changed: bool,
    /// Of the current pass: how many samples were made.
    samples: usize,
    /// Of the current pass: the nodes of which a sample is being made.
    sampling: Vec<Id>,
}

impl Tracer {
    fn begin_pass(&mut self) {
        self.changed = false;
        self.samples = 0;
        self.sampling.clear();
    }

    /// The node of a hint, linked to the slot it was asked from.
    fn enter(
        &mut self,
        from: Option<(Id, usize)>,
        hint: Hint,
        visitor: &'static str,
        label: &'static str,
    ) -> Id {
        let nodes = &mut self.graph.nodes;
        let id = *self.ids.entry((hint, visitor)).or_insert_with(|| {
            let parts = match hint {
                Hint::Leaf(_) | Hint::UnitStruct(_) | Hint::Any(_) => 0,
                Hint::Option | Hint::Seq | Hint::Newtype(_) => 1,
                Hint::Map => 2,
                Hint::Tuple(len) | Hint::TupleStruct(_, len) | Hint::Arguments(len) => len,
                Hint::Struct(_, names) | Hint::Enum(_, names) | Hint::Fields(names) => names.len(),
            };
            self.graph.incomplete |= parts > MAX_ELEMENTS;
            nodes.push(Node {
                hint,
                label,
                slots: vec![Slot::Unseen; parts.min(MAX_ELEMENTS)],
                identities: vec![None; parts.min(MAX_ELEMENTS)],
                sample: 0,
                refuses: false,
            });
            nodes.len() - 1
        });
        match from {
            Some((parent, at)) => self.link(parent, at, Slot::To(id)),
            None if self.graph.root.is_none() => {
                self.graph.root = Some(id);
                self.changed = true;
            }
            None => self.graph.incomplete |= self.graph.root != Some(id),
        }
        id
    }

    fn link(&mut self, parent: Id, at: usize, to: Slot) {
        let Some(slot) = self.graph.nodes[parent].slots.get_mut(at) else {
            return;
        };
        match *slot {
            Slot::Unseen | Slot::Hidden => {
                *slot = to;
                self.changed = true;
            }
            // What is asked for depends on values, which no single graph shows.
            seen => self.graph.incomplete |= seen != to,
        }
    }

    /// Notes which identifier of the type the name at `at` stands for; false if an earlier name
    /// stands for the same.
    fn identify(&mut self, id: Id, at: usize, identity: Option<u64>) -> bool {
        let node = &mut self.graph.nodes[id];
        let Some(identity) = identity else {
            return true;
        };
        node.identities[at] = Some(identity);
        match node.identities[..at]
            .iter()
            .position(|known| *known == Some(identity))
        {
            Some(first) => {
                self.changed |= node.slots[at] != Slot::Alias(first);
                node.slots[at] = Slot::Alias(first);
                false
            }
            None => true,
        }
    }

    /// The sample of this node was refused: another one next time, unless a part of it has
    /// already changed its own.
    fn refused(&mut self, id: Id) {
        let node = &mut self.graph.nodes[id];
        node.refuses = true;
        if !self.changed && node.sample + 1 < samples(node.hint) {
            node.sample += 1;
            self.changed = true;
        }
    }
}

/// How many samples there are to try.
fn samples(hint: Hint) -> usize {
    match hint {
        Hint::Leaf(Leaf::String) => STRINGS.len(),
        Hint::Leaf(Leaf::Bytes) => BYTES.len(),
        Hint::Leaf(Leaf::Char | Leaf::Unit | Leaf::Identifier) => 1,
        // Zero and one, absent and present, empty and of one element.
        Hint::Leaf(_) | Hint::Option | Hint::Seq | Hint::Map => 2,
        Hint::Enum(_, variants) => variants.len(),
        Hint::Any(_) => 4,
        _ => 1,
    }
}

/// Which derived identifier a name was read as. An identifier derived by serde is an enum without
/// fields, so its discriminant says which; others say nothing.
fn identity<T>(identifier: &T) -> Option<u64> {
    type_name::<T>().ends_with("::__Field").then(|| {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(identifier).hash(&mut hasher);
        hasher.finish()
    })
}

/// What to do with a value: go on to a part of it, or make a sample.
#[derive(Clone, Copy)]
enum Way<'a> {
    Steer(&'a [usize]),
    Sample,
}

/// The probing deserializer.
#[derive(Clone, Copy)]
struct Probe<'a> {
    tracer: &'a RefCell<Tracer>,
    /// The slot whose value is read.
    from: Option<(Id, usize)>,
    way: Way<'a>,
    /// The type that is read.
    asked: &'static str,
}

/// The parts of a node as they are offered to its visitor.
struct Parts<'a> {
    tracer: &'a RefCell<Tracer>,
    id: Id,
    /// The slots offered, and among them the one steered to.
    offer: std::ops::Range<usize>,
    steer: Option<(usize, &'a [usize])>,
}

impl<'a> Probe<'a> {
    fn enter<'de, V: Visitor<'de>>(self, hint: Hint, _: &V) -> Id {
        let label = type_name::<V::Value>();
        self.tracer
            .borrow_mut()
            .enter(self.from, hint, type_name::<V>(), label)
    }

    /// Notes the hint and lets the visitor see the parts. `visit` is told which sample to make of
    /// them, or which variant.
    fn parts<'de, V: Visitor<'de>>(
        self,
        hint: Hint,
        visitor: V,
        visit: impl FnOnce(V, Parts<'a>, usize) -> Result<V::Value, Refusal>,
    ) -> Result<V::Value, Refusal> {
        let id = self.enter(hint, &visitor);
        match self.way {
            Way::Steer(path) => {
                let (&at, rest) = path.split_first().ok_or(Refusal)?;
                let slots = self.tracer.borrow().graph.nodes[id].slots.len();
                if at >= slots {
                    return Err(Refusal);
                }
                let parts = Parts {
                    tracer: self.tracer,
                    id,
                    offer: 0..slots,
                    steer: Some((at, rest)),
                };
                let sample = match hint {
                    Hint::Enum(..) => at,
                    // The second sample is the one with something in it.
                    _ => 1,
                };
                visit(visitor, parts, sample)
            }
            Way::Sample => self.sample(id, |sample, slots| {
                let parts = Parts {
                    tracer: self.tracer,
                    id,
                    offer: 0..slots,
                    steer: None,
                };
                visit(visitor, parts, sample)
            }),
        }
    }

    fn sample<T>(
        self,
        id: Id,
        make: impl FnOnce(usize, usize) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (sample, slots) = {
            let mut tracer = self.tracer.borrow_mut();
            tracer.samples += 1;
            if tracer.samples > MAX_SAMPLES || tracer.sampling.contains(&id) {
                return Err(Refusal);
            }
            tracer.sampling.push(id);
            let node = &tracer.graph.nodes[id];
            (node.sample, node.slots.len())
        };
        let made = make(sample, slots);
        let mut tracer = self.tracer.borrow_mut();
        tracer.sampling.pop();
        if made.is_err() && tracer.samples <= MAX_SAMPLES {
            tracer.refused(id);
        }
        made
    }

    /// A leaf has nothing to steer to: its sample tells whether the visitor takes it.
    fn leaf<'de, V: Visitor<'de>>(
        self,
        leaf: Leaf,
        visitor: V,
        visit: impl FnOnce(V, usize) -> Result<V::Value, Refusal>,
    ) -> Result<V::Value, Refusal> {
        let id = self.enter(Hint::Leaf(leaf), &visitor);
        self.sample(id, |sample, _| visit(visitor, sample))
    }
}

impl<'a> Parts<'a> {
    /// The next slot to offer, aliases left out, and a probe for its value.
    fn next(&mut self) -> Option<(usize, Way<'a>)> {
        loop {
            let at = self.offer.next()?;
            let way = match self.steer {
                Some((steered, rest)) if steered == at => return Some((at, Way::Steer(rest))),
                _ => Way::Sample,
            };
            if !matches!(
                self.tracer.borrow().graph.nodes[self.id].slots[at],
                Slot::Alias(_)
            ) {
                return Some((at, way));
            }
        }
    }

    fn read<'de, S: DeserializeSeed<'de>>(
        &self,
        at: usize,
        way: Way<'a>,
        seed: S,
    ) -> Result<S::Value, Refusal> {
        seed.deserialize(Probe {
            tracer: self.tracer,
            from: Some((self.id, at)),
            way,
            asked: type_name::<S::Value>(),
        })
    }

    /// Reads a field's or variant's name; fails where it is another name of an earlier one.
    fn read_name<'de, S: DeserializeSeed<'de>>(
        &self,
        at: usize,
        seed: S,
    ) -> Result<S::Value, Refusal> {
        let name = self.tracer.borrow().graph.nodes[self.id].names()[at];
        let identifier = seed.deserialize(StrDeserializer::<Refusal>::new(name))?;
        let identity = identity(&identifier);
        match self.tracer.borrow_mut().identify(self.id, at, identity) {
            true => Ok(identifier),
            false => Err(Refusal),
        }
    }
}

macro_rules! leaves {
    ($($method:ident => $leaf:ident, $visit:ident($sample:expr),)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.leaf(Leaf::$leaf, visitor, |visitor, sample| visitor.$visit($sample(sample)))
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refusal;

    leaves! {
        deserialize_bool => Bool, visit_bool(|n| n == 1),
        deserialize_i8 => I8, visit_i8(|n| n as i8),
        deserialize_i16 => I16, visit_i16(|n| n as i16),
        deserialize_i32 => I32, visit_i32(|n| n as i32),
        deserialize_i64 => I64, visit_i64(|n| n as i64),
        deserialize_i128 => I128, visit_i128(|n| n as i128),
        deserialize_u8 => U8, visit_u8(|n| n as u8),
        deserialize_u16 => U16, visit_u16(|n| n as u16),
        deserialize_u32 => U32, visit_u32(|n| n as u32),
        deserialize_u64 => U64, visit_u64(|n| n as u64),
        deserialize_u128 => U128, visit_u128(|n| n as u128),
        deserialize_f32 => F32, visit_f32(|n| n as f32),
        deserialize_f64 => F64, visit_f64(|n| n as f64),
        deserialize_char => Char, visit_char(|_| 'a'),
        deserialize_str => String, visit_str(|n: usize| STRINGS[n]),
        deserialize_string => String, visit_str(|n: usize| STRINGS[n]),
        deserialize_bytes => Bytes, visit_bytes(|n: usize| BYTES[n]),
        deserialize_byte_buf => Bytes, visit_bytes(|n: usize| BYTES[n]),
        deserialize_identifier => Identifier, visit_str(|_| ""),
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf(Leaf::Unit, visitor, |visitor, _| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter(Hint::UnitStruct(name), &visitor);
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.parts(
            Hint::Option,
            visitor,
            |visitor, mut parts, sample| match sample {
                0 => visitor.visit_none(),
                _ => visitor.visit_some(parts.only()),
            },
        )
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.parts(Hint::Newtype(name), visitor, |visitor, mut parts, _| {
            visitor.visit_newtype_struct(parts.only())
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.parts(Hint::Seq, visitor, |visitor, mut parts, sample| {
            parts.offer.end = sample;
            visitor.visit_seq(parts)
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.parts(Hint::Tuple(len), visitor, |visitor, parts, _| {
            visitor.visit_seq(parts)
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let hint = Hint::TupleStruct(name, len);
        self.parts(hint, visitor, |visitor, parts, _| visitor.visit_seq(parts))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.parts(Hint::Map, visitor, |visitor, mut parts, sample| {
            parts.offer.end = sample * 2;
            visitor.visit_map(Pairs(parts))
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.parts(Hint::Struct(name, fields), visitor, |visitor, parts, _| {
            visitor.visit_map(Fields::of(parts))
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.parts(
            Hint::Enum(name, variants),
            visitor,
            |visitor, mut parts, variant| {
                parts.offer = variant..parts.offer.end.min(variant + 1);
                visitor.visit_enum(parts)
            },
        )
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let id = self.enter(Hint::Any(self.asked), &visitor);
        self.sample(id, |sample, _| match sample {
            0 => visitor.visit_unit(),
            1 => visitor.visit_str(""),
            2 => visitor.visit_u64(0),
            _ => visitor.visit_bool(false),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_any(visitor)
    }

    /// As both formats are.
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'a> Parts<'a> {
    /// The only slot of an option or a newtype.
    fn only(&mut self) -> Probe<'a> {
        let (at, way) = self.next().expect("one slot");
        let asked = self.tracer.borrow().graph.nodes[self.id].label;
        Probe {
            tracer: self.tracer,
            from: Some((self.id, at)),
            way,
            asked,
        }
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        match self.next() {
            Some((at, way)) => self.read(at, way, seed).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.offer.len())
    }
}

/// The one entry of a map: slot 0 is the key, slot 1 the value.
struct Pairs<'a>(Parts<'a>);

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        de::SeqAccess::next_element_seed(&mut self.0, seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        de::SeqAccess::next_element_seed(&mut self.0, seed)?.ok_or(Refusal)
    }
}

/// The fields of a struct: all of them for a sample, else only the one steered to.
struct Fields<'a> {
    parts: Parts<'a>,
    current: Option<(usize, Way<'a>)>,
}

impl<'a> Fields<'a> {
    fn of(mut parts: Parts<'a>) -> Fields<'a> {
        if let Some((at, _)) = parts.steer {
            parts.offer = at..at + 1;
        }
        Fields {
            parts,
            current: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        self.current = self.parts.next();
        match self.current {
            Some((at, _)) => self.parts.read_name(at, seed).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        let (at, way) = self.current.take().ok_or(Refusal)?;
        self.parts.read(at, way, seed)
    }
}

impl<'de, 'a> de::EnumAccess<'de> for Parts<'a> {
    type Error = Refusal;
    type Variant = Payload<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        mut self,
        seed: S,
    ) -> Result<(S::Value, Payload<'a>), Refusal> {
        let (at, way) = self.next().ok_or(Refusal)?;
        let variant = self.read_name(at, seed)?;
        Ok((
            variant,
            Payload {
                parts: self,
                at,
                way,
            },
        ))
    }
}

/// The payload of a variant.
struct Payload<'a> {
    parts: Parts<'a>,
    at: usize,
    way: Way<'a>,
}

impl<'a> Payload<'a> {
    fn probe(self) -> Probe<'a> {
        let Payload {
            parts: Parts { tracer, id, .. },
            at,
            way,
        } = self;
        Probe {
            tracer,
            from: Some((id, at)),
            way,
            asked: "",
        }
    }
}

impl<'de> de::VariantAccess<'de> for Payload<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        self.parts
            .tracer
            .borrow_mut()
            .link(self.parts.id, self.at, Slot::Nothing);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refusal> {
        self.parts.read(self.at, self.way, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        let hint = Hint::Arguments(len);
        self.probe()
            .parts(hint, visitor, |visitor, parts, _| visitor.visit_seq(parts))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.probe()
            .parts(Hint::Fields(fields), visitor, |visitor, parts, _| {
                visitor.visit_map(Fields::of(parts))
            })
    }
}

/// The one error of a pass; nobody reads it.
#[derive(Debug)]
struct Refusal;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(_: T) -> Refusal {
        Refusal
    }
}
