//! References that are one of several: `let who = match &name { Some(name) => name.as_str(), None => "nobody" };`
//!
//! They are chosen again, which gives the same as long as what is asked for it does not change either.

use std::collections::BTreeSet;

use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprIf, Macro, Pat, Stmt, parse_quote};

use super::super::flow::{LocalId, bound};
use super::super::mark::{self, mentions};
use super::super::spread::plain_binding;
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

/// The pattern and the value of a `let … else` that does the same as one of a `match` or an `if let`
/// all of whose branches leave but one, which gives what it binds.
///
/// ```text
/// let user = match users.get_mut(&id) { Some(found) => found, None => return Ok(()) };
/// let Some(user) = users.get_mut(&id) else { return Ok(()) };
/// ```
pub(super) fn let_else(pattern: &Pat, value: &Expr) -> Option<(Pat, Expr)> {
    match let_in_branch(pattern, value)? {
        Expr::Match(expr) => {
            let arm = expr.arms.into_iter().find(|arm| !is_left_by(&arm.body))?;
            Some((arm.pat, *expr.expr))
        }
        Expr::If(expr) => match *expr.cond {
            Expr::Let(looks) => Some((*looks.pat, *looks.expr)),
            _ => None,
        },
        _ => None,
    }
}

/// What such a `match` or `if let` looks into.
pub(super) fn scrutinee(branch: &mut Expr) -> &mut Expr {
    match branch {
        Expr::Paren(expr) => scrutinee(&mut expr.expr),
        Expr::Match(expr) => &mut expr.expr,
        Expr::If(ExprIf { cond, .. }) => match &mut **cond {
            Expr::Let(looks) => &mut looks.expr,
            cond => cond,
        },
        branch => branch,
    }
}

/// Such a `match` or `if let` that binds the pattern itself, and gives nothing.
pub(super) fn let_in_branch(pattern: &Pat, value: &Expr) -> Option<Expr> {
    let mut value = value.clone();
    let (looks, gives) = match &mut value {
        Expr::Paren(expr) => return let_in_branch(pattern, &expr.expr),
        Expr::Match(expr) => {
            let mut given = expr.arms.iter_mut().filter(|arm| !is_left_by(&arm.body));
            match (given.next(), given.next()) {
                (Some(arm), None) => (&mut arm.pat, &mut *arm.body),
                _ => return None,
            }
        }
        Expr::If(expr) => match (
            &mut *expr.cond,
            &mut expr.then_branch.stmts[..],
            &expr.else_branch,
        ) {
            (Expr::Let(looks), [Stmt::Expr(gives, None)], Some((_, otherwise)))
                if is_left_by(otherwise) =>
            {
                (&mut *looks.pat, gives)
            }
            _ => return None,
        },
        _ => return None,
    };
    // It may be of another type by a coercion.
    if let Pat::Type(_) = pattern {
        return None;
    }
    let mut inner = Inner {
        given: mark::local_in(gives)?,
        pattern,
        puts: 0,
        is_plain: true,
    };
    inner.visit_pat_mut(looks);
    *gives = parse_quote!(());
    (inner.puts == 1 && inner.is_plain).then_some(value)
}

fn is_left_by(branch: &Expr) -> bool {
    match branch {
        Expr::Block(expr) if expr.label.is_none() => is_left(&expr.block),
        branch => leaves(branch),
    }
}

/// Puts a pattern where another binds what is given.
struct Inner<'a> {
    given: LocalId,
    pattern: &'a Pat,
    puts: usize,
    /// Whether nothing else decides what is given.
    is_plain: bool,
}

impl VisitMut for Inner<'_> {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        let bound = match pattern {
            Pat::Ident(ident) => mark::local_of(&ident.ident),
            Pat::Guard(_) | Pat::Or(_) => {
                self.is_plain = false;
                return;
            }
            _ => None,
        };
        match bound {
            Some(id) if id == self.given && plain_binding(pattern).is_some() => {
                *pattern = self.pattern.clone();
                self.puts += 1;
            }
            Some(_) if plain_binding(pattern).is_some() => *pattern = parse_quote!(_),
            _ => visit_mut::visit_pat_mut(self, pattern),
        }
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
