//! What does not change as long as a reference is used.
//!
//! The same statement then gives the same reference again, also where rustc would let what it is
//! made of change: an index is copied, and a method may give what it does not borrow.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Expr, ExprAssign, ExprMethodCall, Local, Stmt};

use super::super::flow::{LocalId, bound};
use super::Lowering;
use super::place::{Changes, mentions};

impl Lowering<'_> {
    /// What a `let` looks at that changes, but not as long as what it binds is used.
    pub(super) fn still_after(
        &self,
        statement: &Stmt,
        following: &[Stmt],
        tail: Option<&Expr>,
    ) -> BTreeSet<LocalId> {
        match statement {
            Stmt::Local(Local {
                pat,
                init: Some(init),
                ..
            }) => self.still(&init.expr, bound(pat), following, tail),
            _ => BTreeSet::new(),
        }
    }

    /// The same of what is matched, and the body that the bindings of an arm are there for.
    pub(super) fn still_in(
        &self,
        looked_at: &Expr,
        binds: Vec<LocalId>,
        body: &Expr,
    ) -> BTreeSet<LocalId> {
        match body {
            Expr::Block(body) => self.still(looked_at, binds, &body.block.stmts, None),
            body => self.still(looked_at, binds, &[], Some(body)),
        }
    }

    /// The same of what is looked at, and the code after it.
    pub(super) fn still(
        &self,
        looked_at: &Expr,
        binds: Vec<LocalId>,
        following: &[Stmt],
        tail: Option<&Expr>,
    ) -> BTreeSet<LocalId> {
        let mut still = mentions(looked_at);
        still.retain(|id| self.flow.may_change(*id));
        if still.is_empty() {
            return still;
        }
        let tail = tail.map(|tail| Stmt::Expr(tail.clone(), None));
        let following: Vec<&Stmt> = following.iter().chain(&tail).collect();
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
        let mut changes = Changes::default();
        changes.visit_expr(looked_at);
        for statement in &following[..last] {
            changes.visit_stmt(statement);
        }
        &still - &changes.all()
    }
}

/// Whether a statement gives a binding a value: by a `let`, by assigning it, or by a method.
fn is_given(statement: &Stmt, id: LocalId) -> bool {
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
    finder.visit_stmt(statement);
    finder.1
}
