//! References to the workflow's own places: they are not saved, but made again after an await.
//!
//! While the reference of `let name = &order.name;` is used, rustc lets nothing change the place,
//! so the same statement gives the same reference again. What a method gives need not borrow (an
//! `as_str` may give a literal), and an index is copied: so there nothing may ever change what they
//! are made of, or else rustc is to [hold](super::super::held) that too.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprClosure, Lifetime, Pat, PatIdent, TypeInfer, TypeReference, UnOp, parse_quote,
    parse_quote_spanned,
};

use super::super::flow::{Borrow, Hold, LocalId, Rebind, any_pattern, bound};
use super::super::held::found_by;
use super::super::mark::{self, mentions};
use super::super::spell;
use super::super::spread::plain_binding;
use super::access::{COPYING, LOOKUPS, is_mutable_access, must_be_collection};
use super::choice::let_else;
use super::collected::collecting;
use super::items::{Copies, Items};
use super::place::{borrow, indexed, is_constant, is_in, is_place, says_mut};
use super::search::only_asks;
use super::{Look, Lowering};

/// Methods of the standard library that give a reference into what they are called on.
pub(super) const ACCESSORS: [&str; 33] = [
    "as_array",
    "as_bytes",
    "as_deref",
    "as_object",
    "as_path",
    "as_ref",
    "as_slice",
    "as_str",
    "back",
    "extension",
    "file_name",
    "file_stem",
    "first",
    "first_key_value",
    "front",
    "get_key_value",
    "last",
    "last_key_value",
    "parent",
    "pointer",
    "rsplit_once",
    "split_at",
    "split_first",
    "split_last",
    "split_once",
    "strip_prefix",
    "strip_suffix",
    "trim",
    "trim_end",
    "trim_end_matches",
    "trim_matches",
    "trim_start",
    "trim_start_matches",
];

/// Methods of the standard library that give a number.
pub(super) const COUNTING: [&str; 6] = [
    "abs",
    "len",
    "max",
    "min",
    "saturating_add",
    "saturating_sub",
];

impl Lowering<'_> {
    /// Notes that the bindings of a pattern can be made again, when they look into a place.
    pub(super) fn rebind(&mut self, pattern: &Pat, value: &Expr, look: Look) {
        if let Some((pattern, value)) = let_else(pattern, value) {
            return self.rebind(&pattern, &value, Look::Choice);
        }
        if let Some(parts) = side_by_side(pattern, value) {
            self.holds = false;
            for (pattern, value) in parts {
                self.rebind(pattern, value, look);
            }
            return;
        }
        let plain = match pattern {
            Pat::Type(typed) => &*typed.pat,
            // Which of several alternatives it was, the guard has decided.
            Pat::Guard(guarded) if has_alternatives(&guarded.pat) => return,
            Pat::Guard(guarded) => &*guarded.pat,
            pattern => pattern,
        };
        if is_value(pattern) {
            return;
        }
        if let (Pat::Ident(_), Expr::Closure(closure)) = (plain, value) {
            self.rebind_closure(plain, closure);
            return;
        }
        let by_ref = by_reference(plain, value);
        let (plain, value) = match &by_ref {
            Some((plain, value)) => (plain, value),
            None => (plain, value),
        };
        let value = self.looked_up(value);
        let (plain, copies) = looking(plain, self.found(&value).as_ref());
        if bound(&plain).is_empty() {
            return;
        }
        // What stands in the source is no reference, which could be held.
        let holds = std::mem::take(&mut self.holds) && by_ref.is_none();
        let is_item = mark::local_in(&value).is_some_and(|id| self.is_loop_item(id));
        let mut is_found = is_item || self.is_reference(&value);
        let mut hold = Hold::Nothing;
        if !is_found && holds && !self.has_temporary(&value) {
            self.holds = true;
            let found_by = found_by(&value);
            is_found = self.is_reference(&value) && found_by.is_some();
            hold = match mark::local_in(&value).filter(|id| self.flow.may_change(*id)) {
                Some(_) if look == Look::Whole => Hold::Nothing,
                Some(_) => Hold::Whole,
                None => Hold::FoundBy(found_by.unwrap_or_default()),
            };
        }
        if is_found && !binds_mutably(&plain) && !(self.is_mutable(&value) && narrows(&plain)) {
            self.note_copies(copies);
            self.note_references(&plain);
            self.note_collected(&plain, &value);
            let value = match look {
                Look::OneOfSeveral => value,
                Look::Whole | Look::Choice => self.freeze(value, &mut hold),
            };
            let ty = match pattern {
                Pat::Type(typed) => Some(&typed.ty),
                _ => None,
            };
            let ty = ty.map(|ty| quote!(: #ty));
            let collection = is_mutable_access(&value).then(|| must_be_collection(&value));
            let roots = made_of(&value);
            let mutably = self.is_mutable(&value);
            let searched = self.in_order(value.clone());
            let is_search = searched != value;
            let is_choice = matches!(value, Expr::If(_) | Expr::Match(_));
            let value = match is_choice || !is_search && is_lookup(&value) {
                true => quote_spanned!(value.span()=> ::workflow::__private::refers(#searched)),
                false => searched.into_token_stream(),
            };
            // The parentheses are for alternatives.
            let tokens = quote! {
                #collection
                let (#plain) #ty = #value else { ::std::unreachable!() };
            };
            self.rebind_as(&plain, tokens, roots, hold, mutably);
        }
    }

    /// A pattern without what it copies out of what it looks into: `Some(_)` for `Some(&number)`.
    pub(super) fn looking(&self, pattern: &Pat, value: &Expr) -> Pat {
        looking(pattern, self.found(value).as_ref()).0
    }

    /// Looks at the value of a pattern, whose bindings rustc can be made to hold what they are found by.
    pub(super) fn holding<R>(&mut self, binds: &[LocalId], look: impl FnOnce(&mut Self) -> R) -> R {
        self.holds = !binds.is_empty() && binds.iter().all(|id| self.can_hold.contains(id));
        let seen = look(self);
        self.holds = false;
        seen
    }

    /// Keeps the numbers aside that a value is found by, where these may change: then nothing is to hold
    /// them.
    ///
    /// ```text
    /// let found_at = at;
    /// let name = &names[at];      // after an await: &names[found_at]
    /// ```
    fn freeze(&mut self, mut value: Expr, hold: &mut Hold) -> Expr {
        let Hold::FoundBy(places) = hold else {
            return value;
        };
        for place in std::mem::take(places) {
            let number = mark::local_in(&place).filter(|id| {
                spell::is_scalar(self.flow.local(*id)) || self.open_numbers.contains(id)
            });
            let Some(number) = number else {
                places.push(place);
                continue;
            };
            let source = self.flow.local(number);
            let (name, spelling) = (mark::plain(&source.ident), source.spelling.clone());
            let frozen = self.temporary(&format!("found_{name}"), place.span());
            self.flow.locals[frozen.0].spelling = spelling;
            let kept = self.mention(frozen);
            let mut code = self.code(quote!(let #kept = #place;), &[&place], vec![frozen]);
            code.frozen = true;
            self.push(code);
            Frozen(number, kept).visit_expr_mut(&mut value);
            // A macro may mention it in its own way.
            if mentions(&value).contains(&number) {
                places.push(place);
            }
        }
        value
    }

    /// Whether a binding is of the machine, for an item of what a loop borrows as long as it goes on.
    fn is_loop_item(&self, id: LocalId) -> bool {
        self.flow.local(id).temporary && self.is_rebound(id)
    }

    /// Whether a value is made with something that only the machine has.
    fn has_temporary(&self, value: &Expr) -> bool {
        mentions(value)
            .iter()
            .any(|id| self.flow.local(*id).temporary)
    }

    /// A closure is the same wherever it is made: as long as it is there, nothing changes what it
    /// borrows; nor what that refers to, where it is held.
    fn rebind_closure(&mut self, pattern: &Pat, closure: &ExprClosure) {
        let value = Expr::Closure(closure.clone());
        let roots = made_of(&value);
        // What it has taken with it is not there to make it again, but for copies.
        let keeps = closure.capture.is_none()
            || roots
                .iter()
                .all(|id| spell::is_scalar(self.flow.local(*id)) && self.is_fixed([*id]));
        if keeps && closure.asyncness.is_none() && !binds_mutably(pattern) {
            let changing = roots.iter().filter(|id| !self.is_fixed([**id]));
            let held = changing.map(|id| self.mention_expr(*id)).collect();
            let tokens = quote!(let #pattern = #value;);
            self.rebind_as(pattern, tokens, roots, Hold::Asked(held), false);
            if let Some(rebind) = self.flow.rebinds.last_mut() {
                rebind.closure = true;
            }
        }
    }

    /// Notes what makes the bindings of a pattern again.
    pub(super) fn rebind_as(
        &mut self,
        pattern: &Pat,
        tokens: TokenStream,
        roots: BTreeSet<LocalId>,
        hold: Hold,
        mutably: bool,
    ) {
        let binds = bound(pattern);
        for id in &binds {
            self.flow.locals[id.0].rebind = Some(self.flow.rebinds.len());
        }
        let mutably = mutably || says_mut(&tokens);
        self.flow.rebinds.push(Rebind {
            tokens,
            binds,
            roots,
            hold,
            mutably,
            closure: false,
        });
    }

    /// What makes a value a reference, as far as the syntax shows.
    pub(super) fn borrow(&self, value: &Expr) -> Option<Borrow> {
        let known = mark::local_in(value).and_then(|id| self.flow.local(id).borrow);
        let found = || self.gives_reference(value).then_some(Borrow::Value);
        borrow(value).or(known).or_else(found)
    }

    /// Notes which bindings of a pattern are references, when it looks into one.
    pub(super) fn borrowed(&mut self, pattern: &Pat, value: &Expr) {
        if let Some((pattern, value)) = let_else(pattern, value) {
            return self.borrowed(&pattern, &value);
        }
        if let Some(parts) = side_by_side(pattern, value) {
            for (pattern, value) in parts {
                self.borrowed(pattern, value);
            }
        } else if self.borrow(value).is_some() {
            for id in bound(&self.looking(pattern, value)) {
                self.flow.locals[id.0].borrow = Some(Borrow::Pattern);
            }
        }
    }

    /// Whether a value is a reference into a place that can be found again.
    pub(super) fn gives_reference(&self, value: &Expr) -> bool {
        self.is_reference(&self.looked_up(value))
    }

    pub(super) fn is_reference(&self, value: &Expr) -> bool {
        match value {
            Expr::Reference(reference) => match &*reference.expr {
                // Only what is the workflow's own can be lent in part to be changed.
                Expr::Index(part) if reference.mutability.is_some() => {
                    self.is_found_again(&part.expr) && self.is_index_found_again(&part.index)
                }
                place => self.is_found_again(place),
            },
            Expr::Paren(expr) => self.is_reference(&expr.expr),
            Expr::Group(expr) => self.is_reference(&expr.expr),
            Expr::MethodCall(_) => self.is_access(value),
            Expr::Call(_) => collecting(value).is_some_and(|call| self.is_collected(call)),
            Expr::If(_) | Expr::Match(_) => self.is_choice(value),
            Expr::Index(_) => self.is_collected_item(value),
            Expr::Path(_) => {
                let known = mark::local_in(value).filter(|id| self.is_rebound(*id));
                known.is_some_and(|id| self.holds || self.is_fixed([id]))
            }
            // Each borrows for itself alone.
            Expr::Tuple(tuple) if self.is_fixed(mentions(tuple)) => {
                let mut elements = tuple.elems.iter();
                elements.clone().any(|element| self.is_reference(element))
                    && elements.all(|element| self.is_reference(element) || self.is_copied(element))
            }
            _ => false,
        }
    }

    /// What makes an operand a reference, be it found again or not.
    pub(super) fn reference_in(&mut self, operand: &Expr) -> Option<Borrow> {
        let holds = std::mem::replace(&mut self.holds, true);
        let reference = borrow(operand).or_else(|| {
            let refers = self.gives_reference(operand) && mark::local_in(operand).is_some();
            refers.then_some(Borrow::Value)
        });
        self.holds = holds;
        reference
    }

    /// Whether a binding is a reference that is made again.
    pub(super) fn is_rebound(&self, id: LocalId) -> bool {
        let local = self.flow.local(id);
        let refers = local.borrow.is_some_and(|borrow| borrow != Borrow::Closure);
        local.rebind.is_some() && refers
    }

    /// Whether a value is the same copy whenever it is taken.
    pub(super) fn is_copied(&self, value: &Expr) -> bool {
        let local = mark::local_in(value).map(|id| self.flow.local(id));
        is_constant(value) || local.is_some_and(spell::is_scalar) && self.is_fixed(mentions(value))
    }

    fn is_access(&self, value: &Expr) -> bool {
        let Expr::MethodCall(call) = value else {
            return false;
        };
        let is = |names: &[&str]| is_in(names, &call.method);
        if self.is_search(call) || self.is_collected(call) {
            return true;
        }
        let mut args = call.args.iter();
        if is(&["expect", "unwrap", "unwrap_or", "unwrap_or_default"]) {
            return args.all(|arg| is_constant(arg) || self.gives_reference(arg))
                && self.is_access(&call.receiver);
        }
        if is(&["or_else", "unwrap_or_else"]) {
            let gives = |arg: &Expr| {
                matches!(arg, Expr::Closure(closure)
                if closure.inputs.is_empty() && self.gives_reference(&closure.body))
            };
            return args.all(gives) && self.is_access(&call.receiver);
        }
        if call.method == "then_some" {
            let condition = &call.receiver;
            return only_asks(condition)
                && self.never_changes(condition)
                && args.all(|arg| self.gives_reference(arg));
        }
        if is(&["and_then", "map"]) {
            // A method may give what it does not borrow, and what is lent cannot be held as well.
            let is_lent = says_mut(&call.receiver);
            return args
                .all(|arg| self.looks_into(&call.receiver, arg) && !(is_lent && calls(arg)))
                && self.is_access(&call.receiver);
        }
        if call.method == "map_or"
            && let (Some(none), Some(some)) = (args.next(), args.next())
        {
            return (is_constant(none) || self.gives_reference(none))
                && !says_mut(&call.receiver)
                && self.looks_into(&call.receiver, some)
                && self.is_access(&call.receiver);
        }
        let for_change = is(&LOOKUPS) && call.args.is_empty()
            || call.method == "get_mut" && args.all(|key| self.is_index_found_again(key));
        if for_change {
            return self.is_found_again(&call.receiver);
        }
        // `cell.get()` is something else.
        let looks_up = call.method == "get" && call.args.len() == 1;
        let mut args = call.args.iter();
        (is(&ACCESSORS) && args.clone().all(|arg| self.is_index_found_again(arg))
            || looks_up && args.all(|key| self.is_index_found_again(key)))
            && (self.checks || self.never_changes(&call.receiver))
            && self.is_found_again(&call.receiver)
    }

    /// Whether a function looks into what is found, or gives a part of it: `|(key, _)| key`.
    fn looks_into(&self, found: &Expr, function: &Expr) -> bool {
        let given = || {
            self.found(found)
                .unwrap_or(Items::References)
                .given_by(function)
        };
        self.is_accessor(function) || given().is_some_and(|given| given.refer(true))
    }

    /// Whether a function looks into what it is given: `|user| &user.name`, `String::as_str`.
    pub(super) fn is_accessor(&self, function: &Expr) -> bool {
        match function {
            Expr::Closure(closure) => {
                closure.capture.is_none()
                    && closure.inputs.len() == 1
                    && self.is_reference(&closure.body)
            }
            Expr::Path(path) => {
                let name = path.path.segments.last();
                name.is_some_and(|name| is_in(&ACCESSORS, &name.ident))
            }
            _ => false,
        }
    }

    pub(super) fn is_found_again(&self, place: &Expr) -> bool {
        match place {
            Expr::Path(_) | Expr::Lit(_) => true,
            Expr::Field(expr) => self.is_found_again(&expr.base),
            Expr::Paren(expr) => self.is_found_again(&expr.expr),
            Expr::Group(expr) => self.is_found_again(&expr.expr),
            // A `&'static str` lends what it refers to without being borrowed itself.
            Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => {
                self.never_changes(&expr.expr) && self.is_found_again(&expr.expr)
            }
            Expr::Index(expr) => {
                (!matches!(*expr.index, Expr::Range(_)) || self.never_changes(&expr.expr))
                    && self.is_found_again(&expr.expr)
                    && self.is_index_found_again(&expr.index)
            }
            Expr::Array(_) | Expr::Tuple(_) => is_constant(place),
            _ => self.is_access(place),
        }
    }

    /// An index is not borrowed: it must be such as never changes.
    pub(super) fn is_index_found_again(&self, index: &Expr) -> bool {
        let plain = match index {
            Expr::Range(range) => [&range.start, &range.end]
                .into_iter()
                .flatten()
                .all(|bound| self.is_index_found_again(bound)),
            Expr::Binary(binary) => {
                self.is_index_found_again(&binary.left) && self.is_index_found_again(&binary.right)
            }
            Expr::Reference(expr) => self.is_index_found_again(&expr.expr),
            Expr::Paren(expr) => self.is_index_found_again(&expr.expr),
            Expr::Cast(cast) => self.is_index_found_again(&cast.expr),
            Expr::Tuple(tuple) => tuple.elems.iter().all(|key| self.is_index_found_again(key)),
            // Their arguments are numbers.
            Expr::MethodCall(call)
                if is_in(&COPYING, &call.method) || is_in(&COUNTING, &call.method) =>
            {
                self.is_index_found_again(&call.receiver)
                    && call.args.iter().all(|arg| self.is_index_found_again(arg))
            }
            index => self.is_found_again(index),
        };
        // What a loop's items are found by they can hold as long as they are used.
        let is_held = || {
            let key = mark::local_in(key(index)).filter(|id| self.is_rebound(*id));
            key.is_some_and(|id| !self.flow.local(id).mutable)
        };
        let holds = self.checks && self.holds_items;
        plain && (self.never_changes(index) || holds && is_held())
    }

    /// Whether it is a mutable reference, as far as the syntax shows.
    pub(super) fn is_mutable(&self, value: &Expr) -> bool {
        match value {
            Expr::Reference(reference) => reference.mutability.is_some(),
            Expr::Paren(expr) => self.is_mutable(&expr.expr),
            Expr::Path(_) => mark::local_in(value).is_some_and(|id| self.flow.may_change(id)),
            value => is_mutable_access(value) || says_mut(value),
        }
    }

    pub(super) fn never_changes(&self, expr: &Expr) -> bool {
        self.holds || self.is_fixed(mentions(expr))
    }

    /// Whether nothing ever changes some bindings, nor what they refer to, be they held or not.
    pub(super) fn is_fixed(&self, ids: impl IntoIterator<Item = LocalId>) -> bool {
        let rests_on = self.flow.rests_on(ids.into_iter().collect());
        // A part that is moved out is no more there.
        let changes = |id| self.flow.may_change(id) || self.parted.contains(&id);
        !rests_on.into_iter().any(changes)
    }
}

/// What a key refers to.
fn key(index: &Expr) -> &Expr {
    match index {
        Expr::Paren(expr) => key(&expr.expr),
        Expr::Reference(expr) => key(&expr.expr),
        index => index,
    }
}

/// Whether a pattern binds something that can be changed.
pub(super) fn binds_mutably(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| {
        matches!(
            pattern,
            Pat::Ident(PatIdent {
                mutability: Some(_),
                ..
            })
        )
    })
}

/// Whether a function does more than to look at a field: `String::as_str`, `|user| user.name.trim()`.
fn calls(function: &Expr) -> bool {
    !matches!(function, Expr::Closure(closure) if matches!(*closure.body, Expr::Reference(_)))
}

/// Puts another binding in the place of one.
struct Frozen(LocalId, Ident);

impl VisitMut for Frozen {
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if mark::local_of(ident) == Some(self.0) {
            let span = ident.span();
            *ident = self.1.clone();
            ident.set_span(span);
        }
    }
}

/// Whether a value is what a method gives that may be of a user's own type.
fn is_lookup(value: &Expr) -> bool {
    match value {
        Expr::Paren(expr) => is_lookup(&expr.expr),
        Expr::MethodCall(call) => {
            is_in(&ACCESSORS, &call.method) || call.method == "get" || is_lookup(&call.receiver)
        }
        _ => false,
    }
}

/// Whether a pattern has a type that is surely none of a reference.
pub(super) fn is_value(pattern: &Pat) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_type_reference(&mut self, _: &TypeReference) {
            self.0 = false;
        }
        fn visit_type_infer(&mut self, _: &TypeInfer) {
            self.0 = false;
        }
        fn visit_lifetime(&mut self, _: &Lifetime) {
            self.0 = false;
        }
    }
    let Pat::Type(typed) = pattern else {
        return false;
    };
    // It is saved, whatever it was found in.
    if spell::is_lasting_text(&typed.ty) {
        return true;
    }
    let mut finder = Finder(true);
    finder.visit_type(&typed.ty);
    finder.0
}

/// The parts of a pattern that is a tuple, and those of the value.
fn side_by_side<'a>(
    pattern: &'a Pat,
    value: &'a Expr,
) -> Option<impl Iterator<Item = (&'a Pat, &'a Expr)>> {
    let pattern = match pattern {
        Pat::Guard(guarded) => &*guarded.pat,
        pattern => pattern,
    };
    let (Pat::Tuple(patterns), Expr::Tuple(values)) = (pattern, value) else {
        return None;
    };
    let is_rest = |pattern: &Pat| matches!(pattern, Pat::Rest(_));
    let fits = patterns.elems.len() == values.elems.len() && !patterns.elems.iter().any(is_rest);
    fits.then(|| patterns.elems.iter().zip(&values.elems))
}

/// The bindings that a value is made of; not those that closures in it make themselves.
pub(super) fn made_of(value: &Expr) -> BTreeSet<LocalId> {
    &mentions(value) - &bound_within(value)
}

fn bound_within(value: &Expr) -> BTreeSet<LocalId> {
    struct Finder(BTreeSet<LocalId>);
    impl Visit<'_> for Finder {
        fn visit_pat(&mut self, pattern: &Pat) {
            self.0.extend(bound(pattern));
            visit::visit_pat(self, pattern);
        }
    }
    let mut finder = Finder(BTreeSet::new());
    finder.visit_expr(value);
    finder.0
}

/// Whether a pattern binds a part that it also wants to be of some form: what is bound may be changed
/// to another form, and would not match again.
fn narrows(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| match pattern {
        Pat::Ident(PatIdent {
            subpat: Some((_, part)),
            ..
        }) => !matches!(**part, Pat::Rest(_)),
        _ => false,
    })
}

fn has_alternatives(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| matches!(pattern, Pat::Or(_)))
}

/// A pattern without what it copies out of what it looks into, which may be items; and what that is.
pub(super) fn looking(pattern: &Pat, items: Option<&Items>) -> (Pat, Copies) {
    let mut pattern = pattern.clone();
    let copies = items.map(|items| Copies::take_out(&mut pattern, items));
    Looking.visit_pat_mut(&mut pattern);
    (pattern, copies.unwrap_or_default())
}

/// Puts `Some(_)` in the place of `Some(&number)`.
struct Looking;

impl VisitMut for Looking {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        match pattern {
            Pat::Reference(_) if !refers(pattern) => *pattern = parse_quote!(_),
            pattern => visit_mut::visit_pat_mut(self, pattern),
        }
    }
}

/// `Some(name)` of `&user.name` for `Some(ref name)` of `user.name`. What is beside it is not borrowed,
/// and may be something else by the time it is looked at again.
pub(super) fn by_reference(pattern: &Pat, value: &Expr) -> Option<(Pat, Expr)> {
    struct Plain {
        mutable: bool,
        is_one_of_several: bool,
        is_plain: bool,
    }
    impl VisitMut for Plain {
        fn visit_pat_mut(&mut self, pattern: &mut Pat) {
            match pattern {
                Pat::Rest(_) => return,
                pattern if !refers(pattern) => {
                    let fits_all =
                        matches!(pattern, Pat::Wild(_)) || plain_binding(pattern).is_some();
                    self.is_plain &= fits_all || !self.is_one_of_several;
                    *pattern = parse_quote!(_);
                    return;
                }
                // What is beside it may decide which it is.
                Pat::Or(_) => self.is_one_of_several = true,
                Pat::Reference(_) => self.is_plain = false,
                _ => {}
            }
            if let Pat::Ident(ident) = pattern
                && ident.by_ref.take().is_some()
            {
                self.is_plain &= ident.mutability.take().is_some() == self.mutable;
                return;
            }
            visit_mut::visit_pat_mut(self, pattern);
        }
    }
    if !refers(pattern) || !is_place(indexed(value)) {
        return None;
    }
    let mut found = Plain {
        mutable: binds_mutably(pattern),
        is_one_of_several: false,
        is_plain: true,
    };
    let mut pattern = pattern.clone();
    found.visit_pat_mut(&mut pattern);
    let span = value.span();
    let value = match found.mutable {
        true => parse_quote_spanned!(span=> &mut #value),
        false => parse_quote_spanned!(span=> &#value),
    };
    found.is_plain.then_some((pattern, value))
}

/// Whether a pattern binds by `ref`.
fn refers(pattern: &Pat) -> bool {
    any_pattern(pattern, |pattern| {
        matches!(
            pattern,
            Pat::Ident(PatIdent {
                by_ref: Some(_),
                ..
            })
        )
    })
}
