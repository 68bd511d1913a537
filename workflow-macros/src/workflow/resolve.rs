//! Scopes: gives every binding a name of its own, so that no later stage thinks about shadowing.
//!
//! `let x = 1; { let x = x + 1; f(x) } x` becomes
//! `let __local0__x = 1; { let __local1__x = __local0__x + 1; f(__local1__x) } __local0__x`.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, ExprClosure, ExprForLoop, ExprIf, ExprLet, ExprMacro, ExprPath, ExprWhile,
    FieldValue, Item, Macro, Pat, PatIdent, Stmt, Token,
};

use super::flow::{Borrow, Local, LocalId};
use super::macros::{self, StdMacro, Tail};
use super::mark;

pub(super) struct Resolver {
    pub(super) locals: Vec<Local>,
    /// What each name means, the innermost last; `None` is something that is not a binding.
    scope: Vec<(String, Option<LocalId>)>,
    /// The bindings of the pattern at hand: alternatives of an or-pattern share them.
    pattern: Vec<(String, LocalId)>,
}

impl Resolver {
    pub(super) fn new() -> Self {
        Self {
            locals: Vec::new(),
            scope: Vec::new(),
            pattern: Vec::new(),
        }
    }

    /// A name that is not to be touched, as that of the context.
    pub(super) fn untouched(&mut self, name: &Ident) {
        self.scope.push((mark::plain(name), None));
    }

    /// A binding that the body sees; gives the mark of it.
    pub(super) fn parameter(&mut self, ident: &Ident, mutable: bool) -> LocalId {
        let id = self.local(ident, mutable, None);
        self.scope.push((mark::plain(ident), Some(id)));
        id
    }

    /// Resolves the body.
    pub(super) fn body(&mut self, body: &mut Block) {
        self.visit_block_mut(body);
    }

    fn local(&mut self, ident: &Ident, mutable: bool, borrow: Option<Borrow>) -> LocalId {
        self.locals.push(Local {
            ident: ident.clone(),
            mutable,
            temporary: false,
            awaited: None,
            annotation: None,
            spelling: None,
            borrow,
            rebind: None,
            cfg: None,
        });
        LocalId(self.locals.len() - 1)
    }

    fn lookup(&self, ident: &Ident) -> Option<LocalId> {
        let name = mark::plain(ident);
        self.scope
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .and_then(|(_, id)| *id)
    }

    fn scoped(&mut self, inside: impl FnOnce(&mut Self)) {
        let depth = self.scope.len();
        inside(self);
        self.scope.truncate(depth);
    }

    /// Resolves a pattern, whose bindings are in scope from then on; its guard sees them.
    fn bind(&mut self, pattern: &mut Pat) {
        if let Pat::Guard(guarded) = pattern {
            self.bind(&mut guarded.pat);
            self.visit_expr_mut(&mut guarded.guard);
            return;
        }
        let outer = std::mem::take(&mut self.pattern);
        self.visit_pat_mut(pattern);
        let bound = std::mem::replace(&mut self.pattern, outer);
        self.scope
            .extend(bound.into_iter().map(|(name, id)| (name, Some(id))));
    }

    fn std_macro(&mut self, mac: &mut Macro, mut parsed: StdMacro) {
        let captures = parsed.captures();
        self.scoped(|this| {
            for argument in &mut parsed.arguments {
                this.visit_expr_mut(&mut argument.value);
            }
            match parsed.tail_mut() {
                Tail::None | Tail::Json(_) => {}
                Tail::Length(length) => this.visit_expr_mut(length),
                Tail::Pattern(pattern, guard) => {
                    this.bind(pattern);
                    if let Some(guard) = guard {
                        this.visit_expr_mut(guard);
                    }
                }
            }
        });
        // `"{topic}"` gets `topic = …`, so that the binding may have another name in the end.
        for name in captures {
            if let Some(id) = self.lookup(&name) {
                let value = mark::local(id, &name);
                parsed.arguments.push(macros::Argument {
                    name: Some(name),
                    value: syn::parse_quote!(#value),
                });
            }
        }
        mac.tokens = parsed.into_tokens();
    }

    /// In a macro that is not known every identifier that may be a binding counts as one.
    fn other_macro(&mut self, mac: &mut Macro) {
        let mut captured = Vec::new();
        let tokens = self.tokens(std::mem::take(&mut mac.tokens), &mut captured);
        mac.tokens = if captured.is_empty() {
            tokens
        } else {
            let uses = Ident::new(mark::USES, proc_macro2::Span::call_site());
            quote!(#tokens #uses! { #(#captured)* })
        };
    }

    fn tokens(&self, tokens: TokenStream, captured: &mut Vec<Ident>) -> TokenStream {
        let mut out = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        // After `.` stands a field or a method, after `::` the end of a path.
        let mut after_path = false;
        let mut after_colon = false;
        while let Some(token) = tokens.next() {
            let is_macro = matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
            let colon = matches!(&token, TokenTree::Punct(p) if p.as_char() == ':');
            let dot = matches!(&token, TokenTree::Punct(p) if p.as_char() == '.');
            out.extend([match token {
                TokenTree::Ident(ident) if !after_path && !is_macro => {
                    TokenTree::Ident(match self.lookup(&ident) {
                        Some(id) => mark::named(id, &ident),
                        None => ident,
                    })
                }
                TokenTree::Group(group) => {
                    let mut inner =
                        Group::new(group.delimiter(), self.tokens(group.stream(), captured));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                TokenTree::Literal(literal) => {
                    self.capture(&literal, captured);
                    TokenTree::Literal(literal)
                }
                other => other,
            }]);
            after_path = (dot && !after_path) || (colon && after_colon);
            after_colon = colon;
        }
        out
    }

    fn capture(&self, literal: &Literal, captured: &mut Vec<Ident>) {
        let Ok(text) = syn::parse2::<syn::LitStr>(TokenTree::Literal(literal.clone()).into())
        else {
            return;
        };
        for name in macros::captures(&text.value(), text.span()) {
            if let Some(id) = self.lookup(&name) {
                captured.push(mark::named(id, &name));
            }
        }
    }
}

/// Whether `x` in a pattern binds: `None` and `MAX` are a variant and a constant.
fn binds(pattern: &PatIdent) -> bool {
    let constant = mark::plain(&pattern.ident).starts_with(char::is_uppercase);
    !constant
        || pattern.by_ref.is_some()
        || pattern.mutability.is_some()
        || pattern.subpat.is_some()
}

impl VisitMut for Resolver {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.scoped(|this| {
            // Functions and constants are in scope in the whole block.
            for stmt in &block.stmts {
                match stmt {
                    Stmt::Item(Item::Fn(item)) => this.untouched(&item.sig.ident),
                    Stmt::Item(Item::Const(item)) => this.untouched(&item.ident),
                    Stmt::Item(Item::Static(item)) => this.untouched(&item.ident),
                    _ => {}
                }
            }
            for stmt in &mut block.stmts {
                this.visit_stmt_mut(stmt);
            }
        });
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        if let Some(init) = &mut local.init {
            self.visit_expr_mut(&mut init.expr);
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.bind(&mut local.pat);
    }

    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if binds(pattern) {
            let name = mark::plain(&pattern.ident);
            let known = self.pattern.iter().find(|(known, _)| *known == name);
            let id = match known {
                Some((_, id)) => *id,
                None => {
                    let borrow = pattern.by_ref.map(|_| Borrow::Pattern);
                    let id = self.local(&pattern.ident, pattern.mutability.is_some(), borrow);
                    self.pattern.push((name, id));
                    id
                }
            };
            pattern.ident = mark::local(id, &pattern.ident);
        }
        if let Some((_, subpattern)) = &mut pattern.subpat {
            self.visit_pat_mut(subpattern);
        }
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        // `Order { id }` binds `id` and names the field `id`.
        if field.colon_token.is_none() {
            field.colon_token = Some(Token![:](proc_macro2::Span::call_site()));
        }
        self.visit_pat_mut(&mut field.pat);
    }

    fn visit_field_value_mut(&mut self, field: &mut FieldValue) {
        if field.colon_token.is_none() {
            field.colon_token = Some(Token![:](proc_macro2::Span::call_site()));
        }
        self.visit_expr_mut(&mut field.expr);
    }

    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        if expr.qself.is_none()
            && let Some(ident) = expr.path.get_ident()
            && let Some(id) = self.lookup(ident)
        {
            let mark = mark::local(id, ident);
            expr.path = mark.into();
        } else {
            visit_mut::visit_expr_path_mut(self, expr);
        }
    }

    fn visit_expr_let_mut(&mut self, expr: &mut ExprLet) {
        self.visit_expr_mut(&mut expr.expr);
        self.bind(&mut expr.pat);
    }

    fn visit_expr_if_mut(&mut self, expr: &mut ExprIf) {
        self.scoped(|this| {
            this.visit_expr_mut(&mut expr.cond);
            this.visit_block_mut(&mut expr.then_branch);
        });
        if let Some((_, otherwise)) = &mut expr.else_branch {
            self.visit_expr_mut(otherwise);
        }
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        self.scoped(|this| {
            this.visit_expr_mut(&mut expr.cond);
            this.visit_block_mut(&mut expr.body);
        });
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        self.visit_expr_mut(&mut expr.expr);
        self.scoped(|this| {
            this.bind(&mut expr.pat);
            this.visit_block_mut(&mut expr.body);
        });
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        self.scoped(|this| {
            this.bind(&mut arm.pat);
            this.visit_expr_mut(&mut arm.body);
        });
    }

    fn visit_expr_closure_mut(&mut self, expr: &mut ExprClosure) {
        self.scoped(|this| {
            for input in &mut expr.inputs {
                this.bind(input);
            }
            this.visit_expr_mut(&mut expr.body);
        });
    }

    fn visit_expr_macro_mut(&mut self, expr: &mut ExprMacro) {
        self.visit_macro_mut(&mut expr.mac);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        match StdMacro::parse(mac) {
            Some(parsed) => self.std_macro(mac, parsed),
            None => self.other_macro(mac),
        }
    }

    // Types hold no bindings, and attributes are not ours.
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
}
