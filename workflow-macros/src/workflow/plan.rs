//! What the machine consists of: its states, the arms of its step function, the names in it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use quote::format_ident;

use super::flow::{BlockId, BlockKind, Borrow, Code, End, Flow, Hold, LocalId};
use super::live::{self, Live};
use super::mark::{self, Mark};
use super::number::Await;
use super::state_name::{self, StateName};
use crate::code;
use crate::report::Report;

pub(super) struct Plan<'a> {
    pub(super) flow: &'a Flow,
    pub(super) live: Live,
    /// The states after `Start`, in the order of the source.
    pub(super) states: Vec<State>,
    /// The blocks that are arms of the step function, by name, in the order of the source. All
    /// others are reached from one place only, and stand there.
    pub(super) arms: Vec<(BlockId, Ident)>,
    /// The bindings that some arm hands over to another, and the name of what each is handed over
    /// in.
    pub(super) slots: BTreeMap<LocalId, String>,
    /// The bindings that some state saves, and the name each has there.
    pub(super) fields: BTreeMap<LocalId, String>,
    /// The names of the variables that those fields are declared as.
    pub(super) field_variables: BTreeMap<LocalId, String>,
    /// Per block: the bindings that are saved or handed over somewhere from there on. A part that
    /// is taken out of one must leave something in its place.
    pub(super) kept_after: Vec<BTreeSet<LocalId>>,
    /// The bindings for which that is so.
    pub(super) parted: BTreeSet<LocalId>,
    /// The bindings of patterns that take such a part.
    pub(super) taken: BTreeSet<LocalId>,
    /// The name that each binding has in the step function.
    pub(super) idents: BTreeMap<LocalId, Ident>,
}

/// A state that awaits.
pub(super) struct State {
    pub(super) number: usize,
    pub(super) name: StateName,
    pub(super) fingerprint: u64,
    pub(super) surroundings: u64,
    /// What it saves, in the order of declaration.
    pub(super) saved: Vec<LocalId>,
}

pub(super) fn plan<'a>(
    report: &Report,
    flow: &'a Flow,
    awaits: &[Await],
    parameters: &[LocalId],
) -> Plan<'a> {
    let live = live::analyze(flow, parameters);
    let numbers: Vec<usize> = (0..awaits.len())
        .filter(|&number| {
            let point = flow.points[number].as_ref();
            point.is_some_and(|point| live.reached.contains(&point.resume))
        })
        .collect();
    let awaited: Vec<_> = numbers.iter().map(|&n| &awaits[n].awaited).collect();
    let states: Vec<State> = numbers
        .iter()
        .zip(state_name::names(&awaited))
        .map(|(&number, name)| State {
            number,
            name,
            fingerprint: awaits[number].fingerprint,
            surroundings: awaits[number].surroundings,
            saved: saved(flow, &live, number),
        })
        .collect();
    let arms = arms(flow, &live, &states);
    let idents = idents(flow, &live, parameters);
    let handed = arms
        .iter()
        .filter(|(id, _)| is_jumped_to(flow, *id))
        .flat_map(|(id, _)| flow.kept(&live.entry[id.0]));
    let slots = variables(flow, &idents, handed.collect(), "slot");
    let fields = fields(flow, &states, parameters);
    let kept_after = kept_after(flow, &live, &arms);
    let (parted, taken) = parted(flow, &live, &kept_after);
    let field_variables = variables(flow, &idents, fields.keys().copied().collect(), "field");
    let plan = Plan {
        flow,
        live,
        states,
        arms,
        slots,
        fields,
        field_variables,
        kept_after,
        parted,
        taken,
        idents,
    };
    plan.check(report);
    plan
}

fn saved(flow: &Flow, live: &Live, number: usize) -> Vec<LocalId> {
    let Some(point) = &flow.points[number] else {
        return Vec::new();
    };
    let entry = flow.kept(&live.entry[point.resume.0]);
    entry.filter(|id| *id != point.awaited).collect()
}

/// Per block, what is saved or handed over on some way from there.
fn kept_after(flow: &Flow, live: &Live, arms: &[(BlockId, Ident)]) -> Vec<BTreeSet<LocalId>> {
    let mut kept = vec![BTreeSet::new(); flow.blocks.len()];
    let is_arm = |id: BlockId| arms.iter().any(|(arm, _)| *arm == id);
    loop {
        let mut changed = false;
        for &id in live.reached.iter().rev() {
            let block = flow.block(id);
            let mut set: BTreeSet<LocalId> = BTreeSet::new();
            let mut next: Vec<_> = block.successors();
            next.extend(block.resumes());
            for next in next {
                let next = flow.target(next);
                set.extend(&kept[next.0]);
                if is_arm(next) {
                    set.extend(flow.kept(&live.entry[next.0]));
                }
            }
            changed |= set.len() != kept[id.0].len();
            kept[id.0] = set;
        }
        if !changed {
            return kept;
        }
    }
}

fn parted(
    flow: &Flow,
    live: &Live,
    kept_after: &[BTreeSet<LocalId>],
) -> (BTreeSet<LocalId>, BTreeSet<LocalId>) {
    let (mut parted, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for id in &live.reached {
        let block = flow.block(*id);
        let kept = &kept_after[id.0];
        for code in block.code.iter().chain(block.end.codes()) {
            mark::each_ident(
                code.tokens.clone(),
                &mut |ident, _| match mark::mark_of(ident) {
                    Some(Mark::Part(local) | Mark::Wrapped(local)) if kept.contains(&local) => {
                        parted.insert(local);
                    }
                    Some(Mark::Taken(local)) => {
                        if let Some(of) = flow.parts.get(&local).filter(|of| kept.contains(of)) {
                            parted.insert(*of);
                            taken.insert(local);
                        }
                    }
                    _ => {}
                },
            );
        }
    }
    (parted, taken)
}

/// Whether other blocks jump to a block, rather than an engine's resuming there.
pub(super) fn is_jumped_to(flow: &Flow, id: BlockId) -> bool {
    !matches!(flow.block(id).kind, BlockKind::Start | BlockKind::Resume(_))
}

fn arms(flow: &Flow, live: &Live, states: &[State]) -> Vec<(BlockId, Ident)> {
    let mut entries = vec![0; flow.blocks.len()];
    // How many awaits of the source come before a block, and before where it is entered from.
    let mut awaits = 0;
    let mut before = vec![0; flow.blocks.len()];
    let mut before_entry = before.clone();
    for id in &live.reached {
        let block = flow.block(*id);
        awaits += usize::from(matches!(block.kind, BlockKind::Resume(_)));
        before[id.0] = awaits;
        for next in block.successors() {
            entries[flow.target(next).0] += 1;
            before_entry[flow.target(next).0] = awaits;
        }
        // A jump out of code that stays as it is cannot be followed by the block it goes to.
        for jump in block.jumps() {
            entries[flow.target(jump.target).0] += 1;
        }
    }
    let mut taken: BTreeSet<String> = states.iter().map(|s| s.name.name.clone()).collect();
    let mut arms = Vec::new();
    for &id in &live.reached {
        let name = match flow.block(id).kind {
            BlockKind::Start => "Start".to_owned(),
            BlockKind::Resume(number) => {
                let state = states.iter().find(|state| state.number == number);
                state
                    .map(|state| state.name.name.clone())
                    .unwrap_or_default()
            }
            BlockKind::Head | BlockKind::Join if entries[id.0] < 2 => continue,
            // What follows a loop stands after all of its body: rustc may know only from there of
            // what type a binding is.
            BlockKind::After if entries[id.0] < 2 && before[id.0] == before_entry[id.0] => continue,
            kind => {
                let base = match kind {
                    BlockKind::Head => "Loop",
                    BlockKind::After => "After",
                    _ => "Join",
                };
                let mut name = base.to_owned();
                let mut number = 2;
                while !taken.insert(name.clone()) {
                    name = format!("{base}{number}");
                    number += 1;
                }
                name
            }
        };
        arms.push((id, format_ident!("{name}")));
    }
    arms
}

/// Names for all bindings. One keeps its own but where another of its name occurs while it is in
/// scope, or where it is declared apart from its `let`; then the later one of the source gets a
/// number. So it does where it is declared apart and something else of its name is called.
fn idents(flow: &Flow, live: &Live, parameters: &[LocalId]) -> BTreeMap<LocalId, Ident> {
    let mut same: BTreeMap<(String, bool), Vec<LocalId>> = BTreeMap::new();
    let mut declared: BTreeSet<LocalId> = parameters.iter().copied().collect();
    let mut apart: BTreeSet<LocalId> = BTreeSet::new();
    for id in &live.reached {
        let block = flow.block(*id);
        for code in block.code.iter().chain(block.end.codes()) {
            declared.extend(&code.declares);
            declared.extend(&code.assigns);
            apart.extend(&code.assigns);
        }
    }
    let called = called(flow, live);
    let mut clashes = clashes(flow, live);
    let inner = inner_clashes(flow, live);
    declared.extend(inner.iter().map(|(inner, _)| *inner));
    clashes.extend(inner);
    for id in declared {
        let local = flow.local(id);
        let key = (mark::plain(&local.ident), local.temporary);
        same.entry(key).or_default().push(id);
    }
    let mut taken: BTreeSet<String> = flow
        .locals
        .iter()
        .map(|local| mark::plain(&local.ident))
        .collect();
    let mut idents = BTreeMap::new();
    for ((name, _), ids) in &same {
        let is_called = called.contains(name);
        for (i, id) in ids.iter().enumerate() {
            let before = &ids[..i];
            let hides = is_called && apart.contains(id);
            let clash = hides
                || before.iter().any(|other| {
                    apart.contains(id)
                        || apart.contains(other)
                        || clashes.contains(&(*id, *other))
                        || clashes.contains(&(*other, *id))
                });
            if !clash {
                continue;
            }
            let mut number = 2;
            let mut free = format!("{name}_{number}");
            while !taken.insert(free.clone()) {
                number += 1;
                free = format!("{name}_{number}");
            }
            idents.insert(*id, Ident::new(&free, flow.local(*id).ident.span()));
        }
    }
    idents
}

/// The names of what is no binding: functions and constants, which `let half = … half(n) …` does not hide
/// from its own value.
fn called(flow: &Flow, live: &Live) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for id in &live.reached {
        let block = flow.block(*id);
        for code in block.code.iter().chain(block.end.codes()) {
            mark::each_ident(code.tokens.clone(), &mut |ident, _| {
                if mark::mark_of(ident).is_none() {
                    names.insert(mark::plain(ident));
                }
            });
        }
    }
    names
}

/// Names for something about each binding: two of one name never meet, but what is about them does.
fn variables(
    flow: &Flow,
    idents: &BTreeMap<LocalId, Ident>,
    ids: BTreeSet<LocalId>,
    what: &str,
) -> BTreeMap<LocalId, String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let names = ids.into_iter().map(|id| {
        let name = mark::plain(idents.get(&id).unwrap_or(&flow.local(id).ident));
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        match count {
            1 => (id, format!("{name}_{what}")),
            _ => (id, format!("{name}_{what}{count}")),
        }
    });
    names.collect()
}

/// Pairs of bindings of one name, the second of which occurs after the first was declared.
fn clashes(flow: &Flow, live: &Live) -> BTreeSet<(LocalId, LocalId)> {
    let mut found = BTreeSet::new();
    let mut declare = |code: &Code, after: &BTreeSet<LocalId>| {
        for declared in &code.declares {
            let local = flow.local(*declared);
            for other in after {
                let same = flow.local(*other).ident == local.ident
                    && flow.local(*other).temporary == local.temporary;
                if same && other != declared {
                    found.insert((*declared, *other));
                }
            }
        }
    };
    let back = |code: &Code, set: &mut BTreeSet<LocalId>| {
        set.retain(|id| !code.declares.contains(id));
        set.extend(&code.uses);
        set.extend(&code.assigns);
        for jump in &code.jumps {
            set.extend(&live.mentioned[flow.target(jump.target).0]);
        }
    };
    for id in &live.reached {
        let block = flow.block(*id);
        let mut after = BTreeSet::new();
        for next in block.successors() {
            after.extend(&live.mentioned[flow.target(next).0]);
        }
        if let End::Await { resume, .. } = block.end {
            after.extend(&live.mentioned[resume.0]);
        }
        for code in block.end.codes() {
            declare(code, &after);
        }
        for code in block.end.codes() {
            back(code, &mut after);
        }
        for code in block.code.iter().rev() {
            declare(code, &after);
            back(code, &mut after);
        }
    }
    found
}

/// Pairs of bindings of one name, the first of which is declared within code that stays as it is
/// and jumps out of there to where the second is handed over.
fn inner_clashes(flow: &Flow, live: &Live) -> BTreeSet<(LocalId, LocalId)> {
    let mut found = BTreeSet::new();
    for id in &live.reached {
        let block = flow.block(*id);
        for code in block.code.iter().chain(block.end.codes()) {
            for inner in &code.inner {
                let name = &flow.local(*inner).ident;
                for jump in &code.jumps {
                    let handed = live.mentioned[flow.target(jump.target).0].iter();
                    let same = handed.filter(|other| flow.local(**other).ident == *name);
                    found.extend(same.map(|other| (*inner, *other)));
                }
            }
        }
    }
    found
}

/// Names for what is saved: the source's, and of two that one state saves the later gets a number.
fn fields(flow: &Flow, states: &[State], parameters: &[LocalId]) -> BTreeMap<LocalId, String> {
    let mut all: BTreeSet<LocalId> = parameters.iter().copied().collect();
    all.extend(states.iter().flat_map(|state| &state.saved));
    let mut fields: BTreeMap<LocalId, String> = BTreeMap::new();
    for id in all {
        let base = mark::plain(&flow.local(id).ident);
        let mut name = base.clone();
        let mut number = 2;
        let beside = |name: &str| {
            states.iter().any(|state| {
                state.saved.contains(&id)
                    && state.saved.iter().any(|other| {
                        *other != id
                            && (fields.get(other).is_some_and(|known| known == name)
                                || name != base && flow.local(*other).ident == name)
                    })
            })
        };
        while beside(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        fields.insert(id, name);
    }
    fields
}

impl Plan<'_> {
    /// What rustc is to hold as long as the bindings that are made again are used.
    pub(super) fn held(&self) -> BTreeMap<LocalId, &Hold> {
        let entries = self.arms.iter().map(|(id, _)| &self.live.entry[id.0]);
        let remade = entries.flat_map(|live| self.flow.remade(live));
        let held = remade.filter(|rebind| !matches!(rebind.hold, Hold::Nothing));
        let held = held.map(|rebind| (&rebind.binds, &rebind.hold));
        let asked = self.flow.asked.iter().map(|(binds, hold)| (binds, hold));
        // What is held longer comes last.
        asked
            .chain(held)
            .filter(|(_, hold)| !self.is_refused(hold))
            .flat_map(|(binds, hold)| binds.iter().map(move |id| (*id, hold)))
            .collect()
    }

    /// Whether it is to hold what is refused itself: that would be a second mistake.
    fn is_refused(&self, hold: &Hold) -> bool {
        let (Hold::FoundBy(held) | Hold::Items(held) | Hold::Asked(held)) = hold else {
            return false;
        };
        let kept: BTreeSet<LocalId> = self.kept().collect();
        let mut held = held.iter().flat_map(mark::mentions);
        held.any(|id| kept.contains(&id) && self.flow.local(id).borrow.is_some())
    }

    /// The bindings that are saved, or handed to where branches meet.
    fn kept(&self) -> impl Iterator<Item = LocalId> {
        let saved = self.states.iter().flat_map(|state| &state.saved);
        saved.chain(self.slots.keys()).copied()
    }

    /// Whether a binding has its value where some arm begins.
    pub(super) fn outlives_arms(&self, id: LocalId) -> bool {
        let mut entries = self.arms.iter().map(|(id, _)| &self.live.entry[id.0]);
        entries.any(|live| live.contains(&id))
    }

    /// Whether the step function changes a binding, be it only to take a part out of it.
    pub(super) fn is_mutable(&self, id: LocalId) -> bool {
        self.flow.local(id).mutable || self.parted.contains(&id)
    }

    /// The index of the state of an await.
    pub(super) fn state_of(&self, number: usize) -> Option<usize> {
        self.states.iter().position(|state| state.number == number)
    }

    /// The name of an arm, when a block is one.
    pub(super) fn arm(&self, id: BlockId) -> Option<&Ident> {
        self.arms
            .iter()
            .find(|(arm, _)| *arm == id)
            .map(|(_, name)| name)
    }

    /// Whether some arm is reached from others.
    pub(super) fn loops(&self) -> bool {
        self.arms.iter().any(|(id, _)| is_jumped_to(self.flow, *id))
    }

    /// Refuses what cannot live where it has to.
    fn check(&self, report: &Report) {
        let saved: BTreeSet<LocalId> = self
            .states
            .iter()
            .flat_map(|state| state.saved.iter().copied())
            .collect();
        let handed = self.slots.keys().copied().collect();
        for id in saved.union(&handed) {
            let local = self.flow.local(*id);
            let at = if saved.contains(id) {
                "an `.await`"
            } else {
                "a place where branches with an `.await` meet"
            };
            if let Some(cfg) = local.cfg {
                report.error_at(
                    code::CFG,
                    cfg,
                    format!(
                        "`#[cfg]` on `{0}`, which lives across {at}\n\
                         which fields a state has is decided before `#[cfg]` is\n\
                         help: write `let {0} = if cfg!(…) {{ … }} else {{ … }};`",
                        local.ident
                    ),
                );
            }
            let keeps = self.flow.keeping.contains(id).then_some(Borrow::Items);
            if let Some(borrow) = local.borrow.or(keeps) {
                let code = match borrow {
                    Borrow::Value | Borrow::Pattern | Borrow::Items => code::REFERENCE,
                    Borrow::Iterator => code::ITERATOR,
                    Borrow::Closure => code::CLOSURE,
                };
                report.error_at(code, local.ident.span(), refusal(&local.ident, borrow, at));
            }
        }
    }
}

fn refusal(ident: &Ident, borrow: Borrow, at: &str) -> String {
    if ident == "operand" {
        return format!(
            "a reference is kept across {at}\n\
             a run is saved at every await, and a reference cannot be saved\n\
             help: bind the awaited value first, and write this expression after it"
        );
    }
    match borrow {
        Borrow::Value => format!(
            "`{ident}` is a reference and lives across {at}\n\
             a run is saved at every await, and a reference cannot be saved\n\
             help: keep the value: `let {ident} = ….to_owned();`; or keep where it is, `let at = …;`, and look there after the await: `&items[at]`"
        ),
        Borrow::Pattern => format!(
            "`{ident}` is bound as a reference and lives across {at}\n\
             a run is saved at every await, and a reference cannot be saved\n\
             help: look into a place of the workflow's own, which is found again (`match &value {{ … }}`, `&mut value` to change it), or keep a copy: `let {ident} = {ident}.to_owned();`"
        ),
        Borrow::Items => format!(
            "`{ident}` has references in it and lives across {at}\n\
             a run is saved at every await, and a reference cannot be saved\n\
             help: put values into it, such as `name.to_owned()`; or numbers or keys, and look up what they stand for: `&items[at]`"
        ),
        Borrow::Iterator => format!(
            "`{ident}` is an iterator that borrows, and lives across {at}\n\
             a run is saved at every await, and what borrows cannot be saved\n\
             help: loop over the collection with `for`, or let the iterator own its items: `.into_iter()`, or `.cloned().collect::<Vec<_>>().into_iter()`"
        ),
        Borrow::Closure => format!(
            "`{ident}` is a closure that changes or takes what it captures, and lives across {at}\n\
             a run is saved at every await, and such a closure cannot be made again\n\
             help: let it only look at what never changes (without `move`), or make it a function"
        ),
    }
}
