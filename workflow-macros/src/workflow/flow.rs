//! The body as a graph: blocks of statements that do not await, and how each ends.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Pat, Type};

use super::spell::Spelling;

/// A binding of the body, or a temporary of the compiler's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LocalId(pub(super) usize);

/// A block of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct BlockId(pub(super) usize);

/// What is known of a binding.
pub(super) struct Local {
    /// Its name at its binding.
    pub(super) ident: Ident,
    pub(super) mutable: bool,
    /// Made by the compiler: its name cannot clash with the user's.
    pub(super) temporary: bool,
    /// What an await gave, as `__awaited.value`: two tokens, so that the expression has the place
    /// in the source that the await has, and rustc says what is wrong with it at that place. These
    /// are the tokens of the await.
    pub(super) awaited: Option<TokenStream>,
    /// Its type, where a `let` or a parameter states it.
    pub(super) annotation: Option<Type>,
    /// Its type, where it can be spelled outside the body.
    pub(super) spelling: Option<Spelling>,
    /// What makes it a reference to something, when the syntax shows that it is one.
    pub(super) borrow: Option<Borrow>,
    /// What makes it again, by its place in the [`Flow`], where it need not be saved.
    pub(super) rebind: Option<usize>,
    /// A `#[cfg]` on the statement that binds it.
    pub(super) cfg: Option<Span>,
}

/// A statement that makes bindings again after an await: `let name = &order.name;`.
pub(super) struct Rebind {
    /// With [marks](super::mark).
    pub(super) tokens: TokenStream,
    pub(super) binds: Vec<LocalId>,
    /// The bindings that it makes them of.
    pub(super) roots: BTreeSet<LocalId>,
    /// What the function as written is to hold.
    pub(super) hold: Hold,
    /// It makes mutable references.
    pub(super) mutably: bool,
    /// It makes a closure, whose types rustc finds only where it is used: so there alone it stands.
    pub(super) closure: bool,
}

/// What may change beside what a reference borrows, and rustc is to [hold](super::held) as long as the
/// reference is used.
pub(super) enum Hold {
    /// Nothing may.
    Nothing,
    /// The places that it is found by.
    FoundBy(Vec<Expr>),
    /// Those that the items are found by that a loop goes over.
    Items(Vec<Expr>),
    /// The bindings that closures look at: one that is bound, or those in what a loop goes over.
    Asked(Vec<Expr>),
    /// All that is behind the mutable reference that it looks into: it may be of another form by then.
    Whole,
}

/// Why a binding is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Borrow {
    /// `let x = &place`, `let x = place.as_str()`.
    Value,
    /// Bound by a pattern that looks into a reference, or by `ref`.
    Pattern,
    /// A collection that references were put into.
    Items,
    /// An iterator over what it borrows.
    Iterator,
    /// A closure.
    Closure,
}

/// A piece of code that does not await, with what it does to bindings.
pub(super) struct Code {
    /// With [marks](super::mark).
    pub(super) tokens: TokenStream,
    /// What it reads.
    pub(super) uses: BTreeSet<LocalId>,
    /// What it declares.
    pub(super) declares: Vec<LocalId>,
    /// What is declared within it, and seen nowhere else.
    pub(super) inner: BTreeSet<LocalId>,
    /// What it surely gives a new value.
    pub(super) sets: BTreeSet<LocalId>,
    /// What it may give a new value.
    pub(super) assigns: BTreeSet<LocalId>,
    /// Where it may jump to.
    pub(super) jumps: Vec<Jump>,
    /// Whether it may return from the workflow, but by `?`.
    pub(super) returns: bool,
    /// What the diagram says where it leaves, and where it does not.
    pub(super) labels: [String; 2],
    /// A `let` without a value.
    pub(super) deferred: bool,
    /// A `let` for what is made again after an await, and for nothing else.
    pub(super) frozen: bool,
}

/// A `break` or `continue` out of code that stays as it is.
#[derive(Clone, Copy)]
pub(super) struct Jump {
    pub(super) target: BlockId,
    /// What it gives a value on the way.
    pub(super) sets: Option<LocalId>,
}

pub(super) struct Block {
    pub(super) code: Vec<Code>,
    pub(super) end: End,
    pub(super) kind: BlockKind,
}

/// What a block is, for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Start,
    /// What follows an await.
    Resume(usize),
    /// The head of a loop.
    Head,
    /// Where branches meet.
    Join,
    /// What follows a loop.
    After,
}

pub(super) enum End {
    /// Not reached, or not yet ended.
    Open,
    Goto(BlockId),
    /// `if`, whose condition may bind.
    Branch {
        condition: Code,
        then: BlockId,
        otherwise: BlockId,
        /// What the diagram says at the two ways.
        labels: [String; 2],
    },
    Match {
        scrutinee: Code,
        arms: Vec<Arm>,
    },
    Await {
        number: usize,
        operand: Code,
        resume: BlockId,
    },
    Return(Code),
}

pub(super) struct Arm {
    pub(super) attrs: Vec<Attribute>,
    /// The pattern and its guard.
    pub(super) pattern: Code,
    pub(super) block: BlockId,
    /// What the diagram says at the way.
    pub(super) label: String,
}

/// An await, as the graph has it.
pub(super) struct Point {
    pub(super) resume: BlockId,
    /// The temporary that its outcome is bound to.
    pub(super) awaited: LocalId,
    /// Whether the workflow that runs inline there has the same name outside of the body.
    pub(super) is_outside: bool,
}

pub(super) struct Flow {
    pub(super) locals: Vec<Local>,
    pub(super) blocks: Vec<Block>,
    /// The blocks in the order of the source.
    pub(super) order: Vec<BlockId>,
    /// By number; `None` in code that is never reached.
    pub(super) points: Vec<Option<Point>>,
    /// The bindings that the blocks share; all others live and die in code that stays as it is.
    pub(super) shared: BTreeSet<LocalId>,
    /// What makes bindings again, in the order of the source.
    pub(super) rebinds: Vec<Rebind>,
    /// What loops hold, by the bindings of their patterns.
    pub(super) asked: Vec<(Vec<LocalId>, Hold)>,
    /// The bindings that references are put into.
    pub(super) keeping: BTreeSet<LocalId>,
    /// The bindings that patterns take parts by, and what each takes a part of.
    pub(super) parts: BTreeMap<LocalId, LocalId>,
    /// Whether it uses macros that are not of the standard library.
    pub(super) other_macros: bool,
}

impl Flow {
    pub(super) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0]
    }

    pub(super) fn local(&self, id: LocalId) -> &Local {
        &self.locals[id.0]
    }

    /// Whether what a binding holds may change: it is `mut`, or a mutable reference.
    pub(super) fn may_change(&self, id: LocalId) -> bool {
        let local = self.local(id);
        let rebind = local.rebind.map(|rebind| &self.rebinds[rebind]);
        local.mutable || rebind.is_some_and(|rebind| rebind.mutably)
    }

    /// Some bindings, and what the references among them are made of.
    pub(super) fn rests_on(&self, ids: BTreeSet<LocalId>) -> BTreeSet<LocalId> {
        let mut all = ids.clone();
        let mut open: Vec<LocalId> = ids.into_iter().collect();
        while let Some(id) = open.pop() {
            let rebind = self.local(id).rebind.map(|rebind| &self.rebinds[rebind]);
            for root in rebind.into_iter().flat_map(|rebind| &rebind.roots) {
                // How far a loop is, it counts itself.
                if !self.local(*root).temporary && all.insert(*root) {
                    open.push(*root);
                }
            }
        }
        all
    }

    /// Leaves in each piece of code only the bindings that the blocks share.
    pub(super) fn forget_unshared(&mut self) {
        let shared = &self.shared;
        let codes = self.blocks.iter_mut().flat_map(Block::codes_mut);
        for code in codes {
            let uses = std::mem::take(&mut code.uses).into_iter();
            (code.uses, code.inner) = uses.partition(|id| shared.contains(id));
            code.sets.retain(|id| shared.contains(id));
            code.assigns.retain(|id| shared.contains(id));
        }
    }

    /// Counts a use of what is made again as a use of what it is made of, and of what is made with
    /// it: the names of all must stay apart from others.
    pub(super) fn use_roots(&mut self) {
        let (locals, rebinds) = (&self.locals, &self.rebinds);
        for code in self.blocks.iter_mut().flat_map(Block::codes_mut) {
            let mut open: Vec<LocalId> = code.uses.iter().copied().collect();
            while let Some(id) = open.pop() {
                let rebind = locals[id.0].rebind.map(|index| &rebinds[index]);
                let related = rebind
                    .into_iter()
                    .flat_map(|rebind| rebind.roots.iter().chain(&rebind.binds));
                for related in related {
                    if !code.declares.contains(related) && code.uses.insert(*related) {
                        open.push(*related);
                    }
                }
            }
        }
    }

    /// What is saved or handed over, of what lives somewhere; the rest is made again.
    pub(super) fn kept<'a>(
        &'a self,
        live: &'a BTreeSet<LocalId>,
    ) -> impl Iterator<Item = LocalId> + 'a {
        let live = live.iter().copied();
        live.filter(|id| self.local(*id).rebind.is_none())
    }

    /// What is to be made again, of what lives somewhere.
    pub(super) fn remade(&self, live: &BTreeSet<LocalId>) -> Vec<&Rebind> {
        let indices: BTreeSet<usize> = live
            .iter()
            .filter_map(|id| self.local(*id).rebind)
            .collect();
        indices
            .into_iter()
            .map(|index| &self.rebinds[index])
            .collect()
    }

    /// Where a jump to a block really goes: past blocks that do nothing.
    pub(super) fn target(&self, mut id: BlockId) -> BlockId {
        for _ in 0..self.blocks.len() {
            let block = self.block(id);
            match block.end {
                End::Goto(next)
                    if block.code.is_empty()
                        && matches!(block.kind, BlockKind::Join | BlockKind::After) =>
                {
                    id = next;
                }
                _ => break,
            }
        }
        id
    }
}

impl Block {
    /// Where it goes on, but for awaits; targets are not yet followed.
    pub(super) fn successors(&self) -> Vec<BlockId> {
        let mut successors: Vec<_> = self.jumps().map(|jump| jump.target).collect();
        match &self.end {
            End::Goto(target) => successors.push(*target),
            End::Branch {
                then, otherwise, ..
            } => successors.extend([*then, *otherwise]),
            End::Match { arms, .. } => successors.extend(arms.iter().map(|arm| arm.block)),
            End::Open | End::Await { .. } | End::Return(_) => {}
        }
        successors
    }

    /// Where it goes on after the await that it ends with.
    pub(super) fn resumes(&self) -> Option<BlockId> {
        match self.end {
            End::Await { resume, .. } => Some(resume),
            _ => None,
        }
    }

    /// The jumps out of its code.
    pub(super) fn jumps(&self) -> impl Iterator<Item = Jump> {
        let codes = self.code.iter().chain(self.end.codes());
        codes.flat_map(|code| code.jumps.iter().copied())
    }
}

impl Block {
    fn codes_mut(&mut self) -> impl Iterator<Item = &mut Code> {
        let at_end: Vec<&mut Code> = match &mut self.end {
            End::Open | End::Goto(_) => Vec::new(),
            End::Branch { condition, .. } => vec![condition],
            End::Match { scrutinee, arms } => {
                let mut codes = vec![scrutinee];
                codes.extend(arms.iter_mut().map(|arm| &mut arm.pattern));
                codes
            }
            End::Await { operand, .. } => vec![operand],
            End::Return(value) => vec![value],
        };
        self.code.iter_mut().chain(at_end)
    }
}

impl End {
    /// The code in it.
    pub(super) fn codes(&self) -> Vec<&Code> {
        match self {
            Self::Open | Self::Goto(_) => Vec::new(),
            Self::Branch { condition, .. } => vec![condition],
            Self::Match { scrutinee, arms } => {
                let mut codes = vec![scrutinee];
                codes.extend(arms.iter().map(|arm| &arm.pattern));
                codes
            }
            Self::Await { operand, .. } => vec![operand],
            Self::Return(value) => vec![value],
        }
    }
}

/// The bindings that a pattern makes.
pub(super) fn bound(pattern: &Pat) -> Vec<LocalId> {
    struct Binder(Vec<LocalId>);
    impl Visit<'_> for Binder {
        fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
            if let Some(id) = super::mark::local_of(&pattern.ident)
                && !self.0.contains(&id)
            {
                self.0.push(id);
            }
            visit::visit_pat_ident(self, pattern);
        }
        fn visit_expr(&mut self, _: &Expr) {}
    }
    let mut binder = Binder(Vec::new());
    binder.visit_pat(pattern);
    binder.0
}

/// The bindings that the `let`s of a condition make.
pub(super) fn bound_in_condition(condition: &Expr) -> Vec<LocalId> {
    match condition {
        Expr::Let(expr) => bound(&expr.pat),
        Expr::Binary(expr) if matches!(expr.op, syn::BinOp::And(_)) => {
            let mut all = bound_in_condition(&expr.left);
            all.extend(bound_in_condition(&expr.right));
            all
        }
        Expr::Paren(expr) => bound_in_condition(&expr.expr),
        Expr::Group(expr) => bound_in_condition(&expr.expr),
        _ => Vec::new(),
    }
}

/// Whether a pattern is of some kind, or a part of it is.
pub(super) fn any_pattern(pattern: &Pat, is: impl Fn(&Pat) -> bool) -> bool {
    struct Finder<F>(F, bool);
    impl<F: Fn(&Pat) -> bool> Visit<'_> for Finder<F> {
        fn visit_pat(&mut self, pattern: &Pat) {
            self.1 |= (self.0)(pattern);
            visit::visit_pat(self, pattern);
        }
    }
    let mut finder = Finder(is, false);
    finder.visit_pat(pattern);
    finder.1
}
