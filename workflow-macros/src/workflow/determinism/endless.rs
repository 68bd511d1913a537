//! Loops that neither await nor end.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprAsync, ExprAwait, ExprBreak, ExprClosure, ExprContinue, ExprForLoop, ExprLoop,
    ExprReturn, ExprTry, ExprWhile, Item, Label, Lit, Macro,
};

use super::super::awaits::in_tokens;
use super::super::macros;
use crate::code;
use crate::report::Report;

pub(super) fn check(report: &Report, token: impl ToTokens, label: Option<&Label>, body: &Block) {
    let mut finder = Finder {
        own: label.map(|label| &label.name.ident),
        inner: Vec::new(),
        loops: 0,
        found: false,
    };
    finder.visit_block(body);
    if !finder.found {
        report.error_on(
            code::ENDLESS,
            token,
            "this loop neither awaits nor ends\n\
             a run is saved and can be canceled only at an `.await`, so it would keep a thread busy for ever\n\
             help: leave it by `break`, `return` or `?`, or await in it: `ctx.sleep(…).await?`",
        );
    }
}

/// Whether a condition is always true.
pub(super) fn is_true(condition: &Expr) -> bool {
    matches!(condition, Expr::Lit(literal) if matches!(&literal.lit, Lit::Bool(value) if value.value))
}

/// Looks for an await, or for what leaves a loop.
struct Finder<'a> {
    own: Option<&'a Ident>,
    /// The labels within.
    inner: Vec<&'a Ident>,
    /// How many loops within are around.
    loops: usize,
    found: bool,
}

impl<'a> Finder<'a> {
    fn within(&mut self, label: Option<&'a Label>, inside: impl FnOnce(&mut Self)) {
        let depth = self.inner.len();
        self.inner.extend(label.map(|label| &label.name.ident));
        self.loops += 1;
        inside(self);
        self.loops -= 1;
        self.inner.truncate(depth);
    }
}

impl<'a> Visit<'a> for Finder<'a> {
    fn visit_expr_await(&mut self, _: &'a ExprAwait) {
        self.found = true;
    }

    fn visit_expr_return(&mut self, _: &'a ExprReturn) {
        self.found = true;
    }

    fn visit_expr_try(&mut self, _: &'a ExprTry) {
        self.found = true;
    }

    fn visit_expr_break(&mut self, expr: &'a ExprBreak) {
        self.found |= match &expr.label {
            None => self.loops == 0,
            Some(label) => !self.inner.contains(&&label.ident),
        };
        visit::visit_expr_break(self, expr);
    }

    fn visit_expr_continue(&mut self, expr: &'a ExprContinue) {
        if let Some(label) = &expr.label {
            let own = self.own == Some(&label.ident);
            self.found |= !own && !self.inner.contains(&&label.ident);
        }
    }

    fn visit_macro(&mut self, mac: &'a Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        let ends = ["panic", "unreachable", "todo", "unimplemented"];
        // What another macro does is not known.
        self.found |= macros::kind(mac).is_none()
            || name.is_some_and(|name| ends.contains(&&*name))
            || in_tokens(mac.tokens.clone()).is_some();
    }

    fn visit_expr_loop(&mut self, expr: &'a ExprLoop) {
        self.within(expr.label.as_ref(), |this| {
            visit::visit_expr_loop(this, expr)
        });
    }

    fn visit_expr_while(&mut self, expr: &'a ExprWhile) {
        self.within(expr.label.as_ref(), |this| {
            visit::visit_expr_while(this, expr)
        });
    }

    fn visit_expr_for_loop(&mut self, expr: &'a ExprForLoop) {
        self.within(expr.label.as_ref(), |this| {
            visit::visit_expr_for_loop(this, expr)
        });
    }

    fn visit_expr_block(&mut self, expr: &'a syn::ExprBlock) {
        let depth = self.inner.len();
        self.inner
            .extend(expr.label.iter().map(|label| &label.name.ident));
        visit::visit_expr_block(self, expr);
        self.inner.truncate(depth);
    }

    fn visit_expr_closure(&mut self, _: &'a ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'a ExprAsync) {}
    fn visit_item(&mut self, _: &'a Item) {}
}
