//! A compiled workflow with its types erased.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use crate::compiled::Workflow;
use crate::context::Context;
use crate::failure::{Failure, IntoFailure};
use crate::panic_text;

use super::step::{Step, Stepped};
use super::{Definition, DefinitionError};

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
    definition: Definition,
    step: StepFn,
}

type StepFn = fn(&mut Step<'_>, &mut Context) -> Result<Stepped, Failure>;

impl Machine {
    /// The machine of a workflow.
    ///
    /// # Errors
    /// When the workflow contradicts itself, as by awaiting one signal as two types.
    pub fn of<W: Workflow>() -> Result<Self, DefinitionError> {
        fn erased<W: Workflow>(step: &mut Step<'_>, ctx: &mut Context) -> Result<Stepped, Failure> {
            W::step(step, ctx).map_err(IntoFailure::into_failure)
        }
        let mut definition = Definition::new::<W>();
        let mut step = Step::describe(&mut definition);
        // In this mode the step function gives its facts and returns before any user code.
        let _ = W::step(&mut step, &mut Context::describing());
        definition.check()?;
        Ok(Self {
            definition,
            step: erased::<W>,
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
