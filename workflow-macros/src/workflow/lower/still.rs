//! What does not change as long as a reference is used.
//!
//! The same statement then gives the same reference again, also where rustc would let what it is
//! made of change: an index is copied, and a method may give what it does not borrow.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Expr, ExprAssign, ExprMethodCall, Local, Stmt, parse_quote};

use super::super::flow::{LocalId, bound};
use super::place::{changed_in, mentions};

/// What a `let` looks at that does not change as long as what it binds is used.
pub(super) fn still_after(statements: &[Stmt], tail: Option<&Expr>) -> BTreeSet<LocalId> {
    let Some((Stmt::Local(local), following)) = statements.split_first() else {
        return BTreeSet::new();
    };
    match &local.init {
        Some(init) if matches!(*init.expr, Expr::Reference(_) | Expr::MethodCall(_)) => {
            let mut following: Vec<Expr> = following.iter().map(as_expr).collect();
            following.extend(tail.cloned());
            still(&init.expr, bound(&local.pat), &following)
        }
        _ => BTreeSet::new(),
    }
}

/// The same of a condition, or of what is matched, and the code that its bindings are there for.
pub(super) fn still_in(looked_at: &Expr, binds: Vec<LocalId>, body: &Expr) -> BTreeSet<LocalId> {
    match body {
        Expr::Block(body) => {
            let following: Vec<Expr> = body.block.stmts.iter().map(as_expr).collect();
            still(looked_at, binds, &following)
        }
        body => still(looked_at, binds, std::slice::from_ref(body)),
    }
}

fn still(looked_at: &Expr, binds: Vec<LocalId>, following: &[Expr]) -> BTreeSet<LocalId> {
    let mut still = mentions(looked_at);
    if still.is_empty() {
        return still;
    }
    let mut bound: BTreeSet<LocalId> = binds.into_iter().collect();
    let mut last = 0;
    for (at, statement) in following.iter().enumerate() {
        let mentioned = mentions(statement);
        if !mentioned.is_disjoint(&bound) {
            last = at + 1;
            // What is made of it, and kept outside of it, may be a reference too.
            bound.extend(mentioned.into_iter().filter(|id| is_given(statement, *id)));
        }
    }
    for code in std::iter::once(looked_at).chain(&following[..last]) {
        let changes = changed_in(code);
        still.retain(|id| {
            !changes.surely.contains(id) && changes.perhaps.iter().all(|(other, _)| other != id)
        });
    }
    still
}

fn as_expr(statement: &Stmt) -> Expr {
    parse_quote!({ #statement })
}

/// Whether a statement gives a binding a value: by a `let`, or by assigning it.
fn is_given(statement: &Expr, id: LocalId) -> bool {
    struct Finder(LocalId, bool);
    impl Visit<'_> for Finder {
        fn visit_local(&mut self, local: &Local) {
            self.1 |= bound(&local.pat).contains(&self.0);
            visit::visit_local(self, local);
        }
        fn visit_expr_assign(&mut self, assign: &ExprAssign) {
            self.1 |= mentions(&assign.left).contains(&self.0);
            visit::visit_expr_assign(self, assign);
        }
        fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
            // `found.push(reference)`
            self.1 |= mentions(&call.receiver).contains(&self.0) && !call.args.is_empty();
            visit::visit_expr_method_call(self, call);
        }
    }
    let mut finder = Finder(id, false);
    finder.visit_expr(statement);
    finder.1
}
