//! Whether the code at hand fits a run.

use crate::contract::{ActivityDefinition, ActivityName, Definition, Fault, Operation};

use super::record::Record;

/// Whether the code can go on with a run at all: its state is known and of the saved shape, and so
/// is the activity that it waits for.
pub(super) fn fits(definition: &Definition, record: &Record) -> Result<(), Fault> {
    let index = definition.locate(&record.run.state)?;
    let Some(Operation::Activity(scheduled)) = record.awaited() else {
        return Ok(());
    };
    let state = definition.states[index].name;
    let changed = |difference| {
        Err(Fault::ShapeChanged {
            state: state.to_owned(),
            difference,
        })
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
