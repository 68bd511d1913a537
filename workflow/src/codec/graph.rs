//! The structure of a type, as a graph of what its `Deserialize` asks for.

use std::collections::{HashMap, VecDeque};

pub(super) type Id = usize;

/// What a type asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hint {
    Leaf(Leaf),
    Option,
    Seq,
    Map,
    Tuple(usize),
    UnitStruct(&'static str),
    Newtype(&'static str),
    TupleStruct(&'static str, usize),
    Struct(&'static str, &'static [&'static str]),
    Enum(&'static str, &'static [&'static str]),
    /// The payload of a tuple variant.
    Arguments(usize),
    /// The payload of a struct variant.
    Fields(&'static [&'static str]),
    /// Whatever comes next, by a type of this name: only a self-describing format can answer.
    Any(&'static str),
}

/// What has no parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Leaf {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    String,
    Bytes,
    Unit,
    /// The key of a flattened struct, which only a self-describing format can give.
    Identifier,
}

/// What stands behind a part of a node: a field, an element, a variant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot {
    Unseen,
    To(Id),
    /// A unit variant.
    Nothing,
    /// The same as an earlier slot, under another name.
    Alias(usize),
    /// Never reached: something before it refuses every sample.
    Hidden,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) hint: Hint,
    /// The name of the type made of it.
    pub(super) label: &'static str,
    pub(super) slots: Vec<Slot>,
    /// For fields and variants: which identifier of the type each name stands for.
    pub(super) identities: Vec<Option<u64>>,
    /// Which sample to offer.
    pub(super) sample: usize,
    /// Whether it refused one.
    pub(super) refuses: bool,
}

impl Node {
    /// The names of the fields or variants, one for each slot.
    pub(super) fn names(&self) -> &'static [&'static str] {
        match self.hint {
            Hint::Struct(_, names) | Hint::Enum(_, names) | Hint::Fields(names) => names,
            _ => &[],
        }
    }

    /// How many fields or variants there are, whatever their names.
    fn len(&self) -> usize {
        self.slots
            .iter()
            .filter(|slot| !matches!(slot, Slot::Alias(_)))
            .count()
    }
}

/// The structure of a type.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<Id>,
    /// Whether some part of the type may not be in the graph.
    pub(super) incomplete: bool,
}

impl Graph {
    /// Whether only a self-describing format can be read as this type.
    pub(super) fn self_describing(&self) -> bool {
        self.nodes
            .iter()
            .any(|node| matches!(node.hint, Hint::Any(_) | Hint::Leaf(Leaf::Identifier)))
    }

    /// The way from the root to the nearest part not yet seen, as slots.
    pub(super) fn unseen(&self) -> Option<Vec<usize>> {
        let root = self.root?;
        let mut came_from: HashMap<Id, Option<(Id, usize)>> = HashMap::from([(root, None)]);
        let mut queue = VecDeque::from([root]);
        while let Some(id) = queue.pop_front() {
            for (at, slot) in self.nodes[id].slots.iter().enumerate() {
                match *slot {
                    Slot::Unseen => {
                        let mut path = vec![at];
                        let mut step = came_from[&id];
                        while let Some((parent, slot)) = step {
                            path.push(slot);
                            step = came_from[&parent];
                        }
                        path.reverse();
                        return Some(path);
                    }
                    Slot::To(next) if !came_from.contains_key(&next) => {
                        came_from.insert(next, Some((id, at)));
                        queue.push_back(next);
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Gives up the part at the end of a path.
    pub(super) fn hide(&mut self, path: &[usize]) {
        let Some((&last, way)) = path.split_last() else {
            return;
        };
        let root = self.root.expect("a path starts at the root");
        let id = way
            .iter()
            .fold(root, |id, &at| match self.nodes[id].slots[at] {
                Slot::To(next) => next,
                _ => unreachable!("a path leads through seen slots"),
            });
        self.nodes[id].slots[last] = Slot::Hidden;
        self.incomplete = true;
    }

    /// What the guard compares written values with.
    pub(super) fn expected(&self) -> Expected {
        let mut expected = Expected {
            structs: Vec::new(),
            enums: Vec::new(),
        };
        for node in &self.nodes {
            match node.hint {
                Hint::Struct(name, _) => expected.structs.push((name, node.len())),
                Hint::Enum(name, _) => expected.enums.push((name, self.variants(node))),
                _ => {}
            }
        }
        expected
    }

    fn variants(&self, node: &Node) -> Vec<Variant> {
        let mut variants: Vec<Variant> = Vec::new();
        let mut index_of = Vec::new();
        for (&name, slot) in node.names().iter().zip(&node.slots) {
            if let Slot::Alias(first) = *slot {
                let index: usize = index_of[first];
                index_of.push(index);
                variants[index].names.push(name);
                continue;
            }
            index_of.push(variants.len());
            let len = match *slot {
                Slot::To(id) => match self.nodes[id].hint {
                    Hint::Arguments(len) => Some(len),
                    Hint::Fields(_) => Some(self.nodes[id].len()),
                    _ => None,
                },
                _ => None,
            };
            variants.push(Variant {
                names: vec![name],
                len,
            });
        }
        variants
    }
}

/// How structs and enums are read, by their serde names. A name may stand for several types; one
/// that never appears says nothing.
pub(super) struct Expected {
    structs: Vec<(&'static str, usize)>,
    enums: Vec<(&'static str, Vec<Variant>)>,
}

struct Variant {
    names: Vec<&'static str>,
    len: Option<usize>,
}

impl Expected {
    /// Whether a struct of this name is read with so many fields.
    pub(super) fn fields(&self, name: &str, len: usize) -> bool {
        fits(&self.structs, name, |&fields| fields == len)
    }

    /// Whether this variant is read at this index, with so many parts.
    pub(super) fn variant(
        &self,
        name: &str,
        index: u32,
        variant: &str,
        len: Option<usize>,
    ) -> bool {
        fits(&self.enums, name, |variants| {
            variants.get(index as usize).is_some_and(|read| {
                read.names.contains(&variant)
                    && (len.is_none() || read.len.is_none() || read.len == len)
            })
        })
    }
}

fn fits<T>(known: &[(&'static str, T)], name: &str, fits: impl Fn(&T) -> bool) -> bool {
    let mut found = known.iter().filter(|(known, _)| *known == name).peekable();
    found.peek().is_none() || found.any(|(_, read)| fits(read))
}
