//! Takes the body apart at its awaits, into the graph of [`flow`](super::flow).
//!
//! Only statements that await, and what they stand in, are taken apart; all else stays the user's
//! code. An expression that awaits becomes what comes before each await, and a rest that takes the
//! place of the expression: of `f(x, a(y).await?)` the block ends by awaiting `a(y)`, and the next
//! one begins with the rest `f(x, awaited?)`.

mod access;
mod choice;
mod choosing;
mod code;
mod collected;
mod control;
mod items;
mod keeping;
mod lend;
mod loops;
mod opaque;
mod open;
mod operands;
mod order;
mod place;
mod rebind;
mod remaining;
mod search;
mod walk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, ExprAwait, Item, Local as Let, Pat, Stmt, Token, Type, parse_quote};

use self::choice::{let_else, let_in_branch, scrutinee};
pub(super) use self::collected::collecting;
use self::items::Items;
pub(super) use self::place::{is_comparison, is_compound};

use super::awaits::Awaits;
use super::diagram;
use super::flow::{
    Block, BlockId, BlockKind, Borrow, Code, End, Flow, Local, LocalId, Point, bound,
};
use super::mark::{self, Mark};
use super::spell::Inner;
use super::spread::{annotate, plain_binding, spread};
use super::{inline, macros};
use crate::code::ITEM;
use crate::report::Report;

/// Where the value of an expression goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dest {
    /// Nowhere: it is a statement.
    Discard,
    /// Into a binding that was declared without a value.
    Local(LocalId),
    /// It is what the workflow returns.
    Return,
}

/// How a pattern looks into a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It matches, as soon as what stands before it is done.
    Whole,
    /// So it does, or it does not match.
    Choice,
    /// It is one of several conditions.
    OneOfSeveral,
}

/// A loop or labeled block that was taken apart, while its body is being lowered.
struct Frame {
    label: Option<Ident>,
    /// Where `break` goes, and its value.
    exit: BlockId,
    dest: Dest,
    /// Where `continue` goes; `None` for a labeled block.
    head: Option<BlockId>,
}

pub(super) struct Lowering<'a> {
    report: &'a Report,
    inner: Inner,
    flow: Flow,
    frames: Vec<Frame>,
    /// The bindings that are declared without a value.
    deferred: BTreeSet<LocalId>,
    /// The bindings that rustc can be made to [hold](super::held) what they are found by.
    can_hold: BTreeSet<LocalId>,
    /// The collections that were made empty.
    empty: BTreeSet<LocalId>,
    /// The bindings that are surely references, and no copies beside such.
    references: BTreeSet<LocalId>,
    /// Whether what is looked at is the value of such.
    holds: bool,
    /// Whether rustc is made to check what methods are called on.
    checks: bool,
    /// Whether that loop binds items, which can be made to hold something.
    holds_items: bool,
    /// The bindings that are collections of references.
    collected: BTreeMap<LocalId, Items>,
    /// The bindings that are items beside copies, of what a loop goes over or a search has found.
    found_in: BTreeMap<LocalId, Items>,
    /// What bindings are returned as.
    returned: BTreeMap<LocalId, Type>,
    /// The bindings that parts may be moved out of.
    parted: BTreeSet<LocalId>,
    /// The bindings whose first value is a number of no certain type.
    open_numbers: BTreeSet<LocalId>,
    /// The bindings whose first value is a list of no certain type.
    open_lists: BTreeSet<LocalId>,
    /// The bindings whose iterators stay of the type that they are.
    of_their_own_type: BTreeSet<LocalId>,
    current: BlockId,
    /// Whether the block at hand has ended: what follows is never reached.
    closed: bool,
    /// How deep in blocks that were taken apart.
    depth: usize,
}

/// What is known of a body's bindings.
pub(super) struct Bindings<'a> {
    pub(super) locals: Vec<Local>,
    /// Those that patterns take parts by, and what each takes a part of.
    pub(super) parts: BTreeMap<LocalId, LocalId>,
    pub(super) parameters: &'a [LocalId],
    /// Those of patterns whose values can be [held](super::held).
    pub(super) can_hold: BTreeSet<LocalId>,
}

/// Lowers a body whose bindings are resolved and whose awaits are numbered.
pub(super) fn lower(
    report: &Report,
    inner: Inner,
    bindings: Bindings<'_>,
    awaits: usize,
    output: &Type,
    body: syn::Block,
) -> Flow {
    let mut parted: BTreeSet<LocalId> = bindings.parts.values().copied().collect();
    mark::each_ident(body.to_token_stream(), &mut |ident, _| {
        if let Some(Mark::Part(id) | Mark::Wrapped(id)) = mark::mark_of(ident) {
            parted.insert(id);
        }
    });
    let mut lowering = Lowering {
        report,
        inner,
        flow: Flow {
            locals: bindings.locals,
            blocks: Vec::new(),
            order: Vec::new(),
            points: (0..awaits).map(|_| None).collect(),
            shared: bindings.parameters.iter().copied().collect(),
            rebinds: Vec::new(),
            asked: Vec::new(),
            keeping: BTreeSet::new(),
            parts: bindings.parts,
            other_macros: false,
        },
        frames: Vec::new(),
        deferred: BTreeSet::new(),
        can_hold: bindings.can_hold,
        empty: BTreeSet::new(),
        references: BTreeSet::new(),
        holds: false,
        checks: false,
        holds_items: false,
        collected: BTreeMap::new(),
        found_in: BTreeMap::new(),
        returned: open::returned(&body, output),
        parted,
        open_numbers: BTreeSet::new(),
        open_lists: BTreeSet::new(),
        of_their_own_type: remaining::of_their_own_type(&body),
        current: BlockId(0),
        closed: true,
        depth: 0,
    };
    let start = lowering.block(BlockKind::Start);
    lowering.switch(start);
    lowering.flow.other_macros = macros::has_other(&body);
    lowering.statements(body.stmts, Dest::Return);
    lowering.flow.forget_unshared();
    lowering.flow.use_roots();
    lowering.flow
}

impl Lowering<'_> {
    fn block(&mut self, kind: BlockKind) -> BlockId {
        self.flow.blocks.push(Block {
            code: Vec::new(),
            end: End::Open,
            kind,
        });
        BlockId(self.flow.blocks.len() - 1)
    }

    /// Goes on in another block.
    fn switch(&mut self, block: BlockId) {
        self.current = block;
        self.closed = false;
        self.flow.order.push(block);
    }

    fn end(&mut self, end: End) {
        if !self.closed {
            self.flow.blocks[self.current.0].end = end;
            self.closed = true;
        }
    }

    fn push(&mut self, code: Code) {
        if !self.closed {
            self.flow.blocks[self.current.0].code.push(code);
        }
    }

    /// A binding of the compiler's.
    fn temporary(&mut self, name: &str, span: Span) -> LocalId {
        self.flow.locals.push(Local {
            ident: Ident::new(name, span),
            mutable: false,
            temporary: true,
            awaited: None,
            annotation: None,
            spelling: None,
            borrow: None,
            rebind: None,
            cfg: None,
        });
        LocalId(self.flow.locals.len() - 1)
    }

    fn mention(&self, id: LocalId) -> Ident {
        mark::local(id, &self.flow.locals[id.0].ident)
    }

    fn mention_expr(&self, id: LocalId) -> Expr {
        let mention = self.mention(id);
        parse_quote!(#mention)
    }

    /// Statements in a scope of their own, the last of which may be a value.
    fn statements(&mut self, mut statements: Vec<Stmt>, dest: Dest) {
        let tail = match statements.pop() {
            Some(Stmt::Expr(tail, None)) => Some(tail),
            // `Ok(x);` at the end: rustc says that the semicolon is wrong.
            Some(Stmt::Expr(tail @ Expr::Call(_), Some(_))) if dest == Dest::Return => Some(tail),
            Some(Stmt::Macro(tail)) if tail.semi_token.is_none() => {
                Some(Expr::Macro(syn::ExprMacro {
                    attrs: tail.attrs,
                    mac: tail.mac,
                }))
            }
            Some(other) => {
                statements.push(other);
                None
            }
            None => None,
        };
        self.depth += 1;
        let mut statements = VecDeque::from(statements);
        while let Some(mut statement) = statements.pop_front() {
            if let Stmt::Local(local) = &mut statement {
                collected::state_collection(local);
                self.arrange(local, &mut statements, tail.as_ref());
            }
            self.statement(statement);
        }
        match (tail, dest) {
            (Some(tail), _) => self.into(tail, dest),
            (None, Dest::Discard) => {}
            // Without a value rustc has said that there should be one.
            (None, Dest::Return) => self.store(parse_quote!(::std::unreachable!()), dest),
            (None, Dest::Local(_)) => self.store(parse_quote!(()), dest),
        }
        self.depth -= 1;
    }

    fn statement(&mut self, statement: Stmt) {
        match statement {
            Stmt::Local(local) => self.binding(local),
            Stmt::Item(item) => self.item(&item),
            Stmt::Expr(expr, _) => self.into(expr, Dest::Discard),
            Stmt::Macro(statement) => {
                let expr = Expr::Macro(syn::ExprMacro {
                    attrs: statement.attrs,
                    mac: statement.mac,
                });
                self.into(expr, Dest::Discard);
            }
        }
    }

    /// Those of the body itself stand [around](super::emit) the step function.
    fn item(&self, item: &Item) {
        match item {
            Item::Macro(item) => self.report.error_on(
                ITEM,
                item,
                "a macro is defined or used as an item in a workflow\n\
                 the workflow's code is taken apart, and a macro's names would not be found again\n\
                 help: move it out of the function, or end its use with `;` inside an expression",
            ),
            _ if self.depth > 1 => self.report.error_on(
                ITEM,
                item,
                "an item is declared in a block that awaits\n\
                 the block is taken apart, and the item would be seen outside of it\n\
                 help: move it to the beginning of the function, or out of the function",
            ),
            _ => {}
        }
    }

    /// `let`.
    fn binding(&mut self, mut local: Let) {
        let declares = bound(&local.pat);
        self.holding(&declares, |this| this.learn(&local));
        let diverge_awaits = (local.init.as_ref())
            .and_then(|init| init.diverge.as_ref())
            .is_some_and(|(_, diverge)| diverge.awaits());
        if diverge_awaits && let Some(init) = local.init {
            // `let p = e else { … }` goes on where `if let p = e` does.
            let (pattern, value) = (&local.pat, &init.expr);
            let labels = diagram::labels(&parse_quote!(let #pattern = #value));
            let mut value = *init.expr;
            self.lend(&mut value);
            let value = self.value(value);
            self.holding(&declares, |this| {
                this.rebind(&local.pat, &value, Look::Choice);
            });
            let pattern = &local.pat;
            let condition: Expr = parse_quote!(let #pattern = (#value));
            let (then, otherwise) = (self.block(BlockKind::Join), self.block(BlockKind::Join));
            let condition = self.code(condition.to_token_stream(), &[&condition], declares);
            self.end(End::Branch {
                condition,
                then,
                otherwise,
                labels,
            });
            self.switch(otherwise);
            if let Some((_, diverge)) = init.diverge {
                self.into(*diverge, Dest::Discard);
            }
            self.closed = true;
            self.switch(then);
            return;
        }
        if let Some(init) = &mut local.init {
            let mut expr = std::mem::replace(&mut *init.expr, Expr::PLACEHOLDER);
            if let_else(&local.pat, &expr).is_some() {
                self.lend(scrutinee(&mut expr));
            }
            let is_exploded = init.diverge.is_none() && self.is_exploded(&expr);
            if is_exploded
                && let Some(within) = let_in_branch(&local.pat, &expr)
                && let Some((_, value)) = let_else(&local.pat, &expr)
                && self.holding(&declares, |this| this.borrow(&value).is_some())
            {
                self.into(within, Dest::Discard);
                return;
            }
            if is_exploded && let Some(id) = plain_binding(&local.pat) {
                // `let x = if … { a } else { b };` assigns `x` in both branches.
                self.flow.shared.insert(id);
                self.into(expr, Dest::Local(id));
                return;
            }
            *init.expr = expr;
            self.lend(&mut init.expr);
            let expr = std::mem::replace(&mut *init.expr, Expr::PLACEHOLDER);
            *init.expr = self.value(expr);
            if let Pat::Ident(_) = &local.pat
                && let Some(id) = plain_binding(&local.pat)
            {
                self.take_out(id, &mut init.expr);
            }
            if let Some((_, diverge)) = &mut init.diverge {
                self.opaque(diverge);
            }
        }
        let mut values: Vec<&Expr> = Vec::new();
        if let Some(init) = &local.init {
            values.push(&init.expr);
            values.extend(init.diverge.as_ref().map(|(_, diverge)| &**diverge));
        }
        if let Some(init) = &local.init {
            let look = match init.diverge {
                Some(_) => Look::Choice,
                None => Look::Whole,
            };
            self.holding(&declares, |this| {
                this.rebind(&local.pat, &init.expr, look);
            });
        }
        let mut code = self.code(local.to_token_stream(), &values, declares);
        code.deferred = local.init.is_none();
        if code.deferred {
            self.deferred.extend(&code.declares);
        }
        self.push(code);
    }

    /// Notes what a `let` tells of the bindings it makes.
    fn learn(&mut self, local: &Let) {
        let bound = bound(&local.pat);
        let cfg = local.attrs.iter().find(|attr| attr.path().is_ident("cfg"));
        for id in &bound {
            self.flow.locals[id.0].cfg = cfg.map(Spanned::span);
        }
        if let Pat::Type(typed) = &local.pat {
            let mut found = Vec::new();
            annotate(&typed.pat, &typed.ty, &mut |id, ty| {
                found.push((id, ty.clone()));
            });
            for (id, ty) in found {
                let local = &mut self.flow.locals[id.0];
                local.spelling = self.inner.spell(&ty);
                local.annotation = Some(ty);
            }
        }
        let Some(init) = &local.init else { return };
        if let Some(id) = plain_binding(&local.pat) {
            if keeping::is_empty(&init.expr) {
                self.empty.insert(id);
            }
            // A `&str` is spelled after its value.
            let is_open = match &local.pat {
                Pat::Type(typed) => matches!(*typed.ty, Type::Reference(_)),
                _ => true,
            };
            if is_open && self.flow.locals[id.0].spelling.is_none() {
                self.flow.locals[id.0].spelling = self.inner.value(&init.expr, &self.flow.locals);
            }
            if self.flow.locals[id.0].spelling.is_none() && !matches!(local.pat, Pat::Type(_)) {
                self.open(id, &init.expr);
            }
            if !rebind::is_value(&local.pat) {
                self.flow.locals[id.0].borrow = match walk::borrows(&init.expr) {
                    true => Some(Borrow::Iterator),
                    false => self.borrow(&init.expr),
                };
            }
            return;
        }
        if self.borrow(&init.expr).is_none()
            && let Some(spelling) = self.inner.value(&init.expr, &self.flow.locals)
        {
            let locals = &mut self.flow.locals;
            spread(&local.pat, &spelling, &mut |id, spelling| {
                locals[id.0].spelling = Some(spelling);
            });
        }
        self.borrowed(&local.pat, &init.expr);
    }

    /// Awaits an operand, and goes on in the block after it, where the outcome is the rest.
    fn await_operand(&mut self, number: usize, source: &ExprAwait, operand: &Expr) -> Expr {
        let at = [source.base.span(), source.await_token.span];
        let spelling = (self.inner).value(&Expr::Await(source.clone()), &self.flow.locals);
        let source = source.to_token_stream();
        let code = self.code(operand.to_token_stream(), &[operand], Vec::new());
        let resume = self.block(BlockKind::Resume(number));
        let awaited = self.temporary("awaited", at[0]);
        self.flow.locals[awaited.0].awaited = Some(source);
        self.flow.locals[awaited.0].spelling = spelling;
        self.flow.shared.insert(awaited);
        if !self.closed {
            let inline = inline::called(operand);
            self.flow.points[number] = Some(Point {
                resume,
                awaited,
                is_outside: inline.is_some_and(|(function, _)| self.inner.is_outside(function)),
            });
        }
        self.end(End::Await {
            number,
            operand: code,
            resume,
        });
        self.switch(resume);
        let (mention, value) = (self.mention(awaited), Ident::new("value", at[1]));
        parse_quote!(#mention.#value)
    }

    /// Keeps a value aside, in a binding of its own.
    fn spill(&mut self, value: &Expr) -> Expr {
        let operand = self.temporary("operand", value.span());
        self.flow.locals[operand.0].mutable = true;
        self.flow.locals[operand.0].borrow = self.reference_in(value);
        self.flow.locals[operand.0].spelling = self.inner.value(value, &self.flow.locals);
        let name = self.mention(operand);
        let statement: Stmt = parse_quote!(let mut #name = #value;);
        if self.gives_reference(value) {
            self.rebind(&parse_quote!(#name), value, Look::Whole);
        }
        let code = self.code(statement.to_token_stream(), &[value], vec![operand]);
        self.push(code);
        self.mention_expr(operand)
    }

    /// Puts a rest where it belongs.
    fn store(&mut self, rest: Expr, dest: Dest) {
        match dest {
            Dest::Discard => {
                let statement = Stmt::Expr(rest, Some(Token![;](Span::call_site())));
                let Stmt::Expr(rest, _) = &statement else {
                    return;
                };
                let code = self.code(statement.to_token_stream(), &[rest], Vec::new());
                self.push(code);
            }
            Dest::Local(id) => {
                if let Some(borrow) = place::borrow(&rest) {
                    self.flow.locals[id.0].borrow = Some(borrow);
                }
                let name = self.mention(id);
                let assignment: Expr = parse_quote!(#name = #rest);
                let statement: Stmt = parse_quote!(#assignment;);
                let code = self.code(statement.to_token_stream(), &[&assignment], Vec::new());
                self.push(code);
            }
            Dest::Return => {
                let code = self.code(rest.to_token_stream(), &[&rest], Vec::new());
                self.end(End::Return(code));
            }
        }
    }
}
