//! References that code puts into a collection or an `Option` one by one: these cannot be collected
//! again, and rustc would only say that they do not live for `'static`.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, ExprAssign, ExprAsync, ExprMethodCall, Item, Pat, Type};

use super::super::flow::{LocalId, any_pattern, bound};
use super::super::mark;
use super::super::spell::Spelling;
use super::Lowering;
use super::place::is_in;
use super::search::makes;

/// Methods of the standard library's collections that keep what they are given.
const KEEPING: [&str; 5] = ["entry", "insert", "push", "push_back", "push_front"];

/// Whether a value is an empty collection or `None`, of the standard library.
pub(super) fn is_empty(value: &Expr) -> bool {
    const COLLECTIONS: [&str; 6] = [
        "BTreeMap", "BTreeSet", "HashMap", "HashSet", "Vec", "VecDeque",
    ];
    match value {
        Expr::Path(path) => path.path.is_ident("None"),
        Expr::Macro(expr) => expr.mac.path.is_ident("vec") && expr.mac.tokens.is_empty(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => {
                let mut names = function.path.segments.iter().rev().map(|name| &name.ident);
                let makes = names.next();
                makes.is_some_and(|makes| is_in(&["new", "with_capacity"], makes))
                    && names.next().is_some_and(|ty| is_in(&COLLECTIONS, ty))
            }
            _ => false,
        },
        _ => false,
    }
}

impl Lowering<'_> {
    /// Notes that all that a pattern binds are references, if it takes no copies as well.
    pub(super) fn note_references(&mut self, pattern: &Pat) {
        let copies = |pattern: &Pat| match pattern {
            Pat::Reference(_) => true,
            Pat::Ident(binding) => binding.by_ref.is_some(),
            _ => false,
        };
        if !any_pattern(pattern, copies) {
            self.references.extend(bound(pattern));
        }
    }

    /// Notes what code puts references into the workflow's own values into.
    pub(super) fn keep_references(&mut self, code: &Expr) {
        let mut kept = Kept {
            empty: &self.empty,
            found: Vec::new(),
        };
        kept.visit_expr(code);
        for (collection, value) in kept.found {
            if self.refers(&value) {
                self.flow.keeping.insert(collection);
            }
        }
    }

    /// Whether a value is a reference into what is surely the workflow's own, be it beside others.
    fn refers(&self, value: &Expr) -> bool {
        match value {
            // `Some(…)`
            Expr::Call(call) => {
                makes(&call.func) && call.args.iter().any(|value| self.refers(value))
            }
            Expr::Tuple(values) => values.elems.iter().any(|value| self.refers(value)),
            _ => mark::local_in(value).is_some_and(|id| {
                let rests_on = self.flow.rests_on(BTreeSet::from([id]));
                let mut roots = rests_on.into_iter().filter(|root| !self.is_rebound(*root));
                self.references.contains(&id) && roots.any(|root| self.owns(root))
            }),
        }
    }

    fn owns(&self, id: LocalId) -> bool {
        let local = self.flow.local(id);
        local.borrow.is_none()
            && match &local.spelling {
                Some(Spelling::Type(ty)) => !has_reference(ty),
                Some(Spelling::Called { .. }) => true,
                None => false,
            }
    }
}

fn has_reference(ty: &Type) -> bool {
    ty.to_token_stream().to_string().contains('&')
}

/// What is put into which bindings.
struct Kept<'a> {
    /// Those that were empty.
    empty: &'a BTreeSet<LocalId>,
    found: Vec<(LocalId, Expr)>,
}

impl Visit<'_> for Kept<'_> {
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if is_in(&KEEPING, &call.method)
            && let Some(id) = mark::local_in(&call.receiver)
            && self.empty.contains(&id)
        {
            self.found
                .extend(call.args.iter().map(|arg| (id, arg.clone())));
        }
        visit::visit_expr_method_call(self, call);
    }
    fn visit_expr_assign(&mut self, assign: &ExprAssign) {
        if let Some(id) = mark::local_in(&assign.left)
            && self.empty.contains(&id)
            && let Expr::Call(_) = &*assign.right
        {
            self.found.push((id, (*assign.right).clone()));
        }
        visit::visit_expr_assign(self, assign);
    }
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}
