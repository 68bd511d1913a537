//! What a piece of code does to bindings.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, ExprAssign, ExprAsync, ExprClosure, ExprReturn, Item, Macro, Stmt};

use super::super::diagram;
use super::super::flow::{Code, Jump, LocalId};
use super::super::macros::StdMacro;
use super::super::mark::{self, Mark};
use super::Lowering;

impl Lowering<'_> {
    /// A piece of code: its tokens, the expressions therein that are evaluated, and the bindings
    /// that it declares.
    pub(super) fn code(
        &mut self,
        tokens: TokenStream,
        exprs: &[&Expr],
        declares: Vec<LocalId>,
    ) -> Code {
        self.flow.shared.extend(&declares);
        let mut mentions: BTreeMap<LocalId, usize> = BTreeMap::new();
        let mut jumps = Vec::new();
        mark::each_ident(tokens.clone(), &mut |ident, _| {
            if let Some(id) = mark::local_of(ident) {
                *mentions.entry(id).or_default() += 1;
            }
        });
        collect_jumps(&tokens, &mut jumps);
        let mut assignments = Assignments::default();
        let mut sets = BTreeSet::new();
        let mut returns = Returns(false);
        for expr in exprs {
            self.settle(expr);
            self.keep_references(expr);
            assignments.visit_expr(expr);
            returns.visit_expr(expr);
            match (surely_set(expr), expr) {
                (Some(set), _) => sets.extend(set),
                // `x = { continue; }`: what follows is never reached, so nobody wants the old `x`.
                (None, Expr::Assign(assign)) => sets.extend(targets(&assign.left)),
                (None, _) => {}
            }
        }
        let mut assigned = assignments.0;
        for id in jumps.iter().filter_map(|jump: &Jump| jump.sets) {
            *assigned.entry(id).or_default() += 1;
        }
        let uses = mentions
            .iter()
            .filter(|(id, count)| assigned.get(id) != Some(count) && !declares.contains(id))
            .map(|(id, _)| *id)
            .collect();
        Code {
            tokens,
            uses,
            declares,
            inner: BTreeSet::new(),
            sets,
            assigns: assigned.into_keys().collect(),
            jumps,
            returns: returns.0,
            labels: exprs
                .first()
                .map_or_else(Default::default, |expr| self.leaving(expr)),
            deferred: false,
            frozen: false,
        }
    }
}

impl Lowering<'_> {
    /// What the diagram says of code that is `if condition { … return; }`.
    fn leaving(&self, expr: &Expr) -> [String; 2] {
        match expr {
            Expr::If(expr) if expr.else_branch.is_none() => {
                let condition = self.as_written(expr.cond.to_token_stream());
                let is_let = matches!(*expr.cond, Expr::Let(_));
                let [leaves, mut stays] = diagram::labels_of(&condition, is_let);
                if in_block(&expr.then_branch).is_some() {
                    stays.clear();
                }
                [leaves, stays]
            }
            _ => Default::default(),
        }
    }

    /// Code with its awaits in their places again.
    fn as_written(&self, tokens: TokenStream) -> TokenStream {
        let mut written = TokenStream::new();
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) => {
                    let local = mark::local_of(&ident).map(|id| &self.flow.locals[id.0]);
                    match local.and_then(|local| local.awaited.clone()) {
                        Some(source) => {
                            written.extend(source);
                            // The `.value` after it.
                            tokens.nth(1);
                        }
                        None => written.extend([TokenTree::Ident(ident)]),
                    }
                }
                TokenTree::Group(group) => {
                    let inner = self.as_written(group.stream());
                    written.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
                }
                other => written.extend([other]),
            }
        }
        written
    }
}

fn collect_jumps(tokens: &TokenStream, jumps: &mut Vec<Jump>) {
    let mut jump = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => jump = matches!(mark::mark_of(&ident), Some(Mark::Jump)),
            TokenTree::Group(group) => {
                if jump && let Some((target, value)) = mark::read_jump(group.stream()) {
                    let sets = value.and_then(|(local, _)| mark::local_of(&local));
                    jumps.push(Jump { target, sets });
                }
                collect_jumps(&group.stream(), jumps);
                jump = false;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Counts how often each binding is given a value as a whole.
#[derive(Default)]
struct Assignments(BTreeMap<LocalId, usize>);

impl Visit<'_> for Assignments {
    fn visit_expr_assign(&mut self, expr: &ExprAssign) {
        for id in targets(&expr.left) {
            *self.0.entry(id).or_default() += 1;
        }
        visit::visit_expr_assign(self, expr);
    }
    // What a closure assigns it has borrowed, which is a use.
    fn visit_expr_closure(&mut self, _: &ExprClosure) {}
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}

/// Looks for a `return`.
struct Returns(bool);

impl Visit<'_> for Returns {
    fn visit_expr_return(&mut self, _: &ExprReturn) {
        self.0 = true;
    }
    fn visit_macro(&mut self, mac: &Macro) {
        if let Some(parsed) = StdMacro::parse(mac) {
            for value in parsed.values() {
                self.visit_expr(value);
            }
        }
    }
    fn visit_expr_closure(&mut self, _: &ExprClosure) {}
    fn visit_expr_async(&mut self, _: &ExprAsync) {}
    fn visit_item(&mut self, _: &Item) {}
}

/// The bindings that an assignment to a place gives a value as a whole.
fn targets(place: &Expr) -> Vec<LocalId> {
    match place {
        Expr::Path(_) => mark::local_in(place).into_iter().collect(),
        Expr::Paren(place) => targets(&place.expr),
        Expr::Tuple(places) => places.elems.iter().flat_map(targets).collect(),
        Expr::Array(places) => places.elems.iter().flat_map(targets).collect(),
        Expr::Struct(places) => places
            .fields
            .iter()
            .flat_map(|f| targets(&f.expr))
            .collect(),
        Expr::Call(places) => places.args.iter().flat_map(targets).collect(),
        _ => Vec::new(),
    }
}

/// The bindings that have a new value whenever the code after an expression is reached; `None`
/// when that never is.
fn surely_set(expr: &Expr) -> Option<BTreeSet<LocalId>> {
    match expr {
        Expr::Assign(assign) => {
            let mut set = surely_set(&assign.right)?;
            set.extend(targets(&assign.left));
            Some(set)
        }
        Expr::Paren(expr) => surely_set(&expr.expr),
        Expr::Block(block) if block.label.is_none() => in_block(&block.block),
        Expr::If(expr) => match &expr.else_branch {
            Some((_, otherwise)) => either([in_block(&expr.then_branch), surely_set(otherwise)]),
            None => Some(BTreeSet::new()),
        },
        Expr::Match(expr) => either(expr.arms.iter().map(|arm| surely_set(&arm.body))),
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => None,
        Expr::Macro(expr) => {
            let diverges = expr.mac.path.segments.last().is_some_and(|last| {
                ["panic", "unreachable", "todo", "unimplemented", mark::JUMP]
                    .contains(&&*last.ident.to_string())
            });
            (!diverges).then(BTreeSet::new)
        }
        _ => Some(BTreeSet::new()),
    }
}

fn in_block(block: &syn::Block) -> Option<BTreeSet<LocalId>> {
    let mut set = BTreeSet::new();
    for statement in &block.stmts {
        if let Stmt::Expr(expr, _) = statement {
            set.extend(surely_set(expr)?);
        }
        if let Stmt::Macro(statement) = statement {
            let expr = Expr::Macro(syn::ExprMacro {
                attrs: Vec::new(),
                mac: statement.mac.clone(),
            });
            surely_set(&expr)?;
        }
    }
    Some(set)
}

fn either(
    branches: impl IntoIterator<Item = Option<BTreeSet<LocalId>>>,
) -> Option<BTreeSet<LocalId>> {
    branches
        .into_iter()
        .flatten()
        .reduce(|one, other| one.intersection(&other).copied().collect())
}
