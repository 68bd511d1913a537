//! A compiled workflow with its types erased.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use crate::compiled::Workflow;
use crate::context::Context;
use crate::failure::{Failure, IntoFailure};
use crate::panic_text;

use super::step::{Step, Stepped};
use super::{Definition, DefinitionError, Fault};

/// What a provider tells a step about the world.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The run's workflow id.
    pub workflow_id: String,
    /// The run's own id.
    pub run_id: String,
    /// The time of the event that made the run ready; what `ctx.now()` gives.
    pub now: SystemTime,
}

/// A compiled workflow with its types erased: what a provider holds per registered workflow.
#[derive(Clone)]
pub struct Machine {
    pub(super) definition: Definition,
    step: StepFn,
}

type StepFn = fn(&mut Step<'_>, &mut Context) -> Result<Stepped, Failure>;

fn erased<W: Workflow>(step: &mut Step<'_>, ctx: &mut Context) -> Result<Stepped, Failure> {
    match W::step(step, ctx) {
        // A caller takes the error as it is.
        Err(error) if step.is_inline() => Ok(step.give_back::<W>(Err(error))),
        stepped => stepped.map_err(IntoFailure::into_failure),
    }
}

impl Machine {
    /// The machine of a workflow.
    ///
    /// # Errors
    /// When the workflow contradicts itself, as by awaiting one signal as two types.
    pub fn of<W: Workflow>() -> Result<Self, DefinitionError> {
        let machine = Self::describe::<W>(Definition::new::<W>());
        machine.definition.check()?;
        Ok(machine)
    }

    /// Fills in a definition.
    pub(super) fn describe<W: Workflow>(mut definition: Definition) -> Self {
        let mut step = Step::describe(&mut definition);
        // In this mode the step function gives its facts and returns before any user code.
        let _ = W::step(&mut step, &mut Context::describing());
        Self {
            definition,
            step: erased::<W>,
        }
    }

    /// The machine of a workflow that runs inline in this one: itself, or one that it calls.
    ///
    /// # Errors
    /// When it calls none of that name.
    pub fn inlined(&self, workflow: &str) -> Result<&Self, Fault> {
        if self.definition.name == workflow {
            return Ok(self);
        }
        let mut inlined = self.definition.inlined.iter();
        let found = inlined.find(|machine| machine.definition.name == workflow);
        found.ok_or_else(|| Fault::InlineMissing {
            workflow: workflow.to_owned(),
        })
    }

    /// The static facts of the workflow.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Runs the step function; a panic in it is given as its message.
    pub(super) fn call(
        &self,
        step: &mut Step<'_>,
        ctx: &mut Context,
    ) -> Result<Result<Stepped, Failure>, String> {
        catch_unwind(AssertUnwindSafe(|| (self.step)(step, ctx))).map_err(panic_text::of)
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("name", &self.definition.name)
            .finish_non_exhaustive()
    }
}
