//! What does not change as long as a reference is used.
//!
//! The same statement then gives the same reference again, also where rustc would let what it is
//! made of change: an index is copied, and a method may give what it does not borrow.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Local, Pat, Stmt};

use super::super::flow::{Flow, LocalId, bound};
use super::super::macros::StdMacro;
use super::super::mark::mentions;
use super::super::spell::{Inner, Spelling};
use super::Lowering;
use super::place::Changes;

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
        if !may_refer(looked_at) {
            return BTreeSet::new();
        }
        let mut still = self.flow.rests_on(mentions(looked_at));
        still.retain(|id| self.flow.may_change(*id));
        if still.is_empty() {
            return still;
        }
        let mut uses = Uses {
            flow: &self.flow,
            inner: &self.inner,
            of: binds.into_iter().collect(),
            at: 0,
            last: 0,
            loops: 0,
            in_loop: false,
            changes: Vec::new(),
        };
        // What is made of it may be a reference too, and be found only after where it is used.
        loop {
            let known = uses.of.len();
            uses.visit(following, tail);
            if uses.of.len() == known {
                break;
            }
        }
        let mut changes = Changes::default();
        changes.visit_expr(looked_at);
        let mut changed = changes.all();
        for (at, ids) in uses.changes {
            if at <= uses.last {
                changed.extend(ids);
            }
        }
        &still - &changed
    }
}

/// Whether a value can be such a reference, or a condition bind one.
fn may_refer(looked_at: &Expr) -> bool {
    match looked_at {
        Expr::Closure(_) | Expr::MethodCall(_) | Expr::Path(_) | Expr::Reference(_) => true,
        Expr::Tuple(tuple) => tuple.elems.iter().any(may_refer),
        Expr::Group(expr) => may_refer(&expr.expr),
        Expr::Let(expr) => may_refer(&expr.expr),
        Expr::Paren(expr) => may_refer(&expr.expr),
        Expr::Try(expr) => may_refer(&expr.expr),
        Expr::Binary(expr) if matches!(expr.op, BinOp::And(_)) => {
            may_refer(&expr.left) || may_refer(&expr.right)
        }
        _ => false,
    }
}

/// Where in code some bindings are used, and what is changed where, in the order of the source.
struct Uses<'a> {
    flow: &'a Flow,
    inner: &'a Inner,
    /// The bindings, and those that are made of them.
    of: BTreeSet<LocalId>,
    at: usize,
    /// Where one of them is used for the last time.
    last: usize,
    /// How many loops are around.
    loops: usize,
    /// Whether one is used in the outermost of these.
    in_loop: bool,
    changes: Vec<(usize, BTreeSet<LocalId>)>,
}

impl Uses<'_> {
    /// Visits code as far as one of the bindings is used in it.
    fn visit(&mut self, statements: &[Stmt], tail: Option<&Expr>) {
        self.at = 0;
        self.changes.clear();
        let tail = tail.filter(|tail| self.are_in(*tail));
        let end = match tail {
            Some(_) => statements.len(),
            None => {
                let last = statements.iter().rposition(|code| self.are_in(code));
                last.map_or(0, |last| last + 1)
            }
        };
        for statement in &statements[..end] {
            self.visit_stmt(statement);
        }
        if let Some(tail) = tail {
            self.visit_expr(tail);
        }
    }

    fn note(&mut self, changes: &Changes) {
        self.at += 1;
        let changed = changes.all();
        if !changed.is_empty() {
            self.changes.push((self.at, changed));
        }
    }

    /// Whether code uses one of the bindings.
    fn are_in(&self, code: &impl ToTokens) -> bool {
        !mentions(code).is_disjoint(&self.of)
    }

    /// Whether the value of an expression may be made of one.
    fn give(&self, expr: &Expr) -> bool {
        let known = self.inner.value(expr, &self.flow.locals);
        if known.is_some_and(|known| known.is_owned()) {
            return false;
        }
        let tail = |block: &Block| match block.stmts.last() {
            Some(Stmt::Expr(tail, None)) => self.give(tail),
            _ => false,
        };
        match expr {
            Expr::Block(expr) if expr.label.is_none() => tail(&expr.block),
            Expr::If(expr) => {
                let otherwise = expr.else_branch.as_ref();
                tail(&expr.then_branch)
                    || otherwise.is_some_and(|(_, otherwise)| self.give(otherwise))
            }
            Expr::Match(expr) => expr.arms.iter().any(|arm| self.give(&arm.body)),
            // What is saved refers to nothing; what is computed or copied is not made again.
            Expr::Await(_) | Expr::Binary(_) | Expr::Cast(_) => false,
            Expr::Group(expr) => self.give(&expr.expr),
            Expr::Paren(expr) => self.give(&expr.expr),
            Expr::Try(expr) => self.give(&expr.expr),
            Expr::Tuple(expr) => expr.elems.iter().any(|element| self.give(element)),
            Expr::Call(expr) => {
                self.are_in(&expr.func) || expr.args.iter().any(|argument| self.give(argument))
            }
            Expr::MethodCall(expr) => {
                self.give(&expr.receiver) || expr.args.iter().any(|argument| self.give(argument))
            }
            expr => self.are_in(expr),
        }
    }

    /// Whether a binding may hold a reference, by what is known of its type.
    fn may_hold(&self, id: LocalId) -> bool {
        let known = self.flow.local(id).spelling.as_ref();
        !known.is_some_and(Spelling::is_owned)
    }

    /// What may hold what an expression gives or is given.
    fn made_by(&self, expr: &Expr) -> BTreeSet<LocalId> {
        match expr {
            Expr::Assign(assign) if self.give(&assign.right) => mentions(&assign.left),
            Expr::Let(expr) if self.give(&expr.expr) => bound(&expr.pat).into_iter().collect(),
            Expr::Match(expr) if self.give(&expr.expr) => {
                expr.arms.iter().flat_map(|arm| bound(&arm.pat)).collect()
            }
            Expr::ForLoop(expr) if self.give(&expr.expr) => bound(&expr.pat).into_iter().collect(),
            // `found.push(reference)`
            Expr::MethodCall(call) if call.args.iter().any(|arg| self.are_in(arg)) => {
                mentions(&call.receiver)
            }
            // `swap(&mut kept, &mut reference)`
            Expr::Call(call) if call.args.iter().any(|arg| self.are_in(arg)) => {
                let lends =
                    |arg: &&Expr| matches!(arg, Expr::Reference(arg) if arg.mutability.is_some());
                call.args.iter().filter(lends).flat_map(mentions).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn used(&mut self) {
        self.in_loop |= self.loops > 0;
        self.last = self.at;
    }
}

impl Visit<'_> for Uses<'_> {
    fn visit_local(&mut self, local: &Local) {
        let mut changes = Changes::default();
        changes.note_let(local);
        self.note(&changes);
        let typed = match &local.pat {
            Pat::Type(pattern) => self.inner.spell(&pattern.ty),
            _ => None,
        };
        let is_owned = typed.is_some_and(|typed| typed.is_owned());
        let init = local.init.as_ref();
        if !is_owned && init.is_some_and(|init| self.give(&init.expr)) {
            self.of.extend(bound(&local.pat));
        }
        visit::visit_local(self, local);
    }

    fn visit_expr(&mut self, expr: &Expr) {
        let mut changes = Changes::default();
        changes.note(expr);
        self.note(&changes);
        let mut made = self.made_by(expr);
        made.retain(|id| self.may_hold(*id));
        self.of.extend(made);
        if let Expr::Path(_) = expr
            && self.are_in(expr)
        {
            self.used();
        }
        let is_loop = matches!(expr, Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_));
        if let Expr::ForLoop(expr) = expr {
            // What it goes over is made anew for every item.
            self.loops += 1;
            self.visit_expr(&expr.expr);
            self.visit_block(&expr.body);
        } else {
            self.loops += usize::from(is_loop);
            visit::visit_expr(self, expr);
        }
        self.loops -= usize::from(is_loop);
        // What comes later in a loop comes before as well.
        if is_loop && self.loops == 0 && std::mem::take(&mut self.in_loop) {
            self.last = self.at;
        }
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        if let Some(parsed) = StdMacro::parse(mac) {
            for value in parsed.values() {
                self.visit_expr(value);
            }
            // They are taken only when all of them are there.
            if self.are_in(&mac.tokens) {
                self.used();
            }
            return;
        }
        let mut changes = Changes::default();
        changes.note_macro(mac);
        self.note(&changes);
        if self.are_in(&mac.tokens) {
            self.used();
        }
    }
}
