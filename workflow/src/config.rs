//! What an executor is opened with.

use std::path::{Path, PathBuf};

use crate::compiled::Workflow;
use crate::contract::{DefinitionError, Machine};
use crate::executor::OpenError;
use crate::limits::Limits;
use crate::retention::Retention;

/// What an executor is opened with: its workflows, and the settings of its provider.
///
/// ```
/// use workflow::prelude::*;
///
/// #[workflow]
/// async fn nothing() -> Result<(), WorkflowError> {
///     Ok(())
/// }
///
/// let config = Config::new().path("data").register::<nothing>();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    path: Option<PathBuf>,
    machines: Vec<Result<Machine, DefinitionError>>,
    limits: Limits,
    retention: Retention,
}

impl Config {
    /// No workflows, and every setting at its default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The directory of the embedded engine's data; it is made if it is not there.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// What runs may take; the defaults of [`Limits`] otherwise.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is removed in time; everything is kept otherwise.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// A workflow that this executor runs. Its activities and its children come with it.
    #[must_use]
    pub fn register<W: Workflow>(mut self) -> Self {
        self.machines.push(Machine::of::<W>());
        self
    }

    /// For providers: the directory, if one was given.
    #[must_use]
    pub fn data_path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// For providers: what runs may take.
    #[must_use]
    pub fn run_limits(&self) -> Limits {
        self.limits
    }

    /// For providers: what is removed in time.
    #[must_use]
    pub fn run_retention(&self) -> Retention {
        self.retention
    }

    /// For providers: the machines of the registered workflows and of their children.
    ///
    /// # Errors
    /// When a workflow contradicts itself, or two have one name.
    pub fn machines(&self) -> Result<Vec<Machine>, OpenError> {
        let mut machines: Vec<Machine> = Vec::with_capacity(self.machines.len());
        for machine in &self.machines {
            let machine = machine.clone()?;
            let name = machine.definition().name;
            if machines.iter().any(|known| known.definition().name == name) {
                return Err(OpenError::SameName { name });
            }
            machines.push(machine);
        }
        let mut next = 0;
        while let Some(machine) = machines.get(next) {
            for child in machine.definition().children.clone() {
                let mut known = machines.iter().map(Machine::definition);
                match known.find(|known| known.name == child.name) {
                    Some(known) if known.ty() != child.ty => {
                        return Err(OpenError::SameName { name: child.name });
                    }
                    Some(_) => {}
                    None => machines.push((child.machine)()?),
                }
            }
            next += 1;
        }
        Ok(machines)
    }
}
