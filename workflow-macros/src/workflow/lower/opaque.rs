//! Code that is not taken apart, but leaves by a `break` or `continue` of a loop that is.
//!
//! `break` becomes `__jump! { 4 }`, and `break x` of a loop whose value is wanted
//! `__jump! { 4 __local3__value x }`. A `return` stays what it is.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprAsync, ExprBlock, ExprClosure, ExprForLoop, ExprLoop, ExprWhile, Item, Label, Macro,
    parse_quote,
};

use super::super::flow::BlockId;
use super::super::macros;
use super::super::mark;
use super::{Dest, Lowering};

impl Lowering<'_> {
    /// Marks where an expression leaves.
    pub(super) fn opaque(&self, expr: &mut Expr) {
        let mut leaves = Leaves {
            lowering: self,
            loops: 0,
            labels: Vec::new(),
        };
        leaves.visit_expr_mut(expr);
    }
}

struct Leaves<'a, 'b> {
    lowering: &'a Lowering<'b>,
    /// How many loops of the code itself are around.
    loops: usize,
    /// The labels of the code itself that are around.
    labels: Vec<Ident>,
}

impl Leaves<'_, '_> {
    fn jump(&self, label: Option<&Ident>, value: Option<&Expr>, is_break: bool) -> Option<Expr> {
        let own = match label {
            Some(label) => self.labels.contains(label),
            None => self.loops > 0,
        };
        if own {
            return None;
        }
        let frame = self.lowering.frame(label)?;
        let jump = |to: BlockId, rest: TokenStream| {
            let name = Ident::new(mark::JUMP, Span::call_site());
            let to = Literal::usize_unsuffixed(to.0);
            parse_quote!(#name! { #to #rest })
        };
        if !is_break {
            return Some(jump(frame.head?, TokenStream::new()));
        }
        let value = value.map_or_else(|| quote!(()), ToTokens::to_token_stream);
        Some(match frame.dest {
            Dest::Discard => jump(frame.exit, TokenStream::new()),
            Dest::Local(id) => {
                let local = self.lowering.mention(id);
                jump(frame.exit, quote!(#local #value))
            }
            Dest::Return => parse_quote!(return #value),
        })
    }

    fn in_loop(&mut self, label: Option<&Label>, inside: impl FnOnce(&mut Self)) {
        self.loops += 1;
        self.labeled(label, inside);
        self.loops -= 1;
    }

    fn labeled(&mut self, label: Option<&Label>, inside: impl FnOnce(&mut Self)) {
        let depth = self.labels.len();
        self.labels
            .extend(label.map(|label| label.name.ident.clone()));
        inside(self);
        self.labels.truncate(depth);
    }
}

impl VisitMut for Leaves<'_, '_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let left = match expr {
            Expr::Break(leaving) => {
                let label = leaving.label.as_ref().map(|label| &label.ident);
                self.jump(label, leaving.expr.as_deref(), true)
            }
            Expr::Continue(leaving) => {
                let label = leaving.label.as_ref().map(|label| &label.ident);
                self.jump(label, None, false)
            }
            _ => None,
        };
        if let Some(left) = left {
            *expr = left;
        }
    }

    fn visit_expr_loop_mut(&mut self, expr: &mut ExprLoop) {
        self.in_loop(expr.label.as_ref(), |this| {
            this.visit_block_mut(&mut expr.body)
        });
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        self.in_loop(expr.label.as_ref(), |this| {
            this.visit_expr_mut(&mut expr.cond);
            this.visit_block_mut(&mut expr.body);
        });
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        self.visit_expr_mut(&mut expr.expr);
        self.in_loop(expr.label.as_ref(), |this| {
            this.visit_block_mut(&mut expr.body)
        });
    }

    fn visit_expr_block_mut(&mut self, expr: &mut ExprBlock) {
        self.labeled(expr.label.as_ref(), |this| {
            this.visit_block_mut(&mut expr.block)
        });
    }

    // Their `return`, `break` and `continue` are their own.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        if leaves(mac.tokens.clone()) {
            macros::change_arguments(mac, |_, argument| self.visit_expr_mut(argument));
        }
    }
}

/// Whether tokens may leave.
fn leaves(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "break" || ident == "continue",
        TokenTree::Group(group) => leaves(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
