//! What is looked up in a place, to be changed: `map.entry(key).or_default()`.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprClosure, Stmt, parse_quote, parse_quote_spanned};

use super::super::flow::LocalId;
use super::super::macros::StdMacro;
use super::super::mark::mentions;
use super::Lowering;
use super::choice::{is_left, leaves};
use super::place::{is_compound, is_constant, is_in, is_place};

/// Methods of the standard library that give a mutable reference into what they are called on.
pub(super) const LOOKUPS: [&str; 7] = [
    "as_deref_mut",
    "as_mut",
    "as_mut_slice",
    "back_mut",
    "first_mut",
    "front_mut",
    "last_mut",
];

/// Methods of the standard library that make a value like what they are called on.
pub(super) const COPYING: [&str; 3] = ["clone", "to_owned", "to_string"];

/// Methods of a map's entry that give what stands there, which they put there if nothing did.
pub(super) const INSERTING: [&str; 3] = ["or_default", "or_insert", "or_insert_with"];

/// Whether it looks something up in a place, to change it: `map.get_mut(&key).unwrap()`. By methods
/// of the standard library, which find the same when they are called again.
pub(super) fn is_mutable_access(expr: &Expr) -> bool {
    let Expr::MethodCall(call) = expr else {
        return false;
    };
    let is = |names: &[&str]| is_in(names, &call.method);
    let looks_up = is(&LOOKUPS) || is(&INSERTING) || is(&["entry", "get_mut"]);
    // `unwrap` of a place itself moves out of it.
    let unwraps = is(&["expect", "unwrap"]);
    let takes_with_it = |arg: &Expr| matches!(arg, Expr::Closure(_)) && !mentions(arg).is_empty();
    let takes_closure = call.args.iter().any(takes_with_it);
    let of_place = looks_up && is_place(&call.receiver);
    !takes_closure && (of_place || (looks_up || unwraps) && is_mutable_access(&call.receiver))
}

/// What sees to it that the place in which something is looked up is a collection of the standard
/// library.
pub(super) fn must_be_collection(access: &Expr) -> TokenStream {
    match access {
        Expr::MethodCall(call) => must_be_collection(&call.receiver),
        place => quote_spanned!(place.span()=> ::workflow::__private::collection(&#place);),
    }
}

/// Whether it is `map.entry(key).or_insert(0)`, or the like.
pub(super) fn is_entry(expr: &Expr) -> bool {
    let Expr::MethodCall(call) = expr else {
        return false;
    };
    let inserts = is_in(&["or_default", "or_insert"], &call.method);
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

/// The same of a key or an index.
pub(super) fn is_steady_key(key: &Expr, changed: &BTreeSet<LocalId>) -> bool {
    match key {
        Expr::Cast(cast) => is_steady_key(&cast.expr, changed),
        Expr::MethodCall(call) if is_in(&COPYING, &call.method) => {
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

impl Lowering<'_> {
    /// How a value is found again, which is there: without what the source does where it is not.
    pub(super) fn looked_up(&self, value: &Expr) -> Expr {
        let mut value = value.clone();
        LookedUp(self).visit_expr_mut(&mut value);
        value
    }

    /// Whether the key of an entry is there after the entry was made.
    fn is_key(&self, key: &Expr) -> bool {
        match key {
            Expr::MethodCall(call) => is_in(&COPYING, &call.method),
            Expr::Tuple(tuple) => tuple.elems.iter().all(|key| self.is_key(key)),
            key => self.is_copied(key),
        }
    }
}

/// What makes [`Lowering::looked_up`] of a value.
struct LookedUp<'a, 'b>(&'a Lowering<'b>);

impl VisitMut for LookedUp<'_, '_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            expr if leaves(expr) => {
                *expr = parse_quote_spanned!(expr.span()=> ::std::unreachable!())
            }
            // `map.get(&key).ok_or(error)?`
            Expr::Try(expr_try) => {
                if let Expr::MethodCall(call) = &*expr_try.expr
                    && is_in(&["ok_or", "ok_or_else"], &call.method)
                {
                    let (span, lookup) = (call.method.span(), &call.receiver);
                    *expr = parse_quote_spanned!(span=> #lookup.unwrap());
                }
            }
            // `map.entry(key).or_insert(0)`
            Expr::MethodCall(call) if is_in(&INSERTING, &call.method) => {
                if let Expr::MethodCall(entry) = &*call.receiver
                    && entry.method == "entry"
                    && let Some(key) = entry.args.first()
                    && self.0.is_key(key)
                {
                    let (span, map) = (entry.method.span(), &entry.receiver);
                    *expr = parse_quote_spanned!(span=> #map.get_mut(&#key).unwrap());
                }
            }
            // `option.get_or_insert(0)`
            Expr::MethodCall(call)
                if is_in(&["get_or_insert", "get_or_insert_with"], &call.method) =>
            {
                let (span, option) = (call.method.span(), &call.receiver);
                *expr = parse_quote_spanned!(span=> #option.as_mut().unwrap());
            }
            _ => {}
        }
    }
    fn visit_block_mut(&mut self, block: &mut Block) {
        match is_left(block) {
            true => block.stmts = vec![Stmt::Expr(parse_quote!(::std::unreachable!()), None)],
            false => visit_mut::visit_block_mut(self, block),
        }
    }
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
}
