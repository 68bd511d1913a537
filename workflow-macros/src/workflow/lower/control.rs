//! Branches and loops that await.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprBinary, ExprBreak, ExprForLoop, ExprIf, ExprLoop, ExprMatch, ExprWhile, Item,
    Label, Pat, Stmt, UnOp, parse_quote, parse_quote_spanned,
};

use super::super::awaits::Awaits;
use super::super::diagram;
use super::super::flow::{
    Arm, BlockId, BlockKind, Borrow, End, Hold, LocalId, bound, bound_in_condition,
};
use super::super::mark;
use super::super::spell::{Spelling, plain_binding, spread};
use super::choosing::never_panics;
use super::place::borrow;
use super::rebind::{binds_mutably, made_of};
use super::walk::{chooses, is_borrowing_chain, walks_by_reference};
use super::{Dest, Frame, Lowering};
use crate::code;

impl Lowering<'_> {
    /// Whether an expression is taken apart into blocks of its own.
    pub(super) fn is_exploded(&self, expr: &Expr) -> bool {
        let branches = matches!(expr, Expr::If(_) | Expr::Match(_) | Expr::Block(_));
        if branches && assigns_and_leaves(expr, &self.deferred) {
            return true;
        }
        match expr {
            Expr::Paren(expr) => self.is_exploded(&expr.expr),
            Expr::Group(expr) => self.is_exploded(&expr.expr),
            Expr::Block(expr) => expr.block.awaits(),
            Expr::Loop(_) | Expr::While(_) => expr.awaits(),
            Expr::ForLoop(expr) => expr.body.awaits(),
            Expr::Match(expr) => expr.arms.iter().any(|arm| arm.body.awaits()),
            Expr::If(expr) => {
                let otherwise = expr.else_branch.as_ref();
                expr.then_branch.awaits()
                    || otherwise.is_some_and(|(_, otherwise)| otherwise.awaits())
                    || !awaits_first(&expr.cond)
            }
            Expr::Binary(expr) => is_lazy(&expr.op) && expr.right.awaits(),
            // `!(a && b)` is a condition; `!` of anything else is taken of its value.
            Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => is_lazy_await(&expr.expr),
            _ => false,
        }
    }

    /// Lowers an expression whose value goes somewhere.
    pub(super) fn into(&mut self, expr: Expr, dest: Dest) {
        match expr {
            Expr::Paren(expr) if self.is_exploded(&expr.expr) => self.into(*expr.expr, dest),
            Expr::Group(expr) if self.is_exploded(&expr.expr) => self.into(*expr.expr, dest),
            Expr::Return(expr) => {
                self.into(
                    expr.expr.map_or(parse_quote!(()), |value| *value),
                    Dest::Return,
                );
                self.closed = true;
            }
            Expr::Break(expr) => self.lower_break(expr),
            Expr::Continue(expr) => match self.frame(expr.label.as_ref().map(|l| &l.ident)) {
                Some(Frame {
                    head: Some(head), ..
                }) => {
                    let head = *head;
                    self.end(End::Goto(head));
                }
                _ => self.store(Expr::Continue(expr), Dest::Discard),
            },
            expr if !self.is_exploded(&expr) => {
                let rest = self.value(expr);
                self.store(rest, dest);
            }
            Expr::Block(expr) => match expr.label {
                None => self.statements(expr.block.stmts, dest),
                Some(label) => {
                    let exit = self.block(BlockKind::Join);
                    self.frames.push(Frame {
                        label: Some(label.name.ident),
                        exit,
                        dest,
                        head: None,
                    });
                    self.statements(expr.block.stmts, dest);
                    self.frames.pop();
                    self.end(End::Goto(exit));
                    self.switch(exit);
                }
            },
            Expr::If(expr) => self.lower_if(expr, dest),
            Expr::Match(expr) => self.lower_match(expr, dest),
            Expr::Loop(expr) => self.lower_loop(expr, dest),
            Expr::While(expr) => self.lower_while(expr, dest),
            Expr::ForLoop(expr) => self.lower_for(expr, dest),
            // `a && b` whose right side awaits, where its value is wanted.
            lazy => {
                let (yes, no) = (self.block(BlockKind::Join), self.block(BlockKind::Join));
                let join = self.block(BlockKind::Join);
                self.condition(lazy, yes, no);
                for (block, value) in [(yes, quote!(true)), (no, quote!(false))] {
                    self.switch(block);
                    self.store(parse_quote!(#value), dest);
                    self.end(End::Goto(join));
                }
                self.switch(join);
            }
        }
    }

    /// Lowers a condition, whose `let`s bind in `then`.
    fn condition(&mut self, condition: Expr, then: BlockId, otherwise: BlockId) {
        match condition {
            Expr::Paren(expr) => self.condition(*expr.expr, then, otherwise),
            Expr::Group(expr) => self.condition(*expr.expr, then, otherwise),
            Expr::Binary(expr) if is_lazy(&expr.op) && expr.right.awaits() => {
                let between = self.block(BlockKind::Join);
                if matches!(expr.op, BinOp::And(_)) {
                    self.condition(*expr.left, between, otherwise);
                } else {
                    self.condition(*expr.left, then, between);
                }
                self.switch(between);
                self.condition(*expr.right, then, otherwise);
            }
            Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) && !awaits_first(&expr.expr) => {
                self.condition(*expr.expr, otherwise, then);
            }
            condition if !awaits_first(&condition) => {
                // `a && b` whose right side does not await, and whose left side is like the above.
                let Expr::Binary(ExprBinary {
                    left, op, right, ..
                }) = condition
                else {
                    let labels = diagram::labels(&condition);
                    let rest = self.value(condition);
                    self.branch(rest, then, otherwise, labels);
                    return;
                };
                let between = self.block(BlockKind::Join);
                if matches!(op, BinOp::And(_)) {
                    self.condition(*left, between, otherwise);
                } else {
                    self.condition(*left, then, between);
                }
                self.switch(between);
                self.condition(*right, then, otherwise);
            }
            condition => {
                let labels = diagram::labels(&condition);
                let rest = self.first(condition);
                self.branch(rest, then, otherwise, labels);
            }
        }
    }

    fn branch(&mut self, rest: Expr, then: BlockId, otherwise: BlockId, labels: [String; 2]) {
        let declares = bound_in_condition(&rest);
        self.comes_next = matches!(rest, Expr::Let(_));
        self.learn_condition(&rest);
        self.comes_next = false;
        let condition = self.code(rest.to_token_stream(), &[&rest], declares);
        self.end(End::Branch {
            condition,
            then,
            otherwise,
            labels,
        });
    }

    /// What the `let`s of a condition tell of the bindings they make.
    fn learn_condition(&mut self, condition: &Expr) {
        match condition {
            Expr::Let(expr) => {
                let spelling = self.inner.value(&expr.expr, &self.flow.locals);
                self.look_into(&expr.pat, &expr.expr, spelling.as_ref());
            }
            Expr::Binary(expr) => {
                self.learn_condition(&expr.left);
                self.learn_condition(&expr.right);
            }
            Expr::Paren(expr) => self.learn_condition(&expr.expr),
            _ => {}
        }
    }

    /// Notes what is known of a pattern's bindings by the value.
    fn look_into(&mut self, pattern: &Pat, value: &Expr, spelling: Option<&Spelling>) {
        self.holding(&bound(pattern), |this| {
            if this.borrow(value).is_none()
                && let Some(spelling) = spelling
            {
                this.spell(pattern, spelling);
            }
            this.borrowed(pattern, value);
            this.rebind(pattern, value, true);
        });
    }

    /// The rest of a condition that awaits at most in what is evaluated first.
    fn first(&mut self, condition: Expr) -> Expr {
        match condition {
            Expr::Let(mut expr) => {
                if !bound(&expr.pat).is_empty() {
                    self.lend(&mut expr.expr);
                }
                *expr.expr = self.value(*expr.expr);
                Expr::Let(expr)
            }
            Expr::Binary(mut expr) if is_lazy(&expr.op) => {
                *expr.left = self.first(*expr.left);
                self.opaque(&mut expr.right);
                Expr::Binary(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.first(*expr.expr);
                Expr::Paren(expr)
            }
            other => self.value(other),
        }
    }

    fn lower_if(&mut self, expr: ExprIf, dest: Dest) {
        let (then, otherwise) = (self.block(BlockKind::Join), self.block(BlockKind::Join));
        let join = self.block(BlockKind::Join);
        self.condition(*expr.cond, then, otherwise);
        self.switch(then);
        self.statements(expr.then_branch.stmts, dest);
        self.end(End::Goto(join));
        self.switch(otherwise);
        match expr.else_branch {
            Some((_, otherwise)) => self.into(*otherwise, dest),
            None if dest == Dest::Discard => {}
            None => self.store(parse_quote!(()), dest),
        }
        self.end(End::Goto(join));
        self.switch(join);
    }

    /// An `if` or a `match` that awaits first of all and in no branch stays as it is.
    pub(super) fn value_of_if(&mut self, mut expr: ExprIf) -> Expr {
        *expr.cond = self.first(*expr.cond);
        let mut expr = Expr::If(expr);
        self.opaque(&mut expr);
        expr
    }

    /// Notes the types of a pattern's bindings, by that of the value.
    fn spell(&mut self, pattern: &Pat, spelling: &Spelling) {
        let locals = &mut self.flow.locals;
        spread(pattern, spelling, &mut |id, spelling| {
            locals[id.0].spelling = Some(spelling);
        });
    }

    fn lower_match(&mut self, mut expr: ExprMatch, dest: Dest) {
        if expr.arms.iter().any(|arm| !bound(&arm.pat).is_empty()) {
            self.lend(&mut expr.expr);
        }
        let spelling = self.inner.value(&expr.expr, &self.flow.locals);
        let value = self.value(*expr.expr);
        let scrutinee = self.code(value.to_token_stream(), &[&value], Vec::new());
        let join = self.block(BlockKind::Join);
        let mut arms = Vec::new();
        let mut bodies = Vec::new();
        for mut arm in expr.arms {
            let bound = bound(&arm.pat);
            let label = mark::source(&arm.pat.to_token_stream());
            self.comes_next = true;
            self.look_into(&arm.pat, &value, spelling.as_ref());
            self.comes_next = false;
            if let Pat::Guard(guarded) = &mut arm.pat {
                self.opaque(&mut guarded.guard);
            }
            let guard = match &arm.pat {
                Pat::Guard(guarded) => vec![&*guarded.guard],
                _ => Vec::new(),
            };
            let pattern = self.code(arm.pat.to_token_stream(), &guard, bound);
            let block = self.block(BlockKind::Join);
            arms.push(Arm {
                attrs: arm.attrs,
                pattern,
                block,
                label,
            });
            bodies.push((block, arm.body));
        }
        self.end(End::Match { scrutinee, arms });
        for (block, body) in bodies {
            self.switch(block);
            self.into(*body, dest);
            self.end(End::Goto(join));
        }
        self.switch(join);
    }

    fn in_loop(
        &mut self,
        label: Option<Label>,
        head: BlockId,
        exit: BlockId,
        dest: Dest,
        body: Vec<Stmt>,
    ) {
        self.frames.push(Frame {
            label: label.map(|label| label.name.ident),
            exit,
            dest,
            head: Some(head),
        });
        self.statements(body, Dest::Discard);
        self.frames.pop();
        self.end(End::Goto(head));
    }

    fn lower_loop(&mut self, expr: ExprLoop, dest: Dest) {
        let (head, exit) = (self.block(BlockKind::Head), self.block(BlockKind::After));
        self.end(End::Goto(head));
        self.switch(head);
        self.in_loop(expr.label, head, exit, dest, expr.body.stmts);
        self.switch(exit);
        // `break value` has stored it already.
        self.closed = dest == Dest::Return;
    }

    fn lower_while(&mut self, expr: ExprWhile, dest: Dest) {
        let (head, exit) = (self.block(BlockKind::Head), self.block(BlockKind::After));
        let body = self.block(BlockKind::Join);
        self.end(End::Goto(head));
        self.switch(head);
        self.condition(*expr.cond, body, exit);
        self.switch(body);
        self.in_loop(expr.label, head, exit, Dest::Discard, expr.body.stmts);
        self.switch(exit);
        self.unit(dest);
    }

    /// ```text
    /// let mut remaining = ::workflow::__private::items(iterable);
    /// loop { if let Some(pattern) = remaining.next() { body } else { break } }
    /// ```
    fn lower_for(&mut self, mut expr: ExprForLoop, dest: Dest) {
        self.lend(&mut expr.expr);
        self.steady(&mut expr.expr);
        if self.goes_over(&expr.expr)
            && (self.asked(&expr.expr).is_empty() || !bound(&expr.pat).is_empty())
        {
            self.lower_walk(expr, dest);
            return;
        }
        let asked = self.asked(&expr.expr);
        if !asked.is_empty() {
            let binds = bound(&expr.pat);
            if binds.is_empty() {
                self.refuse_closures(&expr.expr);
            }
            self.flow.asked.push((binds, Hold::Asked(asked)));
        }
        self.choose_within(&mut expr);
        if self.goes_over(&expr.expr) && self.asked(&expr.expr).is_empty() {
            self.lower_walk(expr, dest);
            return;
        }
        if chooses(&expr.expr) && !never_panics(&expr.expr) {
            self.refuse_closures(&expr.expr);
        }
        self.refuse_borrowed_items(&expr);
        let spelling = self.inner.item(&expr.expr, &self.flow.locals);
        let is_range = is_range(&expr.expr);
        let span = expr.expr.span();
        let iterable = self.value(*expr.expr);
        let name = match plain_binding(&expr.pat) {
            Some(id) => format!("remaining_{}", mark::plain(&self.flow.locals[id.0].ident)),
            None => "remaining".to_owned(),
        };
        let remaining = self.temporary(&name, span);
        self.flow.locals[remaining.0].mutable = true;
        if let Some(spelling) = &spelling {
            self.spell(&expr.pat, spelling);
            self.flow.locals[remaining.0].spelling =
                (!is_range).then(|| spelling.clone().list()).flatten();
        }
        let items = self.mention(remaining);
        let iterable = match chooses(&iterable) {
            true => parse_quote_spanned!(span=> ::workflow::__private::Chosen(#iterable)),
            false => iterable,
        };
        let statement: Stmt =
            parse_quote_spanned!(span=> let mut #items = ::workflow::__private::items(#iterable););
        let code = self.code(statement.to_token_stream(), &[&iterable], vec![remaining]);
        self.push(code);
        let next = parse_quote!(::workflow::__private::Items::next(&mut #items));
        self.for_loop(expr.label, &expr.pat, &next, expr.body.stmts, dest);
    }

    /// A loop over what the workflow keeps itself counts how far it is.
    ///
    /// ```text
    /// let mut next_item = 0usize;
    /// loop { if let Some(item) = ::workflow::__private::walk(&items, &mut next_item) { body } else { break } }
    /// ```
    fn lower_walk(&mut self, expr: ExprForLoop, dest: Dest) {
        let iterable = &*expr.expr;
        let name = match plain_binding(&expr.pat) {
            Some(id) => format!("next_{}", mark::plain(&self.flow.locals[id.0].ident)),
            None => "next".to_owned(),
        };
        let next = self.temporary(&name, expr.expr.span());
        self.flow.locals[next.0].mutable = true;
        self.flow.locals[next.0].spelling = Some(Spelling::Type(parse_quote!(usize)));
        let count = self.mention(next);
        let checked = self.looked_into(iterable);
        let checks = checked
            .iter()
            .map(|place| quote_spanned!(place.span()=> ::workflow::__private::owner(&#place);));
        let statements = quote!(#(#checks)* let mut #count = 0usize;);
        let checked: Vec<_> = checked.iter().collect();
        let code = self.code(statements, &checked, vec![next]);
        self.push(code);
        let asked = self.asked(iterable);
        if !asked.is_empty() {
            self.flow.asked.push((bound(&expr.pat), Hold::Asked(asked)));
        }
        let pattern = &expr.pat;
        if walks_by_reference(iterable) {
            for id in bound(pattern) {
                self.flow.locals[id.0].borrow = Some(Borrow::Pattern);
            }
        }
        if !binds_mutably(pattern) {
            let mut roots = made_of(iterable);
            roots.insert(next);
            let again = quote! {
                let ::std::option::Option::Some(#pattern) =
                    ::workflow::__private::walked(#iterable, #count) else { ::std::unreachable!() };
            };
            self.rebind_as(
                pattern,
                again,
                roots,
                Hold::Nothing,
                self.is_mutable(iterable),
            );
        }
        let item = parse_quote!(::workflow::__private::walk(#iterable, &mut #count));
        self.for_loop(expr.label, &expr.pat, &item, expr.body.stmts, dest);
    }

    /// The loop itself, once it is settled what gives its next item.
    fn for_loop(
        &mut self,
        label: Option<Label>,
        pattern: &Pat,
        next: &Expr,
        body_statements: Vec<Stmt>,
        dest: Dest,
    ) {
        let (head, exit) = (self.block(BlockKind::Head), self.block(BlockKind::After));
        let body = self.block(BlockKind::Join);
        self.end(End::Goto(head));
        self.switch(head);
        let item = format!("for {}", mark::source(&pattern.to_token_stream()));
        let condition: Expr = parse_quote!(let ::std::option::Option::Some(#pattern) = #next);
        let code = self.code(condition.to_token_stream(), &[&condition], bound(pattern));
        self.end(End::Branch {
            condition: code,
            then: body,
            otherwise: exit,
            labels: [item, String::new()],
        });
        self.switch(body);
        self.in_loop(label, head, exit, Dest::Discard, body_statements);
        self.switch(exit);
        self.unit(dest);
    }

    fn refuse_closures(&self, iterable: &Expr) {
        self.report.error_on(
            code::LOOP,
            iterable,
            "a `for` loop that awaits in its body goes over what closures give that look at what may change, or that may panic\n\
             they would be called for all items before the loop\n\
             help: call them in the body: `let item = …;`, or `if !(…) { continue; }`",
        );
    }

    fn refuse_borrowed_items(&self, expr: &ExprForLoop) {
        let iterable = &*expr.expr;
        let is_chain = is_borrowing_chain(iterable);
        let (owner, what) = match iterable {
            Expr::Reference(reference) => (&reference.expr, "a reference"),
            Expr::MethodCall(call)
                if borrow(iterable) == Some(Borrow::Value)
                    && (call.args.is_empty() || !is_chain) =>
            {
                (&call.receiver, "an iterator that borrows")
            }
            _ if is_chain => {
                let iterable = mark::source(&iterable.to_token_stream());
                self.report.error_on(
                    code::LOOP,
                    &expr.expr,
                    format!(
                        "a `for` loop over such an iterator cannot await in its body\n\
                         a run is saved at every await, and what borrows cannot be saved\n\
                         help: collect owned items first, and loop over them: `let items: Vec<_> = {iterable}.map(…).collect();`, where `map` gives what the body needs"
                    ),
                );
                return;
            }
            _ => return,
        };
        let owner = mark::source(&owner.to_token_stream());
        self.report.error_on(
            code::LOOP,
            &expr.expr,
            format!(
                "a `for` loop over {what} cannot await in its body\n\
                 a run is saved at every await, and a reference cannot be saved\n\
                 help: loop over an owned value: `for … in {owner}.clone()`, or `for … in {owner}` where it is not used any more"
            ),
        );
    }

    /// The value of a loop that has none.
    fn unit(&mut self, dest: Dest) {
        if dest != Dest::Discard {
            self.store(parse_quote!(()), dest);
        }
    }

    fn lower_break(&mut self, expr: ExprBreak) {
        let frame = self.frame(expr.label.as_ref().map(|label| &label.ident));
        let Some((exit, dest)) = frame.map(|frame| (frame.exit, frame.dest)) else {
            self.store(Expr::Break(expr), Dest::Discard);
            return;
        };
        match expr.expr {
            Some(value) => self.into(*value, dest),
            None => self.unit(dest),
        }
        self.end(End::Goto(exit));
    }

    /// What a `break` or `continue` aims at.
    pub(super) fn frame(&self, label: Option<&Ident>) -> Option<&Frame> {
        self.frames.iter().rev().find(|frame| match label {
            Some(label) => frame.label.as_ref() == Some(label),
            None => frame.head.is_some(),
        })
    }

    /// A binding for the value of an expression that is taken apart, and the expression lowered.
    pub(super) fn joined(&mut self, expr: Expr) -> Expr {
        let value = self.temporary("value", Span::call_site());
        self.flow.shared.insert(value);
        self.into(expr, Dest::Local(value));
        self.mention_expr(value)
    }
}

/// Whether a loop goes over a range, be it backward: what is left of it is no list.
fn is_range(iterable: &Expr) -> bool {
    match iterable {
        Expr::Range(_) => true,
        Expr::Paren(expr) => is_range(&expr.expr),
        Expr::MethodCall(call) => is_range(&call.receiver),
        _ => false,
    }
}

fn is_lazy(op: &BinOp) -> bool {
    matches!(op, BinOp::And(_) | BinOp::Or(_))
}

/// Whether it is `a && b` whose right side awaits, perhaps under `!`.
fn is_lazy_await(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(expr) => is_lazy_await(&expr.expr),
        Expr::Group(expr) => is_lazy_await(&expr.expr),
        Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => is_lazy_await(&expr.expr),
        Expr::Binary(expr) => is_lazy(&expr.op) && expr.right.awaits(),
        _ => false,
    }
}

/// Whether a condition awaits at most in what is evaluated first, whatever the rest gives.
fn awaits_first(condition: &Expr) -> bool {
    match condition {
        Expr::Paren(expr) => awaits_first(&expr.expr),
        Expr::Group(expr) => awaits_first(&expr.expr),
        Expr::Unary(expr) if matches!(expr.op, UnOp::Not(_)) => awaits_first(&expr.expr),
        Expr::Binary(expr) if is_lazy(&expr.op) => !expr.right.awaits() && awaits_first(&expr.left),
        _ => true,
    }
}

/// Whether code gives one of some bindings its first value, and may leave a loop. It is taken apart,
/// for whether there is a value depends on the way that is left by.
fn assigns_and_leaves(expr: &Expr, deferred: &BTreeSet<LocalId>) -> bool {
    struct Finder<'a> {
        deferred: &'a BTreeSet<LocalId>,
        assigns: bool,
        leaves: bool,
    }
    impl Visit<'_> for Finder<'_> {
        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Assign(assign) => {
                    let target = mark::local_in(&assign.left);
                    self.assigns |= target.is_some_and(|id| self.deferred.contains(&id));
                }
                Expr::Break(_) | Expr::Continue(_) => self.leaves = true,
                Expr::Closure(_) | Expr::Async(_) => return,
                _ => {}
            }
            visit::visit_expr(self, expr);
        }
        fn visit_item(&mut self, _: &Item) {}
    }
    if deferred.is_empty() {
        return false;
    }
    let mut finder = Finder {
        deferred,
        assigns: false,
        leaves: false,
    };
    finder.visit_expr(expr);
    finder.assigns && finder.leaves
}
