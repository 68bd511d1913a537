//! What does not change as long as a reference is used.
//!
//! The same statement then gives the same reference again, also where rustc would let what it is
//! made of change: an index is copied, and a method may give what it does not borrow.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAssign, ExprMethodCall, Local, Stmt};

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
        let mut following: Vec<Piece<'_>> = following.iter().flat_map(pieces).collect();
        following.extend(tail.into_iter().flat_map(pieces_of));
        let mut bound: BTreeSet<LocalId> = binds.into_iter().collect();
        let mut last = 0;
        for (at, piece) in following.iter().enumerate() {
            let mentioned = match piece {
                Piece::Statement(statement) => mentions(statement),
                Piece::Expression(expr) => mentions(expr),
            };
            if !mentioned.is_disjoint(&bound) {
                last = at + 1;
                // What is made of it, and kept outside of it, may be a reference too.
                bound.extend(mentioned.into_iter().filter(|id| is_given(piece, *id)));
            }
        }
        let mut changes = Changes::default();
        changes.visit_expr(looked_at);
        for piece in &following[..last] {
            piece.visit(&mut changes);
        }
        &still - &changes.all()
    }
}

/// Code that follows, in its order: what branches comes apart into what it consists of.
enum Piece<'a> {
    Statement(&'a Stmt),
    Expression(&'a Expr),
}

impl<'a> Piece<'a> {
    fn visit(&self, visitor: &mut impl Visit<'a>) {
        match self {
            Self::Statement(statement) => visitor.visit_stmt(statement),
            Self::Expression(expr) => visitor.visit_expr(expr),
        }
    }
}

fn pieces(statement: &Stmt) -> Vec<Piece<'_>> {
    match statement {
        Stmt::Expr(expr, _) => pieces_of(expr),
        statement => vec![Piece::Statement(statement)],
    }
}

fn pieces_of(expr: &Expr) -> Vec<Piece<'_>> {
    fn block(block: &Block) -> impl Iterator<Item = Piece<'_>> {
        block.stmts.iter().flat_map(pieces)
    }
    match expr {
        Expr::Block(expr) => block(&expr.block).collect(),
        Expr::If(expr) => {
            let mut pieces = vec![Piece::Expression(&expr.cond)];
            pieces.extend(block(&expr.then_branch));
            let otherwise = expr.else_branch.iter();
            pieces.extend(otherwise.flat_map(|(_, otherwise)| pieces_of(otherwise)));
            pieces
        }
        expr => vec![Piece::Expression(expr)],
    }
}

/// Whether code gives a binding a value: by a `let`, by assigning it, or by a method.
fn is_given(piece: &Piece<'_>, id: LocalId) -> bool {
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
    piece.visit(&mut finder);
    finder.1
}
