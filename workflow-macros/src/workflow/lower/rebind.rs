//! References to the workflow's own places: they are not saved, but made again after an await.
//!
//! While the reference of `let name = &order.name;` is used, rustc lets nothing change the place,
//! so the same statement gives the same reference again. What a method gives need not borrow (an
//! `as_str` may give a literal), so there the bindings it is called on must be such as never change.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprClosure, ExprMethodCall, Pat, PatIdent, PatOr, PatReference, UnOp, parse_quote,
};

use super::super::flow::{LocalId, Rebind, bound};
use super::super::{mark, spell};
use super::Lowering;
use super::place::{is_constant, mentions};

/// Methods of the standard library that give a reference into what they are called on.
const ACCESSORS: [&str; 12] = [
    "as_bytes",
    "as_deref",
    "as_path",
    "as_ref",
    "as_slice",
    "as_str",
    "first",
    "last",
    "trim",
    "trim_end",
    "trim_matches",
    "trim_start",
];

/// Such as borrow it mutably, so that nothing else changes it meanwhile.
const MUTABLE_ACCESSORS: [&str; 6] = [
    "as_deref_mut",
    "as_mut",
    "back_mut",
    "first_mut",
    "front_mut",
    "last_mut",
];

/// Methods of the standard library that iterate over what they are called on, in its order.
const ITERATORS: [&str; 10] = [
    "bytes",
    "char_indices",
    "chars",
    "chunks",
    "chunks_exact",
    "lines",
    "rsplit",
    "split",
    "split_whitespace",
    "windows",
];

/// Such as borrow it for as long as the loop goes on, so that it does not change meanwhile.
const BORROWING_ITERATORS: [&str; 8] = [
    "chunks",
    "chunks_exact",
    "iter",
    "iter_mut",
    "keys",
    "values",
    "values_mut",
    "windows",
];

/// Methods of iterators that give another iterator, without calling code of the user's.
const ADAPTORS: [&str; 7] = [
    "cloned",
    "copied",
    "enumerate",
    "rev",
    "skip",
    "step_by",
    "take",
];

impl Lowering<'_> {
    /// Notes that the bindings of a pattern can be made again, when they look into a place.
    pub(super) fn rebind(&mut self, pattern: &Pat, value: &Expr) {
        let plain = match pattern {
            Pat::Type(typed) => &*typed.pat,
            // Which of several alternatives it was, the guard has decided.
            Pat::Guard(guarded) if has_alternatives(&guarded.pat) => return,
            Pat::Guard(guarded) => &*guarded.pat,
            pattern => pattern,
        };
        if let (Pat::Ident(_), Expr::Closure(closure)) = (plain, value) {
            self.rebind_closure(plain, closure);
        } else if self.gives_reference(value) && only_looks(plain) {
            let ty = match pattern {
                Pat::Type(typed) => Some(&typed.ty),
                _ => None,
            };
            let ty = ty.map(|ty| quote!(: #ty));
            // The parentheses are for alternatives.
            let tokens = quote! {
                let (#plain) #ty = #value else { ::std::unreachable!() };
            };
            self.rebind_as(plain, tokens, mentions(value));
        }
    }

    /// A closure over bindings that never change is the same wherever it is made.
    fn rebind_closure(&mut self, pattern: &Pat, closure: &ExprClosure) {
        let value = Expr::Closure(closure.clone());
        let inner = bound_within(closure);
        let mut roots = mentions(&value);
        roots.retain(|id| !inner.contains(id));
        // What it has taken with it is not there to make it again, but for copies.
        let keeps = closure.capture.is_none()
            || roots
                .iter()
                .all(|id| spell::is_scalar(&self.flow.locals[id.0]));
        if keeps && closure.asyncness.is_none() && self.never_changes_of(&roots) {
            let tokens = quote!(let #pattern = #value;);
            self.rebind_as(pattern, tokens, roots);
            if let Some(rebind) = self.flow.rebinds.last_mut() {
                rebind.closure = true;
            }
        }
    }

    /// Notes what makes the bindings of a pattern again.
    pub(super) fn rebind_as(
        &mut self,
        pattern: &Pat,
        tokens: TokenStream,
        roots: BTreeSet<LocalId>,
    ) {
        let binds = bound(pattern);
        for id in &binds {
            self.flow.locals[id.0].rebind = Some(self.flow.rebinds.len());
        }
        self.flow.rebinds.push(Rebind {
            tokens,
            binds,
            roots,
            closure: false,
        });
    }

    /// What a loop goes over, such that it can be made anew for every item: a reference to a
    /// collection, or an iterator of the standard library over one.
    pub(super) fn walked(&self, iterable: &Expr) -> Option<Expr> {
        match iterable {
            Expr::Reference(_) => self.gives_reference(iterable).then(|| iterable.clone()),
            Expr::Path(_) => {
                let local = &self.flow.locals[mark::local_in(iterable)?.0];
                let reference = local.rebind.is_some() && local.borrow.is_some();
                reference.then(|| iterable.clone())
            }
            Expr::Paren(expr) => self.walked(&expr.expr),
            Expr::MethodCall(call) if is_adaptor(call) => {
                let mut adapted = call.clone();
                *adapted.receiver = self.walked(&call.receiver)?;
                if call.method == "zip" {
                    adapted.args[0] = self.zipped(&call.args[0])?;
                } else if !call.args.iter().all(|arg| self.is_index_found_again(arg)) {
                    return None;
                }
                (!matches!(*call.receiver, Expr::Path(_) | Expr::Reference(_)))
                    .then_some(Expr::MethodCall(adapted))
            }
            Expr::MethodCall(call) => {
                let (place, method) = (&*call.receiver, &call.method);
                let borrows = is_in(&BORROWING_ITERATORS, method);
                let steady = call.args.iter().all(|arg| self.is_index_found_again(arg));
                if !steady || !self.is_found_again(place) {
                    None
                } else if method == "iter_mut" {
                    Some(parse_quote!(::std::iter::IntoIterator::into_iter(&mut #place)))
                } else if method == "iter" {
                    Some(parse_quote!(::std::iter::IntoIterator::into_iter(&#place)))
                } else if borrows || is_in(&ITERATORS, method) && self.never_changes(place) {
                    Some(iterable.clone())
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// What such an iterator is zipped with: another, or a range.
    fn zipped(&self, iterable: &Expr) -> Option<Expr> {
        match iterable {
            Expr::Range(_) => self
                .is_index_found_again(iterable)
                .then(|| iterable.clone()),
            Expr::Paren(expr) => self.zipped(&expr.expr),
            _ => self.walked(iterable),
        }
    }

    /// Sees to it that what a loop goes over can be made anew, if that fails only for numbers in it
    /// that change: `items.iter().skip(n)`.
    pub(super) fn steady(&mut self, iterable: &mut Expr) {
        let mut supposed = iterable.clone();
        numbers(&mut supposed, &mut |number| {
            if !self.is_index_found_again(number) {
                *number = parse_quote!(0);
            }
        });
        if self.walked(iterable).is_some() || self.walked(&supposed).is_none() {
            return;
        }
        numbers(iterable, &mut |number| {
            if !self.is_index_found_again(number) {
                let value = self.value(number.clone());
                *number = self.spill(&value);
                if let Some(id) = mark::local_in(number) {
                    self.flow.locals[id.0].mutable = false;
                }
            }
        });
    }

    /// Whether a value is a reference into a place that can be found again.
    pub(super) fn gives_reference(&self, value: &Expr) -> bool {
        match value {
            Expr::Reference(expr) => self.is_found_again(&expr.expr),
            Expr::Paren(expr) => self.gives_reference(&expr.expr),
            Expr::Group(expr) => self.gives_reference(&expr.expr),
            Expr::MethodCall(_) => self.is_access(value),
            _ => false,
        }
    }

    fn is_access(&self, value: &Expr) -> bool {
        let Expr::MethodCall(call) = value else {
            return false;
        };
        // `cell.get()` is something else.
        let looks_up = call.method == "get" && call.args.len() == 1;
        let for_change = is_in(&MUTABLE_ACCESSORS, &call.method) && call.args.is_empty()
            || call.method == "get_mut"
                && call.args.iter().all(|key| self.is_index_found_again(key));
        if for_change {
            return self.is_found_again(&call.receiver);
        }
        (is_in(&ACCESSORS, &call.method) && call.args.iter().all(is_constant)
            || looks_up && call.args.iter().all(|key| self.is_index_found_again(key)))
            && self.never_changes(&call.receiver)
            && self.is_found_again(&call.receiver)
    }

    fn is_found_again(&self, place: &Expr) -> bool {
        match place {
            Expr::Path(_) | Expr::Lit(_) => true,
            Expr::Field(expr) => self.is_found_again(&expr.base),
            Expr::Paren(expr) => self.is_found_again(&expr.expr),
            Expr::Group(expr) => self.is_found_again(&expr.expr),
            // A `&'static str` lends what it refers to without being borrowed itself.
            Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => {
                self.never_changes(&expr.expr) && self.is_found_again(&expr.expr)
            }
            Expr::Index(expr) => {
                (!matches!(*expr.index, Expr::Range(_)) || self.never_changes(&expr.expr))
                    && self.is_found_again(&expr.expr)
                    && self.is_index_found_again(&expr.index)
            }
            Expr::Array(_) | Expr::Tuple(_) => is_constant(place),
            _ => self.is_access(place),
        }
    }

    /// An index is not borrowed: it must be such as never changes.
    fn is_index_found_again(&self, index: &Expr) -> bool {
        let plain = match index {
            Expr::Range(range) => [&range.start, &range.end]
                .into_iter()
                .flatten()
                .all(|bound| self.is_index_found_again(bound)),
            Expr::Binary(binary) => {
                self.is_index_found_again(&binary.left) && self.is_index_found_again(&binary.right)
            }
            Expr::Reference(expr) => self.is_found_again(&expr.expr),
            Expr::Paren(expr) => self.is_index_found_again(&expr.expr),
            index => self.is_found_again(index),
        };
        plain && self.never_changes(index)
    }

    fn never_changes(&self, expr: &Expr) -> bool {
        self.never_changes_of(&mentions(expr))
    }

    fn never_changes_of(&self, ids: &BTreeSet<LocalId>) -> bool {
        ids.iter()
            .all(|id| !self.flow.may_change(*id) && !self.deferred.contains(id))
    }
}

/// Whether it is an iterator that goes over another while it is itself gone over.
fn is_lazy(call: &ExprMethodCall) -> bool {
    const LAZY: [&str; 12] = [
        "chain",
        "filter",
        "filter_map",
        "flat_map",
        "flatten",
        "inspect",
        "map",
        "map_while",
        "peekable",
        "scan",
        "skip_while",
        "take_while",
    ];
    is_adaptor(call) || is_in(&LAZY, &call.method)
}

fn is_adaptor(call: &ExprMethodCall) -> bool {
    is_in(&ADAPTORS, &call.method) || call.method == "zip" && call.args.len() == 1
}

/// The numbers in what a loop goes over, in the order in which they are evaluated.
fn numbers(iterable: &mut Expr, each: &mut impl FnMut(&mut Expr)) {
    match iterable {
        Expr::Paren(expr) => numbers(&mut expr.expr, each),
        Expr::Reference(expr) => numbers(&mut expr.expr, each),
        Expr::Index(expr) => {
            numbers(&mut expr.expr, each);
            match &mut *expr.index {
                range @ Expr::Range(_) => numbers(range, each),
                index => each(index),
            }
        }
        Expr::Range(range) => {
            let bounds = [&mut range.start, &mut range.end];
            bounds.into_iter().flatten().for_each(|bound| each(bound));
        }
        Expr::MethodCall(call) => {
            numbers(&mut call.receiver, each);
            if call.method == "zip" {
                call.args.iter_mut().for_each(|arg| numbers(arg, each));
            } else if !is_in(&["rsplit", "split"], &call.method) {
                call.args.iter_mut().for_each(each);
            }
        }
        _ => {}
    }
}

/// Whether an iterator borrows what it goes over, as far as the syntax shows.
pub(super) fn is_borrowing_chain(iterable: &Expr) -> bool {
    match iterable {
        Expr::Paren(expr) => is_borrowing_chain(&expr.expr),
        Expr::MethodCall(call) => {
            is_in(&ITERATORS, &call.method)
                || is_in(&BORROWING_ITERATORS, &call.method)
                || is_lazy(call)
                    && (is_borrowing_chain(&call.receiver)
                        || call.args.iter().any(is_borrowing_chain))
        }
        _ => false,
    }
}

/// Whether what a loop goes over gives references, and not copies.
pub(super) fn walks_by_reference(iterable: &Expr) -> bool {
    match iterable {
        Expr::MethodCall(call) if is_in(&["cloned", "copied"], &call.method) => false,
        Expr::MethodCall(call) if is_in(&ADAPTORS, &call.method) => {
            walks_by_reference(&call.receiver)
        }
        Expr::MethodCall(call) => is_in(&BORROWING_ITERATORS, &call.method),
        _ => true,
    }
}

fn is_in(names: &[&str], name: &Ident) -> bool {
    names.iter().any(|known| name == known)
}

/// Whether a pattern binds something that can be changed.
pub(super) fn binds_mutably(pattern: &Pat) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_pat_ident(&mut self, pattern: &PatIdent) {
            self.0 |= pattern.mutability.is_some();
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pattern);
    finder.0
}

/// The bindings that a closure makes itself.
fn bound_within(closure: &ExprClosure) -> BTreeSet<LocalId> {
    struct Finder(BTreeSet<LocalId>);
    impl Visit<'_> for Finder {
        fn visit_pat(&mut self, pattern: &Pat) {
            self.0.extend(bound(pattern));
            visit::visit_pat(self, pattern);
        }
    }
    let mut finder = Finder(BTreeSet::new());
    finder.visit_expr_closure(closure);
    finder.0
}

fn has_alternatives(pattern: &Pat) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_pat_or(&mut self, _: &PatOr) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pattern);
    finder.0
}

/// Whether a pattern copies nothing out of what it looks into.
fn only_looks(pattern: &Pat) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_pat_reference(&mut self, _: &PatReference) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pattern);
    !finder.0 && !binds_mutably(pattern)
}
