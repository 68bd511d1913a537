//! Locals whose first value leaves their type open, as `0` and `Vec::new()` do, and what settles it:
//! that they are returned, or added to.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Block, Expr, ExprAsync, ExprBinary, ExprClosure, ExprMethodCall, ExprReturn, Item, Stmt,
    Type,
};

use super::super::flow::LocalId;
use super::super::mark;
use super::super::spell::{Spelling, argument, is_number, is_open_number, named};
use super::Lowering;

/// What bindings are returned as, in `Ok(x)` of a `Result<T, …>`.
pub(super) fn returned(body: &Block, output: &Type) -> BTreeMap<LocalId, Type> {
    let mut returned = Returned {
        output: match named(output) {
            Some((name, _)) if name == "Result" => argument(output, 0),
            _ => None,
        },
        found: BTreeMap::new(),
    };
    returned.visit_block(body);
    if let Some(Stmt::Expr(tail, None)) = body.stmts.last() {
        returned.value(tail);
    }
    returned.found
}

struct Returned<'a> {
    output: Option<&'a Type>,
    found: BTreeMap<LocalId, Type>,
}

impl Returned<'_> {
    fn value(&mut self, value: &Expr) {
        let (Expr::Call(call), Some(output)) = (value, self.output) else {
            return;
        };
        let is_ok = matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Ok"));
        match (call.args.first(), output) {
            (Some(Expr::Tuple(values)), Type::Tuple(types)) if is_ok => {
                for (value, ty) in values.elems.iter().zip(&types.elems) {
                    self.element(value, ty);
                }
            }
            (Some(value), output) if is_ok => self.element(value, output),
            _ => {}
        }
    }

    fn element(&mut self, value: &Expr, ty: &Type) {
        if let Some(id) = mark::local_in(value) {
            self.found.insert(id, ty.clone());
        }
    }
}

impl Visit<'_> for Returned<'_> {
    fn visit_expr_return(&mut self, expr: &ExprReturn) {
        if let Some(value) = &expr.expr {
            self.value(value);
        }
        visit::visit_expr_return(self, expr);
    }
    fn visit_expr_closure(&mut self, _: &ExprClosure) {}
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}

impl Lowering<'_> {
    /// Notes that a binding's first value leaves its type open, if it does.
    pub(super) fn open(&mut self, id: LocalId, value: &Expr) {
        if is_open_number(value) {
            self.open_numbers.insert(id);
        }
        if is_open_list(value) {
            self.open_lists.insert(id);
        }
        if let Some(ty) = self.returned.get(&id)
            && is_open(value, ty)
        {
            self.flow.locals[id.0].spelling = self.inner.spell(ty);
        }
    }

    /// Settles the types of numbers by what is added to them, and of lists by what is pushed.
    pub(super) fn settle(&mut self, expr: &Expr) {
        let mut added = Added {
            open: &self.open_numbers,
            lists: &self.open_lists,
            found: Vec::new(),
            pushed: Vec::new(),
        };
        added.visit_expr(expr);
        let (found, pushed) = (added.found, added.pushed);
        for (id, value) in pushed {
            if self.flow.locals[id.0].spelling.is_none() {
                let item = self.inner.value(&value, &self.flow.locals);
                self.flow.locals[id.0].spelling = item.and_then(Spelling::list);
            }
        }
        for (id, value) in found {
            let local = &self.flow.locals[id.0];
            if local.spelling.is_none()
                && let Some(Spelling::Type(ty)) = self.inner.value(&value, &self.flow.locals)
                && is_number(&ty)
            {
                self.flow.locals[id.0].spelling = Some(Spelling::Type(ty));
            }
        }
    }
}

/// What is added to numbers, and pushed onto lists, whose types are open.
struct Added<'a> {
    open: &'a BTreeSet<LocalId>,
    lists: &'a BTreeSet<LocalId>,
    found: Vec<(LocalId, Expr)>,
    pushed: Vec<(LocalId, Expr)>,
}

impl Visit<'_> for Added<'_> {
    fn visit_expr_binary(&mut self, expr: &ExprBinary) {
        let adds = matches!(
            expr.op,
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_)
        );
        if adds
            && let Some(id) = mark::local_in(&expr.left)
            && self.open.contains(&id)
        {
            self.found.push((id, (*expr.right).clone()));
        }
        visit::visit_expr_binary(self, expr);
    }
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if call.method == "push"
            && let Some(id) = mark::local_in(&call.receiver)
            && let Some(value) = call.args.first()
            && self.lists.contains(&id)
        {
            self.pushed.push((id, value.clone()));
        }
        visit::visit_expr_method_call(self, call);
    }
    fn visit_item(&mut self, _: &Item) {}
}

/// Whether a value is a list of no certain type: `Vec::new()`, `vec![]`.
fn is_open_list(value: &Expr) -> bool {
    match value {
        Expr::Macro(expr) => expr.mac.path.is_ident("vec") && expr.mac.tokens.is_empty(),
        Expr::Call(call) => {
            let path = call.func.to_token_stream().to_string().replace(' ', "");
            path == "Vec::new" || path == "Vec::with_capacity"
        }
        _ => false,
    }
}

/// Whether a value is of a type, as far as it tells.
fn is_open(value: &Expr, ty: &Type) -> bool {
    let name = named(ty).map(|(name, _)| name);
    match value {
        Expr::Lit(_) => is_open_number(value) && is_number(ty),
        Expr::Macro(expr) => expr.mac.path.is_ident("vec") && name.as_deref() == Some("Vec"),
        Expr::Path(path) => path.path.is_ident("None") && name.as_deref() == Some("Option"),
        Expr::Call(call) if call.args.is_empty() => {
            let known = [
                "BTreeMap", "BTreeSet", "HashMap", "HashSet", "Vec", "VecDeque",
            ];
            let path = call.func.to_token_stream().to_string().replace(' ', "");
            name.is_some_and(|name| known.contains(&&*name) && path == format!("{name}::new"))
        }
        _ => false,
    }
}
