//! References that are collected: `let parts: Vec<&str> = line.split(',').collect();`
//!
//! They are collected again after an await, as nothing changes what they refer to.

use syn::{
    Expr, ExprMethodCall, GenericArgument, Local as Let, Pat, PathArguments, Type, parse_quote,
};

use super::super::mark::{self, mentions};
use super::super::spell::named;
use super::super::spread::plain_binding;
use super::Lowering;
use super::items::Items;
use super::place::says_mut;

/// Collections that keep the order of what is collected, or have one of their own.
const COLLECTIONS: [&str; 3] = ["BTreeSet", "Vec", "VecDeque"];

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
            && let Expr::MethodCall(call) = value
            && call.method == "collect"
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
