//! Attempts of activities, as the SDK calls for them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::Arc;

use temporalio_common::ActivityDefinition as SdkDefinition;
use temporalio_common::data_converters::RawValue;
use temporalio_sdk::activities::{
    ActivityContext as SdkContext, ActivityDefinitions, ActivityError, ActivityImplementer,
    ExecutableActivity,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::activity::ActivityContext;
use crate::attempt;
use crate::codec::{self, CodecError};
use crate::contract::{ActivityDefinition, ActivityName, Definition};
use crate::failure::{Failure, FailureKind};

use super::code::Machines;
use super::reporting::{self, BrokenOff};
use super::{payloads, until_closed};

thread_local! {
    /// The SDK asks a type for the name of its activity, and all are of one type: this is the name
    /// of the one that is being registered on this thread.
    static REGISTERED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The activity of that name. Its module decides only where a workflow calls two of one name.
pub(super) fn find<'a>(
    definition: &'a Definition,
    name: &ActivityName,
) -> Option<&'a ActivityDefinition> {
    let exact = definition
        .activities
        .iter()
        .find(|known| known.name == *name);
    exact.or_else(|| {
        definition
            .activities
            .iter()
            .find(|known| known.name.name == name.name)
    })
}

/// The name that the server knows an activity by: with its module where the workflow calls two of
/// one name.
pub(super) fn type_name(definition: &Definition, name: &ActivityName) -> String {
    let mut same = definition
        .activities
        .iter()
        .filter(|known| known.name.name == name.name);
    match same.nth(1) {
        None => name.name.clone(),
        Some(_) => format!("{}::{}", name.module, name.name),
    }
}

/// All activities of the registered workflows.
pub(super) struct Activities {
    pub(super) machines: Arc<Machines>,
    /// How many bytes of payloads the server takes at once.
    pub(super) payload_bytes: usize,
    /// Where attempts run: the program's own runtime.
    pub(super) runtime: Handle,
    /// Whether the executor was closed.
    pub(super) closed: watch::Receiver<bool>,
}

impl Activities {
    /// The definition of an activity, as a workflow calls it; a workflow in another language may
    /// call any.
    fn find(&self, workflow: Option<&str>, name: &str) -> Option<&ActivityDefinition> {
        let caller = workflow.and_then(|workflow| self.machines.get(workflow));
        let mut definitions = caller.into_iter().chain(self.machines.values());
        definitions.find_map(|machine| {
            let definition = machine.definition();
            let mut known = definition.activities.iter();
            known.find(|known| type_name(definition, &known.name) == name)
        })
    }

    async fn attempt(&self, ctx: SdkContext, input: RawValue) -> Result<RawValue, ActivityError> {
        let info = ctx.info();
        let definition = self
            .find(info.workflow_type.as_deref(), &info.activity_type)
            .expect("what is registered is found")
            .clone();
        let (name, output) = (definition.name.name.clone(), definition.output);
        let arguments = payloads::decode_all(&input.payloads, &definition.parameters)?;
        let context = context(&ctx);
        let attempt = attempt::run(definition, arguments, context, None);
        // Whoever breaks this off breaks off the attempt.
        let mut attempts = JoinSet::new();
        attempts.spawn_on(attempt, &self.runtime);
        let mut closed = self.closed.clone();
        let ended = reporting::alive(&ctx, async {
            tokio::select! {
                biased;
                joined = attempts.join_next() => attempt::outcome(&name, joined?),
                () = until_closed(&mut closed) => None,
            }
        });
        let ended = ended.await;
        drop(attempts);
        let outcome = match ended {
            Ok(Some(outcome)) => outcome,
            // Told at once, so that another worker takes it up without waiting.
            Ok(None) => Err(lost(format!("activity `{name}` died with its process"))),
            Err(BrokenOff::Reset) => Err(lost(format!("activity `{name}` was reset"))),
            Err(BrokenOff::Canceled) => return Err(ActivityError::cancelled()),
        };
        let outcome = match outcome {
            Ok(value) => {
                let output = payloads::encode(&value, &output)?;
                payloads::sendable(vec![output], self.payload_bytes).map_err(too_large)
            }
            Err(failure) => Err(failure),
        };
        let mut report = pin!(reporting::report(&ctx, outcome));
        match reporting::alive(&ctx, report.as_mut()).await {
            Ok(reported) => Err(reported),
            // It has ended, and so there is nothing to begin anew.
            Err(BrokenOff::Reset) => Err(report.await),
            Err(BrokenOff::Canceled) => Err(ActivityError::cancelled()),
        }
    }
}

/// A result that is too large will be as large again.
fn too_large(error: CodecError) -> Failure {
    let mut failure = Failure::new(FailureKind::Application, error.to_string());
    failure.non_retryable = true;
    failure
}

fn lost(text: String) -> Failure {
    Failure::new(FailureKind::Lost, text)
}

fn context(ctx: &SdkContext) -> ActivityContext {
    let info = ctx.info();
    let workflow_id = info.workflow_id.clone().unwrap_or_default();
    let (run_id, op) = match info.activity_id.rsplit_once('/') {
        Some((run_id, op)) if op.parse::<u64>().is_ok() => (run_id.to_owned(), op.parse().ok()),
        // A workflow in another language called it.
        _ => (info.workflow_run_id.clone().unwrap_or_default(), None),
    };
    let op = op.unwrap_or_else(|| codec::hash_text(&info.activity_id));
    ActivityContext::new(workflow_id, run_id, op, info.attempt)
}

impl ActivityImplementer for Activities {
    fn register_all(self: Arc<Self>, definitions: &mut ActivityDefinitions) {
        let mut names = BTreeSet::new();
        for machine in self.machines.values() {
            let definition = machine.definition();
            let activities = definition.activities.iter();
            names.extend(activities.map(|activity| type_name(definition, &activity.name)));
        }
        for name in names {
            REGISTERED.set(name);
            definitions.register_activity::<Registered>(self.clone());
        }
    }
}

/// One activity, as the SDK asks for its name.
struct Registered(String);

impl SdkDefinition for Registered {
    type Input = RawValue;
    type Output = RawValue;

    fn name(&self) -> &str {
        &self.0
    }
}

impl ExecutableActivity for Registered {
    type Implementer = Activities;

    const REQUIRES_INSTANCE: bool = true;

    fn definition() -> Self {
        Self(REGISTERED.with_borrow(String::clone))
    }

    fn execute(
        activities: Option<Arc<Activities>>,
        ctx: SdkContext,
        input: RawValue,
    ) -> Pin<Box<dyn Future<Output = Result<RawValue, ActivityError>> + Send>> {
        let activities = activities.expect("it is registered with its instance");
        Box::pin(async move { activities.attempt(ctx, input).await })
    }
}
