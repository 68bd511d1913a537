//! Where a pattern takes parts out of a binding: `match request.kind { Kind::Refund(reason) => … }`.
//!
//! As with a [field](super::parts), the rest of the binding may be saved afterwards. So where that
//! is so, the pattern only looks, and what it has found is [taken](super::emit) after it: copied, or
//! moved with something left in its place.

use std::collections::BTreeMap;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprAsync, ExprClosure, ExprIf, ExprMatch, ExprWhile, Item, Macro, Pat, PatIdent,
    Stmt, UnOp, parse_quote,
};

use super::awaits::Awaits;
use super::flow::{Local, LocalId, bound};
use super::held::overlap;
use super::macros;
use super::mark;

/// Marks the bindings of patterns that take parts, and gives what each takes a part of.
pub(super) fn mark(body: &mut Block, locals: &[Local]) -> BTreeMap<LocalId, LocalId> {
    let mut marker = Marker {
        names: locals
            .iter()
            .map(|local| mark::plain(&local.ident))
            .collect(),
        uses: counted(body),
        parts: BTreeMap::new(),
    };
    marker.visit_block_mut(body);
    marker.parts
}

/// How often each binding is used.
fn counted(body: &Block) -> BTreeMap<LocalId, usize> {
    #[derive(Default)]
    struct Bindings(BTreeMap<LocalId, usize>);
    impl Visit<'_> for Bindings {
        fn visit_pat_ident(&mut self, pattern: &PatIdent) {
            if let Some(id) = mark::local_of(&pattern.ident) {
                *self.0.entry(id).or_default() += 1;
            }
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut bindings = Bindings::default();
    bindings.visit_block(body);
    let mut uses: BTreeMap<LocalId, usize> = BTreeMap::new();
    mark::each_ident(body.to_token_stream(), &mut |ident, _| {
        if let Some(id) = mark::local_of(ident) {
            *uses.entry(id).or_default() += 1;
        }
    });
    for (id, count) in bindings.0 {
        *uses.entry(id).or_default() -= count;
    }
    uses
}

struct Marker {
    /// Of all bindings.
    names: Vec<String>,
    uses: BTreeMap<LocalId, usize>,
    parts: BTreeMap<LocalId, LocalId>,
}

impl Marker {
    /// Marks the bindings of a pattern that take parts of a place whose rest may be used elsewhere,
    /// and gives what takes them.
    fn taken(&mut self, pattern: &mut Pat, place: &Expr) -> Vec<Stmt> {
        let Some(root) = root(place) else {
            return Vec::new();
        };
        let ids = moved(pattern);
        // A binding of the place's own name would hide the place.
        let hides = bound(pattern)
            .iter()
            .any(|id| self.names[id.0] == self.names[root.0]);
        // What is bound by reference uses the place again.
        let is_last =
            ids.len() == bound(pattern).len() && self.uses.get(&root).is_none_or(|uses| *uses < 2);
        if is_last || hides || looks(pattern) {
            return Vec::new();
        }
        let takes = ids.iter().map(|id| {
            let again = found_again(pattern, *id);
            let (name, mark) = (name(pattern, *id), Ident::new(mark::TAKE, place.span()));
            parse_quote!(#mark! { [#name] { #again } (#place) })
        });
        let takes: Vec<Stmt> = takes.collect();
        self.parts.extend(ids.into_iter().map(|id| (id, root)));
        Bindings.visit_pat_mut(pattern);
        takes
    }

    /// Marks the patterns of a condition. What is bound in it, the rest of it only looks at; but
    /// nothing is looked at across an await.
    fn condition(&mut self, condition: &mut Expr) -> Vec<Stmt> {
        let mut takes = Vec::new();
        if condition.awaits() {
            return takes;
        }
        let mut bound = Vec::new();
        self.conditions(condition, &[], &mut takes, &mut bound);
        takes
    }

    fn conditions(
        &mut self,
        condition: &mut Expr,
        after: &[Expr],
        takes: &mut Vec<Stmt>,
        taken: &mut Vec<LocalId>,
    ) {
        match condition {
            Expr::Let(expr) => {
                guard(&mut expr.expr, taken);
                // What the rest of the condition uses, or even changes, it has copied from.
                if after.iter().any(|after| uses(after, &expr.expr)) {
                    return;
                }
                takes.extend(self.taken(&mut expr.pat, &expr.expr));
                let ids = bound(&expr.pat);
                taken.extend(ids.into_iter().filter(|id| self.parts.contains_key(id)));
            }
            Expr::Binary(expr) if matches!(expr.op, syn::BinOp::And(_)) => {
                let mut after_left = after.to_vec();
                after_left.push((*expr.right).clone());
                self.conditions(&mut expr.left, &after_left, takes, taken);
                self.conditions(&mut expr.right, after, takes, taken);
            }
            Expr::Paren(expr) => self.conditions(&mut expr.expr, after, takes, taken),
            condition => guard(condition, taken),
        }
    }
}

impl VisitMut for Marker {
    fn visit_block_mut(&mut self, block: &mut Block) {
        let count = block.stmts.len();
        let mut statements = Vec::new();
        for (at, mut statement) in std::mem::take(&mut block.stmts).into_iter().enumerate() {
            visit_mut::visit_stmt_mut(self, &mut statement);
            let mut takes = Vec::new();
            if let Stmt::Local(local) = &mut statement
                && let Some(init) = &local.init
                && !is_name(&local.pat)
                && at + 1 < count
            {
                takes = self.taken(&mut local.pat, &init.expr);
            }
            statements.push(statement);
            statements.extend(takes);
        }
        block.stmts = statements;
    }

    fn visit_expr_match_mut(&mut self, expr: &mut ExprMatch) {
        visit_mut::visit_expr_match_mut(self, expr);
        for arm in &mut expr.arms {
            let takes = match &mut arm.pat {
                Pat::Guard(guarded) => {
                    let takes = self.taken(&mut guarded.pat, &expr.expr);
                    if !takes.is_empty() {
                        guard(&mut guarded.guard, &bound(&guarded.pat));
                    }
                    takes
                }
                pattern => self.taken(pattern, &expr.expr),
            };
            match &mut *arm.body {
                _ if takes.is_empty() => {}
                Expr::Block(body) if body.label.is_none() => {
                    body.block.stmts.splice(0..0, takes);
                }
                body => *body = parse_quote!({ #(#takes)* #body }),
            }
        }
    }

    fn visit_expr_if_mut(&mut self, expr: &mut ExprIf) {
        visit_mut::visit_expr_if_mut(self, expr);
        let takes = self.condition(&mut expr.cond);
        expr.then_branch.stmts.splice(0..0, takes);
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        visit_mut::visit_expr_while_mut(self, expr);
        let takes = self.condition(&mut expr.cond);
        expr.body.stmts.splice(0..0, takes);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        macros::change_arguments(mac, |_, argument| self.visit_expr_mut(argument));
    }

    // What these take they take when they run.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

/// The binding that a place is, or is a part of.
fn root(place: &Expr) -> Option<LocalId> {
    match place {
        Expr::Field(field) => root(&field.base),
        // What is in a box.
        Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => root(&expr.expr),
        place => mark::local_in(place),
    }
}

/// Whether code uses a place, or what that is a part of.
fn uses(code: &Expr, place: &Expr) -> bool {
    struct Uses<'a>(&'a Expr, bool);
    impl Visit<'_> for Uses<'_> {
        fn visit_expr(&mut self, expr: &Expr) {
            match root(expr) {
                Some(_) => self.1 |= overlap(expr, self.0),
                None => visit::visit_expr(self, expr),
            }
        }
        fn visit_macro(&mut self, mac: &Macro) {
            let root = root(self.0);
            self.1 |= root.is_some_and(|root| mark::mentions(&mac.tokens).contains(&root));
        }
    }
    let mut finder = Uses(place, false);
    finder.visit_expr(code);
    finder.1
}

/// Whether it is `let name`, perhaps with a type: [`parts`](super::parts) sees to that.
fn is_name(pattern: &Pat) -> bool {
    match pattern {
        Pat::Type(typed) => is_name(&typed.pat),
        pattern => matches!(pattern, Pat::Ident(_)),
    }
}

/// What a pattern binds by value.
fn moved(pattern: &Pat) -> Vec<LocalId> {
    struct References(Vec<LocalId>);
    impl Visit<'_> for References {
        fn visit_pat_ident(&mut self, pattern: &PatIdent) {
            if pattern.by_ref.is_some() {
                self.0.extend(mark::local_of(&pattern.ident));
            }
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut references = References(Vec::new());
    references.visit_pat(pattern);
    let mut ids = bound(pattern);
    ids.retain(|id| !references.0.contains(id));
    ids
}

/// Whether a pattern takes nothing: it binds nothing by value, or copies from behind a reference. Nor is
/// anything taken where what is bound also decides which alternative it is.
fn looks(pattern: &Pat) -> bool {
    struct Looks(bool);
    impl Visit<'_> for Looks {
        fn visit_pat(&mut self, pattern: &Pat) {
            self.0 |= match pattern {
                Pat::Reference(_) => true,
                Pat::Or(_) => decides(pattern),
                Pat::Ident(ident) => {
                    let within = ident.subpat.as_ref().map(|(_, within)| within);
                    within.is_some_and(|within| !bound(within).is_empty())
                }
                _ => false,
            };
            visit::visit_pat(self, pattern);
        }
    }
    let mut finder = Looks(moved(pattern).is_empty());
    finder.visit_pat(pattern);
    finder.0
}

/// Whether a pattern binds something that it also wants to be of some form.
fn decides(pattern: &Pat) -> bool {
    struct Decides(bool);
    impl Visit<'_> for Decides {
        fn visit_pat_ident(&mut self, pattern: &PatIdent) {
            self.0 |= pattern.subpat.is_some();
        }
    }
    let mut finder = Decides(false);
    finder.visit_pat(pattern);
    finder.0
}

/// Marks the bindings of a pattern.
struct Bindings;

impl VisitMut for Bindings {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if mark::local_of(&pattern.ident).is_some() && pattern.by_ref.is_none() {
            pattern.mutability = None;
            pattern.ident = mark::taken(&pattern.ident);
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

/// The name of a binding, as the pattern has it.
fn name(pattern: &Pat, id: LocalId) -> Option<Ident> {
    struct Finder(LocalId, Option<Ident>);
    impl Visit<'_> for Finder {
        fn visit_pat_ident(&mut self, pattern: &PatIdent) {
            if mark::local_of(&pattern.ident) == Some(self.0) {
                self.1 = Some(pattern.ident.clone());
            }
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut finder = Finder(id, None);
    finder.visit_pat(pattern);
    finder.1
}

/// A pattern that binds one of its bindings, to move it.
fn found_again(pattern: &Pat, id: LocalId) -> Pat {
    struct Only(LocalId);
    impl VisitMut for Only {
        fn visit_pat_mut(&mut self, pattern: &mut Pat) {
            visit_mut::visit_pat_mut(self, pattern);
            let Pat::Ident(binding) = pattern else { return };
            match mark::local_of(&binding.ident) {
                Some(id) if id == self.0 => {
                    let (name, within) = (&binding.ident, &binding.subpat);
                    let within = within.as_ref().map(|(at, within)| quote!(#at #within));
                    *pattern = Pat::Verbatim(quote!(ref mut #name #within));
                }
                // It may have been taken already.
                Some(_) => *pattern = parse_quote!(_),
                None => {}
            }
        }
    }
    let mut pattern = pattern.clone();
    Only(id).visit_pat_mut(&mut pattern);
    pattern
}

/// Marks where an expression uses what a pattern has bound and not yet taken.
fn guard(expr: &mut Expr, ids: &[LocalId]) {
    fn marked(tokens: TokenStream, ids: &[LocalId]) -> TokenStream {
        tokens
            .into_iter()
            .map(|token| match token {
                TokenTree::Ident(ident)
                    if mark::local_of(&ident).is_some_and(|id| ids.contains(&id)) =>
                {
                    TokenTree::Ident(mark::guarded(&ident))
                }
                TokenTree::Group(group) => {
                    let inner = marked(group.stream(), ids);
                    let mut marked = Group::new(group.delimiter(), inner);
                    marked.set_span(group.span());
                    TokenTree::Group(marked)
                }
                token => token,
            })
            .collect()
    }
    if ids.is_empty() {
        return;
    }
    let tokens = marked(expr.to_token_stream(), ids);
    if let Ok(marked) = syn::parse2(tokens) {
        *expr = marked;
    }
}

/// What a `__take!` takes.
pub(super) struct Take {
    pub(super) id: LocalId,
    /// The pattern that finds it again.
    pub(super) pattern: TokenStream,
    pub(super) place: TokenStream,
}

/// Reads the tokens of a `__take!`.
pub(super) fn read(tokens: TokenStream) -> Option<Take> {
    let groups: Vec<TokenStream> = tokens
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        })
        .collect();
    let [name, pattern, place] = groups.try_into().ok()?;
    let id = match name.into_iter().next()? {
        TokenTree::Ident(ident) => mark::local_of(&ident)?,
        _ => return None,
    };
    Some(Take { id, pattern, place })
}
