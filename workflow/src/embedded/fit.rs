//! Whether the code at hand fits a run.

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
