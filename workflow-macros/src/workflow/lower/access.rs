//! What is looked up in a place, to be changed: `map.entry(key).or_default()`.

use std::collections::BTreeSet;

use syn::{Expr, ExprMethodCall};

use super::super::flow::LocalId;
use super::super::macros::StdMacro;
use super::place::{is_compound, is_constant, is_place, mentions};

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

/// The place that something is looked up in.
pub(super) fn looked_up_in(access: &Expr) -> &Expr {
    match access {
        Expr::MethodCall(call) => looked_up_in(&call.receiver),
        place => place,
    }
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
