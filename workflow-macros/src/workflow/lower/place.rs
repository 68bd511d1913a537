//! What an expression is and does to the places it mentions, as far as the syntax shows.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprMethodCall, UnOp};

use super::super::flow::{Borrow, LocalId};
use super::super::macros::StdMacro;
use super::super::mark;

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

/// Whether it looks something up in a place, to change it: `map.get_mut(&key).unwrap()`. By methods
/// of the standard library, which find the same when they are called again.
pub(super) fn is_mutable_access(expr: &Expr) -> bool {
    const BY: [&str; 13] = [
        "as_deref_mut",
        "as_mut",
        "back_mut",
        "entry",
        "expect",
        "first_mut",
        "front_mut",
        "get_mut",
        "last_mut",
        "or_default",
        "or_insert",
        "or_insert_with",
        "unwrap",
    ];
    let Expr::MethodCall(call) = expr else {
        return false;
    };
    BY.iter().any(|name| call.method == name)
        && !call.args.iter().any(|arg| matches!(arg, Expr::Closure(_)))
        && (is_place(&call.receiver) || is_mutable_access(&call.receiver))
        && !(is_place(&call.receiver) && is_unwrapping(call))
}

/// `unwrap` of a place itself moves out of it.
fn is_unwrapping(call: &ExprMethodCall) -> bool {
    call.method == "unwrap" || call.method == "expect"
}

/// Whether it is `map.entry(key).or_insert(0)`, or the like.
pub(super) fn is_entry(expr: &Expr) -> bool {
    let Expr::MethodCall(call) = expr else {
        return false;
    };
    let inserts = ["or_default", "or_insert"]
        .iter()
        .any(|name| call.method == name);
    let in_place = matches!(&*call.receiver, Expr::MethodCall(entry) if entry.method == "entry" && is_place(&entry.receiver));
    inserts && in_place
}

/// Whether an access is evaluated alike whether what changes is changed before or after.
pub(super) fn is_steady(expr: &Expr, changed: &BTreeSet<LocalId>) -> bool {
    let Expr::MethodCall(call) = expr else {
        return is_place(expr) && mentions(expr).is_disjoint(changed);
    };
    is_steady(&call.receiver, changed) && call.args.iter().all(|key| is_steady_key(key, changed))
}

fn is_steady_key(key: &Expr, changed: &BTreeSet<LocalId>) -> bool {
    const COPYING: [&str; 3] = ["clone", "to_owned", "to_string"];
    match key {
        Expr::MethodCall(call) if COPYING.iter().any(|name| call.method == name) => {
            is_steady_key(&call.receiver, changed)
        }
        Expr::Reference(reference) => is_steady_key(&reference.expr, changed),
        Expr::Paren(expr) => is_steady_key(&expr.expr, changed),
        Expr::Binary(expr) if !is_compound(&expr.op) => {
            is_steady_key(&expr.left, changed) && is_steady_key(&expr.right, changed)
        }
        // Its text may mention bindings too.
        Expr::Macro(expr) => {
            let parsed = StdMacro::parse(&expr.mac);
            changed.is_empty()
                && parsed.is_some_and(|parsed| {
                    let mut arguments = parsed.arguments.iter();
                    arguments.all(|argument| is_steady_key(&argument.value, changed))
                })
        }
        key => is_constant(key) || is_place(key) && mentions(key).is_disjoint(changed),
    }
}

/// Whether an expression may jump out of itself, to somewhere in the function.
pub(super) fn jumps(expr: &Expr) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_expr_break(&mut self, _: &syn::ExprBreak) {
            self.0 = true;
        }
        fn visit_expr_continue(&mut self, _: &syn::ExprContinue) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    finder.visit_expr(expr);
    finder.0
}

/// The bindings that occur in an expression.
pub(super) fn mentions(expr: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    mark::each_ident(expr.to_token_stream(), &mut |ident, _| {
        found.extend(mark::local_of(ident));
    });
    found
}

/// The bindings that an expression changes.
#[derive(Default)]
pub(super) struct Changes {
    /// What it assigns or borrows mutably.
    pub(super) surely: BTreeSet<LocalId>,
    /// What it calls a method on that may change it.
    pub(super) perhaps: Vec<(LocalId, Ident)>,
}

/// Methods of the standard library that change nothing.
const READING: [&str; 24] = [
    "as_bytes",
    "as_deref",
    "as_ref",
    "as_slice",
    "as_str",
    "borrow",
    "chars",
    "clone",
    "contains",
    "contains_key",
    "first",
    "get",
    "is_empty",
    "is_none",
    "is_some",
    "iter",
    "join",
    "keys",
    "last",
    "len",
    "max",
    "to_owned",
    "to_string",
    "values",
];

pub(super) fn changed_in(expr: &Expr) -> Changes {
    let mut changes = Changes::default();
    changes.visit_expr(expr);
    changes
}

impl Visit<'_> for Changes {
    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Assign(assign) => self.surely.extend(mentions(&assign.left)),
            Expr::Binary(binary) if is_compound(&binary.op) => {
                self.surely.extend(mentions(&binary.left));
            }
            Expr::Reference(reference) if reference.mutability.is_some() => {
                self.surely.extend(mentions(&reference.expr));
            }
            Expr::MethodCall(call)
                if is_place(&call.receiver) && !READING.iter().any(|name| call.method == name) =>
            {
                let ids = mentions(&call.receiver).into_iter();
                self.perhaps.extend(ids.map(|id| (id, call.method.clone())));
            }
            _ => {}
        }
        visit::visit_expr(self, expr);
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        match StdMacro::parse(mac) {
            Some(parsed) => {
                for argument in &parsed.arguments {
                    self.visit_expr(&argument.value);
                }
            }
            // What another macro does with a binding is not known.
            None => mark::each_ident(mac.tokens.clone(), &mut |ident, _| {
                self.surely.extend(mark::local_of(ident));
            }),
        }
    }
}

/// Why a value is a reference, as far as the syntax shows.
pub(super) fn borrow(expr: &Expr) -> Option<Borrow> {
    /// Methods of the standard library that give a reference into what they are called on.
    const BORROWING: [&str; 20] = [
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
        "bytes",
        "chars",
        "iter",
        "iter_mut",
        "lines",
        "split_whitespace",
        "trim",
        "values_mut",
    ];
    match expr {
        Expr::Reference(_) => Some(Borrow::Value),
        Expr::Closure(_) => Some(Borrow::Closure),
        Expr::Paren(expr) => borrow(&expr.expr),
        Expr::Group(expr) => borrow(&expr.expr),
        Expr::MethodCall(call) => {
            let borrows = BORROWING.iter().any(|name| call.method == name);
            borrows.then_some(Borrow::Value)
        }
        _ => None,
    }
}

pub(super) fn is_comparison(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
    )
}

pub(super) fn is_compound(op: &BinOp) -> bool {
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
