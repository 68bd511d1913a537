//! Branches that await.

use std::collections::BTreeSet;

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ExprIf, ExprMatch, Item, Pat, UnOp, parse_quote};

use super::super::awaits::Awaits;
use super::super::diagram;
use super::super::flow::{Arm, BlockId, BlockKind, End, LocalId, bound, bound_in_condition};
use super::super::mark;
use super::super::spell::Spelling;
use super::super::spread::spread;
use super::{Dest, Frame, Look, Lowering};

impl Lowering<'_> {
    /// Whether an expression is taken apart into blocks of its own.
    pub(super) fn is_exploded(&self, expr: &Expr) -> bool {
        let branches = matches!(expr, Expr::If(_) | Expr::Match(_) | Expr::Block(_));
        if branches && assigns_and_leaves(expr, &self.deferred) {
            return true;
        }
        match expr {
            Expr::Paren(expr) => self.is_exploded(&expr.expr),
            Expr::Group(expr) => self.is_exploded(&expr.expr),
            Expr::Block(expr) => expr.block.awaits(),
            Expr::Loop(_) | Expr::While(_) => expr.awaits(),
            Expr::ForLoop(expr) => expr.body.awaits(),
            Expr::Match(expr) => expr.arms.iter().any(|arm| arm.body.awaits()),
            Expr::If(expr) => {
                let otherwise = expr.else_branch.as_ref();
                expr.then_branch.awaits()
                    || otherwise.is_some_and(|(_, otherwise)| otherwise.awaits())
                    || !awaits_first(&expr.cond)
            }
            Expr::Binary(expr) => is_lazy(&expr.op) && expr.right.awaits(),
            // `!(a && b)` is a condition; `!` of anything else is taken of its value.
            Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => is_lazy_await(&expr.expr),
            _ => false,
        }
    }

    /// Lowers an expression whose value goes somewhere.
    pub(super) fn into(&mut self, expr: Expr, dest: Dest) {
        match expr {
            Expr::Paren(expr) if self.is_exploded(&expr.expr) => self.into(*expr.expr, dest),
            Expr::Group(expr) if self.is_exploded(&expr.expr) => self.into(*expr.expr, dest),
            Expr::Return(expr) => {
                self.into(
                    expr.expr.map_or(parse_quote!(()), |value| *value),
                    Dest::Return,
                );
                self.closed = true;
            }
            Expr::Break(expr) => self.lower_break(expr),
            Expr::Continue(expr) => match self.frame(expr.label.as_ref().map(|l| &l.ident)) {
                Some(Frame {
                    head: Some(head), ..
                }) => {
                    let head = *head;
                    self.end(End::Goto(head));
                }
                _ => self.store(Expr::Continue(expr), Dest::Discard),
            },
            expr if !self.is_exploded(&expr) => {
                let rest = self.value(expr);
                self.store(rest, dest);
            }
            Expr::Block(expr) => match expr.label {
                None => self.statements(expr.block.stmts, dest),
                Some(label) => {
                    let exit = self.block(BlockKind::Join);
                    self.frames.push(Frame {
                        label: Some(label.name.ident),
                        exit,
                        dest,
                        head: None,
                    });
                    self.statements(expr.block.stmts, dest);
                    self.frames.pop();
                    self.end(End::Goto(exit));
                    self.switch(exit);
                }
            },
            Expr::If(expr) => self.lower_if(expr, dest),
            Expr::Match(expr) => self.lower_match(expr, dest),
            Expr::Loop(expr) => self.lower_loop(expr, dest),
            Expr::While(expr) => self.lower_while(expr, dest),
            Expr::ForLoop(expr) => self.lower_for(expr, dest),
            // `a && b` whose right side awaits, where its value is wanted.
            lazy => {
                let (yes, no) = (self.block(BlockKind::Join), self.block(BlockKind::Join));
                let join = self.block(BlockKind::Join);
                self.condition(lazy, yes, no);
                for (block, value) in [(yes, quote!(true)), (no, quote!(false))] {
                    self.switch(block);
                    self.store(parse_quote!(#value), dest);
                    self.end(End::Goto(join));
                }
                self.switch(join);
            }
        }
    }

    /// Lowers a condition, whose `let`s bind in `then`.
    pub(super) fn condition(&mut self, condition: Expr, then: BlockId, otherwise: BlockId) {
        match condition {
            Expr::Paren(expr) => self.condition(*expr.expr, then, otherwise),
            Expr::Group(expr) => self.condition(*expr.expr, then, otherwise),
            Expr::Binary(expr) if is_lazy(&expr.op) && expr.right.awaits() => {
                let between = self.block(BlockKind::Join);
                if matches!(expr.op, BinOp::And(_)) {
                    self.condition(*expr.left, between, otherwise);
                } else {
                    self.condition(*expr.left, then, between);
                }
                self.switch(between);
                self.condition(*expr.right, then, otherwise);
            }
            Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) && !awaits_first(&expr.expr) => {
                self.condition(*expr.expr, otherwise, then);
            }
            condition if !awaits_first(&condition) => {
                // `a && b` whose right side does not await, and whose left side is like the above.
                let Expr::Binary(ExprBinary {
                    left, op, right, ..
                }) = condition
                else {
                    let labels = diagram::labels(&condition);
                    let rest = self.value(condition);
                    self.branch(rest, then, otherwise, labels);
                    return;
                };
                let between = self.block(BlockKind::Join);
                if matches!(op, BinOp::And(_)) {
                    self.condition(*left, between, otherwise);
                } else {
                    self.condition(*left, then, between);
                }
                self.switch(between);
                self.condition(*right, then, otherwise);
            }
            condition => {
                let labels = diagram::labels(&condition);
                let rest = self.first(condition);
                self.branch(rest, then, otherwise, labels);
            }
        }
    }

    fn branch(&mut self, rest: Expr, then: BlockId, otherwise: BlockId, labels: [String; 2]) {
        let declares = bound_in_condition(&rest);
        let look = match rest {
            Expr::Let(_) => Look::Choice,
            _ => Look::OneOfSeveral,
        };
        self.learn_condition(&rest, look);
        let condition = self.code(rest.to_token_stream(), &[&rest], declares);
        self.end(End::Branch {
            condition,
            then,
            otherwise,
            labels,
        });
    }

    /// What the `let`s of a condition tell of the bindings they make.
    fn learn_condition(&mut self, condition: &Expr, look: Look) {
        match condition {
            Expr::Let(expr) => {
                let spelling = self.inner.value(&expr.expr, &self.flow.locals);
                self.look_into(&expr.pat, &expr.expr, spelling.as_ref(), look);
            }
            Expr::Binary(expr) => {
                self.learn_condition(&expr.left, look);
                self.learn_condition(&expr.right, look);
            }
            Expr::Paren(expr) => self.learn_condition(&expr.expr, look),
            _ => {}
        }
    }

    /// Notes what is known of a pattern's bindings by the value.
    fn look_into(&mut self, pattern: &Pat, value: &Expr, spelling: Option<&Spelling>, look: Look) {
        self.holding(&bound(pattern), |this| {
            if this.borrow(value).is_none()
                && let Some(spelling) = spelling
            {
                this.spell(pattern, spelling);
            }
            this.borrowed(pattern, value);
            this.rebind(pattern, value, look);
        });
    }

    /// The rest of a condition that awaits at most in what is evaluated first.
    fn first(&mut self, condition: Expr) -> Expr {
        match condition {
            Expr::Let(mut expr) => {
                if !bound(&expr.pat).is_empty() {
                    self.lend(&mut expr.expr);
                }
                *expr.expr = self.value(*expr.expr);
                Expr::Let(expr)
            }
            Expr::Binary(mut expr) if is_lazy(&expr.op) => {
                *expr.left = self.first(*expr.left);
                self.opaque(&mut expr.right);
                Expr::Binary(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.first(*expr.expr);
                Expr::Paren(expr)
            }
            other => self.value(other),
        }
    }

    fn lower_if(&mut self, expr: ExprIf, dest: Dest) {
        let (then, otherwise) = (self.block(BlockKind::Join), self.block(BlockKind::Join));
        let join = self.block(BlockKind::Join);
        self.condition(*expr.cond, then, otherwise);
        self.switch(then);
        self.statements(expr.then_branch.stmts, dest);
        self.end(End::Goto(join));
        self.switch(otherwise);
        match expr.else_branch {
            Some((_, otherwise)) => self.into(*otherwise, dest),
            None if dest == Dest::Discard => {}
            None => self.store(parse_quote!(()), dest),
        }
        self.end(End::Goto(join));
        self.switch(join);
    }

    /// An `if` or a `match` that awaits first of all and in no branch stays as it is.
    pub(super) fn value_of_if(&mut self, mut expr: ExprIf) -> Expr {
        *expr.cond = self.first(*expr.cond);
        let mut expr = Expr::If(expr);
        self.opaque(&mut expr);
        expr
    }

    /// Notes the types of a pattern's bindings, by that of the value.
    pub(super) fn spell(&mut self, pattern: &Pat, spelling: &Spelling) {
        let locals = &mut self.flow.locals;
        spread(pattern, spelling, &mut |id, spelling| {
            locals[id.0].spelling = Some(spelling);
        });
    }

    fn lower_match(&mut self, mut expr: ExprMatch, dest: Dest) {
        if expr.arms.iter().any(|arm| !bound(&arm.pat).is_empty()) {
            self.lend(&mut expr.expr);
        }
        let spelling = self.inner.value(&expr.expr, &self.flow.locals);
        let value = self.value(*expr.expr);
        let scrutinee = self.code(value.to_token_stream(), &[&value], Vec::new());
        let join = self.block(BlockKind::Join);
        let mut arms = Vec::new();
        let mut bodies = Vec::new();
        for mut arm in expr.arms {
            let mut declares = bound(&arm.pat);
            let label = mark::source(&arm.pat.to_token_stream());
            self.look_into(&arm.pat, &value, spelling.as_ref(), Look::Choice);
            if let Pat::Guard(guarded) = &mut arm.pat {
                self.opaque(&mut guarded.guard);
                declares.extend(bound_in_condition(&guarded.guard));
                self.learn_condition(&guarded.guard, Look::OneOfSeveral);
            }
            let guard = match &arm.pat {
                Pat::Guard(guarded) => vec![&*guarded.guard],
                _ => Vec::new(),
            };
            let pattern = self.code(arm.pat.to_token_stream(), &guard, declares);
            let block = self.block(BlockKind::Join);
            arms.push(Arm {
                attrs: arm.attrs,
                pattern,
                block,
                label,
            });
            bodies.push((block, arm.body));
        }
        self.end(End::Match { scrutinee, arms });
        for (block, body) in bodies {
            self.switch(block);
            self.into(*body, dest);
            self.end(End::Goto(join));
        }
        self.switch(join);
    }

    /// A binding for the value of an expression that is taken apart, and the expression lowered.
    pub(super) fn joined(&mut self, expr: Expr) -> Expr {
        let value = self.temporary("value", Span::call_site());
        self.flow.shared.insert(value);
        self.into(expr, Dest::Local(value));
        self.mention_expr(value)
    }
}

fn is_lazy(op: &BinOp) -> bool {
    matches!(op, BinOp::And(_) | BinOp::Or(_))
}

/// Whether it is `a && b` whose right side awaits, perhaps under `!`.
fn is_lazy_await(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(expr) => is_lazy_await(&expr.expr),
        Expr::Group(expr) => is_lazy_await(&expr.expr),
        Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => is_lazy_await(&expr.expr),
        Expr::Binary(expr) => is_lazy(&expr.op) && expr.right.awaits(),
        _ => false,
    }
}

/// Whether a condition awaits at most in what is evaluated first, whatever the rest gives.
fn awaits_first(condition: &Expr) -> bool {
    match condition {
        Expr::Paren(expr) => awaits_first(&expr.expr),
        Expr::Group(expr) => awaits_first(&expr.expr),
        Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => awaits_first(&expr.expr),
        Expr::Binary(expr) if is_lazy(&expr.op) => !expr.right.awaits() && awaits_first(&expr.left),
        _ => true,
    }
}

/// Whether code gives one of some bindings its first value, and may leave a loop. It is taken apart,
/// for whether there is a value depends on the way that is left by.
fn assigns_and_leaves(expr: &Expr, deferred: &BTreeSet<LocalId>) -> bool {
    struct Finder<'a> {
        deferred: &'a BTreeSet<LocalId>,
        assigns: bool,
        leaves: bool,
    }
    impl Visit<'_> for Finder<'_> {
        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Assign(assign) => {
                    let target = mark::local_in(&assign.left);
                    self.assigns |= target.is_some_and(|id| self.deferred.contains(&id));
                }
                Expr::Break(_) | Expr::Continue(_) => self.leaves = true,
                Expr::Closure(_) | Expr::Async(_) => return,
                _ => {}
            }
            visit::visit_expr(self, expr);
        }
        fn visit_item(&mut self, _: &Item) {}
    }
    if deferred.is_empty() {
        return false;
    }
    let mut finder = Finder {
        deferred,
        assigns: false,
        leaves: false,
    };
    finder.visit_expr(expr);
    finder.assigns && finder.leaves
}
