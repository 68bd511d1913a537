//! `join!` and `select!`: awaits of several operations, as one await of one value.
//!
//! ```text
//! join!(a, b)                       Join::new((a, b)).await
//! select! { x = a => f, y = b => g, }   match Select::new((a, b)).await { A(x) => f, B(y) => g }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Item, Macro, Pat, Path, Stmt, Token, parse_quote_spanned};

use super::macros;
use crate::code;
use crate::report::Report;

/// How many operations can be awaited together; the library has an implementation for each number.
const OPERATIONS_MAX: usize = 8;

/// Writes the awaits of several operations of a body as awaits of one value.
pub(super) fn rewrite(report: &Report, context: Option<&Ident>, body: &mut Block) {
    Rewriter { report, context }.visit_block_mut(body);
}

struct Rewriter<'a> {
    report: &'a Report,
    /// What the context is called.
    context: Option<&'a Ident>,
}

struct SelectArm {
    pattern: Pat,
    operation: Expr,
    value: Expr,
}

impl Parse for SelectArm {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![else]) {
            return Err(input.error(
                "an `else` arm in `select!`\n\
                 every pattern fits, so it would never be reached\n\
                 help: remove the arm",
            ));
        }
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        if let Some(part) = refuses(&pattern) {
            return Err(syn::Error::new_spanned(
                part,
                "a pattern in `select!` that may not fit\n\
                 which arm is taken is decided by which operation ends first, and not by what it gives\n\
                 help: `outcome = … => match outcome { … }`",
            ));
        }
        input.parse::<Token![=]>()?;
        let operation = input.parse()?;
        if input.peek(Token![,]) && input.peek2(Token![if]) {
            return Err(input.error(
                "a condition on an arm of `select!`\n\
                 which operations a state awaits is fixed\n\
                 help: write an `if` around two `select!`s",
            ));
        }
        input.parse::<Token![=>]>()?;
        let value: Expr = input.parse()?;
        let is_block = matches!(value, Expr::Block(_));
        if !input.is_empty() && (!is_block || input.peek(Token![,])) {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            pattern,
            operation,
            value,
        })
    }
}

fn select_arms(input: ParseStream<'_>) -> syn::Result<Vec<SelectArm>> {
    // `tokio::select! { biased; … }`: here it always is.
    if input.peek(syn::Ident)
        && input.peek2(Token![;])
        && input.fork().parse::<Ident>()? == "biased"
    {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut arms = Vec::new();
    while !input.is_empty() {
        arms.push(input.parse()?);
    }
    Ok(arms)
}

impl Rewriter<'_> {
    /// What stands for a macro, if it awaits several operations.
    fn rewritten(&self, mac: &Macro) -> Option<Expr> {
        let name = mac.path.segments.last()?.ident.to_string();
        let span = mac.path.span();
        let tokens = match &*name {
            "join" => self.join(mac, span),
            "select" => self.select(mac, span),
            _ => return None,
        };
        let tokens = tokens.unwrap_or_else(|error| {
            self.report.parse_error(code::AWAIT_TOGETHER, error);
            // So that what follows is not told of a type that does not fit.
            quote_spanned!(span=> ::std::unreachable!())
        });
        syn::parse2(tokens).ok()
    }

    fn join(&self, mac: &Macro, span: Span) -> syn::Result<TokenStream> {
        let operations =
            Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone())?;
        check_number(operations.len(), span)?;
        operations
            .iter()
            .try_for_each(|operation| self.check_inline(operation))?;
        let operations = operations.iter();
        Ok(quote_spanned!(span=> ::workflow::Join::new((#(#operations,)*)).await))
    }

    /// A workflow that runs inline is part of its caller, and no operation.
    fn check_inline(&self, operation: &Expr) -> syn::Result<()> {
        let Expr::Call(call) = operation else {
            return Ok(());
        };
        let context = self.context;
        let is_context = |arg: &Expr| matches!(arg, Expr::Path(path) if context.is_some_and(|name| path.path.is_ident(name)));
        match call.args.iter().find(|arg| is_context(arg)) {
            None => Ok(()),
            Some(context) => Err(syn::Error::new_spanned(
                context,
                "a workflow that runs inline is awaited together with others\n\
                 it runs as a part of this one, which is at one place at a time\n\
                 help: start it as a child, without the context: `join!(review(order), …)`; or await it before",
            )),
        }
    }

    /// The functions of other libraries that await several futures have the same names.
    fn called(&self, path: &mut Path) {
        let Some(last) = path.segments.last() else {
            return;
        };
        let span = last.span();
        match &*last.ident.to_string() {
            "join_all" => *path = parse_quote_spanned!(span=> ::workflow::join_all),
            name @ ("select_all" | "select_ok" | "try_join_all") => self.report.error_at(
                code::AWAIT_TOGETHER,
                span,
                format!(
                    "`{name}` in a workflow\n\
                     it awaits futures, which are lost with their process\n\
                     help: `let outcomes = join_all(operations).await;`, and `for outcome in outcomes {{ … }}`"
                ),
            ),
            _ => {}
        }
    }

    fn select(&self, mac: &Macro, span: Span) -> syn::Result<TokenStream> {
        let arms = select_arms.parse2(mac.tokens.clone())?;
        check_number(arms.len(), span)?;
        arms.iter()
            .try_for_each(|arm| self.check_inline(&arm.operation))?;
        let selected = format_ident!("Selected{}", arms.len(), span = span);
        let operations = arms.iter().map(|arm| &arm.operation);
        let operations = quote_spanned!(span=> (#(#operations,)*));
        let places = ('A'..).map(|letter| format_ident!("{letter}", span = span));
        let arms = arms.iter().zip(places).map(|(arm, place)| {
            let SelectArm { pattern, value, .. } = arm;
            quote_spanned!(span=> ::workflow::__private::#selected::#place(#pattern) => #value,)
        });
        let arms: TokenStream = arms.collect();
        Ok(quote_spanned!(span=> match ::workflow::Select::new(#operations).await { #arms }))
    }
}

/// A part of a pattern that surely does not always fit.
fn refuses(pattern: &Pat) -> Option<&Pat> {
    let is = |path: &Path, names: &[&str]| {
        let name = path.segments.last();
        name.is_some_and(|name| names.iter().any(|known| name.ident == known))
    };
    match pattern {
        Pat::Lit(_) | Pat::Range(_) => Some(pattern),
        Pat::Ident(ident) if ident.ident == "None" => Some(pattern),
        Pat::Path(path) if is(&path.path, &["None"]) => Some(pattern),
        Pat::TupleStruct(found) if is(&found.path, &["Ok", "Err", "Some"]) => Some(pattern),
        Pat::Tuple(tuple) => tuple.elems.iter().find_map(refuses),
        Pat::Paren(pattern) => refuses(&pattern.pat),
        _ => None,
    }
}

fn check_number(operations: usize, span: Span) -> syn::Result<()> {
    if (1..=OPERATIONS_MAX).contains(&operations) {
        return Ok(());
    }
    Err(syn::Error::new(
        span,
        format!(
            "{operations} operations are awaited together\n\
             there can be 1 to {OPERATIONS_MAX}\n\
             help: `join_all(operations)` awaits any number of one type"
        ),
    ))
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Macro(found) = expr
            && let Some(rewritten) = self.rewritten(&found.mac)
        {
            *expr = rewritten;
        }
        if let Expr::Call(call) = expr
            && let Expr::Path(function) = &mut *call.func
            && function.qself.is_none()
        {
            self.called(&mut function.path);
        }
        visit_mut::visit_expr_mut(self, expr);
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        if let Stmt::Macro(found) = stmt
            && let Some(rewritten) = self.rewritten(&found.mac)
        {
            *stmt = Stmt::Expr(rewritten, found.semi_token);
        }
        visit_mut::visit_stmt_mut(self, stmt);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let names = ["join", "join_all", "select"].map(str::to_owned);
        macros::visit_arguments(mac, &names, |argument| self.visit_expr_mut(argument));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
