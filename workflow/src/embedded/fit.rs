//! Whether the code at hand fits a run.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::contract::{ActivityDefinition, ActivityName, Awaits, Definition, Fault, Operation};

use super::record::Record;

/// Whether the code can go on with a run at all: its state is known and of the saved shape, and so
/// is the activity that it waits for.
pub(super) fn fits(definition: &Definition, record: &Record) -> Result<(), Fault> {
    let state = &definition.states[definition.locate(&record.run.state)?];
    let changed = |difference| {
        Err(Fault::ShapeChanged {
            state: state.name.to_owned(),
            difference,
        })
    };
    let Some(operation) = record.awaited() else {
        return Ok(());
    };
    if !is_awaited(state.awaits.as_ref(), operation) {
        return changed(format!(
            "the run waits for {}, and the code awaits {} there",
            waits_for(operation),
            awaits(state.awaits.as_ref())
        ));
    }
    let Operation::Activity(scheduled) = operation else {
        return Ok(());
    };
    let name = &scheduled.activity.name;
    let Some(activity) = find_activity(definition, &scheduled.activity) else {
        return changed(format!("the workflow calls no activity `{name}` any more"));
    };
    let now = activity.parameters.iter().map(|shape| shape.hash);
    if !now.eq(scheduled.arguments.iter().map(|argument| argument.shape)) {
        let shapes: Vec<_> = activity
            .parameters
            .iter()
            .map(|s| s.text.as_str())
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
    let state = &record.run.state;
    (&record.head.workflow, &state.name, &state.base).hash(&mut hasher);
    (state.shape, state.fingerprint, state.surroundings).hash(&mut hasher);
    for field in &state.fields {
        (&field.name, field.value.shape).hash(&mut hasher);
    }
    match record.awaited() {
        None => 0.hash(&mut hasher),
        Some(Operation::Activity(scheduled)) => {
            (1, &scheduled.activity).hash(&mut hasher);
            for argument in &scheduled.arguments {
                argument.shape.hash(&mut hasher);
            }
        }
        Some(Operation::Timer { .. }) => 2.hash(&mut hasher),
        Some(Operation::Signal { name, .. }) => (3, name).hash(&mut hasher),
    }
    hasher.finish()
}

/// Whether an operation under way is what the code awaits. Activities go by their durable name.
fn is_awaited(awaits: Option<&Awaits>, operation: &Operation) -> bool {
    match (awaits, operation) {
        (Some(Awaits::Activity(name)), Operation::Activity(scheduled)) => {
            name.name == scheduled.activity.name
        }
        (Some(Awaits::Timer), Operation::Timer { .. })
        | (Some(Awaits::Signal(None)), Operation::Signal { .. }) => true,
        (Some(Awaits::Signal(Some(spelled))), Operation::Signal { name, .. }) => spelled == name,
        _ => false,
    }
}

fn awaits(awaits: Option<&Awaits>) -> String {
    match awaits {
        Some(Awaits::Activity(name)) => format!("activity `{}`", name.name),
        Some(Awaits::Timer) => "a timer".to_owned(),
        Some(Awaits::Signal(Some(name))) => format!("signal `{name}`"),
        Some(Awaits::Signal(None)) => "a signal".to_owned(),
        None => "nothing".to_owned(),
    }
}

fn waits_for(operation: &Operation) -> String {
    match operation {
        Operation::Activity(scheduled) => format!("activity `{}`", scheduled.activity.name),
        Operation::Timer { .. } => "a timer".to_owned(),
        Operation::Signal { name, .. } => format!("signal `{name}`"),
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
