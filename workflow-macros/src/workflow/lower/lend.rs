//! What a value looks into and nobody else has is given a place, where it can be found again:
//! `fetch().await?` of `match &fetch().await? { … }`.

use syn::{Expr, ExprMethodCall};

use super::super::{mark, spell};
use super::Lowering;
use super::access::{COPYING, LOOKUPS};
use super::place::{is_constant, is_in, says_mut};
use super::rebind::ACCESSORS;
use super::search::SEARCHES;
use super::walk::{ADAPTORS, CHOOSING, ITERATORS, lends_items};

/// Methods of the standard library that make a list or a text.
const MAKING: [&str; 8] = [
    "collect",
    "concat",
    "join",
    "repeat",
    "replace",
    "to_lowercase",
    "to_uppercase",
    "to_vec",
];

impl Lowering<'_> {
    /// Gives a place to what a value looks into.
    pub(super) fn lend(&mut self, value: &mut Expr) {
        self.number(value);
        let changes = says_mut(value);
        if let Some(lent) = looked_into(value)
            && self.is_made(lent)
        {
            let rest = std::mem::replace(lent, Expr::PLACEHOLDER);
            let rest = self.value(rest);
            *lent = self.spill(&rest);
            if let Some(id) = mark::local_in(lent) {
                self.flow.locals[id.0].mutable = changes;
            }
        }
    }

    /// Whether a value is surely one that nobody else has, and no reference.
    fn is_made(&self, value: &Expr) -> bool {
        match value {
            Expr::Await(_) => true,
            Expr::Try(expr) => self.is_made(&expr.expr),
            Expr::Macro(expr) => {
                let path = &expr.mac.path;
                path.is_ident("format") || path.is_ident("vec")
            }
            Expr::Call(call) => call.args.iter().all(|arg| self.is_given(arg)),
            Expr::Struct(value) => {
                let mut fields = value.fields.iter();
                fields.all(|field| self.is_given(&field.expr))
            }
            Expr::Array(array) => {
                !is_constant(value) && array.elems.iter().all(|element| self.is_given(element))
            }
            Expr::MethodCall(call) => is_in(&COPYING, &call.method) || is_in(&MAKING, &call.method),
            _ => false,
        }
    }

    /// Whether a value that is handed on is surely no reference.
    fn is_given(&self, value: &Expr) -> bool {
        let local = mark::local_in(value).map(|id| self.flow.local(id));
        let is_number = matches!(value, Expr::Lit(_) | Expr::Binary(_));
        is_number || local.is_some_and(spell::is_scalar) || self.is_made(value)
    }
}

/// What a value looks into.
fn looked_into(value: &mut Expr) -> Option<&mut Expr> {
    match value {
        Expr::Reference(reference) => Some(root(&mut reference.expr)),
        Expr::Paren(expr) => looked_into(&mut expr.expr),
        Expr::Try(expr) => looked_into(&mut expr.expr),
        Expr::MethodCall(call) if looks_in(call) => Some(root(&mut call.receiver)),
        _ => None,
    }
}

fn root(looked_into: &mut Expr) -> &mut Expr {
    if matches!(looked_into, Expr::MethodCall(call) if !looks_in(call)) {
        return looked_into;
    }
    match looked_into {
        Expr::MethodCall(call) => root(&mut call.receiver),
        Expr::Field(expr) => root(&mut expr.base),
        Expr::Paren(expr) => root(&mut expr.expr),
        Expr::Index(expr) => root(&mut expr.expr),
        looked_into => looked_into,
    }
}

/// Whether a call gives something of what it is called on, which it borrows.
fn looks_in(call: &ExprMethodCall) -> bool {
    const LOOKING: [&[&str]; 4] = [&ACCESSORS, &LOOKUPS, &ITERATORS, &["get", "get_mut"]];
    const GOING_ON: [&[&str]; 4] = [
        &ADAPTORS,
        &CHOOSING,
        &SEARCHES,
        &[
            "and_then",
            "expect",
            "ok_or",
            "ok_or_else",
            "unwrap",
            "unwrap_or",
        ],
    ];
    let is = |names: &[&[&str]]| names.iter().any(|names| is_in(names, &call.method));
    is(&LOOKING)
        || lends_items(&call.method)
        || is(&GOING_ON) && matches!(&*call.receiver, Expr::MethodCall(call) if looks_in(call))
}
