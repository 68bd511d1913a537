//! Numbers the awaits in the order of the source, and takes down of each what its state needs: what
//! is awaited, and the fingerprint of the statement that awaits.
//!
//! A fingerprint is a hash of the tokens of the innermost statement, condition, scrutinee or match
//! arm that holds the await, of the await's place in it, and of the branches and loops around it;
//! where several of these read alike, also of which one it is, of how many, and of what stands
//! before and after it, so that putting one more beside them, or moving one, makes them others.
//!
//! The surroundings are a hash of the branches and loops around an await and of the names of the
//! awaits before and after it. Neither may ever change from one version of this crate to the next:
//! saved runs carry them.

use std::collections::HashMap;
use std::hash::Hasher;

use proc_macro2::Span;
use siphasher::sip::SipHasher13;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, Expr, ExprAsync, ExprAwait, ExprBlock, ExprClosure, ExprForLoop, ExprIf, ExprLoop,
    ExprMatch, ExprWhile, Item, Macro, Path, Stmt, parse_quote,
};

use super::awaits::{Awaits, in_tokens};
use super::macros;
use super::state_name::{Awaited, SignalName};
use super::{inline, mark};

/// The name of a signal, as the source spells it.
#[derive(Clone)]
pub(super) struct SignalArgument(pub(super) Expr);

/// The name of the signal that an operation waits for, where it waits for one and the source spells
/// its name.
pub(super) fn signal(operation: &Expr) -> Option<SignalArgument> {
    let name = match Awaited::of(operation) {
        Awaited::Signal(name, Some(SignalName::Literal)) => parse_quote!(#name),
        Awaited::Signal(_, Some(SignalName::Constant(path))) => syn::parse_str(&path).ok()?,
        _ => return None,
    };
    Some(SignalArgument(name))
}

/// The names of the signals that an await waits for, one for each of its operations.
fn signals(operation: &Expr) -> Vec<Option<SignalArgument>> {
    if let (Awaited::Join | Awaited::Select, Expr::Call(call)) = (Awaited::of(operation), operation)
        && let Some(Expr::Tuple(operations)) = call.args.first()
    {
        return operations.elems.iter().map(signal).collect();
    }
    vec![signal(operation)]
}

/// An await of the source.
pub(super) struct Await {
    pub(super) awaited: Awaited,
    pub(super) signals: Vec<Option<SignalArgument>>,
    /// The workflow that runs inline there.
    pub(super) inline: Option<Path>,
    pub(super) fingerprint: u64,
    pub(super) surroundings: u64,
    pub(super) span: Span,
}

/// Numbers the awaits of a body.
pub(super) fn number(body: &mut Block) -> Vec<Await> {
    let mut numberer = Numberer {
        awaits: Vec::new(),
        unit: 0,
        units: Vec::new(),
        around: hasher().finish(),
    };
    numberer.visit_block_mut(body);
    let Numberer { awaits, units, .. } = numberer;
    let mut alike: HashMap<u64, u64> = HashMap::new();
    let mut which = Vec::new();
    for unit in &units {
        let count = alike.entry(unit.text).or_default();
        which.push(*count);
        *count += 1;
    }
    let fingerprint = |unit: usize, place: u64| {
        let mut hasher = hasher();
        hasher.write_u64(units[unit].text);
        hasher.write_u64(units[unit].around);
        hasher.write_u64(place);
        let count = alike[&units[unit].text];
        if count > 1 {
            hasher.write_u64(which[unit]);
            hasher.write_u64(count);
            let text = |unit: Option<usize>| unit.and_then(|u| units.get(u)).map_or(0, |u| u.text);
            hasher.write_u64(text(unit.checked_sub(1)));
            hasher.write_u64(text(Some(unit + 1)));
        }
        hasher.finish()
    };
    let bases: Vec<String> = awaits.iter().map(|found| found.awaited.base()).collect();
    let surroundings = |number: usize, unit: usize| {
        let mut hasher = hasher();
        hasher.write_u64(units[unit].around);
        for neighbour in [number.checked_sub(1), Some(number + 1)] {
            let base = neighbour.and_then(|number| bases.get(number));
            hasher.write(base.map_or("", String::as_str).as_bytes());
            hasher.write_u8(0);
        }
        hasher.finish()
    };
    let numbered = awaits.iter().enumerate();
    numbered
        .map(|(number, found)| Await {
            awaited: found.awaited.clone(),
            signals: found.signals.clone(),
            inline: found.inline.clone(),
            fingerprint: fingerprint(found.unit, found.place),
            surroundings: surroundings(number, found.unit),
            span: found.span,
        })
        .collect()
}

fn hasher() -> SipHasher13 {
    SipHasher13::new_with_keys(0x776f_726b_666c_6f77, 0x6669_6e67_6572)
}

/// A piece of source that is edited as one.
struct Unit {
    text: u64,
    /// The branches and loops around it.
    around: u64,
    awaits: u64,
}

/// An await, before all are known.
struct Found {
    awaited: Awaited,
    signals: Vec<Option<SignalArgument>>,
    inline: Option<Path>,
    span: Span,
    /// The unit that it stands in, and its place therein.
    unit: usize,
    place: u64,
}

struct Numberer {
    awaits: Vec<Found>,
    unit: usize,
    units: Vec<Unit>,
    /// The branches and loops around what is being visited.
    around: u64,
}

impl Numberer {
    fn in_unit(&mut self, text: &str, inside: impl FnOnce(&mut Self)) {
        let mut hasher = hasher();
        hasher.write(text.as_bytes());
        self.units.push(Unit {
            text: hasher.finish(),
            around: self.around,
            awaits: 0,
        });
        let outer = std::mem::replace(&mut self.unit, self.units.len() - 1);
        inside(self);
        self.unit = outer;
    }

    /// Visits a branch or the body of a loop.
    fn within(&mut self, what: &str, inside: impl FnOnce(&mut Self)) {
        let mut hasher = hasher();
        hasher.write_u64(self.around);
        hasher.write(what.as_bytes());
        let outer = std::mem::replace(&mut self.around, hasher.finish());
        inside(self);
        self.around = outer;
    }

    fn unit(&mut self, expr: &mut Expr) {
        if is_control_flow(expr) {
            self.visit_expr_mut(expr);
        } else if expr.awaits() {
            self.in_unit(&mark::text(expr), |this| this.visit_expr_mut(expr));
        }
    }
}

/// The place at which an operand is said to be none: what it is called by, or the type of a signal.
fn telling_span(operand: &Expr) -> Span {
    match operand {
        Expr::MethodCall(call) => match &call.turbofish {
            Some(turbofish) => turbofish.args.span(),
            None => operand.span(),
        },
        _ => operand.span(),
    }
}

fn is_control_flow(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::If(_)
            | Expr::Match(_)
            | Expr::Loop(_)
            | Expr::While(_)
            | Expr::ForLoop(_)
            | Expr::Block(_)
    )
}

impl VisitMut for Numberer {
    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Expr(expr, _) => self.unit(expr),
            _ if stmt.awaits() => {
                self.in_unit(&mark::text(stmt), |this| {
                    visit_mut::visit_stmt_mut(this, stmt);
                });
            }
            _ => {}
        }
    }

    fn visit_expr_await_mut(&mut self, expr: &mut ExprAwait) {
        self.visit_expr_mut(&mut expr.base);
        let Some(unit) = self.units.get_mut(self.unit) else {
            return;
        };
        let place = unit.awaits;
        unit.awaits += 1;
        let number = self.awaits.len();
        self.awaits.push(Found {
            awaited: Awaited::of(&expr.base),
            signals: signals(&expr.base),
            inline: inline::called(&expr.base).map(|(path, _)| path.clone()),
            span: telling_span(&expr.base),
            unit: self.unit,
            place,
        });
        mark::number_await(expr, number);
    }

    fn visit_expr_if_mut(&mut self, expr: &mut ExprIf) {
        self.unit(&mut expr.cond);
        self.within("then", |this| this.visit_block_mut(&mut expr.then_branch));
        if let Some((_, otherwise)) = &mut expr.else_branch {
            self.within("else", |this| this.visit_expr_mut(otherwise));
        }
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        self.unit(&mut expr.cond);
        self.within("while", |this| this.visit_block_mut(&mut expr.body));
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        self.unit(&mut expr.expr);
        self.within("for", |this| this.visit_block_mut(&mut expr.body));
    }

    fn visit_expr_match_mut(&mut self, expr: &mut ExprMatch) {
        self.unit(&mut expr.expr);
        for arm in &mut expr.arms {
            self.visit_arm_mut(arm);
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        let pattern = mark::text(&arm.pat);
        self.within(&pattern, |this| this.unit(&mut arm.body));
    }

    fn visit_expr_loop_mut(&mut self, expr: &mut ExprLoop) {
        self.within("loop", |this| this.visit_block_mut(&mut expr.body));
    }

    fn visit_expr_block_mut(&mut self, expr: &mut ExprBlock) {
        self.visit_block_mut(&mut expr.block);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        if in_tokens(mac.tokens.clone()).is_some() {
            macros::change_arguments(mac, |_, argument| self.visit_expr_mut(argument));
        }
    }

    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(body: &str) -> Vec<u64> {
        let mut body: Block = syn::parse_str(&format!("{{ {body} }}")).unwrap();
        number(&mut body).iter().map(|a| a.fingerprint).collect()
    }

    #[test]
    fn a_fingerprint_is_that_of_its_statement_alone() {
        let one = fingerprints("let a = f(x).await?; g(a).await?;");
        let other = fingerprints("let   a=f(x) . await ? ; let b = 5; h(b).await?; g(a).await?;");
        assert_eq!(one[0], other[0]);
        assert_eq!(one[1], other[2]);
        assert_ne!(one[1], other[1]);
    }

    #[test]
    fn moving_a_statement_into_another_branch_makes_it_another() {
        let one = fingerprints("if vip { f().await?; g(); } else { h(); }");
        let other = fingerprints("if vip { g(); } else { f().await?; h(); }");
        let edited = fingerprints("if vip || old { f().await?; g(); } else { h(); }");
        assert_ne!(one, other);
        assert_eq!(one, edited);
    }

    #[test]
    fn bodies_of_branches_do_not_count_for_their_condition() {
        let one = fingerprints("if f().await? { a(); }");
        let other = fingerprints("if f().await? { b(); } else { c(); }");
        assert_eq!(one, other);
    }

    #[test]
    fn statements_alike_are_told_apart_and_none_stays_when_one_is_added() {
        let two = fingerprints("f().await?; f().await?;");
        let three = fingerprints("f().await?; f().await?; f().await?;");
        assert_ne!(two[0], two[1]);
        assert!(two.iter().all(|known| !three.contains(known)));
    }

    #[test]
    fn statements_alike_are_others_when_one_goes_and_one_comes() {
        let before = fingerprints("f().await?; a().await?; f().await?; b().await?;");
        let after = fingerprints("a().await?; f().await?; b().await?; f().await?;");
        assert!(
            [before[0], before[2]]
                .iter()
                .all(|known| !after.contains(known))
        );
    }

    #[test]
    fn awaits_of_one_statement_are_told_apart() {
        let two = fingerprints("g(f().await?, f().await?);");
        assert_ne!(two[0], two[1]);
    }

    #[test]
    fn the_hash_is_the_same_for_ever() {
        assert_eq!(fingerprints("f().await?;"), [PINNED]);
    }

    const PINNED: u64 = 14_502_481_798_677_179_930;
}
