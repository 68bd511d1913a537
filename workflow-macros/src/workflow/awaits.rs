//! Whether code awaits.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprAwait, ExprClosure, Item, Macro, Stmt};

/// Whether a piece of syntax awaits, in itself and not in a closure or an item within it.
pub(super) trait Awaits {
    fn awaits(&self) -> bool;
}

impl Awaits for Expr {
    fn awaits(&self) -> bool {
        let mut finder = Finder(false);
        finder.visit_expr(self);
        finder.0
    }
}

impl Awaits for Stmt {
    fn awaits(&self) -> bool {
        let mut finder = Finder(false);
        finder.visit_stmt(self);
        finder.0
    }
}

impl Awaits for Block {
    fn awaits(&self) -> bool {
        self.stmts.iter().any(Stmt::awaits)
    }
}

struct Finder(bool);

impl Visit<'_> for Finder {
    fn visit_expr(&mut self, expr: &Expr) {
        if !self.0 {
            visit::visit_expr(self, expr);
        }
    }

    fn visit_expr_await(&mut self, _: &ExprAwait) {
        self.0 = true;
    }

    fn visit_macro(&mut self, mac: &Macro) {
        self.0 |= in_tokens(mac.tokens.clone()).is_some();
    }

    fn visit_expr_closure(&mut self, _: &ExprClosure) {}
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}

/// The first `await` of a `.await` in tokens.
pub(super) fn in_tokens(tokens: TokenStream) -> Option<proc_macro2::Ident> {
    let mut after_dot = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if after_dot && ident == "await" => return Some(ident),
            TokenTree::Group(group) => {
                if let Some(found) = in_tokens(group.stream()) {
                    return Some(found);
                }
                after_dot = false;
            }
            TokenTree::Punct(punct) => after_dot = punct.as_char() == '.',
            TokenTree::Ident(_) | TokenTree::Literal(_) => after_dot = false,
        }
    }
    None
}
