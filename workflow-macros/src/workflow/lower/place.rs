//! What an expression is and does to the places it mentions, as far as the syntax shows.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Pat, PatIdent, UnOp};

use super::super::flow::{Borrow, LocalId, any_pattern};
use super::super::macros::StdMacro;
use super::super::mark::{self, mentions};
use super::rebind::{ACCESSORS, COUNTING};
use super::search::ASKING;
use super::walk::{BORROWING_ITERATORS, ITERATORS, LENDING};

/// A place that evaluating does nothing: `x`, `x.a.b`, `*x`; also a function's path.
pub(super) fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(expr) => is_place(&expr.base),
        Expr::Paren(expr) => is_place(&expr.expr),
        Expr::Group(expr) => is_place(&expr.expr),
        Expr::Unary(expr) => matches!(expr.op, UnOp::Deref(_)) && is_place(&expr.expr),
        _ => false,
    }
}

pub(super) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Paren(expr) => is_constant(&expr.expr),
        Expr::Unary(expr) => matches!(&*expr.expr, Expr::Lit(_)),
        // A constant, a variant, a function: no binding.
        Expr::Path(_) => mark::local_in(expr).is_none(),
        Expr::Reference(expr) => is_constant(&expr.expr),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant),
        Expr::Array(array) => array.elems.iter().all(is_constant),
        _ => false,
    }
}

/// Whether an expression may jump out of itself, to somewhere in the function.
pub(super) fn jumps(expr: &Expr) -> bool {
    /// The labels around, also of what has none.
    struct Finder(Vec<Option<syn::Lifetime>>, bool);
    impl Finder {
        fn leaves(&mut self, label: Option<&syn::Lifetime>) {
            self.1 |= match label {
                Some(label) => !self.0.iter().flatten().any(|known| known == label),
                None => self.0.is_empty(),
            };
        }
    }
    impl Visit<'_> for Finder {
        fn visit_expr(&mut self, expr: &Expr) {
            let label = match expr {
                Expr::Loop(expr) => Some(&expr.label),
                Expr::While(expr) => Some(&expr.label),
                Expr::ForLoop(expr) => Some(&expr.label),
                Expr::Block(expr) if expr.label.is_some() => Some(&expr.label),
                _ => None,
            };
            let inside = label.map(|label| label.as_ref().map(|label| label.name.clone()));
            let around = self.0.len();
            self.0.extend(inside);
            visit::visit_expr(self, expr);
            self.0.truncate(around);
        }
        fn visit_expr_break(&mut self, expr: &syn::ExprBreak) {
            self.leaves(expr.label.as_ref());
            visit::visit_expr_break(self, expr);
        }
        fn visit_expr_continue(&mut self, expr: &syn::ExprContinue) {
            self.leaves(expr.label.as_ref());
        }
    }
    let mut finder = Finder(Vec::new(), false);
    finder.visit_expr(expr);
    finder.1
}

/// Whether code has `mut` in it, or calls an `as_mut` or the like.
pub(super) fn says_mut(code: &impl ToTokens) -> bool {
    let mut says = false;
    mark::each_ident(code.to_token_stream(), &mut |ident, _| {
        let text = ident.to_string();
        says |= text == "mut" || text.ends_with("_mut");
    });
    says
}

/// The bindings that an expression changes.
#[derive(Default)]
pub(super) struct Changes {
    /// What it assigns or borrows mutably.
    pub(super) surely: BTreeSet<LocalId>,
    /// What it calls a method on that may change it.
    pub(super) perhaps: Vec<(LocalId, Ident)>,
}

impl Changes {
    /// What it changes or may change.
    pub(super) fn all(&self) -> BTreeSet<LocalId> {
        let perhaps = self.perhaps.iter().map(|(id, _)| *id);
        self.surely.iter().copied().chain(perhaps).collect()
    }
}

/// Whether a method of this name of the standard library changes nothing.
pub(super) fn reads(method: &Ident) -> bool {
    const READING: [&str; 16] = [
        "borrow",
        "chars",
        "clone",
        "contains",
        "contains_key",
        "is_empty",
        "is_err",
        "is_none",
        "is_none_or",
        "is_ok",
        "is_some",
        "is_some_and",
        "join",
        "to_owned",
        "to_string",
        "to_vec",
    ];
    let lists: [&[&str]; 7] = [
        &READING,
        &ACCESSORS,
        &ASKING,
        &COUNTING,
        &ITERATORS,
        &BORROWING_ITERATORS,
        &["get"],
    ];
    lists.iter().any(|names| is_in(names, method)) && !method.to_string().ends_with("_mut")
}

/// What something is looked up in: `grid` of `grid[0].rows[1]`.
pub(super) fn indexed(expr: &Expr) -> &Expr {
    match expr {
        Expr::Field(field) if !is_place(expr) => indexed(&field.base),
        Expr::Index(expr) => indexed(&expr.expr),
        Expr::Paren(expr) => indexed(&expr.expr),
        expr => expr,
    }
}

/// Whether a pattern binds by `ref mut`.
fn binds_by_ref_mut(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| {
        matches!(
            pattern,
            Pat::Ident(PatIdent {
                by_ref: Some(_),
                mutability: Some(_),
                ..
            })
        )
    })
}

pub(super) fn is_in(names: &[&str], name: &Ident) -> bool {
    names.iter().any(|known| name == known)
}

/// Methods of the standard library that change what they are called on.
const CHANGING: [&str; 24] = [
    "append",
    "as_deref_mut",
    "as_mut",
    "back_mut",
    "clear",
    "drain",
    "entry",
    "extend",
    "first_mut",
    "front_mut",
    "get_mut",
    "insert",
    "iter_mut",
    "last_mut",
    "pop",
    "pop_front",
    "push",
    "push_back",
    "push_str",
    "remove",
    "retain",
    "sort",
    "truncate",
    "values_mut",
];

pub(super) fn changed_in(expr: &Expr) -> Changes {
    let mut changes = Changes::default();
    changes.visit_expr(expr);
    changes
}

impl Changes {
    /// Notes what an expression changes, but not what the expressions in it do.
    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Assign(assign) => self.surely.extend(mentions(&assign.left)),
            Expr::Binary(binary) if is_compound(&binary.op) => {
                self.surely.extend(mentions(&binary.left));
            }
            Expr::Reference(reference) if reference.mutability.is_some() => {
                self.surely.extend(mentions(&reference.expr));
            }
            Expr::Let(expr) if binds_by_ref_mut(&expr.pat) => {
                self.surely.extend(mentions(&expr.expr));
            }
            Expr::Match(expr) if expr.arms.iter().any(|arm| binds_by_ref_mut(&arm.pat)) => {
                self.surely.extend(mentions(&expr.expr));
            }
            Expr::MethodCall(call) => {
                let place = indexed(&call.receiver);
                if !is_place(place) || reads(&call.method) {
                    // It changes nothing here.
                } else if is_in(&CHANGING, &call.method) {
                    self.surely.extend(mentions(place));
                } else {
                    let ids = mentions(place).into_iter();
                    self.perhaps.extend(ids.map(|id| (id, call.method.clone())));
                }
            }
            _ => {}
        }
    }

    /// The same of a `let`.
    fn note_let(&mut self, local: &syn::Local) {
        if let Some(init) = &local.init
            && binds_by_ref_mut(&local.pat)
        {
            self.surely.extend(mentions(&init.expr));
        }
    }

    /// The same of a macro that is not of the standard library: what it does is not known.
    fn note_macro(&mut self, mac: &syn::Macro) {
        // Nothing can refer to a part that is moved.
        if !mac.path.is_ident(mark::TAKE) {
            self.surely.extend(mentions(&mac.tokens));
        }
    }
}

impl Visit<'_> for Changes {
    fn visit_expr(&mut self, expr: &Expr) {
        self.note(expr);
        visit::visit_expr(self, expr);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        self.note_let(local);
        visit::visit_local(self, local);
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        match StdMacro::parse(mac) {
            Some(parsed) => {
                for value in parsed.values() {
                    self.visit_expr(value);
                }
            }
            None => self.note_macro(mac),
        }
    }
}

/// Why a value is a reference, as far as the syntax shows.
pub(super) fn borrow(expr: &Expr) -> Option<Borrow> {
    /// Methods of the standard library that give a reference into what they are called on.
    const BORROWING: [&str; 13] = [
        "as_bytes",
        "as_deref",
        "as_deref_mut",
        "as_mut",
        "as_mut_slice",
        "as_mut_str",
        "as_path",
        "as_ref",
        "as_slice",
        "as_str",
        "borrow",
        "borrow_mut",
        "trim",
    ];
    match expr {
        Expr::Reference(_) => Some(Borrow::Value),
        Expr::Closure(_) => Some(Borrow::Closure),
        Expr::Paren(expr) => borrow(&expr.expr),
        Expr::Group(expr) => borrow(&expr.expr),
        Expr::MethodCall(call) => {
            let borrows = is_in(&BORROWING, &call.method) || is_in(&LENDING, &call.method);
            borrows.then_some(Borrow::Value)
        }
        _ => None,
    }
}

pub(in crate::workflow) fn is_comparison(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
    )
}

pub(in crate::workflow) fn is_compound(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
