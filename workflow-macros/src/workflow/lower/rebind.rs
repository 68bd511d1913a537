//! References to the workflow's own places: they are not saved, but made again after an await.
//!
//! While the reference of `let name = &order.name;` is used, rustc lets nothing change the place,
//! so the same statement gives the same reference again. What a method gives need not borrow (an
//! `as_str` may give a literal), and an index is copied: so there nothing may change what they are
//! made of until the reference was used for the last time.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::{self, Visit};
use syn::{Expr, ExprClosure, Pat, PatIdent, UnOp};

use super::super::flow::{LocalId, Rebind, bound};
use super::super::{mark, spell};
use super::Lowering;
use super::access::{LOOKUPS, is_mutable_access, must_be_collection};
use super::place::{any_pattern, is_constant, is_in, mentions};

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
        } else if self.gives_reference(value)
            && only_looks(plain)
            && !(is_mutable(value) && narrows(plain))
        {
            let ty = match pattern {
                Pat::Type(typed) => Some(&typed.ty),
                _ => None,
            };
            let ty = ty.map(|ty| quote!(: #ty));
            let collection = is_mutable_access(value).then(|| must_be_collection(value));
            // The parentheses are for alternatives.
            let tokens = quote! {
                #collection
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
        let mut mutably = false;
        mark::each_ident(tokens.clone(), &mut |ident, _| {
            let text = ident.to_string();
            mutably |= text == "mut" || text.ends_with("_mut");
        });
        self.flow.rebinds.push(Rebind {
            tokens,
            binds,
            roots,
            mutably,
            closure: false,
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
        let for_change = is_in(&LOOKUPS, &call.method) && call.args.is_empty()
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

    pub(super) fn is_found_again(&self, place: &Expr) -> bool {
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
    pub(super) fn is_index_found_again(&self, index: &Expr) -> bool {
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

    pub(super) fn never_changes(&self, expr: &Expr) -> bool {
        self.never_changes_of(&mentions(expr))
    }

    fn never_changes_of(&self, ids: &BTreeSet<LocalId>) -> bool {
        ids.iter().all(|id| {
            let changes = self.flow.may_change(*id) && !self.still.contains(id);
            !changes && !self.deferred.contains(id)
        })
    }
}

/// Whether a pattern binds something that can be changed.
pub(super) fn binds_mutably(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| {
        matches!(
            pattern,
            Pat::Ident(PatIdent {
                mutability: Some(_),
                ..
            })
        )
    })
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

/// Whether it is a mutable reference, as far as the syntax shows.
fn is_mutable(value: &Expr) -> bool {
    match value {
        Expr::Reference(reference) => reference.mutability.is_some(),
        Expr::Paren(expr) => is_mutable(&expr.expr),
        value => is_mutable_access(value),
    }
}

/// Whether a pattern binds a part that it also wants to be of some form: what is bound may be changed
/// to another form, and would not match again.
fn narrows(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| {
        matches!(
            pattern,
            Pat::Ident(PatIdent {
                subpat: Some(_),
                ..
            })
        )
    })
}

fn has_alternatives(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| matches!(pattern, Pat::Or(_)))
}

/// Whether a pattern copies nothing out of what it looks into.
fn only_looks(pattern: &Pat) -> bool {
    let copies = any_pattern(pattern, |pattern| matches!(pattern, Pat::Reference(_)));
    !copies && !binds_mutably(pattern)
}
