//! Code that would do another thing when a step is taken again after a crash.
//!
//! What the syntax shows is refused: [`rules`] are about paths, after the [`aliases`] within the
//! function; [`hash_order`] is about loops over what has no order, [`endless`] about loops that
//! never come to an await. What stands behind other functions, or behind a `use` outside of the
//! function that renames, cannot be seen here. [`allow`] lets a statement be.

mod aliases;
mod allow;
mod endless;
mod hash_order;
mod rules;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprForLoop, ExprLoop, ExprMethodCall, ExprPath, ExprUnsafe, ExprWhile,
    Item, ItemStatic, Macro, Path, Signature, StaticMutability, Stmt,
};

use self::aliases::Aliases;
use self::hash_order::Unordered;
use self::rules::Rule;
use super::awaits::Awaits;
use super::mark;
use crate::code;
use crate::report::Report;

pub(crate) use self::allow::allow_elsewhere;
pub(super) use self::allow::strip;

pub(super) fn check(report: &Report, sig: &Signature, body: &Block) {
    let mut checker = Checker {
        report,
        aliases: Aliases::of(sig, body),
        unordered: Unordered::of(sig, body),
        is_settled: false,
    };
    checker.visit_block(body);
}

struct Checker<'a> {
    report: &'a Report,
    aliases: Aliases,
    unordered: Unordered,
    /// Whether the statement at hand leaves the order of what it iterates over aside.
    is_settled: bool,
}

impl Checker<'_> {
    fn refuse(&self, rule: &Rule, what: &str, tokens: impl ToTokens) {
        self.report.error_on(
            rule.code,
            tokens,
            format!(
                "{what} in a workflow: it {}\n{}\n\
                 help: use {} instead; where it surely does no harm, put `#[workflow::allow(nondeterminism, reason = \"…\")]` on the statement",
                rule.does, rule.why, rule.instead
            ),
        );
    }

    /// Refuses a path by the first rule that it matches.
    fn path(&self, path: &Path) {
        let words: Vec<String> = (path.segments.iter())
            .map(|segment| mark::plain(&segment.ident))
            .collect();
        for meant in self.aliases.meant_by(&words) {
            if let Some(rule) = rules::of_path(&meant) {
                let what = format!("`{}`", meant[meant.len() - 2..].join("::"));
                self.refuse(rule, &what, path);
                return;
            }
        }
    }

    /// The paths within tokens that are not parsed.
    fn tokens(&self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut path = TokenStream::new();
        let mut colons = 0;
        loop {
            let token = tokens.next();
            match &token {
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && colons < 2 => {
                    colons += 1;
                    path.extend(token);
                    continue;
                }
                Some(TokenTree::Ident(_)) if colons == 2 || path.is_empty() => {
                    colons = 0;
                    path.extend(token);
                    continue;
                }
                _ => {}
            }
            if let Ok(path) = syn::parse2::<Path>(std::mem::take(&mut path)) {
                self.path(&path);
            }
            colons = 0;
            match token {
                Some(TokenTree::Group(group)) => self.tokens(group.stream()),
                Some(TokenTree::Ident(ident)) => path.extend([TokenTree::Ident(ident)]),
                Some(_) => {}
                None => return,
            }
        }
    }
}

impl Visit<'_> for Checker<'_> {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        if allow::check(self.report, stmt) {
            return;
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_attribute(&mut self, attr: &Attribute) {
        allow::refuse_elsewhere(self.report, attr);
    }

    fn visit_block(&mut self, block: &Block) {
        for (at, stmt) in block.stmts.iter().enumerate() {
            self.is_settled = hash_order::is_settled(stmt, block.stmts.get(at + 1));
            self.visit_stmt(stmt);
        }
        self.is_settled = false;
    }

    fn visit_expr(&mut self, expr: &Expr) {
        let Some(chain) = self.unordered.chain(expr) else {
            visit::visit_expr(self, expr);
            return;
        };
        if !chain.is_settled && !self.is_settled {
            hash_order::refuse(self.report, expr, &chain.name);
        }
        for argument in chain.calls.iter().flat_map(|call| &call.args) {
            self.visit_expr(argument);
        }
    }

    fn visit_expr_path(&mut self, expr: &ExprPath) {
        if expr.qself.is_none() {
            self.path(&expr.path);
        }
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if call.args.is_empty()
            && let Some(rule) = rules::of_method(&call.method)
        {
            self.refuse(rule, &format!("`{}()`", call.method), &call.method);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_unsafe(&mut self, expr: &ExprUnsafe) {
        // With an await in it, it is refused already.
        if !expr.block.awaits() {
            self.refuse(&rules::STATE, "`unsafe`", expr.unsafe_token);
        }
        visit::visit_expr_unsafe(self, expr);
    }

    fn visit_expr_loop(&mut self, expr: &ExprLoop) {
        endless::check(
            self.report,
            expr.loop_token,
            expr.label.as_ref(),
            &expr.body,
        );
        visit::visit_expr_loop(self, expr);
    }

    fn visit_expr_while(&mut self, expr: &ExprWhile) {
        if endless::is_true(&expr.cond) {
            endless::check(
                self.report,
                expr.while_token,
                expr.label.as_ref(),
                &expr.body,
            );
        }
        visit::visit_expr_while(self, expr);
    }

    fn visit_expr_for_loop(&mut self, expr: &ExprForLoop) {
        if let Some(name) = self.unordered.local(&expr.expr) {
            hash_order::refuse(self.report, &expr.expr, &name);
        }
        visit::visit_expr_for_loop(self, expr);
    }

    fn visit_macro(&mut self, mac: &Macro) {
        if let Some(rule) = rules::of_macro(&mac.path) {
            let name = &mac.path.segments[mac.path.segments.len() - 1].ident;
            self.refuse(rule, &format!("`{name}!`"), &mac.path);
            if rule.code == code::STATE {
                return;
            }
        }
        match super::macros::StdMacro::parse(mac) {
            Some(parsed) => {
                for value in parsed.values() {
                    self.visit_expr(value);
                }
            }
            None => self.tokens(mac.tokens.clone()),
        }
    }

    fn visit_item_static(&mut self, item: &ItemStatic) {
        let changes = !matches!(item.mutability, StaticMutability::None)
            || rules::names_a_cell(item.ty.to_token_stream());
        if changes {
            self.refuse(
                &rules::STATE,
                &format!("the static `{}`", item.ident),
                item.static_token,
            );
        }
    }

    // What any other item of the body does is its own.
    fn visit_item(&mut self, item: &Item) {
        if let Item::Static(item) = item {
            self.visit_item_static(item);
        }
    }
}
