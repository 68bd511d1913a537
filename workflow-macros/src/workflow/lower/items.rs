//! What the items of an iterator are: references are made again after an await, and copies are saved.

use proc_macro2::Ident;
use syn::{Expr, ExprClosure, ExprIf, Pat, PatIdent, Stmt, UnOp, parse_quote};

use super::super::flow::LocalId;
use super::super::mark::{self, mentions};
use super::super::spell::{Spelling, named};
use super::super::spread::plain_binding;
use super::Lowering;
use super::place::is_in;
use super::rebind::made_of;
use super::walk::{ADAPTORS, lends_items};

/// What the items of an iterator are, as far as the syntax shows.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Items {
    /// References into what it goes over.
    References,
    /// Such, if what it goes over is of the standard library.
    Parts,
    /// Where the items are: the same as long as they are there.
    Places,
    /// Of a range, or copies beside references to what they were copied from.
    Numbers,
    /// Of a text, or of references.
    Copies,
    /// What a closure gives.
    Made,
    /// Two of different kinds, side by side.
    Pairs(Box<Items>, Box<Items>),
}

/// Methods of a text that give parts of it.
const PARTS: [&str; 4] = ["lines", "rsplit", "split", "split_whitespace"];

/// Methods that choose from the items.
const CHOOSING: [&str; 3] = ["filter", "skip_while", "take_while"];

impl Lowering<'_> {
    pub(super) fn items(&self, iterator: &Expr) -> Items {
        let call = match iterator {
            Expr::Paren(expr) => return self.items(&expr.expr),
            Expr::Range(_) => return Items::Numbers,
            Expr::MethodCall(call) => call,
            _ => return Items::References,
        };
        let is = |names: &[&str]| is_in(names, &call.method);
        let pair = |one, other| Items::Pairs(Box::new(one), Box::new(other));
        let inner = || self.items(&call.receiver);
        match (&*call.method.to_string(), call.args.first()) {
            ("enumerate", None) => pair(Items::Places, inner()),
            ("zip", Some(other)) => pair(inner(), self.items(other)),
            ("chain", Some(other)) if self.items(other) != inner() => Items::Made,
            ("map" | "filter_map", Some(make)) if self.is_accessor(make) => Items::Parts,
            ("map" | "filter_map", Some(make)) => inner().given_by(make).unwrap_or(Items::Made),
            ("cloned" | "copied", None) => self.copies(&call.receiver),
            ("chain", _) => inner(),
            _ if is(&ADAPTORS) || is(&CHOOSING) => inner(),
            _ if lends_items(&call.method) => Items::References,
            _ if is(&PARTS) => Items::Parts,
            _ => Items::Copies,
        }
    }

    /// Whether it goes over parts of a `String` of the workflow's own.
    pub(super) fn is_of_text(&self, iterator: &Expr) -> bool {
        let mut roots = self.flow.rests_on(mentions(iterator)).into_iter();
        roots.all(|id| {
            let spelling = &self.flow.local(id).spelling;
            matches!(spelling, Some(Spelling::Type(ty)) if named(ty).is_some_and(|(name, _)| name == "String"))
        })
    }

    /// What an iterator's items refer to.
    fn copies(&self, iterator: &Expr) -> Items {
        let whole = self.flow.rests_on(mentions(iterator));
        let collected = whole.iter().find_map(|id| self.collected.get(id));
        collected.cloned().unwrap_or(Items::Copies)
    }

    /// The same; but where nothing ever changes, all is made again alike.
    pub(super) fn alike(&self, iterator: &Expr) -> Items {
        match self.is_fixed(made_of(iterator)) {
            true => self.items(iterator).alike(),
            false => self.items(iterator),
        }
    }

    /// Notes what was taken out of a pattern.
    pub(super) fn note_copies(&mut self, copies: Copies) {
        self.found_in.extend(copies.beside);
        for id in copies.places {
            self.flow.locals[id.0].spelling = Some(Spelling::count());
        }
    }
}

impl Items {
    fn alike(self) -> Items {
        match self {
            Items::Copies | Items::Made => Items::References,
            Items::Pairs(one, other) => {
                Items::Pairs(Box::new(one.alike()), Box::new(other.alike()))
            }
            items => items,
        }
    }

    /// What a closure gives of them, if that is a reference out of its pattern, be it beside another
    /// one or a copy: `|(key, _)| key`, `|user| (&user.name, user.age)`.
    pub(super) fn given_by(&self, make: &Expr) -> Option<Items> {
        let Expr::Closure(ExprClosure { inputs, body, .. }) = make else {
            return None;
        };
        let (body, pattern) = (there(body), inputs.first()?);
        let Expr::Tuple(given) = body else {
            return self
                .part_in(body, pattern)
                .filter(|part| *part != Items::Numbers);
        };
        let given = given.elems.iter().map(|part| self.part_in(part, pattern));
        let given: Vec<Items> = given.collect::<Option<_>>()?;
        match &given[..] {
            all if all.iter().all(|part| *part == Items::References) => Some(Items::References),
            [one, other] if *one != *other => {
                Some(Items::Pairs(Box::new(one.clone()), Box::new(other.clone())))
            }
            _ => None,
        }
    }

    /// What a part of an item is that a closure gives. What it takes of a reference can only be a copy.
    fn part_in(&self, given: &Expr, pattern: &Pat) -> Option<Items> {
        let refers = |place| self.part_in(place, pattern).is_some();
        match given {
            Expr::Paren(given) => self.part_in(&given.expr, pattern),
            Expr::Path(given) => self.bound_to(given.path.get_ident()?, pattern),
            Expr::Field(given) => refers(&given.base).then_some(Items::Numbers),
            Expr::Unary(given) => {
                let copies = matches!(given.op, UnOp::Deref(_)) && refers(&given.expr);
                copies.then_some(Items::Numbers)
            }
            Expr::Reference(given) => match &*given.expr {
                Expr::Field(part) if given.mutability.is_none() => {
                    refers(&part.base).then_some(Items::References)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// What a binding of a pattern of them is, if that is a reference.
    fn bound_to(&self, name: &Ident, pattern: &Pat) -> Option<Items> {
        match (pattern, self) {
            (Pat::Paren(pattern), _) => self.bound_to(name, &pattern.pat),
            (Pat::Ident(pattern), Items::References) => {
                (pattern.ident == *name && pattern.subpat.is_none()).then_some(Items::References)
            }
            (Pat::Tuple(pair), Items::Pairs(one, other)) if pair.elems.len() == 2 => {
                let one = one.bound_to(name, &pair.elems[0]);
                one.or_else(|| other.bound_to(name, &pair.elems[1]))
            }
            (Pat::Tuple(parts), Items::References) => parts
                .elems
                .iter()
                .find_map(|part| self.bound_to(name, part)),
            (Pat::Struct(parts), Items::References) => {
                let mut parts = parts.fields.iter();
                parts.find_map(|part| self.bound_to(name, &part.pat))
            }
            _ => None,
        }
    }

    /// Whether they are references, be it beside numbers, if what is gone over `is_of_std`.
    pub(super) fn refer(&self, is_of_std: bool) -> bool {
        match self {
            Items::References | Items::Places | Items::Numbers => true,
            Items::Parts => is_of_std,
            Items::Copies | Items::Made => false,
            Items::Pairs(one, other) => one.refer(is_of_std) && other.refer(is_of_std),
        }
    }
}

/// What a closure gives if it gives something: `item` of `item.open.then_some(item)`, and of
/// `if item.open { Some(item) } else { None }`.
fn there(given: &Expr) -> &Expr {
    match given {
        Expr::MethodCall(call) if call.method == "then_some" && call.args.len() == 1 => {
            &call.args[0]
        }
        Expr::If(ExprIf {
            then_branch,
            else_branch: Some(_),
            ..
        }) => match &then_branch.stmts[..] {
            [Stmt::Expr(Expr::Call(some), None)] if some.args.len() == 1 => &some.args[0],
            _ => given,
        },
        given => given,
    }
}

/// The copies in a pattern.
#[derive(Default)]
pub(super) struct Copies {
    /// The bindings that have them beside references, which hold what these refer to.
    pub(super) beside: Vec<(LocalId, Items)>,
    /// The places that were taken out.
    pub(super) places: Vec<LocalId>,
}

impl Copies {
    /// Takes the copies out of a pattern of items: they need not be the same by the time they are made
    /// again.
    ///
    /// ```text
    /// let Some((at, item)) = items.iter().enumerate().find(|(_, item)| item.open) else { … };
    /// let Some((_, item)) = …                             // after an await, where `at` is saved
    /// ```
    pub(super) fn take_out(pattern: &mut Pat, items: &Items) -> Self {
        let mut copies = Self::default();
        copies.take(pattern, items);
        copies
    }

    fn take(&mut self, pattern: &mut Pat, items: &Items) {
        match (pattern, items) {
            (_, Items::References | Items::Parts) => {}
            (Pat::Paren(pattern), _) => self.take(&mut pattern.pat, items),
            (Pat::Type(pattern), _) => self.take(&mut pattern.pat, items),
            (Pat::Guard(guarded), _) => self.take(&mut guarded.pat, items),
            (Pat::Or(either), _) => {
                let cases = either.cases.iter_mut();
                cases.for_each(|case| self.take(case, items));
            }
            // `Some(…)` of what was searched for.
            (Pat::TupleStruct(found), _) if found.elems.len() == 1 => {
                self.take(&mut found.elems[0], items);
            }
            (Pat::Tuple(pair), Items::Pairs(one, other)) => {
                let ends = pair.elems.len();
                let after_rest = pair
                    .elems
                    .iter()
                    .position(|part| matches!(part, Pat::Rest(_)));
                for (at, part) in pair.elems.iter_mut().enumerate() {
                    let is_last = match after_rest {
                        Some(rest) => at > rest && at + 1 == ends,
                        None => at == 1,
                    };
                    if !matches!(part, Pat::Rest(_)) {
                        self.take(part, if is_last { other } else { one });
                    }
                }
            }
            (
                Pat::Ident(PatIdent {
                    ident,
                    subpat: None,
                    ..
                }),
                Items::Pairs(..),
            ) if items.refer(true) => {
                let id = mark::local_of(ident);
                self.beside.extend(id.map(|id| (id, items.clone())));
            }
            (
                Pat::Ident(PatIdent {
                    subpat: Some((_, part)),
                    ..
                }),
                Items::Pairs(..),
            ) => self.take(part, items),
            (pattern, _) => {
                if *items == Items::Places {
                    self.places.extend(plain_binding(pattern));
                }
                *pattern = parse_quote!(_);
            }
        }
    }
}
