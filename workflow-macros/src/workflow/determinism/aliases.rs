//! The other names that a function gives to paths: by `use` and `type` within it.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Block, Item, PatIdent, Signature, Type, UseTree};

use super::super::mark;

pub(super) struct Aliases {
    meant: BTreeMap<String, Vec<String>>,
    /// What `use …::*` imports from.
    globs: Vec<Vec<String>>,
    /// Bindings and functions of the function's own, which a name may mean instead.
    own: BTreeSet<String>,
}

impl Aliases {
    pub(super) fn of(sig: &Signature, body: &Block) -> Self {
        let mut aliases = Self {
            meant: BTreeMap::new(),
            globs: Vec::new(),
            own: BTreeSet::new(),
        };
        aliases.visit_signature(sig);
        aliases.visit_block(body);
        aliases
    }

    /// The paths that the words of one may mean.
    pub(super) fn meant_by(&self, words: &[String]) -> Vec<Vec<String>> {
        let [first, rest @ ..] = words else {
            return Vec::new();
        };
        if rest.is_empty() && self.own.contains(first) {
            return Vec::new();
        }
        let joined = |path: &[String], rest: &[String]| [path, rest].concat();
        match self.meant.get(first) {
            Some(path) => vec![joined(path, rest)],
            None if rest.is_empty() => {
                let globs = self.globs.iter();
                globs.map(|path| joined(path, words)).collect()
            }
            None => vec![words.to_vec()],
        }
    }

    fn import(&mut self, path: &[String], tree: &UseTree) {
        let with = |name| [path, &[mark::plain(name)]].concat();
        match tree {
            UseTree::Path(tree) => self.import(&with(&tree.ident), &tree.tree),
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = path.last() {
                    self.meant.insert(last.clone(), path.to_vec());
                }
            }
            UseTree::Name(name) => {
                let meant = with(&name.ident);
                self.meant.insert(mark::plain(&name.ident), meant);
            }
            UseTree::Rename(name) => {
                let meant = match name.ident == "self" {
                    true => path.to_vec(),
                    false => with(&name.ident),
                };
                self.meant.insert(mark::plain(&name.rename), meant);
            }
            UseTree::Glob(_) => self.globs.push(path.to_vec()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(path, tree);
                }
            }
        }
    }
}

impl Visit<'_> for Aliases {
    fn visit_item(&mut self, item: &Item) {
        match item {
            Item::Use(item) => self.import(&[], &item.tree),
            Item::Type(item) => {
                if let Type::Path(ty) = &*item.ty
                    && ty.qself.is_none()
                {
                    let words = ty.path.segments.iter();
                    let words = words.map(|segment| mark::plain(&segment.ident)).collect();
                    self.meant.insert(mark::plain(&item.ident), words);
                }
            }
            Item::Fn(item) => drop(self.own.insert(mark::plain(&item.sig.ident))),
            _ => {}
        }
    }

    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.own.insert(mark::plain(&pattern.ident));
        visit::visit_pat_ident(self, pattern);
    }
}
