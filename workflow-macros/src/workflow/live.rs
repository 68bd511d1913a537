//! Which bindings have a value that is wanted, at the beginning of each block.
//!
//! What is wanted at the block after an await is what its state saves; what is wanted where
//! branches meet is handed over there.

use std::collections::BTreeSet;

use super::flow::{BlockId, Code, End, Flow, LocalId};

type Set = BTreeSet<LocalId>;

pub(super) struct Live {
    /// Per block: what has a value there that is wanted.
    pub(super) entry: Vec<Set>,
    /// Per block: what occurs from there on, be it only to be assigned. Its name must stay free.
    pub(super) mentioned: Vec<Set>,
    /// The blocks that are reached, in the order of the source.
    pub(super) reached: Vec<BlockId>,
}

/// Finds what lives where; the parameters have values at the beginning.
pub(super) fn analyze(flow: &Flow, parameters: &[LocalId]) -> Live {
    let reached = reached(flow);
    let wanted = backward(flow, &reached, Code::before_wanted);
    let mentioned = backward(flow, &reached, Code::before_mentioned);
    let given = given(flow, &reached, parameters);
    let entry = wanted
        .into_iter()
        .zip(given)
        .map(|(wanted, given)| wanted.intersection(&given).copied().collect())
        .collect();
    Live {
        entry,
        mentioned,
        reached,
    }
}

fn reached(flow: &Flow) -> Vec<BlockId> {
    let mut found = vec![false; flow.blocks.len()];
    let mut open: Vec<BlockId> = flow.order.first().copied().into_iter().collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut found[id.0], true) {
            continue;
        }
        let block = flow.block(id);
        open.extend(block.successors().into_iter().map(|next| flow.target(next)));
        if let End::Await { resume, .. } = block.end {
            open.push(resume);
        }
    }
    flow.order
        .iter()
        .copied()
        .filter(|id| found[id.0])
        .collect()
}

impl Code {
    fn before_wanted(&self, after: &mut Set) {
        for id in self.declares.iter().chain(&self.sets) {
            after.remove(id);
        }
        after.extend(&self.uses);
    }

    fn before_mentioned(&self, after: &mut Set) {
        for id in &self.declares {
            after.remove(id);
        }
        after.extend(&self.uses);
        after.extend(&self.assigns);
    }
}

/// The sets at the beginning of each block, by working backward until nothing changes.
fn backward(flow: &Flow, reached: &[BlockId], before: fn(&Code, &mut Set)) -> Vec<Set> {
    let mut entry = vec![Set::new(); flow.blocks.len()];
    loop {
        let mut changed = false;
        for &id in reached.iter().rev() {
            let mut set = at_end(flow, id, &entry, before);
            for code in flow.block(id).code.iter().rev() {
                step_back(flow, code, &mut set, &entry, before);
            }
            if set != entry[id.0] {
                entry[id.0] = set;
                changed = true;
            }
        }
        if !changed {
            return entry;
        }
    }
}

fn step_back(flow: &Flow, code: &Code, set: &mut Set, entry: &[Set], before: fn(&Code, &mut Set)) {
    before(code, set);
    for jump in &code.jumps {
        let there = entry[flow.target(jump.target).0].iter();
        set.extend(there.filter(|id| Some(**id) != jump.sets));
    }
}

/// The set after the statements of a block, before its end.
fn at_end(flow: &Flow, id: BlockId, entry: &[Set], before: fn(&Code, &mut Set)) -> Set {
    let at = |target: BlockId| entry[flow.target(target).0].clone();
    match &flow.block(id).end {
        End::Open => Set::new(),
        End::Goto(target) => at(*target),
        End::Branch {
            condition,
            then,
            otherwise,
            ..
        } => {
            let mut set = at(*then);
            set.extend(at(*otherwise));
            step_back(flow, condition, &mut set, entry, before);
            set
        }
        End::Match { scrutinee, arms } => {
            let mut all = Set::new();
            for arm in arms {
                let mut set = at(arm.block);
                step_back(flow, &arm.pattern, &mut set, entry, before);
                all.extend(set);
            }
            step_back(flow, scrutinee, &mut all, entry, before);
            all
        }
        End::Await {
            number,
            operand,
            resume,
        } => {
            let mut set = entry[resume.0].clone();
            if let Some(point) = &flow.points[*number] {
                set.remove(&point.awaited);
            }
            step_back(flow, operand, &mut set, entry, before);
            set
        }
        End::Return(value) => {
            let mut set = Set::new();
            step_back(flow, value, &mut set, entry, before);
            set
        }
    }
}

/// What may have a value at the beginning of each block, by working forward.
fn given(flow: &Flow, reached: &[BlockId], parameters: &[LocalId]) -> Vec<Set> {
    fn pass(code: &Code, set: &mut Set) {
        set.extend(&code.uses);
        set.extend(&code.assigns);
        for id in &code.declares {
            if code.deferred {
                set.remove(id);
            } else {
                set.insert(*id);
            }
        }
    }
    let mut entry = vec![Set::new(); flow.blocks.len()];
    if let Some(start) = reached.first() {
        entry[start.0].extend(parameters);
    }
    loop {
        let mut changed = false;
        for &id in reached {
            let mut set = entry[id.0].clone();
            let mut flows_to = |target: BlockId, set: &Set| {
                let to = &mut entry[flow.target(target).0];
                let before = to.len();
                to.extend(set);
                changed |= to.len() != before;
            };
            let block = flow.block(id);
            for code in &block.code {
                pass(code, &mut set);
                for jump in &code.jumps {
                    flows_to(jump.target, &set);
                }
            }
            match &block.end {
                End::Await {
                    number,
                    operand,
                    resume,
                } => {
                    pass(operand, &mut set);
                    set.extend(flow.points[*number].as_ref().map(|point| point.awaited));
                    flows_to(*resume, &set);
                }
                End::Branch { condition, .. } => pass(condition, &mut set),
                End::Match { scrutinee, arms } => {
                    pass(scrutinee, &mut set);
                    for arm in arms {
                        pass(&arm.pattern, &mut set);
                    }
                }
                End::Open | End::Goto(_) | End::Return(_) => {}
            }
            for target in block.successors() {
                flows_to(target, &set);
            }
        }
        if !changed {
            return entry;
        }
    }
}
