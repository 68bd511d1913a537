//! What is read before an await of the same expression, and what may be read after it.

use proc_macro2::Ident;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, UnOp};

use super::super::awaits::Awaits;
use super::super::flow::LocalId;
use super::super::held::steps;
use super::super::macros::{Kind, StdMacro};
use super::super::mark::{self, mentions};
use super::Lowering;
use super::access::{is_entry, is_steady, is_steady_key};
use super::operands::Taken;
use super::place::{changed_in, is_constant, is_in, is_place, jumps, reads};
use crate::code;

impl Lowering<'_> {
    /// Whether an operand can be evaluated after the awaits of those that follow it.
    pub(super) fn stays(&self, expr: &Expr, taken: Taken, later: &[&Expr]) -> bool {
        if is_constant(expr) {
            return true;
        }
        match expr {
            // While a reference is there, nothing else can change what it refers to; but what it was
            // found through may be another.
            Expr::Reference(reference) => {
                is_place(&reference.expr)
                    && (reference.mutability.is_some()
                        || !goes_through(&reference.expr)
                        || self.leave(expr, later))
            }
            Expr::Paren(expr) => self.stays(&expr.expr, taken, later),
            Expr::Tuple(tuple) => tuple
                .elems
                .iter()
                .all(|element| self.stays(element, Taken::Value, later)),
            Expr::Array(array) => array
                .elems
                .iter()
                .all(|element| self.stays(element, Taken::Value, later)),
            Expr::Closure(_) => {
                let mut mine = self.flow.rests_on(mentions(expr));
                mine.retain(|id| self.flow.may_change(*id));
                !later
                    .iter()
                    .any(|later| !mentions(later).is_disjoint(&mine))
            }
            _ if is_place(expr) => match taken {
                // A value that is used again later is a copy, and may differ by then.
                Taken::Value => {
                    let mut mine = self.flow.rests_on(mentions(expr));
                    mine.retain(|id| self.flow.may_change(*id));
                    !later
                        .iter()
                        .any(|later| !mentions(later).is_disjoint(&mine))
                }
                Taken::Place => !self.is_changed(expr, later),
                Taken::Base => true,
            },
            _ => false,
        }
    }

    /// Whether what follows an operand changes nothing that it is made of, so that a reference among
    /// them is found again as if rustc held it.
    pub(super) fn leave(&self, operand: &Expr, later: &[&Expr]) -> bool {
        let mut made_of = self.flow.rests_on(mentions(operand));
        made_of.retain(|id| self.flow.may_change(*id));
        later.iter().all(|later| {
            let mut changed = changed_in(later).all();
            // A mutable reference may be handed on without saying so.
            let rebound = mentions(later)
                .into_iter()
                .filter(|id| self.is_rebound(*id));
            changed.extend(rebound.filter(|id| self.flow.may_change(*id)));
            self.flow.rests_on(changed).is_disjoint(&made_of)
        })
    }

    /// Whether what follows a place changes it, so that what was taken before was a copy.
    pub(super) fn is_changed(&self, place: &Expr, later: &[&Expr]) -> bool {
        let mut mine = self.flow.rests_on(mentions(place));
        mine.retain(|id| self.flow.may_change(*id));
        if mine.is_empty() || matches!(place, Expr::Reference(_)) {
            return false;
        }
        for later in later {
            let mut changes = changed_in(later);
            if !changes.surely.is_disjoint(&mine) {
                return true;
            }
            changes.perhaps.extend(asked_of_whole(place, later));
            changes.perhaps.extend(self.handed_on(later));
            if let Some((id, method)) = changes.perhaps.iter().find(|(id, _)| mine.contains(id)) {
                let name = &self.flow.locals[id.0].ident;
                let by = match method == name {
                    true => "what it is handed on to".to_owned(),
                    false => format!("`{method}`"),
                };
                self.report.error_on(
                    code::ORDER,
                    method,
                    format!(
                        "`{name}` is used before this in the same expression, and {by} may change it\n\
                         whether the value before or after it is meant cannot be seen across the `.await`\n\
                         help: bind the awaited value first: `let value = ….await?;`, and use `value` here"
                    ),
                );
                return true;
            }
        }
        false
    }

    /// The mutable references that code hands on, to what may change what they refer to.
    fn handed_on(&self, code: &Expr) -> Vec<(LocalId, Ident)> {
        struct Finder(Vec<(LocalId, Ident)>);
        impl Finder {
            /// Of what is only looked into, all but itself.
            fn looked_into(&mut self, expr: &Expr) {
                if mark::local_in(expr).is_none() {
                    self.visit_expr(expr);
                }
            }
        }
        impl Visit<'_> for Finder {
            fn visit_expr(&mut self, expr: &Expr) {
                match expr {
                    Expr::Path(path) => {
                        let ident = path.path.get_ident();
                        let local = mark::local_in(expr).zip(ident.cloned());
                        self.0.extend(local);
                    }
                    Expr::Field(expr) => self.looked_into(&expr.base),
                    Expr::Index(expr) => {
                        self.looked_into(&expr.expr);
                        self.visit_expr(&expr.index);
                    }
                    Expr::Unary(expr) => self.looked_into(&expr.expr),
                    Expr::MethodCall(call) if reads(&call.method) => {
                        self.looked_into(&call.receiver);
                        call.args.iter().for_each(|arg| self.visit_expr(arg));
                    }
                    expr => visit::visit_expr(self, expr),
                }
            }
            fn visit_macro(&mut self, mac: &syn::Macro) {
                let Some(parsed) = StdMacro::parse(mac) else {
                    return;
                };
                // What is written to comes before the text.
                let handed = match parsed.kind {
                    Kind::Format { text_at } | Kind::Debug { text_at } => text_at,
                    Kind::Values => parsed.arguments.len(),
                    Kind::Assert | Kind::Compare | Kind::Json | Kind::Matches => 0,
                };
                for (at, value) in parsed.values().enumerate() {
                    match at < handed {
                        true => self.visit_expr(value),
                        false => self.looked_into(value),
                    }
                }
            }
        }
        let mut finder = Finder(Vec::new());
        finder.visit_expr(code);
        let mut handed = finder.0;
        handed.retain(|(id, _)| self.is_rebound(*id) && self.flow.may_change(*id));
        for (id, ident) in &mut handed {
            *ident = Ident::new(&mark::plain(&self.flow.local(*id).ident), ident.span());
        }
        handed
    }

    /// `place += value` awaits the value, then changes the place; so does rustc for numbers.
    pub(super) fn check_compound(&self, place: &Expr, value: &Expr) {
        let mut changed = changed_in(value).all();
        changed.extend(self.handed_on(value).into_iter().map(|(id, _)| id));
        let mut index = place;
        loop {
            index = match index {
                Expr::Paren(expr) => &expr.expr,
                Expr::Field(expr) => &expr.base,
                Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => &expr.expr,
                Expr::Index(expr) => {
                    if !is_steady_key(&expr.index, &changed) {
                        self.report.error_on(
                            code::ORDER,
                            &expr.index,
                            "an index that is computed, or that the right side changes, before an `.await` on the right\n\
                             it would be evaluated after the await for numbers, and before it for other types\n\
                             help: bind it first: `let index = …;`",
                        );
                    }
                    &expr.expr
                }
                _ => break,
            };
        }
        // An entry is there or made, before the right side or after it; no panic tells which.
        let finds = match index {
            Expr::MethodCall(_) => is_entry(index) && !jumps(value) && is_steady(index, &changed),
            _ => is_place(index),
        };
        if !finds || place.awaits() {
            self.report.error_on(
                code::ORDER,
                place,
                "this place is computed before an `.await` on the right\n\
                 it would be computed again, or another one, after the await\n\
                 help: bind the awaited value first: `let value = ….await?;`, and use `value` on the right",
            );
        }
    }

    /// Where a place is not of a number, `place += value` finds it before the value.
    pub(super) fn look_first(&mut self, place: &Expr, value: &Expr) {
        if !matches!(place, Expr::Index(_)) {
            return;
        }
        let span = place.span();
        let look = match value {
            // A number to which a reference is added is none for rustc.
            Expr::Reference(_) => quote_spanned!(span=> let _ = &#place;),
            _ => quote_spanned! {span=>
                {
                    use ::workflow::__private::{LookFirst as _, LookLater as _};
                    (&::workflow::__private::place(|| &#place)).look();
                }
            },
        };
        let code = self.code(look, &[place], Vec::new());
        self.push(code);
    }
}

/// Whether a place is found through a reference, as the syntax may show, or in part of a text.
pub(super) fn goes_through(place: &Expr) -> bool {
    match place {
        Expr::Field(expr) => goes_through(&expr.base),
        Expr::Paren(expr) => goes_through(&expr.expr),
        Expr::Index(_) => true,
        Expr::Unary(_) => true,
        _ => false,
    }
}

/// The methods that code calls on what a field belongs to: of a user's own type, which may change by
/// any of them, but for those of the standard library's traits.
fn asked_of_whole(field: &Expr, code: &Expr) -> Vec<(LocalId, Ident)> {
    const OF_TRAITS: [&str; 5] = ["clone", "cmp", "partial_cmp", "to_owned", "to_string"];
    struct Finder(Vec<String>, Vec<(LocalId, Ident)>);
    impl Visit<'_> for Finder {
        fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
            visit::visit_expr_method_call(self, call);
            let whole = steps(&call.receiver);
            let own = reads(&call.method) && !is_in(&OF_TRAITS, &call.method);
            if own && whole.len() < self.0.len() && self.0.starts_with(&whole) {
                let of = mentions(&call.receiver).into_iter();
                self.1.extend(of.map(|id| (id, call.method.clone())));
            }
        }
    }
    let mut finder = Finder(steps(field), Vec::new());
    finder.visit_expr(code);
    finder.1
}
