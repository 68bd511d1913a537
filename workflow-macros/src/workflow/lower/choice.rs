//! References that are one of several: `let who = match &name { Some(name) => name.as_str(), None => "nobody" };`
//!
//! They are chosen again, which gives the same as long as what is asked for it does not change either.

use std::collections::BTreeSet;

use syn::{Block, Expr, Macro, Pat, Stmt};

use super::super::flow::{LocalId, bound};
use super::super::mark::{self, mentions};
use super::Lowering;
use super::place::{is_constant, is_in, is_place, says_mut};
use super::rebind::by_reference;
use super::search::only_asks;

/// What a value is chosen from.
#[derive(Default)]
struct Choice<'e> {
    /// What its branches give that do not leave.
    ends: Vec<&'e Expr>,
    /// The references that its patterns bind.
    binds: BTreeSet<LocalId>,
}

impl Lowering<'_> {
    /// Whether a value is chosen from references, or from such and what is always there, by what can be
    /// asked again.
    pub(super) fn is_choice(&self, value: &Expr) -> bool {
        let mut choice = Choice::default();
        let asks = self.ends(value, &mut choice);
        let is_reference = |end: &Expr| {
            let bound = mark::local_in(end).is_some_and(|id| choice.binds.contains(&id));
            bound || self.is_reference(end)
        };
        asks && !says_mut(value)
            && (self.holds || self.is_fixed(mentions(value)))
            && choice.ends.iter().any(|end| is_reference(end))
            && (choice.ends.iter()).all(|end| is_reference(end) || is_constant(end))
    }

    /// What the branches of a value give that do not leave.
    pub(super) fn given<'e>(&self, value: &'e Expr) -> Vec<&'e Expr> {
        let mut choice = Choice::default();
        self.ends(value, &mut choice);
        choice.ends
    }

    /// What the branches of a value give; and whether which it is can be asked again.
    fn ends<'e>(&self, value: &'e Expr, choice: &mut Choice<'e>) -> bool {
        match value {
            Expr::If(expr) => {
                let otherwise = expr.else_branch.as_ref().map(|(_, otherwise)| &**otherwise);
                self.is_condition(&expr.cond, choice)
                    && self.block_ends(&expr.then_branch, choice)
                    && otherwise.is_some_and(|otherwise| self.ends(otherwise, choice))
            }
            Expr::Match(expr) => expr.arms.iter().all(|arm| {
                let guard = match &arm.pat {
                    Pat::Guard(guarded) => only_asks(&guarded.guard),
                    _ => true,
                };
                guard
                    && self.can_be_asked(&arm.pat, &expr.expr, choice)
                    && self.ends(&arm.body, choice)
            }),
            Expr::Block(expr) if expr.label.is_none() => self.block_ends(&expr.block, choice),
            Expr::Paren(expr) => self.ends(&expr.expr, choice),
            end => {
                if !leaves(end) {
                    choice.ends.push(end);
                }
                true
            }
        }
    }

    /// The same of a block, which does nothing but give it.
    fn block_ends<'e>(&self, block: &'e Block, choice: &mut Choice<'e>) -> bool {
        match &block.stmts[..] {
            [Stmt::Expr(tail, None)] => self.ends(tail, choice),
            _ => is_left(block),
        }
    }

    fn is_condition(&self, condition: &Expr, choice: &mut Choice<'_>) -> bool {
        match condition {
            Expr::Let(expr) => self.can_be_asked(&expr.pat, &expr.expr, choice),
            Expr::Binary(expr) => {
                self.is_condition(&expr.left, choice) && self.is_condition(&expr.right, choice)
            }
            Expr::Paren(expr) => self.is_condition(&expr.expr, choice),
            condition => only_asks(condition),
        }
    }

    /// Whether a pattern takes nothing out of what it looks into.
    fn can_be_asked(&self, pattern: &Pat, value: &Expr, choice: &mut Choice<'_>) -> bool {
        let by_ref = by_reference(pattern, value);
        let (pattern, value) = match &by_ref {
            Some((pattern, value)) => (pattern, value),
            None => (pattern, value),
        };
        let refers = self.is_reference(value);
        if refers {
            choice.binds.extend(bound(&self.looking(pattern, value)));
        }
        let asks = only_asks(value) && (bound(pattern).is_empty() || !is_place(value));
        refers || asks
    }
}

/// Whether a branch gives nothing.
pub(super) fn leaves(end: &Expr) -> bool {
    match end {
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::Macro(expr) => panics(&expr.mac),
        _ => false,
    }
}

/// The same of a block.
pub(super) fn is_left(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(end, _)) => leaves(end),
        Some(Stmt::Macro(end)) => panics(&end.mac),
        _ => false,
    }
}

fn panics(mac: &Macro) -> bool {
    const LEAVING: [&str; 5] = ["panic", "todo", "unimplemented", "unreachable", mark::JUMP];
    let name = mac.path.segments.last();
    name.is_some_and(|name| is_in(&LEAVING, &name.ident))
}
