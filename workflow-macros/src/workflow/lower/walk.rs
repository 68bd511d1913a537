//! Loops over what the workflow keeps itself: what they go over is made anew for every item.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprClosure, ExprMethodCall, parse_quote, parse_quote_spanned};

use super::super::flow::LocalId;
use super::super::mark::{self, mentions};
use super::Lowering;
use super::place::{changed_in, is_in, says_mut};
use super::rebind::{ACCESSORS, made_of};
use super::remaining::OWNING;
use super::search::asks;

/// Methods of the standard library that iterate over what they are called on, in its order.
pub(super) const ITERATORS: [&str; 10] = [
    "bytes",
    "char_indices",
    "chars",
    "chunks",
    "chunks_exact",
    "lines",
    "rsplit",
    "split",
    "split_whitespace",
    "windows",
];

/// Such as borrow it for as long as the loop goes on, so that it does not change meanwhile.
pub(super) const BORROWING_ITERATORS: [&str; 8] = [
    "chunks",
    "chunks_exact",
    "iter",
    "iter_mut",
    "keys",
    "values",
    "values_mut",
    "windows",
];

/// Such as nothing but the standard library calls so.
pub(super) const LENDING: [&str; 7] = [
    "bytes",
    "chars",
    "iter",
    "iter_mut",
    "lines",
    "split_whitespace",
    "values_mut",
];

/// Methods of iterators that choose from their items, or make others of them, as a closure says.
pub(super) const CHOOSING: [&str; 5] = ["filter", "filter_map", "map", "skip_while", "take_while"];

/// Methods of iterators that give another iterator, without calling code of the user's.
pub(super) const ADAPTORS: [&str; 7] = [
    "cloned",
    "copied",
    "enumerate",
    "rev",
    "skip",
    "step_by",
    "take",
];

/// The same over parts of a map or set that are ordered; others call methods so that change.
const RANGES: [&str; 2] = ["range", "range_mut"];

/// Whether a method iterates over what it borrows.
pub(super) fn lends_items(method: &Ident) -> bool {
    is_in(&BORROWING_ITERATORS, method) || is_in(&RANGES, method)
}

impl Lowering<'_> {
    /// Whether what a loop goes over can be made anew for every item: a reference to a collection,
    /// or an iterator of the standard library over one.
    pub(super) fn is_walk(&self, iterable: &Expr) -> bool {
        match iterable {
            Expr::Reference(_) => self.gives_reference(iterable),
            Expr::Path(_) => mark::local_in(iterable).is_some_and(|id| self.is_rebound(id)),
            Expr::Paren(expr) => self.is_walk(&expr.expr),
            Expr::MethodCall(call) if joins(call) && self.is_count(&call.receiver) => {
                self.is_walk(&call.args[0])
            }
            Expr::MethodCall(call) if is_adaptor(call) => {
                let with = match joins(call) {
                    true => self.is_count(&call.args[0]) || self.is_walk(&call.args[0]),
                    false => call.args.iter().all(|arg| self.is_index_found_again(arg)),
                };
                let of_iterator = !matches!(*call.receiver, Expr::Path(_) | Expr::Reference(_));
                with && of_iterator && self.is_walk(&call.receiver)
            }
            // What changes may be chosen no more when it is asked for again.
            Expr::MethodCall(call) if is_in(&CHOOSING, &call.method) => {
                call.args.iter().all(asks)
                    && !says_mut(iterable)
                    && matches!(*call.receiver, Expr::MethodCall(_))
                    && self.is_walk(&call.receiver)
            }
            Expr::MethodCall(call) if is_in(&["expect", "unwrap"], &call.method) => {
                self.gives_reference(iterable)
            }
            Expr::MethodCall(call) => {
                let (place, method) = (&*call.receiver, &call.method);
                let iterates = lends_items(method)
                    || is_in(&ITERATORS, method) && (self.checks || self.never_changes(place));
                iterates
                    && call.args.iter().all(|arg| self.is_index_found_again(arg))
                    && self.is_found_again(place)
            }
            _ => false,
        }
    }

    /// The same of a loop, which holds what its closures look at, and checks what methods are called on.
    pub(super) fn goes_over(&mut self, iterable: &Expr) -> bool {
        self.checks = true;
        let goes = self.is_walk(iterable);
        self.checks = false;
        goes
    }

    /// The places that may change and that methods look into which might give what they do not borrow.
    pub(super) fn looked_into(&self, iterable: &Expr) -> Vec<Expr> {
        struct Finder<'a, 'b>(&'a Lowering<'b>, Vec<Expr>);
        impl Visit<'_> for Finder<'_, '_> {
            fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
                visit::visit_expr_method_call(self, call);
                let place = &*call.receiver;
                let looks = is_in(&ITERATORS, &call.method) || is_in(&ACCESSORS, &call.method);
                if looks
                    && !matches!(place, Expr::MethodCall(_))
                    && !self.0.is_fixed(mentions(place))
                {
                    let reference = mark::local_in(place).filter(|id| self.0.is_rebound(*id));
                    self.1.push(match reference {
                        Some(_) => parse_quote_spanned!(place.span()=> *#place),
                        None => place.clone(),
                    });
                }
            }
            fn visit_expr_closure(&mut self, _: &ExprClosure) {}
        }
        let mut finder = Finder(self, Vec::new());
        finder.visit_expr(iterable);
        finder.1
    }

    /// The bindings that may change, or what they refer to, and that the closures in what a loop goes
    /// over look at.
    pub(super) fn asked(&self, iterable: &Expr) -> Vec<Expr> {
        /// What the closures look at, and what they change, which they borrow by that.
        #[derive(Default)]
        struct Finder(BTreeSet<LocalId>, BTreeSet<LocalId>);
        impl Visit<'_> for Finder {
            fn visit_expr_closure(&mut self, closure: &ExprClosure) {
                self.0.extend(made_of(&Expr::Closure(closure.clone())));
                self.1.extend(changed_in(&closure.body).all());
            }
            fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
                // Those are called before the loop.
                if call.method != "collect" {
                    visit::visit_expr_method_call(self, call);
                }
            }
        }
        let mut finder = Finder::default();
        finder.visit_expr(iterable);
        let asked = finder.0.difference(&finder.1).copied();
        let changing = asked.filter(|id| !self.is_fixed([*id]));
        changing.map(|id| self.mention_expr(id)).collect()
    }

    /// Whether it is a range that can be made again, beside or before what is gone over.
    fn is_count(&self, iterable: &Expr) -> bool {
        match iterable {
            Expr::Range(_) => self.is_index_found_again(iterable),
            Expr::Paren(expr) => self.is_count(&expr.expr),
            _ => false,
        }
    }

    /// Sees to it that what a loop goes over can be made anew, if that fails only for numbers in it
    /// that change: `items.iter().skip(n)`.
    pub(super) fn steady(&mut self, iterable: &mut Expr) {
        let mut supposed = iterable.clone();
        numbers(&mut supposed, &mut |number| {
            if !self.is_index_found_again(number) {
                *number = parse_quote!(0);
            }
        });
        if self.goes_over(iterable) || !self.goes_over(&supposed) {
            return;
        }
        numbers(iterable, &mut |number| {
            if !self.is_index_found_again(number) {
                let value = self.value(number.clone());
                *number = self.spill(&value);
                if let Some(id) = mark::local_in(number) {
                    self.flow.locals[id.0].mutable = false;
                }
            }
        });
    }
}

/// Whether an iterator chooses from its items, and by nothing but closures that only ask: so that all
/// can be chosen before the loop.
pub(super) fn chooses(iterable: &Expr) -> bool {
    let mut chooses = false;
    let mut iterator = iterable;
    while let Expr::MethodCall(call) = iterator
        && is_lazy(call)
        && is_iterator(&call.receiver)
    {
        if is_in(&CHOOSING, &call.method) {
            chooses = true;
            if !call.args.iter().all(asks) {
                return false;
            }
        }
        iterator = &call.receiver;
    }
    chooses
}

/// Whether a value is an iterator, as far as the syntax shows.
pub(super) fn is_iterator(value: &Expr) -> bool {
    match value {
        Expr::Range(_) => true,
        Expr::Paren(expr) => is_iterator(&expr.expr),
        Expr::MethodCall(call) => {
            is_in(&OWNING, &call.method)
                || is_in(&ITERATORS, &call.method)
                || lends_items(&call.method)
                || is_lazy(call) && is_iterator(&call.receiver)
        }
        _ => false,
    }
}

/// Whether it is an iterator that goes over another while it is itself gone over.
fn is_lazy(call: &ExprMethodCall) -> bool {
    const LAZY: [&str; 6] = [
        "flat_map",
        "flatten",
        "inspect",
        "map_while",
        "peekable",
        "scan",
    ];
    is_adaptor(call) || is_in(&CHOOSING, &call.method) || is_in(&LAZY, &call.method)
}

fn is_adaptor(call: &ExprMethodCall) -> bool {
    is_in(&ADAPTORS, &call.method) || joins(call)
}

/// Whether it goes over two iterators, side by side or one after the other.
fn joins(call: &ExprMethodCall) -> bool {
    is_in(&["chain", "zip"], &call.method) && call.args.len() == 1
}

/// The numbers in what a loop goes over, in the order in which they are evaluated.
fn numbers(iterable: &mut Expr, each: &mut impl FnMut(&mut Expr)) {
    match iterable {
        Expr::Paren(expr) => numbers(&mut expr.expr, each),
        Expr::Reference(expr) => numbers(&mut expr.expr, each),
        Expr::Index(expr) => {
            numbers(&mut expr.expr, each);
            match &mut *expr.index {
                range @ Expr::Range(_) => numbers(range, each),
                index => each(index),
            }
        }
        Expr::Range(range) => {
            let bounds = [&mut range.start, &mut range.end];
            bounds.into_iter().flatten().for_each(|bound| each(bound));
        }
        Expr::MethodCall(call) => {
            numbers(&mut call.receiver, each);
            if joins(call) {
                call.args.iter_mut().for_each(|arg| numbers(arg, each));
            } else if !is_in(&["rsplit", "split"], &call.method) && !is_in(&CHOOSING, &call.method)
            {
                call.args.iter_mut().for_each(each);
            }
        }
        _ => {}
    }
}

/// Whether an iterator borrows what it goes over, as far as the syntax shows.
pub(super) fn is_borrowing_chain(iterable: &Expr) -> bool {
    match iterable {
        Expr::Paren(expr) => is_borrowing_chain(&expr.expr),
        Expr::MethodCall(call) => {
            is_in(&ITERATORS, &call.method)
                || lends_items(&call.method)
                || is_lazy(call)
                    && (is_borrowing_chain(&call.receiver)
                        || call.args.iter().any(is_borrowing_chain))
        }
        _ => false,
    }
}

/// Whether a value is an iterator of the standard library over what it borrows.
pub(super) fn borrows(value: &Expr) -> bool {
    match value {
        Expr::Paren(expr) => borrows(&expr.expr),
        Expr::MethodCall(call) => {
            is_in(&LENDING, &call.method) || is_lazy(call) && borrows(&call.receiver)
        }
        _ => false,
    }
}
