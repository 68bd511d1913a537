//! Rustc sees to it that a reference that is made again refers to the same.
//!
//! What a reference borrows nothing changes as long as it is used. But a key is only looked at, and
//! what a method gives need not borrow what it is called on. So where these may change, the function
//! as written holds them too, and a change of `key` below is an error of the borrow checker:
//!
//! ```text
//! let price = ::workflow::__private::held(prices.get(&key), &key);
//! ```
//!
//! And a pattern may look for more than it binds: `match line` becomes `match &mut *line` where the
//! arm's bindings are made again, so that the rest of the line does not change either.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprClosure, ExprForLoop, ExprLet, ExprMatch, Macro, Pat, UnOp,
    parse_quote_spanned,
};

use super::flow::{Hold, Local, LocalId, bound};
use super::lower::collecting;
use super::macros::StdMacro;
use super::mark;

/// The bindings of each pattern whose value can be held, in the order of the source.
pub(super) fn sites(body: &mut Block) -> Vec<Vec<LocalId>> {
    let mut all = Vec::new();
    each_site(body, &mut |binds, _| {
        all.push(binds);
        false
    });
    all
}

/// Holds in the body as written what it is to hold for some bindings.
pub(super) fn hold(
    body: &mut Block,
    sites: &[Vec<LocalId>],
    held: &BTreeMap<LocalId, &Hold>,
    locals: &[Local],
) {
    if held.is_empty() {
        return;
    }
    let mut sites = sites.iter();
    each_site(body, &mut |_, value| {
        let binds = sites.next().into_iter().flatten();
        let mut holds = binds.filter_map(|id| held.get(id));
        match holds.next() {
            None | Some(Hold::Nothing) => return false,
            Some(hold @ (Hold::FoundBy(places) | Hold::Items(places))) => {
                let held = match hold {
                    Hold::Items(_) => quote_spanned!(value.span()=> held_items),
                    _ => quote_spanned!(value.span()=> held),
                };
                for place in places {
                    let place = as_written(place.to_token_stream(), locals);
                    let place = quote_spanned!(place.span()=> &#place);
                    *value = parse_quote_spanned! {value.span()=>
                        ::workflow::__private::#held(#value, #place)
                    };
                }
            }
            Some(Hold::Asked(bindings)) => {
                let bindings = bindings
                    .iter()
                    .map(|binding| as_written(binding.to_token_stream(), locals));
                Asking(bindings.collect()).visit_expr_mut(value);
            }
            Some(Hold::Whole) => *value = parse_quote_spanned!(value.span()=> &mut *#value),
        }
        true
    });
}

/// Closures that borrow bindings, and not only what these refer to.
struct Asking(Vec<TokenStream>);

impl VisitMut for Asking {
    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        let (bindings, body) = (&self.0, &closure.body);
        closure.body = parse_quote_spanned!(body.span()=> { #(let _ = &#bindings;)* #body });
    }
}

/// Calls back for every value that a pattern looks into, with the bindings of the pattern; gives
/// whether it changed some.
fn each_site(body: &mut Block, each: &mut impl FnMut(Vec<LocalId>, &mut Expr) -> bool) {
    struct Sites<F> {
        each: F,
        changed: bool,
    }
    impl<F: FnMut(Vec<LocalId>, &mut Expr) -> bool> Sites<F> {
        fn site(&mut self, binds: Vec<LocalId>, value: &mut Expr) {
            self.changed |= (self.each)(binds, value);
        }
    }
    impl<F: FnMut(Vec<LocalId>, &mut Expr) -> bool> VisitMut for Sites<F> {
        fn visit_local_mut(&mut self, local: &mut syn::Local) {
            visit_mut::visit_local_mut(self, local);
            if let Some(init) = &mut local.init {
                self.site(bound(&local.pat), &mut init.expr);
            }
        }
        fn visit_expr_let_mut(&mut self, expr: &mut ExprLet) {
            visit_mut::visit_expr_let_mut(self, expr);
            self.site(bound(&expr.pat), &mut expr.expr);
        }
        fn visit_expr_match_mut(&mut self, expr: &mut ExprMatch) {
            visit_mut::visit_expr_match_mut(self, expr);
            let binds = expr.arms.iter().flat_map(|arm| bound(&arm.pat));
            self.site(binds.collect(), &mut expr.expr);
        }
        fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
            visit_mut::visit_expr_for_loop_mut(self, expr);
            self.site(bound(&expr.pat), &mut expr.expr);
        }
        fn visit_macro_mut(&mut self, mac: &mut Macro) {
            let Some(mut parsed) = StdMacro::parse(mac) else {
                return;
            };
            let before = std::mem::take(&mut self.changed);
            for argument in &mut parsed.arguments {
                self.visit_expr_mut(&mut argument.value);
            }
            if self.changed {
                mac.tokens = parsed.into_tokens();
            }
            self.changed |= before;
        }
    }
    let mut sites = Sites {
        each,
        changed: false,
    };
    sites.visit_block_mut(body);
}

/// The places that a reference is found by and does not borrow itself. None where these are a part of
/// what it changes.
pub(super) fn found_by(reference: &Expr) -> Option<Vec<Expr>> {
    let mut found_by = FoundBy::default();
    match field_of(reference) {
        Some(place) => found_by.hold(place),
        None => found_by.reference(reference),
    }
    (!found_by.is_circular).then_some(found_by.places)
}

/// Code with the bindings' own names.
fn as_written(tokens: TokenStream, locals: &[Local]) -> TokenStream {
    let name = |ident: Ident| match mark::local_of(&ident) {
        Some(id) => {
            let mut name = locals[id.0].ident.clone();
            name.set_span(ident.span());
            name
        }
        None => ident,
    };
    let written = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) => TokenTree::Ident(name(ident)),
        TokenTree::Group(group) => {
            let inside = as_written(group.stream(), locals);
            TokenTree::Group(Group::new(group.delimiter(), inside))
        }
        other => other,
    });
    written.collect()
}

#[derive(Default)]
struct FoundBy {
    places: Vec<Expr>,
    /// What a mutable reference borrows, which nobody else may then.
    lent: Option<Expr>,
    /// What closures bind themselves.
    own: BTreeSet<LocalId>,
    /// Whether a place is a part of what is lent.
    is_circular: bool,
}

impl FoundBy {
    fn reference(&mut self, value: &Expr) {
        match value {
            Expr::Paren(expr) => self.reference(&expr.expr),
            Expr::Try(expr) => self.reference(&expr.expr),
            Expr::Reference(expr) => {
                if expr.mutability.is_some() {
                    self.lend(&expr.expr);
                }
                self.place(&expr.expr);
            }
            // An item that is a reference itself.
            Expr::Index(_) => self.place(value),
            Expr::Call(call) if collecting(value).is_some() => self.reference(&call.args[0]),
            // Which it is, too, must stay as it is.
            Expr::If(_) | Expr::Match(_) => self.visit_expr(value),
            Expr::MethodCall(call) if call.method == "then_some" => {
                self.visit_expr(&call.receiver);
                call.args.iter().for_each(|arg| self.reference(arg));
            }
            Expr::MethodCall(call) => {
                if lends_mutably(value) {
                    self.lend(&call.receiver);
                }
                self.looked_into(&call.receiver);
                call.args.iter().for_each(|arg| self.visit_expr(arg));
            }
            _ => {}
        }
    }

    /// What a place consists of beside what is borrowed with it.
    fn place(&mut self, place: &Expr) {
        match place {
            Expr::Paren(expr) => self.place(&expr.expr),
            Expr::Field(expr) => self.place(&expr.base),
            Expr::Index(expr) => {
                self.looked_into(&expr.expr);
                self.visit_expr(&expr.index);
            }
            Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => self.looked_into(&expr.expr),
            place => self.reference(place),
        }
    }

    /// What a place is looked up in, which may itself be a `&'static str`.
    fn looked_into(&mut self, place: &Expr) {
        let is_lent = self
            .lent
            .as_ref()
            .is_some_and(|lent| steps(lent) == steps(place));
        match field_of(place) {
            Some(_) if is_lent => {}
            Some(place) => self.hold(place),
            None => self.place(place),
        }
    }

    fn lend(&mut self, place: &Expr) {
        let mut place = place;
        while field_of(place).is_none() {
            place = match place {
                Expr::Field(expr) => &expr.base,
                Expr::Index(expr) => &expr.expr,
                Expr::MethodCall(call) => &call.receiver,
                Expr::Paren(expr) => &expr.expr,
                Expr::Unary(expr) => &expr.expr,
                _ => return,
            };
        }
        self.lent = self.lent.take().or_else(|| Some(place.clone()));
    }

    /// Whether it is the length of what is lent, which is the same whatever is done with a part.
    fn is_length(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::MethodCall(call)
            if call.method == "len"
                && self.lent.as_ref().is_some_and(|lent| *lent == *call.receiver))
    }

    fn hold(&mut self, place: &Expr) {
        let of = mark::mentions(place);
        let is_lent = self.lent.as_ref().is_some_and(|lent| overlap(lent, place));
        if of.is_empty() || !of.is_disjoint(&self.own) {
            return;
        }
        match is_lent {
            true => self.is_circular = true,
            false => self.places.push(place.clone()),
        }
    }
}

/// Holds what code copies or looks at.
impl Visit<'_> for FoundBy {
    fn visit_expr(&mut self, expr: &Expr) {
        match field_of(expr) {
            Some(place) => self.hold(place),
            None if self.is_length(expr) => {}
            // The reference borrows what is changed.
            None if borrowed_mutably(expr).is_some_and(|place| field_of(place).is_some()) => {}
            None => visit::visit_expr(self, expr),
        }
    }
    fn visit_expr_closure(&mut self, closure: &ExprClosure) {
        self.own.extend(closure.inputs.iter().flat_map(bound));
        self.visit_expr(&closure.body);
    }
    fn visit_pat(&mut self, pattern: &Pat) {
        self.own.extend(bound(pattern));
    }
    fn visit_macro(&mut self, mac: &Macro) {
        let mut all = Vec::new();
        mark::each_ident(mac.tokens.clone(), &mut |ident, _| {
            if mark::local_of(ident).is_some() {
                all.push(parse_quote_spanned!(ident.span()=> #ident));
            }
        });
        all.iter().for_each(|place| self.hold(place));
    }
}

/// A binding or a field of one, if an expression is that.
fn field_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Paren(inner) => field_of(&inner.expr),
        Expr::Path(_) => Some(expr),
        Expr::Field(field) => field_of(&field.base).map(|_| expr),
        _ => None,
    }
}

/// What `items.iter_mut()` and `&mut items` borrow.
fn borrowed_mutably(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::MethodCall(call) if call.method.to_string().ends_with("_mut") => Some(&call.receiver),
        Expr::Reference(reference) => reference.mutability.map(|_| &*reference.expr),
        _ => None,
    }
}

/// Whether a chain of calls borrows mutably what it is called on.
fn lends_mutably(value: &Expr) -> bool {
    match value {
        Expr::MethodCall(call) => {
            call.method.to_string().ends_with("_mut") || lends_mutably(&call.receiver)
        }
        Expr::Paren(expr) => lends_mutably(&expr.expr),
        _ => false,
    }
}

/// A binding and the fields that lead from it to a place.
pub(super) fn steps(place: &Expr) -> Vec<String> {
    match place {
        Expr::Field(field) => {
            let mut all = steps(&field.base);
            all.push(field.member.to_token_stream().to_string());
            all
        }
        Expr::Paren(expr) => steps(&expr.expr),
        Expr::Unary(expr) => steps(&expr.expr),
        place => vec![place.to_token_stream().to_string()],
    }
}

/// Whether one of two places is a part of the other.
pub(super) fn overlap(one: &Expr, other: &Expr) -> bool {
    let (one, other) = (steps(one), steps(other));
    one.iter().zip(&other).all(|(one, other)| one == other)
}
