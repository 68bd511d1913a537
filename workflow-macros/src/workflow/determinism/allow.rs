//! `#[workflow::allow(nondeterminism, reason = "…")]`, on a statement.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, Attribute, Block, Expr, FieldValue, Item, LitStr, Pat, Stmt};

use crate::code;
use crate::report::Report;

const HELP: &str = "help: write `#[workflow::allow(nondeterminism, reason = \"…\")]`";

/// Takes the attributes that are ours out of the body.
pub(in super::super) fn strip(body: &mut Block) {
    struct Stripper;
    impl VisitMut for Stripper {
        fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
            attrs.retain(|attr| !is_ours(attr));
        }
        fn visit_item_mut(&mut self, item: &mut Item) {
            if let Item::Static(item) = item {
                visit_mut::visit_item_static_mut(self, item);
            }
        }
    }
    Stripper.visit_block_mut(body);
}

fn is_ours(attr: &Attribute) -> bool {
    let mut words = attr.path().segments.iter();
    words.next().is_some_and(|word| word.ident == "workflow")
        && words.next().is_some_and(|word| word.ident == "allow")
        && words.next().is_none()
}

/// Whether a statement is let be; it must say what, and why.
pub(super) fn check(report: &Report, stmt: &Stmt) -> bool {
    let Some(attr) = own(stmt) else {
        return false;
    };
    let (mut what, mut reason) = (false, None);
    let parsed = attr.parse_nested_meta(|meta| {
        if meta.path.is_ident("nondeterminism") {
            what = true;
            return Ok(());
        }
        if meta.path.is_ident("reason") {
            reason = Some(meta.value()?.parse::<LitStr>()?.value());
            return Ok(());
        }
        Err(meta.error("neither `nondeterminism` nor `reason`"))
    });
    let message = match (parsed, what, reason) {
        (Err(error), ..) => error.to_string(),
        (_, false, _) => "what is allowed here?".to_owned(),
        (_, _, None) => "why may this differ when the step is taken again?".to_owned(),
        (_, _, Some(reason)) if reason.trim().is_empty() => "the reason is empty".to_owned(),
        _ => return true,
    };
    let why = "whoever reads the statement next wants to know why it does no harm";
    report.error_on(code::ALLOW, attr, format!("{message}\n{why}\n{HELP}"));
    true
}

const ELSEWHERE: &str = "this allows nothing here\n\
     what may differ when a step is taken again is allowed for one statement of a workflow\n\
     help: put it on the statement";

/// Refuses the attribute where it is not the statement's.
pub(super) fn refuse_elsewhere(report: &Report, attr: &Attribute) {
    if is_ours(attr) {
        report.error_on(code::ALLOW, attr, ELSEWHERE);
    }
}

/// The attribute outside of a workflow; what it stands on is left as it is.
pub(crate) fn allow_elsewhere(item: TokenStream) -> TokenStream {
    let report = Report::new();
    report.error_at(code::ALLOW, Span::call_site(), ELSEWHERE);
    let error = report.check().err().map(|error| error.into_compile_error());
    quote!(#error #item)
}

/// The attribute that is ours, of a statement itself.
fn own(stmt: &Stmt) -> Option<&Attribute> {
    let attrs: &[Attribute] = match stmt {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(statement) => &statement.attrs,
        Stmt::Item(Item::Static(item)) => &item.attrs,
        Stmt::Item(_) => &[],
        Stmt::Expr(expr, _) => {
            // The parser gives them to what stands at the very left.
            let mut left = expr;
            loop {
                left = match left {
                    Expr::Assign(expr) => &expr.left,
                    Expr::Binary(expr) => &expr.left,
                    Expr::Cast(expr) => &expr.expr,
                    _ => break,
                };
            }
            let mut own = Own {
                entered: false,
                found: None,
            };
            own.visit_expr(left);
            return own.found;
        }
    };
    attrs.iter().find(|attr| is_ours(attr))
}

/// Finds ours among the attributes of an expression, not of what is in it.
struct Own<'a> {
    entered: bool,
    found: Option<&'a Attribute>,
}

impl<'a> Visit<'a> for Own<'a> {
    fn visit_attribute(&mut self, attr: &'a Attribute) {
        if is_ours(attr) {
            self.found = self.found.or(Some(attr));
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if !std::mem::replace(&mut self.entered, true) {
            visit::visit_expr(self, expr);
        }
    }

    fn visit_stmt(&mut self, _: &'a Stmt) {}
    fn visit_arm(&mut self, _: &'a Arm) {}
    fn visit_pat(&mut self, _: &'a Pat) {}
    fn visit_field_value(&mut self, _: &'a FieldValue) {}
}
