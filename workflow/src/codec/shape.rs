use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{LazyLock, PoisonError, RwLock};

use siphasher::sip::SipHasher13;

use super::Persist;
use super::error::ShapeName;
use super::graph::{Expected, Graph, Hint, Id, Leaf, Slot};
use super::tracer;

/// Nodes written into one text. Types that use each other many times over grow exponentially.
const MAX_NODES: usize = 4096;

/// Stands for what the text leaves out or the tracer did not see.
const UNSEEN: &str = "…";

/// The structure of a type, as its `Deserialize` shows it.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// struct Item { name: String, quantity: Option<u32> }
///
/// let shape = workflow::codec::shape::<Vec<Item>>();
/// assert_eq!(shape.text, "[Item { name: String, quantity: Option<u32> }]");
/// ```
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Shape {
    /// A readable description. Names of structs, fields and variants, their order and their types
    /// are in it; modules are not.
    pub text: String,
    /// A hash of the whole structure, also of what the text leaves out.
    pub hash: u64,
}

impl Shape {
    /// The shape as an error shows it.
    pub(super) fn name(&'static self) -> ShapeName {
        ShapeName {
            hash: self.hash,
            text: Some(&self.text),
        }
    }
}

/// What the process knows of a type it saves.
pub(super) struct Record {
    pub(super) shape: Shape,
    pub(super) expected: Expected,
    /// Whether parts of the type are unknown, so that every value must be read back.
    pub(super) unsure: bool,
    /// Whether bincode may be tried. Goes to false for good.
    pub(super) bincode: AtomicBool,
    /// How many values were written with bincode.
    pub(super) saved: AtomicUsize,
}

static RECORDS: LazyLock<RwLock<HashMap<TypeId, &'static Record>>> =
    LazyLock::new(Default::default);

/// The shape of a type. Traced once in a process, cheap afterwards.
pub fn shape<T: Persist>() -> &'static Shape {
    &record::<T>().shape
}

pub(super) fn record<T: Persist>() -> &'static Record {
    let id = TypeId::of::<T>();
    if let Some(record) = RECORDS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
    {
        return record;
    }
    // Tracing runs the user's code, so no lock is held; another thread may be doing the same.
    let graph = tracer::trace::<T>();
    let text = Writer::write(&graph, false);
    // With every node written once, nothing need be left out.
    let hash = hash_text(&Writer::write(&graph, true));
    let mut records = RECORDS.write().unwrap_or_else(PoisonError::into_inner);
    records.entry(id).or_insert_with(|| {
        Box::leak(Box::new(Record {
            shape: Shape { text, hash },
            expected: graph.expected(),
            unsure: graph.incomplete,
            bincode: AtomicBool::new(!graph.self_describing()),
            saved: AtomicUsize::new(0),
        }))
    })
}

/// What an error can say of a shape known by its hash alone.
pub(super) fn name_of(hash: u64) -> ShapeName {
    let records = RECORDS.read().unwrap_or_else(PoisonError::into_inner);
    let known = records.values().find(|record| record.shape.hash == hash);
    known.map_or(ShapeName { hash, text: None }, |record| record.shape.name())
}

/// A hash that is the same on every platform and in every release: SipHash-1-3 with fixed keys.
pub fn hash_text(text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x776f_726b_666c_6f77, 0x7368_6170_6520_7631);
    hasher.write(text.as_bytes());
    hasher.finish()
}

struct Writer<'a> {
    graph: &'a Graph,
    out: String,
    /// The nodes that the one being written stands in.
    path: Vec<Id>,
    written: usize,
    /// Those written already, where each is to be written once.
    once: Option<Vec<Id>>,
}

impl Writer<'_> {
    fn write(graph: &Graph, once: bool) -> String {
        let mut writer = Writer {
            graph,
            out: String::new(),
            path: Vec::new(),
            written: 0,
            once: once.then(Vec::new),
        };
        match graph.root {
            Some(root) => writer.node(root),
            None => writer.out.push_str("()"),
        }
        writer.out
    }

    fn node(&mut self, id: Id) {
        let node = &self.graph.nodes[id];
        if let Some(once) = &mut self.once
            && !matches!(node.hint, Hint::Leaf(_))
        {
            if let Some(place) = once.iter().position(|known| *known == id) {
                let _ = write!(self.out, "#{place}");
                return;
            }
            once.push(id);
        }
        if self.path.contains(&id) {
            let name = match node.hint {
                Hint::Newtype(name)
                | Hint::TupleStruct(name, _)
                | Hint::Struct(name, _)
                | Hint::Enum(name, _) => name,
                _ => "",
            };
            let _ = write!(self.out, "{name}(^)");
            return;
        }
        self.written += 1;
        if self.written > MAX_NODES && self.once.is_none() {
            self.out.push_str(UNSEEN);
            return;
        }
        self.path.push(id);
        match node.hint {
            Hint::Leaf(leaf) => {
                self.out.push_str(leaf_name(leaf));
                // The standard library's checked numbers have moved about; strings and bytes that
                // are refused are users' types.
                if node.refuses && matches!(leaf, Leaf::String | Leaf::Bytes) {
                    let _ = write!(self.out, " as {}", last_segments(node.label));
                }
            }
            Hint::Any(asked) => {
                let _ = write!(self.out, "any as {}", last_segments(asked));
            }
            Hint::Option => self.around("Option<", ">", |w| w.slot(node.slots[0])),
            Hint::Seq => self.around("[", "]", |w| w.slot(node.slots[0])),
            Hint::Map if self.is_flattened(node.slots[0]) => {
                let _ = write!(self.out, "flattened as {}", last_segments(node.label));
            }
            Hint::Map => self.around("{", "}", |w| {
                w.slot(node.slots[0]);
                w.out.push_str(": ");
                w.slot(node.slots[1]);
            }),
            Hint::UnitStruct(name) => self.out.push_str(name),
            Hint::Newtype(name) => {
                self.out.push_str(name);
                self.around("(", ")", |w| w.slot(node.slots[0]));
            }
            Hint::Tuple(len) => self.elements(&node.slots, len),
            Hint::TupleStruct(name, len) => {
                self.out.push_str(name);
                self.elements(&node.slots, len);
            }
            Hint::Arguments(len) => self.elements(&node.slots, len),
            Hint::Struct(name, _) => {
                self.out.push_str(name);
                self.fields(id);
            }
            Hint::Fields(_) => self.fields(id),
            Hint::Enum(name, _) => {
                let _ = write!(self.out, "enum {name}");
                self.named(id, |w, slot| w.payload(slot));
            }
        }
        self.path.pop();
    }

    fn is_flattened(&self, key: Slot) -> bool {
        matches!(key, Slot::To(id) if self.graph.nodes[id].hint == Hint::Leaf(Leaf::Identifier))
    }

    fn slot(&mut self, slot: Slot) {
        match slot {
            Slot::To(id) => self.node(id),
            _ => self.out.push_str(UNSEEN),
        }
    }

    fn around(&mut self, open: &str, close: &str, inner: impl FnOnce(&mut Self)) {
        self.out.push_str(open);
        inner(self);
        self.out.push_str(close);
    }

    /// A tuple, or an array: serde does not tell them apart, so a long one of equal elements is
    /// written as an array.
    fn elements(&mut self, slots: &[Slot], len: usize) {
        if len > 4 && slots.iter().all(|slot| *slot == slots[0]) {
            return self.around("[", &format!("; {len}]"), |w| w.slot(slots[0]));
        }
        self.around("(", ")", |w| {
            for (at, &slot) in slots.iter().enumerate() {
                if at > 0 {
                    w.out.push_str(", ");
                }
                w.slot(slot);
            }
            match len {
                1 => w.out.push(','),
                _ if len > slots.len() => w.out.push_str(", …"),
                _ => {}
            }
        });
    }

    fn fields(&mut self, id: Id) {
        self.named(id, |w, slot| {
            w.out.push_str(": ");
            w.slot(slot);
        });
    }

    /// ` { name …, name|alias … }`
    fn named(&mut self, id: Id, mut value: impl FnMut(&mut Self, Slot)) {
        let node = &self.graph.nodes[id];
        self.out.push_str(" {");
        let mut separator = " ";
        for (at, (name, &slot)) in node.names().iter().zip(&node.slots).enumerate() {
            if matches!(slot, Slot::Alias(_)) {
                continue;
            }
            self.out.push_str(separator);
            self.out.push_str(name);
            for (alias, other) in node.names().iter().zip(&node.slots) {
                if *other == Slot::Alias(at) {
                    let _ = write!(self.out, "|{alias}");
                }
            }
            value(self, slot);
            separator = ", ";
        }
        self.out.push_str(if separator == " " { "}" } else { " }" });
    }

    fn payload(&mut self, slot: Slot) {
        match slot {
            Slot::Nothing => {}
            Slot::To(id)
                if matches!(
                    self.graph.nodes[id].hint,
                    Hint::Arguments(_) | Hint::Fields(_)
                ) =>
            {
                self.node(id);
            }
            _ => self.around("(", ")", |w| w.slot(slot)),
        }
    }
}

fn leaf_name(leaf: Leaf) -> &'static str {
    match leaf {
        Leaf::Bool => "bool",
        Leaf::I8 => "i8",
        Leaf::I16 => "i16",
        Leaf::I32 => "i32",
        Leaf::I64 => "i64",
        Leaf::I128 => "i128",
        Leaf::U8 => "u8",
        Leaf::U16 => "u16",
        Leaf::U32 => "u32",
        Leaf::U64 => "u64",
        Leaf::U128 => "u128",
        Leaf::F32 => "f32",
        Leaf::F64 => "f64",
        Leaf::Char => "char",
        Leaf::String => "String",
        Leaf::Bytes => "bytes",
        Leaf::Unit => "()",
        Leaf::Identifier => "identifier",
    }
}

/// A type's name without its modules and lifetimes: `Vec<url::Url>` as `Vec<Url>`.
fn last_segments(name: &str) -> String {
    let name = name.replace("<'_>", "").replace("'_, ", "");
    let mut out = String::new();
    let mut segment = 0;
    for c in name.chars() {
        if c == ':' {
            out.truncate(segment);
            continue;
        }
        out.push(c);
        if !(c.is_alphanumeric() || c == '_') {
            segment = out.len();
        }
    }
    out
}
