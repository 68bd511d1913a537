//! Where a field is taken out of a binding: `let items = order.items;`.
//!
//! The rest of the binding may be used, and so saved, afterwards, and what was moved in part cannot
//! be saved. So where that is so, the step function [takes the part](crate::workflow::emit) out of
//! the binding and leaves an empty one. That the source never looks at what it has moved away, the
//! function as written makes sure of.

use proc_macro2::Ident;
use syn::visit_mut::{self, VisitMut};
use syn::{
    BinOp, Block, Expr, ExprAssign, ExprAsync, ExprBinary, ExprBreak, ExprCall, ExprClosure,
    ExprForLoop, ExprMethodCall, ExprReturn, ExprStruct, ExprTry, ExprUnary, Item, Lit, Local,
    Macro, Pat, Stmt, UnOp,
};

use super::lower::{is_comparison, is_compound};
use super::macros::{self, Kind};
use super::mark;

/// Marks the fields of a body that are taken by value.
pub(super) fn mark(body: &mut Block) {
    Marker.visit_block_mut(body);
    if let Some(Stmt::Expr(tail, None)) = body.stmts.last_mut() {
        taken(tail);
    }
}

/// Methods by which an `Option` or a `Result` is taken.
const WRAPPER_METHODS: [&str; 26] = [
    "and",
    "and_then",
    "expect",
    "expect_err",
    "filter",
    "flatten",
    "is_none_or",
    "is_ok_and",
    "is_some_and",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "ok",
    "ok_or",
    "ok_or_else",
    "or",
    "or_else",
    "transpose",
    "unwrap",
    "unwrap_err",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "xor",
    "zip",
];

struct Marker;

/// Marks what an expression takes whose value is moved or copied.
fn taken(expr: &mut Expr) {
    match expr {
        Expr::Field(_) => {
            if let Some(root) = root(expr) {
                *root = mark::part(root);
            }
        }
        // Out of a box, which is taken.
        Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => taken(&mut expr.expr),
        Expr::Paren(expr) => taken(&mut expr.expr),
        Expr::Group(expr) => taken(&mut expr.expr),
        Expr::Block(expr) => taken_from(&mut expr.block),
        Expr::If(expr) => {
            taken_from(&mut expr.then_branch);
            if let Some((_, otherwise)) = &mut expr.else_branch {
                taken(otherwise);
            }
        }
        Expr::Match(expr) => expr.arms.iter_mut().for_each(|arm| taken(&mut arm.body)),
        _ => {}
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_) | Lit::Float(_)))
}

fn taken_from(block: &mut Block) {
    if let Some(Stmt::Expr(tail, None)) = block.stmts.last_mut() {
        taken(tail);
    }
}

/// The binding that a place is a part of: `order` of `order.customer.name`.
fn root(place: &mut Expr) -> Option<&mut Ident> {
    match place {
        Expr::Field(field) => root(&mut field.base),
        Expr::Path(path) if path.qself.is_none() && path.path.segments.len() == 1 => {
            let ident = &mut path.path.segments[0].ident;
            mark::local_of(ident).is_some().then_some(ident)
        }
        _ => None,
    }
}

impl VisitMut for Marker {
    fn visit_local_mut(&mut self, local: &mut Local) {
        visit_mut::visit_local_mut(self, local);
        // A pattern that looks into the place need not take all of it.
        let pattern = match &local.pat {
            Pat::Type(typed) => &*typed.pat,
            pattern => pattern,
        };
        if let (Some(init), Pat::Ident(binding)) = (&mut local.init, pattern)
            && binding.by_ref.is_none()
        {
            taken(&mut init.expr);
        }
    }

    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        visit_mut::visit_expr_call_mut(self, call);
        call.args.iter_mut().for_each(taken);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        call.args.iter_mut().for_each(taken);
        if call.method == "into" || call.method.to_string().starts_with("into_") {
            taken(&mut call.receiver);
        } else if WRAPPER_METHODS.iter().any(|method| call.method == method)
            && let place @ Expr::Field(_) = &mut *call.receiver
            && let Some(root) = root(place)
        {
            *root = mark::wrapped(root);
        }
    }

    fn visit_expr_tuple_mut(&mut self, tuple: &mut syn::ExprTuple) {
        visit_mut::visit_expr_tuple_mut(self, tuple);
        tuple.elems.iter_mut().for_each(taken);
    }

    fn visit_expr_array_mut(&mut self, array: &mut syn::ExprArray) {
        visit_mut::visit_expr_array_mut(self, array);
        array.elems.iter_mut().for_each(taken);
    }

    fn visit_expr_struct_mut(&mut self, value: &mut ExprStruct) {
        visit_mut::visit_expr_struct_mut(self, value);
        value
            .fields
            .iter_mut()
            .for_each(|field| taken(&mut field.expr));
    }

    fn visit_expr_assign_mut(&mut self, assign: &mut ExprAssign) {
        // `(order.id, _) = …` takes nothing.
        if !matches!(
            *assign.left,
            Expr::Array(_) | Expr::Tuple(_) | Expr::Struct(_)
        ) {
            self.visit_expr_mut(&mut assign.left);
        }
        self.visit_expr_mut(&mut assign.right);
        taken(&mut assign.right);
    }

    fn visit_expr_binary_mut(&mut self, binary: &mut ExprBinary) {
        visit_mut::visit_expr_binary_mut(self, binary);
        match &binary.op {
            BinOp::And(_) | BinOp::Or(_) => {}
            // They only look.
            op if is_comparison(op) => {}
            op if is_compound(op) => taken(&mut binary.right),
            // Numbers are copied.
            _ if is_number(&binary.left) || is_number(&binary.right) => {}
            _ => {
                taken(&mut binary.left);
                taken(&mut binary.right);
            }
        }
    }

    fn visit_expr_unary_mut(&mut self, unary: &mut ExprUnary) {
        visit_mut::visit_expr_unary_mut(self, unary);
        if let UnOp::Neg(_) = unary.op {
            taken(&mut unary.expr);
        }
    }

    fn visit_expr_try_mut(&mut self, tried: &mut ExprTry) {
        visit_mut::visit_expr_try_mut(self, tried);
        taken(&mut tried.expr);
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        visit_mut::visit_expr_for_loop_mut(self, expr);
        taken(&mut expr.expr);
    }

    fn visit_expr_return_mut(&mut self, expr: &mut ExprReturn) {
        visit_mut::visit_expr_return_mut(self, expr);
        if let Some(value) = &mut expr.expr {
            taken(value);
        }
    }

    fn visit_expr_break_mut(&mut self, expr: &mut ExprBreak) {
        visit_mut::visit_expr_break_mut(self, expr);
        if let Some(value) = &mut expr.expr {
            taken(value);
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        macros::change_arguments(mac, |kind, argument| {
            self.visit_expr_mut(argument);
            if kind == Kind::Values {
                taken(argument);
            }
        });
    }

    // What these take they take when they run.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
