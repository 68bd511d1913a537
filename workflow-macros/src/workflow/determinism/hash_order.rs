//! The order of a `HashMap`'s or `HashSet`'s items, which is another in every process.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprMethodCall, FnArg, Item, Local, Pat, PatIdent, Path, Signature, Stmt, Type,
};

use super::super::mark;
use super::aliases::Aliases;
use crate::code;
use crate::report::Report;

/// Methods that give the items, in their order.
const ITERATING: [&str; 10] = [
    "drain",
    "extract_if",
    "into_iter",
    "into_keys",
    "into_values",
    "iter",
    "iter_mut",
    "keys",
    "values",
    "values_mut",
];

/// Methods of iterators whose result is the same in any order.
const SETTLING: [&str; 9] = [
    "all", "any", "count", "is_empty", "len", "max", "min", "product", "sum",
];

/// The bindings that are seen to be hash maps or hash sets.
pub(super) struct Unordered {
    /// By name: how many bindings there are of it, and how many of them are such.
    names: BTreeMap<String, (usize, usize)>,
    aliases: Aliases,
}

/// A chain of methods that begins with the items of a hash map or hash set.
pub(super) struct Chain<'a> {
    pub(super) name: String,
    pub(super) calls: Vec<&'a ExprMethodCall>,
    /// Whether what it gives is the same in any order.
    pub(super) is_settled: bool,
}

impl Unordered {
    pub(super) fn of(sig: &Signature, body: &Block) -> Self {
        let mut unordered = Self {
            names: BTreeMap::new(),
            aliases: Aliases::of(sig, body),
        };
        for input in &sig.inputs {
            if let FnArg::Typed(typed) = input {
                unordered.visit_pat(&typed.pat);
                if unordered.is_hash_type(&typed.ty) {
                    unordered.note(&typed.pat);
                }
            }
        }
        unordered.visit_block(body);
        unordered
    }

    fn note(&mut self, pattern: &Pat) {
        if let Pat::Ident(pattern) = pattern {
            let name = mark::plain(&pattern.ident);
            self.names.entry(name).or_default().1 += 1;
        }
    }

    /// The name of a local that is surely a hash map or hash set, whichever of that name it is.
    pub(super) fn local(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Path(path) => {
                let name = mark::plain(path.path.get_ident()?);
                let (all, such) = self.names.get(&name)?;
                (all == such).then_some(name)
            }
            Expr::Reference(expr) => self.local(&expr.expr),
            Expr::Paren(expr) => self.local(&expr.expr),
            _ => None,
        }
    }

    pub(super) fn chain<'a>(&self, expr: &'a Expr) -> Option<Chain<'a>> {
        let mut calls = Vec::new();
        let mut root = expr;
        while let Expr::MethodCall(call) = root {
            calls.push(call);
            root = &call.receiver;
        }
        let (last, first) = (calls.first()?, calls.last()?);
        let name = self.local(root)?;
        let is_in =
            |names: &[&str], call: &ExprMethodCall| names.iter().any(|known| call.method == known);
        let collected = last.method == "collect" && names_a_set(last.turbofish.to_token_stream());
        is_in(&ITERATING, first).then(|| Chain {
            name,
            is_settled: collected || is_in(&SETTLING, last),
            calls,
        })
    }

    fn is_hash_type(&self, ty: &Type) -> bool {
        matches!(ty, Type::Path(path) if self.is_hash(&path.path, 1))
    }

    /// Whether a path's word, so many from its end, is that of a hash map or hash set.
    fn is_hash(&self, path: &Path, from_end: usize) -> bool {
        let words: Vec<String> = (path.segments.iter())
            .map(|segment| mark::plain(&segment.ident))
            .collect();
        let meant = self.aliases.meant_by(&words);
        let meant = if meant.is_empty() { vec![words] } else { meant };
        meant.iter().any(|words| {
            let at = words.len().checked_sub(from_end);
            at.is_some_and(|at| words[at] == "HashMap" || words[at] == "HashSet")
        })
    }

    fn is_hash_value(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Call(call) => {
                matches!(&*call.func, Expr::Path(function) if self.is_hash(&function.path, 2))
            }
            Expr::MethodCall(call) if call.method == "collect" => {
                let text = call.turbofish.to_token_stream().to_string();
                text.contains("HashMap") || text.contains("HashSet")
            }
            _ => false,
        }
    }
}

impl Visit<'_> for Unordered {
    fn visit_local(&mut self, local: &Local) {
        let (pattern, stated) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(self.is_hash_type(&typed.ty))),
            pattern => (pattern, None),
        };
        let value = || {
            let init = local.init.as_ref();
            init.is_some_and(|init| self.is_hash_value(&init.expr))
        };
        if stated.unwrap_or_else(value) {
            self.note(pattern);
        }
        visit::visit_local(self, local);
    }

    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        let name = mark::plain(&pattern.ident);
        self.names.entry(name).or_default().0 += 1;
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_item(&mut self, _: &Item) {}
}

/// Whether a statement leaves the order aside: it collects into a set or map, or what it binds is
/// sorted by the next statement.
pub(super) fn is_settled(stmt: &Stmt, next: Option<&Stmt>) -> bool {
    let Stmt::Local(local) = stmt else {
        return false;
    };
    let pattern = match &local.pat {
        Pat::Type(typed) if names_a_set(typed.ty.to_token_stream()) => return true,
        Pat::Type(typed) => &typed.pat,
        pattern => pattern,
    };
    let (Pat::Ident(pattern), Some(Stmt::Expr(Expr::MethodCall(call), _))) = (pattern, next) else {
        return false;
    };
    let sorts = call.method.to_string().starts_with("sort");
    sorts && matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(&pattern.ident))
}

fn names_a_set(ty: TokenStream) -> bool {
    let text = ty.to_string();
    let kinds = ["BTreeMap", "BTreeSet", "HashMap", "HashSet"];
    kinds.iter().any(|kind| text.contains(kind))
}

pub(super) fn refuse(report: &Report, tokens: impl ToTokens, name: &str) {
    report.error_on(
        code::HASH_ORDER,
        tokens,
        format!(
            "the items of `{name}` have another order in every process\n\
             a step that is taken again after a crash would go another way than the first time\n\
             help: make `{name}` a `BTreeMap` or `BTreeSet`, or sort: `let mut items: Vec<_> = {name}.into_iter().collect(); items.sort();`"
        ),
    );
}
