//! `let mut items = order.items.into_iter();`: what is left of an iterator, where it can be saved.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, Expr, ExprForLoop, ExprMethodCall, ExprPath, Macro, parse_quote_spanned};

use super::super::flow::LocalId;
use super::super::macros::StdMacro;
use super::super::mark;
use super::Lowering;
use super::place::is_in;
use super::walk::ADAPTORS;

/// Methods of the standard library whose iterators own their items.
pub(super) const OWNING: [&str; 7] = [
    "bytes",
    "char_indices",
    "chars",
    "drain",
    "into_iter",
    "into_keys",
    "into_values",
];

/// What only the standard library's own iterators can say of what is left of them.
const INSIDE: [&str; 6] = [
    "as_mut_slice",
    "as_slice",
    "as_str",
    "clone",
    "keep_rest",
    "offset",
];

/// The bindings that are used for more than to call an iterator's methods on them or to loop over
/// them: their type may matter, so they stay as they are.
pub(super) fn of_their_own_type(body: &Block) -> BTreeSet<LocalId> {
    struct Finder(BTreeSet<LocalId>);
    impl Finder {
        /// What is but iterated over is not looked at.
        fn iterated(&mut self, expr: &Expr) {
            if mark::local_in(expr).is_none() {
                self.visit_expr(expr);
            }
        }
    }
    impl Visit<'_> for Finder {
        fn visit_expr_path(&mut self, path: &ExprPath) {
            self.0.extend(mark::mentions(path));
        }
        fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
            match is_in(&INSIDE, &call.method) {
                true => self.visit_expr(&call.receiver),
                false => self.iterated(&call.receiver),
            }
            call.args.iter().for_each(|arg| self.visit_expr(arg));
        }
        fn visit_expr_for_loop(&mut self, expr: &ExprForLoop) {
            match &*expr.expr {
                Expr::Reference(reference) => self.iterated(&reference.expr),
                iterable => self.iterated(iterable),
            }
            self.visit_block(&expr.body);
        }
        fn visit_macro(&mut self, mac: &Macro) {
            match StdMacro::parse(mac) {
                Some(parsed) => parsed.values().for_each(|value| self.visit_expr(value)),
                None => self.0.extend(mark::mentions(&mac.tokens)),
            }
        }
    }
    let mut finder = Finder(BTreeSet::new());
    finder.visit_block(body);
    finder.0
}

impl Lowering<'_> {
    /// Takes the items out of what a binding begins with, if it is such an iterator by its type.
    ///
    /// ```text
    /// match items.into_iter() {
    ///     iterator => (&iterator).keeping().keep(iterator),
    /// }
    /// ```
    pub(super) fn take_out(&mut self, id: LocalId, value: &mut Expr) {
        if !owns_items(value) || self.of_their_own_type.contains(&id) {
            return;
        }
        self.flow.locals[id.0].borrow = None;
        *value = parse_quote_spanned! {value.span()=>
            match #value {
                iterator => {
                    use ::workflow::__private::{Leaving as _, Taking as _};
                    (&iterator).keeping().keep(iterator)
                }
            }
        };
    }
}

/// Whether a value is such an iterator, as far as the syntax shows.
fn owns_items(value: &Expr) -> bool {
    match value {
        Expr::Paren(expr) => owns_items(&expr.expr),
        Expr::MethodCall(call) if is_in(&OWNING, &call.method) => true,
        Expr::MethodCall(call) => {
            (call.method == "peekable" || is_in(&ADAPTORS, &call.method))
                && owns_items(&call.receiver)
        }
        _ => false,
    }
}
