//! Loops that await.

use proc_macro2::Ident;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Expr, ExprBreak, ExprForLoop, ExprLoop, ExprWhile, Label, Pat, Stmt, parse_quote,
    parse_quote_spanned,
};

use super::super::flow::{BlockId, BlockKind, Borrow, End, Hold, bound};
use super::super::held::found_by;
use super::super::mark::{self, mentions};
use super::super::spell::Spelling;
use super::super::spread::plain_binding;
use super::choosing::{borrowed_first, never_panics};
use super::place::borrow;
use super::rebind::{binds_mutably, looking, made_of};
use super::walk::{chooses, is_borrowing_chain};
use super::{Dest, Frame, Lowering};
use crate::code;

impl Lowering<'_> {
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

    pub(super) fn lower_loop(&mut self, expr: ExprLoop, dest: Dest) {
        let (head, exit) = (self.block(BlockKind::Head), self.block(BlockKind::After));
        self.end(End::Goto(head));
        self.switch(head);
        self.in_loop(expr.label, head, exit, dest, expr.body.stmts);
        self.switch(exit);
        // `break value` has stored it already.
        self.closed = dest == Dest::Return;
    }

    pub(super) fn lower_while(&mut self, expr: ExprWhile, dest: Dest) {
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
    pub(super) fn lower_for(&mut self, mut expr: ExprForLoop, dest: Dest) {
        borrowed_first(&mut expr.pat, &mut expr.expr);
        self.lend(&mut expr.expr);
        self.lend_collected(&mut expr.expr);
        self.holds_items = !bound(&expr.pat).is_empty();
        self.steady(&mut expr.expr);
        if self.goes_over(&expr.expr)
            && (self.asked(&expr.expr).is_empty() || !bound(&expr.pat).is_empty())
        {
            self.lower_walk(expr, &[], dest);
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
        let limits = self.choose_within(&mut expr);
        if self.goes_over(&expr.expr) && self.asked(&expr.expr).is_empty() {
            self.lower_walk(expr, &limits, dest);
            return;
        }
        if chooses(&expr.expr) && !never_panics(&expr.expr) {
            self.refuse_closures(&expr.expr);
        }
        self.refuse_borrowed_items(&expr);
        let name = match plain_binding(&expr.pat) {
            Some(id) => format!("remaining_{}", mark::plain(&self.flow.locals[id.0].ident)),
            None => "remaining".to_owned(),
        };
        if let Some(spelling) = self.inner.item(&expr.expr, &self.flow.locals) {
            self.spell(&expr.pat, &spelling);
        }
        let items = self.remaining(&name, *expr.expr);
        let next = parse_quote!(::workflow::__private::Items::next(&mut #items));
        let next = limited(next, &limits);
        self.for_loop(expr.label, &expr.pat, &next, expr.body.stmts, dest);
    }

    /// What is left of the items that a loop goes over.
    pub(super) fn remaining(&mut self, name: &str, iterable: Expr) -> Ident {
        let span = iterable.span();
        let spelling = match is_range(&iterable) {
            true => None,
            false => self.inner.item(&iterable, &self.flow.locals),
        };
        let iterable = self.value(iterable);
        let remaining = self.temporary(name, span);
        let local = &mut self.flow.locals[remaining.0];
        local.mutable = true;
        local.spelling = spelling.and_then(Spelling::list);
        let items = self.mention(remaining);
        let iterable = match chooses(&iterable) {
            true => parse_quote_spanned!(span=> ::workflow::__private::Chosen(#iterable)),
            false => iterable,
        };
        let statement: Stmt =
            parse_quote_spanned!(span=> let mut #items = ::workflow::__private::items(#iterable););
        let code = self.code(statement.to_token_stream(), &[&iterable], vec![remaining]);
        self.push(code);
        items
    }

    /// A loop over what the workflow keeps itself counts how far it is.
    ///
    /// ```text
    /// let mut next_item = 0usize;
    /// loop { if let Some(item) = ::workflow::__private::walk(&items, &mut next_item) { body } else { break } }
    /// ```
    fn lower_walk(&mut self, expr: ExprForLoop, limits: &[Ident], dest: Dest) {
        let iterable = &*expr.expr;
        let name = match plain_binding(&expr.pat) {
            Some(id) => format!("next_{}", mark::plain(&self.flow.locals[id.0].ident)),
            None => "next".to_owned(),
        };
        let next = self.temporary(&name, expr.expr.span());
        self.flow.locals[next.0].mutable = true;
        self.flow.locals[next.0].spelling = Some(Spelling::count());
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
        // What it goes over is looked up by a reference, and so again while the loop goes on.
        let holds_items = std::mem::take(&mut self.holds_items);
        if holds_items && !self.goes_over(iterable) {
            let held = self.hold_items(iterable);
            self.flow.asked.push((bound(&expr.pat), held));
        }
        let iterable = &*expr.expr;
        let mut roots = made_of(iterable);
        let (mut pattern, mut hold) = ((*expr.pat).clone(), Hold::Nothing);
        // Where the body leaves the loop it may change what that went over.
        if !self
            .flow
            .rests_on(roots.clone())
            .is_disjoint(&mentions(&expr.body))
        {
            let (again, copies) = looking(&pattern, Some(&self.alike(iterable)));
            pattern = again;
            self.note_copies(copies);
            hold = self.hold_items(iterable);
        }
        if self.items(iterable).refer(self.is_of_text(iterable)) {
            for id in bound(&pattern) {
                self.flow.locals[id.0].borrow = Some(Borrow::Pattern);
            }
            let (references, _) = looking(&expr.pat, Some(&self.items(iterable)));
            self.note_references(&references);
        }
        if !binds_mutably(&pattern) && !bound(&pattern).is_empty() {
            roots.insert(next);
            let again = quote! {
                let ::std::option::Option::Some(#pattern) =
                    ::workflow::__private::walked(#iterable, #count) else { ::std::unreachable!() };
            };
            let mutably = self.is_mutable(iterable);
            self.rebind_as(&pattern, again, roots, hold, mutably);
        }
        let item = parse_quote!(::workflow::__private::walk(#iterable, &mut #count));
        let item = limited(item, limits);
        self.for_loop(expr.label, &expr.pat, &item, expr.body.stmts, dest);
    }

    /// Holds what items are found by as long as they are used.
    fn hold_items(&self, iterable: &Expr) -> Hold {
        let mut places = match iterable {
            // They hold all of it.
            Expr::Path(_) => Vec::new(),
            iterable => found_by(iterable).unwrap_or_default(),
        };
        // References that were collected borrow for themselves.
        let borrows =
            |place: &Expr| mark::local_in(place).is_some_and(|id| self.collected.contains_key(&id));
        places.retain(|place| !self.is_fixed(mentions(place)) && !borrows(place));
        match places.is_empty() {
            true => Hold::Nothing,
            false => Hold::Items(places),
        }
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
    pub(super) fn unit(&mut self, dest: Dest) {
        if dest != Dest::Discard {
            self.store(parse_quote!(()), dest);
        }
    }

    pub(super) fn lower_break(&mut self, expr: ExprBreak) {
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
}

/// The next item, unless there have been as many as there may be.
fn limited(next: Expr, limits: &[Ident]) -> Expr {
    limits.iter().fold(
        next,
        |next, left| parse_quote!(if #left == 0 { ::std::option::Option::None } else { #next }),
    )
}

/// Whether a loop goes over a range, be it backward: what is left of it is no list.
pub(super) fn is_range(iterable: &Expr) -> bool {
    match iterable {
        Expr::Range(_) => true,
        Expr::Paren(expr) => is_range(&expr.expr),
        Expr::MethodCall(call) => is_range(&call.receiver),
        _ => false,
    }
}
