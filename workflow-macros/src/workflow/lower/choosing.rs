//! Loops over what closures choose or make: `for price in items.into_iter().map(|item| item.price)`.
//!
//! What such an iterator has still to give cannot be saved, but what it goes over can: so its closures
//! are called in the body, for one item after the other, as the source has it.
//!
//! ```text
//! for item in items.into_iter() {
//!     let item_2 = ::workflow::__private::made(item, |item| item.price);
//!     let price = item_2;
//!     body
//! }
//! ```

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprForLoop, ExprMethodCall, Lit, Pat, Stmt, UnOp, parse_quote,
    parse_quote_spanned,
};

use super::super::flow::LocalId;
use super::super::mark::{self, mentions};
use super::super::spell::Spelling;
use super::super::spread::plain_binding;
use super::Lowering;
use super::loops::is_range;
use super::place::{is_comparison, is_constant, is_in, is_place};
use super::search::asks;
use super::walk::{CHOOSING, is_borrowing_chain, is_iterator};

/// Methods that leave items as they are.
const WHOLE: [&str; 4] = ["filter", "skip", "take", "take_while"];

/// Methods whose closures are asked of each item alone.
const ONE_BY_ONE: [&str; 3] = ["filter", "filter_map", "map"];

impl Lowering<'_> {
    /// Moves the calls of closures from what a loop goes over into its body.
    ///
    /// That a closure borrows what it changes for as long as the loop goes on, rustc sees in the function
    /// as written.
    ///
    /// Gives what counts how many more items there may be.
    pub(super) fn choose_within(&mut self, expr: &mut ExprForLoop) -> Vec<Ident> {
        let (iterable, calls) = apart(&expr.expr);
        let mut limits = Vec::new();
        if calls.is_empty() {
            return limits;
        }
        let is_whole = |call: &&ExprMethodCall| is_in(&WHOLE, &call.method);
        let bound = plain_binding(&expr.pat).filter(|_| calls.iter().all(is_whole));
        let first = match bound {
            Some(id) => self.mention(id),
            None => self.loop_item(iterable.span()),
        };
        let pattern = match bound {
            Some(_) => None,
            None => Some(std::mem::replace(&mut *expr.pat, parse_quote!(#first))),
        };
        if let Some(id) = mark::local_of(&first) {
            self.flow.locals[id.0].spelling = self.inner.item(&iterable, &self.flow.locals);
        }
        let mut statements: Vec<Stmt> = Vec::new();
        let mut item: Expr = parse_quote!(#first);
        for call in calls.iter().rev() {
            let span = call.method.span();
            let function = call.args.first();
            match &*call.method.to_string() {
                "map" => {
                    let made = self.loop_item(span);
                    statements.push(parse_quote_spanned! {span=>
                        let #made = ::workflow::__private::made(#item, #function);
                    });
                    item = parse_quote!(#made);
                }
                "filter_map" => {
                    let made = self.loop_item(span);
                    statements.push(parse_quote_spanned! {span=>
                        let ::std::option::Option::Some(#made) =
                            ::workflow::__private::made(#item, #function) else { continue };
                    });
                    item = parse_quote!(#made);
                }
                "enumerate" => {
                    let next = self.number_of_items("next_number", &parse_quote_spanned!(span=> 0));
                    let number = self.loop_item(span);
                    statements.push(parse_quote_spanned!(span=> let #number = #next;));
                    statements.push(parse_quote_spanned!(span=> #next += 1;));
                    item = parse_quote_spanned!(span=> (#number, #item));
                }
                "take" => {
                    let left = self.number_of_items("left", &call.args[0]);
                    statements.push(parse_quote_spanned!(span=> #left -= 1;));
                    limits.push(left);
                }
                "skip" => {
                    let skipped = self.number_of_items("skipped", &call.args[0]);
                    statements.push(parse_quote_spanned! {span=>
                        if #skipped > 0 { #skipped -= 1; continue; }
                    });
                }
                "zip" => {
                    let zipped = self.remaining("zipped", call.args[0].clone());
                    let other = self.loop_item(span);
                    statements.push(parse_quote_spanned! {span=>
                        let ::std::option::Option::Some(#other) =
                            ::workflow::__private::Items::next(&mut #zipped) else { break };
                    });
                    item = parse_quote_spanned!(span=> (#item, #other));
                }
                method => {
                    let leave: Expr = match method {
                        "take_while" => parse_quote!(break),
                        _ => parse_quote!(continue),
                    };
                    if let Expr::Tuple(_) = item {
                        let whole = self.loop_item(span);
                        statements.push(parse_quote_spanned!(span=> let #whole = #item;));
                        item = parse_quote!(#whole);
                    }
                    statements.push(parse_quote_spanned! {span=>
                        if !::workflow::__private::wanted(&#item, #function) { #leave; }
                    });
                }
            }
        }
        if let Some(pattern) = pattern {
            let span = iterable.span();
            statements.push(parse_quote_spanned!(span=> let #pattern = #item;));
        }
        expr.body.stmts.splice(0..0, statements);
        *expr.expr = iterable;
        limits
    }

    fn loop_item(&mut self, span: Span) -> Ident {
        let item = self.temporary("item", span);
        self.mention(item)
    }

    /// A count of items.
    fn number_of_items(&mut self, name: &str, first: &Expr) -> Ident {
        let number = self.temporary(name, first.span());
        let local = &mut self.flow.locals[number.0];
        local.mutable = true;
        local.spelling = Some(Spelling::count());
        let name = self.mention(number);
        let code = quote!(let mut #name: usize = #first;);
        let code = self.code(code, &[first], vec![number]);
        self.push(code);
        name
    }
}

/// Goes over what is borrowed, beside what is taken, where these stand the other way round.
///
/// ```text
/// for (result, item) in results.into_iter().zip(&items) { … }
/// for (item, result) in items.iter().zip(results.into_iter()) { … }
/// ```
pub(super) fn borrowed_first(pattern: &mut Pat, iterable: &mut Expr) {
    let Expr::MethodCall(call) = iterable else {
        return;
    };
    let two = match pattern {
        Pat::Tuple(pair) if !pair.elems.iter().any(|part| matches!(part, Pat::Rest(_))) => {
            Some(&mut pair.elems).filter(|parts| parts.len() == 2)
        }
        _ => None,
    };
    match (&*call.method.to_string(), two) {
        ("skip" | "take", _) => borrowed_first(pattern, &mut call.receiver),
        ("enumerate", Some(numbered)) => borrowed_first(&mut numbered[1], &mut call.receiver),
        ("zip", Some(items)) if call.args.len() == 1 => {
            let borrowed = &mut call.args[0];
            let takes = is_iterator(&call.receiver)
                && !is_range(&call.receiver)
                && !is_borrowing_chain(&call.receiver);
            if let Expr::Reference(reference) = borrowed
                && takes
            {
                let place = &reference.expr;
                *borrowed = match reference.mutability {
                    Some(_) => parse_quote_spanned!(place.span()=> #place.iter_mut()),
                    None => parse_quote_spanned!(place.span()=> #place.iter()),
                };
            }
            if takes && is_borrowing_chain(borrowed) {
                std::mem::swap(borrowed, &mut call.receiver);
                let (one, other) = (items[0].clone(), items[1].clone());
                (items[0], items[1]) = (other, one);
            }
        }
        _ => {}
    }
}

/// An iterator without the calls around it that closures belong to, and these, the last first.
fn apart(iterable: &Expr) -> (Expr, Vec<&ExprMethodCall>) {
    let mut calls: Vec<&ExprMethodCall> = Vec::new();
    let (mut inner, mut backward) = (iterable, false);
    // The innermost that closures are left of: what is around a count alone stays there.
    let mut known = (iterable.clone(), 0);
    while let Expr::MethodCall(call) = inner {
        let is = |names: &[&str]| is_in(names, &call.method);
        // An array's `map` is another.
        if !is_iterator(&call.receiver) {
            break;
        }
        let is_each = is(&ONE_BY_ONE) && call.args.iter().all(is_called_anew);
        let moves = is_each || !backward && moves_forward(call);
        if moves {
            calls.push(call);
        } else if is(&["rev"]) && is_made_one_by_one(&call.receiver) {
            // What is made of each alone is made so from the back, too.
            backward = !backward;
        } else {
            break;
        }
        inner = &call.receiver;
        if is(&CHOOSING) || is(&["zip"]) {
            let iterator = match backward {
                true => parse_quote_spanned!(inner.span()=> #inner.rev()),
                false => inner.clone(),
            };
            known = (iterator, calls.len());
        }
    }
    calls.truncate(known.1);
    (known.0, calls)
}

/// Whether it is a call that goes into the body, unless the items come from the back.
fn moves_forward(call: &ExprMethodCall) -> bool {
    let mut args = call.args.iter();
    match &*call.method.to_string() {
        "enumerate" => true,
        "take_while" => args.all(is_called_anew),
        "skip" | "take" => args.all(|number| {
            is_at_hand(number) && mentions(number).is_disjoint(&evaluated(&call.receiver))
        }),
        // Where both sides are borrowed the loop can go over them as they are.
        "zip" => is_borrowing_chain(&call.receiver) && args.all(is_handed_over),
        _ => false,
    }
}

/// What an iterator's evaluation may change.
fn evaluated(iterator: &Expr) -> BTreeSet<LocalId> {
    let Expr::MethodCall(call) = iterator else {
        return mentions(iterator);
    };
    let args = call.args.iter().filter(|arg| !is_at_hand(arg));
    let mut found: BTreeSet<LocalId> = args.flat_map(mentions).collect();
    found.append(&mut evaluated(&call.receiver));
    found
}

/// Whether a number needs no evaluation.
fn is_at_hand(number: &Expr) -> bool {
    match number {
        Expr::Cast(cast) => is_at_hand(&cast.expr),
        Expr::Paren(expr) => is_at_hand(&expr.expr),
        number => is_constant(number) || is_place(number),
    }
}

/// Whether what is zipped with gives what it owns.
fn is_handed_over(other: &Expr) -> bool {
    !matches!(other, Expr::Range(_) | Expr::Reference(_)) && !is_borrowing_chain(other)
}

fn is_made_one_by_one(iterator: &Expr) -> bool {
    matches!(iterator, Expr::MethodCall(call) if is_in(&ONE_BY_ONE, &call.method))
}

/// Whether a function may be made for each of its calls: it keeps nothing from one to the next.
fn is_called_anew(function: &Expr) -> bool {
    match function {
        Expr::Closure(closure) => closure.capture.is_none(),
        Expr::Path(_) => mark::local_in(function).is_none(),
        _ => false,
    }
}

/// Methods that panic at nothing.
const HARMLESS: [&str; 11] = [
    "clone",
    "contains",
    "contains_key",
    "ends_with",
    "is_empty",
    "is_none",
    "is_some",
    "len",
    "starts_with",
    "to_owned",
    "to_string",
];

/// Whether closures can be called before the loop: whatever they are given, they do not panic.
pub(super) fn never_panics(iterable: &Expr) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_expr(&mut self, expr: &Expr) {
            self.0 &= match expr {
                Expr::Binary(binary) => match binary.op {
                    BinOp::Div(_) | BinOp::Rem(_) => is_divisor(&binary.right),
                    BinOp::And(_)
                    | BinOp::Or(_)
                    | BinOp::BitAnd(_)
                    | BinOp::BitOr(_)
                    | BinOp::BitXor(_) => true,
                    ref op => is_comparison(op),
                },
                Expr::Index(_) => false,
                Expr::Unary(unary) => !matches!(unary.op, UnOp::Neg(_)),
                Expr::MethodCall(call) => is_in(&HARMLESS, &call.method),
                Expr::Closure(_)
                | Expr::Field(_)
                | Expr::Group(_)
                | Expr::Lit(_)
                | Expr::Paren(_)
                | Expr::Path(_)
                | Expr::Reference(_)
                | Expr::Tuple(_) => true,
                _ => false,
            };
            visit::visit_expr(self, expr);
        }
    }
    let mut finder = Finder(true);
    let mut iterator = iterable;
    while let Expr::MethodCall(call) = iterator {
        for argument in &call.args {
            match argument {
                Expr::Closure(closure) => finder.visit_expr(&closure.body),
                argument => finder.0 &= !asks(argument),
            }
        }
        iterator = &call.receiver;
    }
    finder.0
}

fn is_divisor(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(literal)
        if matches!(&literal.lit, Lit::Int(number) if number.base10_digits() != "0"))
}
