//! Awaits that stand where they cannot be taken out, or say too little.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, Block, Expr, ExprAsync, ExprClosure, ExprConst, ExprMethodCall, ExprTryBlock,
    ExprUnsafe, Item, Macro, Pat, Stmt,
};

use super::awaits::{Awaits, in_tokens};
use super::macros::{StdMacro, Tail};
use crate::code::{self, Code};
use crate::report::Report;

pub(super) fn check(report: &Report, body: &Block) {
    let mut checker = Checker {
        report,
        awaits: false,
    };
    checker.visit_block(body);
}

struct Checker<'a> {
    report: &'a Report,
    /// Whether the statement or match arm at hand awaits.
    awaits: bool,
}

impl Checker<'_> {
    /// Refuses every await in a piece of syntax, each on its own.
    fn refuse_in(&self, code: Code, syntax: &impl ToTokens, message: &str) {
        if let Some(found) = in_tokens(syntax.to_token_stream()) {
            self.report.error_at(code, found.span(), message);
        }
    }
}

impl Visit<'_> for Checker<'_> {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        let outer = std::mem::replace(&mut self.awaits, stmt.awaits());
        if let Some(call) = discarded(stmt).and_then(untyped_signal) {
            // rustc would take it for the type that has no values.
            self.report.error_on(
                code::SIGNAL,
                &call.method,
                "the type of this signal's payload is not said\n\
                 what comes with a signal is read as a value of that type, also where it is not used\n\
                 help: write `wait_for_signal::<()>(…)` for a signal with nothing in it",
            );
        }
        visit::visit_stmt(self, stmt);
        self.awaits = outer;
    }

    fn visit_attribute(&mut self, attr: &Attribute) {
        let cfg = attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
        if cfg && self.awaits {
            self.report.error_on(
                code::CFG,
                attr,
                "`#[cfg]` on code that awaits in a workflow\n\
                 which states a workflow has is decided before `#[cfg]` is\n\
                 help: put the `#[cfg]` into a function or an activity that is called here, or write `if cfg!(…) { … }`",
            );
        }
    }

    fn visit_expr_async(&mut self, expr: &ExprAsync) {
        self.refuse_in(
            code::AWAIT_WITHIN,
            &expr.block,
            "an `.await` in an `async` block of a workflow\n\
             a run is saved at every await, and a future cannot be saved\n\
             help: make the block an `#[activity]`, or await in the workflow itself",
        );
    }

    fn visit_expr_closure(&mut self, expr: &ExprClosure) {
        self.refuse_in(
            code::AWAIT_WITHIN,
            &expr.body,
            "an `.await` in a closure of a workflow\n\
             a run is saved at every await, and what calls the closure cannot be saved\n\
             help: write a loop, or an `if`, that awaits in the workflow itself",
        );
    }

    fn visit_expr_unsafe(&mut self, expr: &ExprUnsafe) {
        self.refuse_in(
            code::AWAIT_WITHIN,
            &expr.block,
            "an `.await` in an `unsafe` block\n\
             what the block promises need not hold when the run goes on in another process\n\
             help: await outside of the block",
        );
    }

    fn visit_expr_const(&mut self, expr: &ExprConst) {
        self.refuse_in(
            code::AWAIT_WITHIN,
            &expr.block,
            "an `.await` in a `const` block\n\
             what is in it is computed by the compiler\n\
             help: await outside of it",
        );
    }

    fn visit_expr_try_block(&mut self, expr: &ExprTryBlock) {
        self.refuse_in(
            code::AWAIT_WITHIN,
            &expr.block,
            "an `.await` in a `try` block\n\
             where its `?` goes on cannot be seen here\n\
             help: put what the block does into a workflow's own statements, with `match`",
        );
    }

    fn visit_arm(&mut self, arm: &Arm) {
        if let Pat::Guard(guarded) = &arm.pat
            && guarded.guard.awaits()
        {
            self.refuse_in(
                code::AWAIT_IN_GUARD,
                &guarded.guard,
                "an `.await` in the guard of a `match` arm\n\
                 whether it is awaited would depend on the arms before\n\
                 help: bind it before the `match`: `let allowed = ….await?;`, and write `if allowed`",
            );
        }
        let outer = std::mem::replace(&mut self.awaits, arm.body.awaits());
        for attr in &arm.attrs {
            self.visit_attribute(attr);
        }
        self.visit_expr(&arm.body);
        self.awaits = outer;
    }

    fn visit_macro(&mut self, mac: &Macro) {
        if let Some(name) = runs_together(mac) {
            self.report.error_on(
                code::AWAIT_TOGETHER,
                &mac.path,
                format!(
                    "`{name}!` in a workflow\n\
                     what is awaited together is known to the engine, and so is what then becomes of it\n\
                     help: `let (a, b) = join!(first(), second());` gives a `Result` each, `select! {{ … }}` goes on with the first"
                ),
            );
            return;
        }
        if in_tokens(mac.tokens.clone()).is_none() {
            return;
        }
        match StdMacro::parse(mac) {
            Some(parsed) => {
                for argument in &parsed.arguments {
                    self.visit_expr(&argument.value);
                }
                self.check_tail(parsed, mac);
            }
            None => self.refuse_in(
                code::AWAIT_IN_MACRO,
                &mac.tokens,
                "an `.await` in a macro that is not of the standard library\n\
                 what the macro does with it cannot be seen here\n\
                 help: bind it first: `let value = ….await?;`, and use `value` in the macro",
            ),
        }
    }

    // An item has its own awaits.
    fn visit_item(&mut self, _: &Item) {}
}

/// The name of a macro that awaits several futures at once: `tokio::join!`, `select!`.
fn runs_together(mac: &Macro) -> Option<&Ident> {
    let last = &mac.path.segments.last()?.ident;
    ["select_biased", "try_join"]
        .iter()
        .any(|name| last == name)
        .then_some(last)
}

impl Checker<'_> {
    fn check_tail(&self, mut parsed: StdMacro, mac: &Macro) {
        let awaits = match parsed.tail_mut() {
            Tail::None | Tail::Json(_) => false,
            Tail::Length(length) => length.awaits(),
            Tail::Pattern(_, guard) => guard.as_ref().is_some_and(|guard| guard.awaits()),
        };
        if awaits {
            self.refuse_in(
                code::AWAIT_IN_MACRO,
                &mac.tokens,
                "an `.await` in a guard or a length in a macro\n\
                 how often it is evaluated is up to the macro\n\
                 help: bind it first: `let value = ….await?;`, and use `value` here",
            );
        }
    }
}

/// The value of a statement that nobody gets.
fn discarded(stmt: &Stmt) -> Option<&Expr> {
    match stmt {
        Stmt::Expr(expr, Some(_)) => Some(expr),
        Stmt::Local(local) if matches!(local.pat, Pat::Wild(_)) => Some(&local.init.as_ref()?.expr),
        _ => None,
    }
}

/// `ctx.wait_for_signal("approval", timeout).await?`, where it says no type.
fn untyped_signal(expr: &Expr) -> Option<&ExprMethodCall> {
    let Expr::Try(tried) = expr else { return None };
    let Expr::Await(awaited) = &*tried.expr else {
        return None;
    };
    match &*awaited.base {
        Expr::MethodCall(call) if call.method == "wait_for_signal" => {
            call.turbofish.is_none().then_some(call)
        }
        _ => None,
    }
}
