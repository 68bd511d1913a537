//! Guards: values that are kept for what their drop does.
//!
//! `let _guard = mutex.lock();` lives to the end of its block. A step ends at an await, and with it
//! everything that is not saved, so such a guard would guard less than the source says.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprClosure, Item, Pat, Stmt};

use super::awaits::Awaits;
use super::mark;
use crate::code;
use crate::report::Report;

pub(super) fn check(report: &Report, body: &Block) {
    Checker { report }.visit_block(body);
}

struct Checker<'a> {
    report: &'a Report,
}

impl Visit<'_> for Checker<'_> {
    fn visit_block(&mut self, block: &Block) {
        for (at, stmt) in block.stmts.iter().enumerate() {
            if let Some(name) = guard(stmt)
                && is_held(name, &block.stmts[at + 1..])
            {
                self.report.error_on(
                    code::GUARD,
                    name,
                    format!(
                        "`{name}` would be dropped at the `.await`, not at the end of its scope\n\
                         a run is saved at every await, and what is not used after it ends there\n\
                         help: end it before the await, by `drop({name});` or a block around what it guards; a value that nobody wants is `let _ = …;`"
                    ),
                );
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_expr_closure(&mut self, _: &ExprClosure) {}
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}

/// The name of what a statement binds, when it looks like a guard: `let _span = span.enter();`.
fn guard(stmt: &Stmt) -> Option<&Ident> {
    let Stmt::Local(local) = stmt else {
        return None;
    };
    let pattern = match &local.pat {
        Pat::Type(typed) => &*typed.pat,
        pattern => pattern,
    };
    let Pat::Ident(pattern) = pattern else {
        return None;
    };
    let init = &local.init.as_ref()?.expr;
    let name = mark::plain(&pattern.ident);
    let unused = name.starts_with('_') && !init.awaits();
    let named = NAMES.iter().any(|part| name.contains(part)) && is_call(init);
    (unused && (named || makes_guard(init))).then_some(&pattern.ident)
}

/// What names of guards have in them.
const NAMES: [&str; 5] = ["guard", "lock", "permit", "scope", "span"];

/// What is called for the guard that it gives.
const MAKERS: [&str; 15] = [
    "acquire",
    "acquire_owned",
    "borrow",
    "borrow_mut",
    "enter",
    "entered",
    "guard",
    "lock",
    "lock_owned",
    "read",
    "set_default",
    "try_acquire",
    "try_lock",
    "try_read",
    "write",
];

fn is_call(expr: &Expr) -> bool {
    match expr {
        Expr::Call(_) | Expr::MethodCall(_) => true,
        Expr::Try(expr) => is_call(&expr.expr),
        Expr::Paren(expr) => is_call(&expr.expr),
        _ => false,
    }
}

/// Whether a guard is made somewhere in a chain of calls: `mutex.lock().unwrap()`.
fn makes_guard(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(call) => {
            MAKERS.iter().any(|maker| call.method == maker) || makes_guard(&call.receiver)
        }
        Expr::Call(call) => matches!(&*call.func, Expr::Path(function)
        if function.path.segments.last().is_some_and(|last| {
            MAKERS.iter().any(|maker| last.ident == maker)
        })),
        Expr::Try(expr) => makes_guard(&expr.expr),
        Expr::Paren(expr) => makes_guard(&expr.expr),
        _ => false,
    }
}

/// Whether an await follows, and neither before nor after it anything that names the guard: what is
/// named after it is saved.
fn is_held(name: &Ident, following: &[Stmt]) -> bool {
    let mut names = false;
    for stmt in following {
        mark::each_ident(stmt.to_token_stream(), &mut |ident, _| {
            names |= ident == name
        });
    }
    !names && following.iter().any(Stmt::awaits)
}
