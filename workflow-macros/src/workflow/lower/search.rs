//! Searches in what the workflow keeps: `items.iter().find(|item| item.id == id)`.
//!
//! They find the same again as long as they ask for nothing but what is there.

use proc_macro2::TokenTree;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprCall, ExprMethodCall, Stmt, UnOp, parse_quote_spanned};

use super::super::macros::{Kind, StdMacro};
use super::super::mark::{self, mentions};
use super::super::spell::Spelling;
use super::Lowering;
use super::collected;
use super::items::Items;
use super::place::{is_compound, is_in, is_place, reads, says_mut};

/// Methods of iterators that give one item.
pub(super) const SEARCHES: [&str; 10] = [
    "find",
    "last",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "next",
    "nth",
];

/// Methods of the standard library that a question may be asked with, beside those that read.
pub(super) const ASKING: [&str; 8] = [
    "abs",
    "cmp",
    "ends_with",
    "eq_ignore_ascii_case",
    "partial_cmp",
    "starts_with",
    "total_cmp",
    "unwrap",
];

impl Lowering<'_> {
    /// Whether it is such a search. Where what it finds may be a copy, nothing may ever change; but what
    /// is found by its number, to be changed, is borrowed from where it is.
    pub(super) fn is_search(&self, call: &ExprMethodCall) -> bool {
        if is_in(&["next", "nth"], &call.method) && self.lends_each(&call.receiver) {
            return call.args.iter().all(|at| self.is_index_found_again(at));
        }
        is_in(&SEARCHES, &call.method)
            && matches!(*call.receiver, Expr::MethodCall(_))
            && !says_mut(&call.receiver)
            && self.is_walk(&call.receiver)
            && (self
                .items(&call.receiver)
                .refer(self.is_of_text(&call.receiver))
                || self.is_fixed(mentions(call)))
            && self.never_changes(&call.receiver)
            && (call.args.iter()).all(|arg| self.is_question(arg) || self.is_index_found_again(arg))
    }

    /// What a value is that a search has found, or an item that has copies in it.
    pub(super) fn found(&self, value: &Expr) -> Option<Items> {
        const UNWRAPPING: [&str; 6] = [
            "expect",
            "ok_or",
            "ok_or_else",
            "unwrap",
            "unwrap_or",
            "unwrap_or_default",
        ];
        match value {
            Expr::Paren(expr) => self.found(&expr.expr),
            Expr::Try(expr) => self.found(&expr.expr),
            Expr::If(_) | Expr::Match(_) => self
                .given(value)
                .into_iter()
                .find_map(|end| self.found(end)),
            Expr::Path(_) => self.found_in.get(&mark::local_in(value)?).cloned(),
            Expr::MethodCall(call) if is_in(&UNWRAPPING, &call.method) => {
                self.found(&call.receiver)
            }
            Expr::MethodCall(call) => (self.is_search(call)).then(|| self.alike(&call.receiver)),
            _ => None,
        }
    }

    /// Whether it is a closure that gives the same whenever it is called, or `str::trim`.
    fn is_question(&self, function: &Expr) -> bool {
        asks(function) && self.never_changes(function)
    }

    /// `items.iter_mut()`, or that with numbers.
    fn lends_each(&self, iterator: &Expr) -> bool {
        let Expr::MethodCall(call) = iterator else {
            return false;
        };
        let numbered = call.method == "enumerate" && self.lends_each(&call.receiver);
        numbered
            || is_in(&["iter_mut", "values_mut"], &call.method)
                && is_place(&call.receiver)
                && self.is_found_again(&call.receiver)
    }

    /// What a search goes over that may change what it finds, below what chooses from it.
    fn lent<'e>(&self, iterator: &'e Expr) -> Option<&'e Expr> {
        const CHOOSING: [&str; 7] = [
            "filter",
            "rev",
            "skip",
            "skip_while",
            "step_by",
            "take",
            "take_while",
        ];
        match iterator {
            iterator if self.lends_each(iterator) => Some(iterator),
            Expr::MethodCall(call) if is_in(&CHOOSING, &call.method) => self.lent(&call.receiver),
            _ => None,
        }
    }

    /// What is searched for to be changed may look otherwise after it was, so its number is kept.
    ///
    /// ```text
    /// let operand = number_of(place_of(items.iter_mut().find(|item| item.id == id)), items.iter_mut());
    /// items.iter_mut().nth(operand)
    /// ```
    pub(super) fn number(&mut self, value: &mut Expr) {
        let call = match value {
            Expr::Paren(expr) => return self.number(&mut expr.expr),
            Expr::Try(expr) => return self.number(&mut expr.expr),
            Expr::MethodCall(call) => call,
            _ => return,
        };
        let is_simple = is_in(&["next", "nth"], &call.method) && self.lends_each(&call.receiver);
        if is_simple || !is_in(&SEARCHES, &call.method) {
            return self.number(&mut call.receiver);
        }
        let Some(iterator) = self.lent(&call.receiver).cloned() else {
            return;
        };
        let at = self.spill(&parse_quote_spanned! {call.method.span()=>
            ::workflow::__private::number_of(
                ::workflow::__private::place_of(#call),
                #iterator,
            )
        });
        if let Some(id) = mark::local_in(&at) {
            let local = &mut self.flow.locals[id.0];
            local.mutable = false;
            local.spelling = Some(Spelling::count());
        }
        *value = parse_quote_spanned!(call.method.span()=> #iterator.nth(#at));
    }

    /// A value with its searches, which rustc is to see go over what has an order of its own.
    pub(super) fn in_order(&self, mut value: Expr) -> Expr {
        struct InOrder<'a, 'b>(&'a Lowering<'b>);
        impl VisitMut for InOrder<'_, '_> {
            fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
                match collected::sorted(call) {
                    Some(iterator) => {
                        *iterator = parse_quote_spanned! {iterator.span()=>
                            ::workflow::__private::in_some_order(#iterator)
                        };
                    }
                    None => visit_mut::visit_expr_call_mut(self, call),
                }
            }
            fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
                let searched = &call.receiver;
                if self.0.is_search(call) || self.0.is_collected(call) {
                    *call.receiver = parse_quote_spanned! {searched.span()=>
                        ::workflow::__private::in_order(#searched)
                    };
                } else {
                    visit_mut::visit_expr_method_call_mut(self, call);
                }
            }
        }
        InOrder(self).visit_expr_mut(&mut value);
        value
    }
}

/// Whether a function only looks at what is there. As long as a closure is there, which has not taken
/// it, that does not change.
pub(super) fn asks(function: &Expr) -> bool {
    match function {
        Expr::Closure(closure) => closure.capture.is_none() && only_asks(&closure.body),
        Expr::Path(path) => {
            let name = path.path.segments.last();
            path.path.segments.len() > 1 && name.is_some_and(|name| reads(&name.ident))
        }
        _ => false,
    }
}

/// Whether a statement is a `let` or an expression.
fn is_plain(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Local(_) | Stmt::Expr(..))
}

/// Whether what is called makes a value of its arguments, as its name says.
pub(super) fn makes(function: &Expr) -> bool {
    let Expr::Path(path) = function else {
        return false;
    };
    let name = path.path.segments.last().map(|name| name.ident.to_string());
    name.is_some_and(|name| name.starts_with(char::is_uppercase))
}

/// Whether code only looks at what is there, as far as the syntax shows.
pub(super) fn only_asks(code: &Expr) -> bool {
    struct Asks(bool);
    impl Visit<'_> for Asks {
        fn visit_expr(&mut self, expr: &Expr) {
            self.0 &= match expr {
                Expr::Binary(binary) => !is_compound(&binary.op),
                // A `Cell` may change whoever looks at it.
                Expr::MethodCall(call) if call.method == "get" => call.args.len() == 1,
                // One order after the other, and what there is on a condition.
                Expr::MethodCall(call)
                    if is_in(&["then", "then_some", "then_with"], &call.method) =>
                {
                    true
                }
                Expr::MethodCall(call) => reads(&call.method) && call.method != "borrow",
                Expr::Unary(unary) => {
                    matches!(unary.op, UnOp::Deref(_) | UnOp::Not(_) | UnOp::Neg(_))
                }
                Expr::Reference(reference) => reference.mutability.is_none(),
                // `Reverse(…)`, by its name.
                Expr::Call(call) => makes(&call.func),
                Expr::Closure(closure) => closure.capture.is_none(),
                // A guard is no value.
                Expr::Macro(expr) => StdMacro::parse(&expr.mac).is_some_and(|parsed| {
                    let guards = expr.mac.tokens.clone().into_iter();
                    let guards = guards
                        .filter(|token| matches!(token, TokenTree::Ident(word) if word == "if"));
                    parsed.kind == Kind::Matches
                        && guards.count() == 0
                        && parsed.values().all(only_asks)
                }),
                Expr::Block(block) => block.block.stmts.iter().all(is_plain),
                Expr::Cast(_)
                | Expr::Field(_)
                | Expr::Group(_)
                | Expr::If(_)
                | Expr::Index(_)
                | Expr::Let(_)
                | Expr::Lit(_)
                | Expr::Match(_)
                | Expr::Paren(_)
                | Expr::Path(_)
                | Expr::Tuple(_) => true,
                _ => false,
            };
            visit::visit_expr(self, expr);
        }
    }
    let mut asks = Asks(true);
    asks.visit_expr(code);
    asks.0
}
