//! Calls that hand on the context, `review(ctx, order).await`: the workflow called runs inline, as a
//! part of this one.
//!
//! ```text
//! review(ctx, order)    Inline::new(&*ctx, review(order))
//! ```

use proc_macro2::Ident;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, Expr, ExprAwait, ExprCall, ExprForLoop, ExprIf, ExprPath, ExprWhile, Item, Macro,
    PatIdent, Path, Stmt, UnOp,
};

use super::{macros, mark};

/// Writes the calls of a body that hand on the context as inline calls.
pub(super) fn rewrite(context: &Ident, body: &mut Block) {
    Rewriter { context }.visit_block_mut(body);
}

/// The workflow that an awaited expression runs inline, and the call of it.
pub(super) fn called(awaited: &Expr) -> Option<(&Path, &Expr)> {
    let Expr::Call(call) = awaited else {
        return None;
    };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let words: Vec<_> = function.path.segments.iter().collect();
    let [workflow, private, inline, new] = words[..] else {
        return None;
    };
    let is = workflow.ident == "workflow"
        && private.ident == "__private"
        && inline.ident == "Inline"
        && new.ident == "new";
    let inner = call.args.last()?;
    let Expr::Call(called) = inner else {
        return None;
    };
    match &*called.func {
        Expr::Path(ExprPath {
            qself: None, path, ..
        }) if is => Some((path, inner)),
        _ => None,
    }
}

struct Rewriter<'a> {
    context: &'a Ident,
}

impl Rewriter<'_> {
    /// Whether an argument is the context: `ctx`, `&mut ctx`, `&mut *ctx`.
    fn is_context(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Path(path) => path
                .path
                .get_ident()
                .is_some_and(|ident| mark::plain(ident) == mark::plain(self.context)),
            Expr::Reference(reference) if reference.mutability.is_some() => {
                self.is_context(&reference.expr)
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
                self.is_context(&unary.expr)
            }
            Expr::Paren(paren) => self.is_context(&paren.expr),
            _ => false,
        }
    }

    fn rewritten(&self, call: &ExprCall) -> Option<Expr> {
        if !matches!(&*call.func, Expr::Path(_)) || !self.is_context(call.args.first()?) {
            return None;
        }
        let context = self.context;
        let function = &call.func;
        let arguments = call.args.iter().skip(1);
        let span = call.func.span();
        let call = quote_spanned!(span=> #function(#(#arguments),*));
        let tokens = quote_spanned!(span=> ::workflow::__private::Inline::new(&*#context, #call));
        syn::parse2(tokens).ok()
    }
}

impl Rewriter<'_> {
    /// Whether patterns in some code bind the context's name to something else.
    fn is_shadowed(&self, visit: impl FnOnce(&mut Binds<'_>)) -> bool {
        let mut binds = Binds(self.context, false);
        visit(&mut binds);
        binds.1
    }
}

/// Whether a pattern binds a name.
struct Binds<'a>(&'a Ident, bool);

impl Visit<'_> for Binds<'_> {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.1 |= mark::plain(&pattern.ident) == mark::plain(self.0);
        visit::visit_pat_ident(self, pattern);
    }
    fn visit_block(&mut self, _: &Block) {}
}

impl VisitMut for Rewriter<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        for stmt in &mut block.stmts {
            self.visit_stmt_mut(stmt);
            if let Stmt::Local(local) = stmt
                && self.is_shadowed(|binds| binds.visit_pat(&local.pat))
            {
                break;
            }
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        if !self.is_shadowed(|binds| binds.visit_pat(&arm.pat)) {
            visit_mut::visit_arm_mut(self, arm);
        }
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        self.visit_expr_mut(&mut expr.expr);
        if !self.is_shadowed(|binds| binds.visit_pat(&expr.pat)) {
            self.visit_block_mut(&mut expr.body);
        }
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        self.visit_expr_mut(&mut expr.cond);
        if !self.is_shadowed(|binds| binds.visit_expr(&expr.cond)) {
            self.visit_block_mut(&mut expr.body);
        }
    }

    fn visit_expr_if_mut(&mut self, expr: &mut ExprIf) {
        self.visit_expr_mut(&mut expr.cond);
        if !self.is_shadowed(|binds| binds.visit_expr(&expr.cond)) {
            self.visit_block_mut(&mut expr.then_branch);
        }
        if let Some((_, otherwise)) = &mut expr.else_branch {
            self.visit_expr_mut(otherwise);
        }
    }

    fn visit_expr_await_mut(&mut self, expr: &mut ExprAwait) {
        if let Expr::Call(call) = &*expr.base
            && let Some(rewritten) = self.rewritten(call)
        {
            *expr.base = rewritten;
        }
        visit_mut::visit_expr_await_mut(self, expr);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let names = [mark::plain(self.context)];
        macros::visit_arguments(mac, &names, |argument| self.visit_expr_mut(argument));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
