//! Whether the code at hand fits a run.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::contract::{
    ActivityDefinition, ActivityName, Awaits, Definition, Fault, Machine, Operation,
    ScheduledActivity, Wait,
};

use super::record::Record;

/// Whether the code can go on with a run at all: its states are known and of the saved shapes, and
/// so is all that is under way.
pub(super) fn fits(machine: &Machine, record: &Record) -> Result<(), Fault> {
    let run = &record.run;
    let mut inlined = None;
    let mut frames = run.frames.iter().peekable();
    while let Some(frame) = frames.next() {
        let code = match inlined {
            None => machine,
            Some(workflow) => machine.inlined(workflow)?,
        };
        let definition = code.definition();
        let state = &definition.states[definition.locate(frame)?];
        let changed = |waits_for: String| Fault::ShapeChanged {
            state: state.name.to_owned(),
            difference: format!(
                "the run waits for {waits_for}, and the code awaits {} there",
                awaits(state.awaits.as_ref())
            ),
        };
        match frames.peek() {
            Some(above) => {
                let name = &*above.workflow;
                if state.awaits.as_ref().and_then(Awaits::inline) != Some(name) {
                    return Err(changed(format!("workflow `{name}`, inline")));
                }
                inlined = Some(name);
            }
            None => {
                let Some(wait) = &run.wait else { continue };
                let operations: Vec<_> = wait
                    .ops()
                    .iter()
                    .filter_map(|op| run.pending(*op))
                    .map(|pending| &pending.operation)
                    .collect();
                let expected = state.awaits.as_ref();
                if !expected.is_some_and(|awaits| are_awaited(awaits, wait, &operations)) {
                    let names: Vec<_> = operations.into_iter().map(waits_for).collect();
                    return Err(changed(match &names[..] {
                        [] => "nothing".to_owned(),
                        names => names.join(" and "),
                    }));
                }
            }
        }
    }
    let definition = machine.definition();
    let at = || record.run.position();
    for pending in run.under_way() {
        match &pending.operation {
            Operation::Activity(scheduled) => fits_activity(definition, scheduled, at)?,
            Operation::Child(child) => {
                if definition.children.iter().all(|c| c.name != child.workflow) {
                    return Err(Fault::ShapeChanged {
                        state: at(),
                        difference: format!(
                            "the workflow starts no child `{}` any more",
                            child.workflow
                        ),
                    });
                }
            }
            Operation::Timer { .. } | Operation::Signal { .. } => {}
        }
    }
    Ok(())
}

fn fits_activity(
    definition: &Definition,
    scheduled: &ScheduledActivity,
    at: impl Fn() -> String,
) -> Result<(), Fault> {
    let name = &scheduled.activity.name;
    let changed = |difference| {
        Err(Fault::ShapeChanged {
            state: at(),
            difference,
        })
    };
    let Some(activity) = find_activity(definition, &scheduled.activity) else {
        return changed(format!("the workflow calls no activity `{name}` any more"));
    };
    let now = activity.parameters.iter().map(|ty| ty.shape.hash);
    if !now.eq(scheduled.arguments.iter().map(|argument| argument.shape)) {
        let shapes: Vec<_> = activity
            .parameters
            .iter()
            .map(|ty| ty.shape.text.as_str())
            .collect();
        return changed(format!(
            "activity `{name}` was called with other parameters and now takes ({})",
            shapes.join(", ")
        ));
    }
    Ok(())
}

/// A hash of everything that [`fits`] looks at: equal for two runs of which the code fits both or
/// neither.
pub(super) fn key(record: &Record) -> u64 {
    let mut hasher = SipHasher13::new();
    let run = &record.run;
    record.head.workflow.hash(&mut hasher);
    for frame in &run.frames {
        (&frame.workflow, &frame.name, &frame.base).hash(&mut hasher);
        (frame.shape, frame.fingerprint, frame.surroundings).hash(&mut hasher);
    }
    if let Some(wait) = &run.wait {
        wait.is_any().hash(&mut hasher);
        for op in wait.ops() {
            let pending = run.pending(*op);
            hash_operation(pending.map(|pending| &pending.operation), &mut hasher);
        }
    }
    for pending in run.under_way() {
        hash_operation(Some(&pending.operation), &mut hasher);
    }
    hasher.finish()
}

fn hash_operation(operation: Option<&Operation>, hasher: &mut SipHasher13) {
    match operation {
        None => 0.hash(hasher),
        Some(Operation::Activity(scheduled)) => {
            (1, &scheduled.activity).hash(hasher);
            for argument in &scheduled.arguments {
                argument.shape.hash(hasher);
            }
        }
        Some(Operation::Timer { .. }) => 2.hash(hasher),
        Some(Operation::Signal { name, .. }) => (3, name).hash(hasher),
        Some(Operation::Child(child)) => (4, &child.workflow).hash(hasher),
    }
}

/// Whether the operations that a run waits for are what the code awaits.
fn are_awaited(awaits: &Awaits, wait: &Wait, operations: &[&Operation]) -> bool {
    let each = |expected: &[Awaits]| {
        let pairs = expected.iter().zip(operations);
        expected.len() == wait.ops().len()
            // Of several of which one is wanted, those that never began are not there.
            && (operations.len() < expected.len() || { pairs }.all(|(awaits, operation)| is_awaited(awaits, operation)))
    };
    match (awaits, wait) {
        (Awaits::Select(expected), wait) if wait.is_any() => each(expected),
        (_, wait) if wait.is_any() => false,
        (Awaits::Join(expected), _) => each(expected),
        (Awaits::JoinAll(one), _) => operations.iter().all(|o| is_awaited(one, o)),
        (Awaits::Select(_) | Awaits::Inline(_), _) => false,
        (one, _) => each(std::slice::from_ref(one)),
    }
}

/// Whether an operation is what the code awaits. Activities go by their durable name.
fn is_awaited(awaits: &Awaits, operation: &Operation) -> bool {
    match (awaits, operation) {
        (Awaits::Activity(name), Operation::Activity(scheduled)) => {
            name.name == scheduled.activity.name
        }
        (Awaits::Timer, Operation::Timer { .. })
        | (Awaits::Signal(None), Operation::Signal { .. }) => true,
        (Awaits::Signal(Some(spelled)), Operation::Signal { name, .. }) => spelled == name,
        (Awaits::Child(name), Operation::Child(child)) => *name == child.workflow,
        _ => false,
    }
}

fn awaits(awaits: Option<&Awaits>) -> String {
    let all = |all: &[Awaits]| {
        let names: Vec<_> = all.iter().map(|one| self::awaits(Some(one))).collect();
        names.join(" and ")
    };
    match awaits {
        Some(Awaits::Activity(name)) => format!("activity `{}`", name.name),
        Some(Awaits::Timer) => "a timer".to_owned(),
        Some(Awaits::Signal(Some(name))) => format!("signal `{name}`"),
        Some(Awaits::Signal(None)) => "a signal".to_owned(),
        Some(Awaits::Child(name)) => format!("child workflow `{name}`"),
        Some(Awaits::Inline(name)) => format!("workflow `{name}`, inline"),
        Some(Awaits::Join(operations)) => all(operations),
        Some(Awaits::JoinAll(one)) => format!("any number of {}", self::awaits(Some(one))),
        Some(Awaits::Select(operations)) => format!("one of {}", all(operations)),
        None => "nothing".to_owned(),
    }
}

fn waits_for(operation: &Operation) -> String {
    match operation {
        Operation::Activity(scheduled) => format!("activity `{}`", scheduled.activity.name),
        Operation::Timer { .. } => "a timer".to_owned(),
        Operation::Signal { name, .. } => format!("signal `{name}`"),
        Operation::Child(child) => format!("child workflow `{}`", child.workflow),
    }
}

/// The activity of that name: the very one, or the only one of its name, for modules move.
pub(super) fn find_activity<'a>(
    definition: &'a Definition,
    name: &ActivityName,
) -> Option<&'a ActivityDefinition> {
    let exact = definition.activities.iter().find(|a| a.name == *name);
    exact.or_else(|| {
        let mut same = definition
            .activities
            .iter()
            .filter(|a| a.name.name == name.name);
        same.next().filter(|_| same.next().is_none())
    })
}
