//! Which state comes after which, for the diagram of a workflow.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Expr;

use super::flow::{BlockId, End, Flow};
use super::mark;
use super::plan::Plan;

/// A way from one state to the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// By the place of a state among all: 0 is `Start`.
    pub(super) from: usize,
    /// 0 is the end, which nothing else is, for nothing leads to `Start`.
    pub(super) to: usize,
    /// The condition as the source has it; empty where there is none, or none that is short.
    pub(super) condition: String,
}

/// A longer condition is left out.
const LONGEST: usize = 40;

/// What comes next, by the place of a state, and on which condition.
type Next = BTreeMap<usize, String>;

pub(super) fn edges(plan: &Plan<'_>) -> Vec<Edge> {
    let next = next(plan);
    let from_block = |from: usize, block: BlockId| {
        next[block.0].iter().map(move |(to, condition)| Edge {
            from,
            to: *to,
            condition: condition.clone(),
        })
    };
    let start = plan.live.reached.first().copied();
    let mut edges: Vec<Edge> = start
        .into_iter()
        .flat_map(|start| from_block(0, start))
        .collect();
    for (index, state) in plan.states.iter().enumerate() {
        if let Some(point) = &plan.flow.points[state.number] {
            edges.extend(from_block(index + 1, point.resume));
        }
    }
    edges
}

/// What comes next from the beginning of each block, by working backward until nothing changes.
fn next(plan: &Plan<'_>) -> Vec<Next> {
    let mut next = vec![Next::new(); plan.flow.blocks.len()];
    // Conditions around loops could grow for ever, were they not cut.
    for _ in 0..=plan.live.reached.len() {
        let mut changed = false;
        for id in plan.live.reached.iter().rev() {
            let found = of_block(plan, *id, &next);
            if found != next[id.0] {
                next[id.0] = found;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    next
}

fn of_block(plan: &Plan<'_>, id: BlockId, next: &[Next]) -> Next {
    let flow: &Flow = plan.flow;
    let block = flow.block(id);
    let at = |target: BlockId| &next[flow.target(target).0];
    let mut found = match &block.end {
        End::Open => Next::new(),
        End::Goto(target) => at(*target).clone(),
        End::Branch {
            then,
            otherwise,
            labels,
            ..
        } => {
            let (then, otherwise) = (at(*then), at(*otherwise));
            let mut found = on_condition(&labels[0], then, otherwise);
            found.extend(on_condition(&labels[1], otherwise, then));
            found
        }
        End::Match { arms, .. } => {
            let mut found = Next::new();
            for (place, arm) in arms.iter().enumerate() {
                for (to, inner) in at(arm.block) {
                    let mut others = (arms.iter().enumerate()).filter(|(other, _)| *other != place);
                    let condition = if others.any(|(_, other)| at(other.block).contains_key(to)) {
                        String::new()
                    } else {
                        joined(&arm.label, inner)
                    };
                    found.insert(*to, condition);
                }
            }
            found
        }
        End::Await { number, .. } => {
            let state = plan.state_of(*number);
            state
                .map(|state| (state + 1, String::new()))
                .into_iter()
                .collect()
        }
        End::Return(_) => Next::from([(0, String::new())]),
    };
    // What leaves in the middle of code that stays as it is.
    for code in block.end.codes().into_iter().chain(block.code.iter().rev()) {
        let mut left = Next::new();
        for target in code.jumps.iter().map(|jump| jump.target) {
            left.extend(at(target).keys().map(|to| (*to, String::new())));
        }
        if code.returns {
            left.insert(0, String::new());
        }
        if !left.is_empty() {
            let stays = on_condition(&code.labels[1], &found, &left);
            found = on_condition(&code.labels[0], &left, &found);
            found.extend(stays);
        }
    }
    found
}

/// What comes next on one side of a branch. What comes on both sides has no condition.
fn on_condition(condition: &str, here: &Next, there: &Next) -> Next {
    let here = here.iter().map(|(to, inner)| {
        let condition = match there.contains_key(to) {
            true => String::new(),
            false => joined(condition, inner),
        };
        (*to, condition)
    });
    here.collect()
}

fn joined(outer: &str, inner: &str) -> String {
    let joined = match (outer, inner) {
        (condition, "") | ("", condition) => condition.to_owned(),
        (outer, inner) => format!("{outer} && {inner}"),
    };
    match joined.len() > LONGEST {
        true => String::new(),
        false => joined,
    }
}

/// What a condition says at its two ways.
pub(super) fn labels(condition: &Expr) -> [String; 2] {
    match condition {
        Expr::Lit(_) => Default::default(),
        Expr::Paren(condition) => labels(&condition.expr),
        _ => labels_of(
            &condition.to_token_stream(),
            matches!(condition, Expr::Let(_)),
        ),
    }
}

pub(super) fn labels_of(condition: &TokenStream, is_let: bool) -> [String; 2] {
    let source = mark::source(condition);
    let is_word = |text: &str| {
        text.chars()
            .all(|c| c == '_' || c == '.' || c.is_alphanumeric())
    };
    let no = match source.strip_prefix('!') {
        _ if is_let => "else".to_owned(),
        Some(rest) if is_word(rest) => rest.to_owned(),
        _ if is_word(&source) => format!("!{source}"),
        _ => format!("!({source})"),
    };
    [source, no]
}
