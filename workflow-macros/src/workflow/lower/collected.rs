//! References that are collected: `let parts: Vec<&str> = line.split(',').collect();`
//!
//! They are collected again after an await, as nothing changes what they refer to, and arranged
//! again, where that is the first that is done with them.

use std::collections::VecDeque;

use proc_macro2::{Ident, Span};
use syn::visit::Visit;
use syn::{
    Expr, ExprCall, ExprMethodCall, GenericArgument, Local as Let, Pat, PathArguments, Stmt, Type,
    parse_quote,
};

use super::super::flow::LocalId;
use super::super::mark::{self, mentions};
use super::super::spell::named;
use super::super::spread::plain_binding;
use super::Lowering;
use super::items::Items;
use super::place::{Changes, is_in, says_mut};
use super::search::asks;

/// Collections that keep the order of what is collected, or have one of their own.
const COLLECTIONS: [&str; 3] = ["BTreeSet", "Vec", "VecDeque"];

/// Methods that sort a list by all that its items are: whatever their order was before.
const SORTING: [&str; 2] = ["sort", "sort_unstable"];

/// Methods that arrange a list, and give nothing.
const ARRANGING: [&str; 10] = [
    "dedup",
    "dedup_by_key",
    "retain",
    "reverse",
    "sort_by",
    "sort_by_cached_key",
    "sort_by_key",
    "sort_unstable_by",
    "sort_unstable_by_key",
    "truncate",
];

impl Lowering<'_> {
    /// Whether a call collects references from what can be gone over again.
    pub(super) fn is_collected(&self, call: &ExprMethodCall) -> bool {
        let into = call.turbofish.as_ref().and_then(|types| types.args.first());
        let of_references = matches!(into, Some(GenericArgument::Type(ty)) if may_refer(ty));
        let iterator = &*call.receiver;
        call.method == "collect"
            && of_references
            && matches!(iterator, Expr::MethodCall(_))
            && !says_mut(iterator)
            && (self.holds || self.is_fixed(mentions(iterator)))
            && self.is_walk(iterator)
            && self.items(iterator).refer(true)
    }

    /// Makes what arranges such a collection a part of its first value, if nothing changes it later.
    ///
    /// ```text
    /// let mut words: Vec<&String> = counts.keys().collect();
    /// words.sort();
    /// ```
    ///
    /// becomes
    ///
    /// ```text
    /// let words: Vec<&String> = arranged(counts.keys().collect::<Vec<&String>>(), |list| { list.sort(); });
    /// ```
    pub(super) fn arrange(
        &mut self,
        local: &mut Let,
        after: &mut VecDeque<Stmt>,
        tail: Option<&Expr>,
    ) {
        let (Some(id), Some(init)) = (plain_binding(&local.pat), &mut local.init) else {
            return;
        };
        let Expr::MethodCall(call) = &*init.expr else {
            return;
        };
        let arranging: Vec<ExprMethodCall> = (after.iter())
            .map_while(|statement| self.arranges(id, statement).cloned())
            .collect();
        if arranging.is_empty() {
            return;
        }
        let mut later = Changes::default();
        let rest = after.range(arranging.len()..);
        rest.for_each(|statement| later.visit_stmt(statement));
        tail.into_iter().for_each(|tail| later.visit_expr(tail));
        if later.all().contains(&id) || !self.holding(&[id], |this| this.is_collected(call)) {
            return;
        }
        after.drain(..arranging.len());
        let list = Ident::new("__list", Span::mixed_site());
        let arranging = arranging.into_iter().map(|mut call| {
            *call.receiver = parse_quote!(#list);
            call
        });
        *init.expr = parse_quote! {
            ::workflow::__private::arranged(#call, |#list| { #(#arranging;)* })
        };
        bind_once(&mut local.pat);
        self.flow.locals[id.0].mutable = false;
    }

    /// The call by which a statement arranges a list, and which does the same to the same list whenever
    /// it is made.
    fn arranges<'s>(&self, list: LocalId, statement: &'s Stmt) -> Option<&'s ExprMethodCall> {
        let Stmt::Expr(Expr::MethodCall(call), Some(_)) = statement else {
            return None;
        };
        let says_how = |arg: &Expr| {
            asks(arg) && self.is_fixed(mentions(arg)) || self.is_index_found_again(arg)
        };
        let arranges = mark::local_in(&call.receiver) == Some(list)
            && (is_in(&SORTING, &call.method) || is_in(&ARRANGING, &call.method))
            && call.args.iter().all(says_how);
        arranges.then_some(call)
    }

    /// Whether a place is an item of such a collection, which is a reference, or a slice of them.
    pub(super) fn is_collected_item(&self, place: &Expr) -> bool {
        let Expr::Index(expr) = place else {
            return false;
        };
        let whole = mark::local_in(&expr.expr).and_then(|id| self.collected.get(&id));
        // A slice cannot be handed to what would hold it.
        let is_held = self.holds && matches!(*expr.index, Expr::Range(_));
        matches!(whole, Some(Items::References | Items::Parts))
            && !is_held
            && (self.holds || self.is_fixed(mentions(place)))
            && self.is_index_found_again(&expr.index)
    }

    /// Notes that a binding is such a collection.
    pub(super) fn note_collected(&mut self, pattern: &Pat, value: &Expr) {
        if let Some(id) = plain_binding(pattern)
            && let Some(call) = collecting(value)
        {
            self.collected.insert(id, self.items(&call.receiver));
        }
    }

    /// A loop that takes such a collection goes over what it has.
    pub(super) fn lend_collected(&self, iterable: &mut Expr) {
        let taken = match iterable {
            Expr::MethodCall(call) if call.method != "into_iter" => {
                if let Expr::MethodCall(_) = *call.receiver {
                    self.lend_collected(&mut call.receiver);
                }
                return;
            }
            Expr::MethodCall(call) => (*call.receiver).clone(),
            _ => iterable.clone(),
        };
        if mark::local_in(&taken).is_some_and(|id| self.collected.contains_key(&id)) {
            *iterable = parse_quote!(#taken.iter().copied());
        }
    }
}

/// The call that collects what a value is, be it arranged then.
pub(in super::super) fn collecting(value: &Expr) -> Option<&ExprMethodCall> {
    match value {
        Expr::MethodCall(call) if call.method == "collect" => Some(call),
        Expr::Call(call) if is_arranging(call) => collecting(call.args.first()?),
        _ => None,
    }
}

/// What is collected and then sorted first of all.
pub(super) fn sorted(call: &mut ExprCall) -> Option<&mut Expr> {
    if !is_arranging(call) {
        return None;
    }
    let mut args = call.args.iter_mut();
    match (args.next()?, args.next()?) {
        (Expr::MethodCall(collects), Expr::Closure(arranges)) => {
            let Expr::Block(block) = &*arranges.body else {
                return None;
            };
            let sorts = matches!(block.block.stmts.first(), Some(Stmt::Expr(Expr::MethodCall(call), _))
                if is_in(&SORTING, &call.method));
            sorts.then_some(&mut collects.receiver)
        }
        _ => None,
    }
}

fn is_arranging(call: &ExprCall) -> bool {
    let Expr::Path(function) = &*call.func else {
        return false;
    };
    let mut names = function.path.segments.iter().map(|name| &name.ident);
    names.any(|name| name == "__private") && names.any(|name| name == "arranged")
}

/// Takes the `mut` away from a binding.
fn bind_once(pattern: &mut Pat) {
    match pattern {
        Pat::Ident(pattern) => pattern.mutability = None,
        Pat::Paren(pattern) => bind_once(&mut pattern.pat),
        Pat::Type(pattern) => bind_once(&mut pattern.pat),
        _ => {}
    }
}

/// Writes the type that a `let` states where it is collected: the collection is made again without
/// the `let`.
pub(super) fn state_collection(local: &mut Let) {
    let (Pat::Type(typed), Some(init)) = (&local.pat, &mut local.init) else {
        return;
    };
    if let Expr::MethodCall(call) = &mut *init.expr
        && call.method == "collect"
        && call.turbofish.is_none()
        && plain_binding(&local.pat).is_some()
        && may_refer(&typed.ty)
    {
        let ty = &typed.ty;
        call.turbofish = Some(parse_quote!(::<#ty>));
    }
}

/// Whether a type is a collection whose items may be references.
fn may_refer(ty: &Type) -> bool {
    fn item(ty: &Type) -> bool {
        match ty {
            Type::Infer(_) | Type::Reference(_) => true,
            Type::Tuple(tuple) => tuple.elems.iter().any(item),
            _ => false,
        }
    }
    let Some((name, PathArguments::AngleBracketed(arguments))) = named(ty) else {
        return false;
    };
    let mut arguments = arguments.args.iter();
    COLLECTIONS.contains(&&*name)
        && arguments.all(|argument| matches!(argument, GenericArgument::Type(ty) if item(ty)))
}
