//! The code at hand: the machines of the registered workflows, one of which a host drives.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::Machine;

/// The machines of the registered workflows, by name.
pub(super) type Machines = BTreeMap<&'static str, Machine>;

/// The machine of a workflow, and those of all others.
#[derive(Clone)]
pub(super) struct Code {
    name: &'static str,
    machines: Arc<Machines>,
}

impl Code {
    /// The code of each workflow.
    pub(super) fn of_each(machines: &Arc<Machines>) -> impl Iterator<Item = Self> {
        machines.keys().map(|&name| Self {
            name,
            machines: machines.clone(),
        })
    }

    /// The workflow's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The workflow's machine.
    pub(super) fn machine(&self) -> &Machine {
        &self.machines[self.name]
    }

    /// The machine of any registered workflow.
    pub(super) fn workflow(&self, name: &str) -> Option<&Machine> {
        self.machines.get(name)
    }
}
