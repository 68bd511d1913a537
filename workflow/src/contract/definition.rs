//! The static facts of a workflow: what is known without running it.

use std::any::TypeId;

use crate::activity::{Activity, ActivityContext, ActivityFuture};
use crate::codec::{self, CodecError, Persist, Sealed, Shape};
use crate::compiled::Workflow;

use super::step::StateFacts;
use super::{
    ActivityName, AwaitDefinition, Awaits, Fault, Machine, SavedField, SignalDefinition,
    SignalNames, Snapshot,
};

/// The static facts of a workflow.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The durable name.
    pub name: &'static str,
    /// What it returns.
    pub output: TypeDefinition,
    /// Every state, in the order of the source; the first is `Start`, whose fields are the
    /// parameters.
    pub states: Vec<StateDefinition>,
    /// The activities that it calls.
    pub activities: Vec<ActivityDefinition>,
    /// The signals that it waits for.
    pub signals: Vec<SignalDefinition>,
    /// The workflows that it starts as children.
    pub children: Vec<ChildDefinition>,
    /// The workflows that run inline in it, and in those again; each has its states, while what
    /// they call and wait for stands here.
    pub inlined: Vec<Machine>,
    /// It, and all that run inline in it.
    described: Vec<TypeId>,
}

/// A type, as far as an engine may know it.
#[derive(Clone, Copy, Debug)]
pub struct TypeDefinition {
    /// Its structure.
    pub shape: &'static Shape,
    /// Its JSON, from its encoded value.
    pub to_json: fn(&Sealed) -> Result<serde_json::Value, CodecError>,
    /// [`codec::to_faithful_json`] of the type.
    pub to_faithful_json: fn(&Sealed) -> Result<Option<Vec<u8>>, CodecError>,
    /// [`codec::from_json`] of the type.
    pub from_json: fn(&[u8]) -> Result<Sealed, CodecError>,
}

impl TypeDefinition {
    /// The facts of a type.
    #[must_use]
    pub fn of<T: Persist>() -> Self {
        Self {
            shape: codec::shape::<T>(),
            to_json: Sealed::to_json::<T>,
            to_faithful_json: codec::to_faithful_json::<T>,
            from_json: codec::from_json::<T>,
        }
    }
}

/// One state: `Start`, or an await.
#[derive(Clone, Debug)]
pub struct StateDefinition {
    /// The variant's name.
    pub name: &'static str,
    /// The name without the number that tells it from its like.
    pub base: &'static str,
    /// A hash of the awaiting statement's tokens and of the branches around it.
    pub fingerprint: u64,
    /// A hash of the branches around it and of the names of the awaits before and after it.
    pub surroundings: u64,
    /// What it awaits; nothing at `Start`.
    pub awaits: Option<Awaits>,
    /// The field that shows the state of the workflow that runs inline there.
    pub inline: Option<&'static str>,
    /// A hash of the base name and of the fields' names and shapes.
    pub shape: u64,
    /// What is saved there.
    pub fields: Vec<FieldDefinition>,
}

/// One saved local.
#[derive(Clone, Copy, Debug)]
pub struct FieldDefinition {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: TypeDefinition,
}

/// A workflow that another one starts as a child.
#[derive(Clone, Copy, Debug)]
pub struct ChildDefinition {
    /// Its durable name.
    pub name: &'static str,
    /// Which workflow it is.
    pub(crate) ty: TypeId,
    /// Its machine.
    pub machine: fn() -> Result<Machine, DefinitionError>,
}

/// An activity that a workflow calls.
#[derive(Clone, Debug)]
pub struct ActivityDefinition {
    /// Its durable name.
    pub name: ActivityName,
    /// The types of its parameters.
    pub parameters: Vec<TypeDefinition>,
    /// What it returns.
    pub output: TypeDefinition,
    /// Runs one attempt.
    pub run: fn(Vec<Sealed>, ActivityContext) -> ActivityFuture,
}

/// A workflow that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// One signal, two types.
    #[error(
        "workflow `{workflow}` waits for signal `{signal}` as `{first}` and as `{second}`; give both waits one type, or the signals two names"
    )]
    SignalTypes {
        /// The workflow.
        workflow: &'static str,
        /// The signal.
        signal: &'static str,
        /// One type.
        first: String,
        /// The other.
        second: String,
    },
    /// One durable name, two workflows that run inline.
    #[error(
        "workflow `{workflow}` calls two workflows inline that are both named `{name}`; give one another name: `#[workflow(name = \"…\")]`"
    )]
    InlineNames {
        /// The workflow.
        workflow: &'static str,
        /// The name of the two.
        name: &'static str,
    },
}

impl Definition {
    pub(super) fn new<W: Workflow>() -> Self {
        Self {
            name: W::name(),
            output: TypeDefinition::of::<W::Output>(),
            states: Vec::new(),
            activities: Vec::new(),
            signals: Vec::new(),
            children: Vec::new(),
            inlined: Vec::new(),
            described: vec![TypeId::of::<W>()],
        }
    }

    /// The types of the parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<TypeDefinition> {
        let start = &self.states[0];
        start.fields.iter().map(|field| field.ty).collect()
    }

    /// The state at which a run begins.
    ///
    /// # Errors
    /// When the arguments are not those of the workflow's parameters.
    pub(super) fn start(&self, arguments: Vec<Sealed>) -> Result<Snapshot, Fault> {
        let start = &self.states[0];
        let shapes = start.fields.iter().map(|field| field.ty.shape.hash);
        if !shapes.eq(arguments.iter().map(|argument| argument.shape)) {
            let parameters = start.fields.iter();
            let parameters = parameters.map(|f| format!("{}: {}", f.name, f.ty.shape.text));
            return Err(Fault::ShapeChanged {
                state: start.name.to_owned(),
                difference: format!(
                    "{} arguments were given, and the workflow takes ({})",
                    arguments.len(),
                    parameters.collect::<Vec<_>>().join(", ")
                ),
            });
        }
        let fields = start.fields.iter().zip(arguments);
        let fields = fields.map(|(field, value)| SavedField {
            name: field.name.to_owned(),
            value,
        });
        Ok(self.snapshot(0, fields.collect()))
    }

    /// A state with what is saved there.
    pub(super) fn snapshot(&self, state: usize, fields: Vec<SavedField>) -> Snapshot {
        let state = &self.states[state];
        Snapshot {
            workflow: self.name.to_owned(),
            name: state.name.to_owned(),
            base: state.base.to_owned(),
            shape: state.shape,
            fingerprint: state.fingerprint,
            surroundings: state.surroundings,
            fields,
        }
    }

    /// Adds a state; for generated code, which calls it in the order of the source.
    pub fn state(
        &mut self,
        facts: &StateFacts,
        fields: Vec<FieldDefinition>,
        awaits: Option<AwaitDefinition<'_>>,
    ) {
        let mut text = facts.base.to_owned();
        for field in &fields {
            text += &format!("|{}: {}", field.name, field.ty.shape.text);
        }
        let state = StateDefinition {
            name: facts.name,
            base: facts.base,
            fingerprint: facts.fingerprint,
            surroundings: facts.surroundings,
            awaits: awaits.map(|awaits| self.awaited(awaits)),
            inline: facts.inline,
            shape: codec::hash_text(&text),
            fields,
        };
        self.states.push(state);
    }

    /// Adds what is started in one place and perhaps awaited in another; for generated code.
    pub fn started(&mut self, awaits: AwaitDefinition<'_>) {
        let _ = self.awaited(awaits);
    }

    fn awaited(&mut self, awaits: AwaitDefinition<'_>) -> Awaits {
        (awaits.describe)(&mut SignalNames::new(awaits.signals), self)
    }

    /// Which workflow it is of.
    pub(crate) fn ty(&self) -> TypeId {
        self.described[0]
    }

    /// Adds a workflow that is started as a child.
    pub(crate) fn child<W: Workflow>(&mut self) {
        let name = W::name();
        if self
            .children
            .iter()
            .all(|known| known.ty != TypeId::of::<W>())
        {
            self.children.push(ChildDefinition {
                name,
                ty: TypeId::of::<W>(),
                machine: Machine::of::<W>,
            });
        }
    }

    /// Adds a workflow that runs inline, with all that it uses.
    pub(crate) fn inline<W: Workflow>(&mut self) {
        if self.described.contains(&TypeId::of::<W>()) {
            return;
        }
        self.described.push(TypeId::of::<W>());
        // What it uses is used by this workflow; only its states are its own.
        let mut inner = Self::new::<W>();
        inner.exchange_uses(self);
        let mut machine = Machine::describe::<W>(inner);
        machine.definition.exchange_uses(self);
        self.inlined.push(machine);
    }

    fn exchange_uses(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.activities, &mut other.activities);
        std::mem::swap(&mut self.signals, &mut other.signals);
        std::mem::swap(&mut self.children, &mut other.children);
        std::mem::swap(&mut self.inlined, &mut other.inlined);
        std::mem::swap(&mut self.described, &mut other.described);
    }

    /// Adds an activity that an await calls.
    pub(crate) fn activity<A: Activity>(&mut self) {
        let name = A::name();
        if self.activities.iter().all(|known| known.name != name) {
            self.activities.push(ActivityDefinition {
                name,
                parameters: A::parameters(),
                output: TypeDefinition::of::<A::Output>(),
                run: A::run,
            });
        }
    }

    pub(super) fn check(&self) -> Result<(), DefinitionError> {
        for (i, second) in self.signals.iter().enumerate() {
            let Some(signal) = second.name else { continue };
            if let Some(first) = self.signals[..i].iter().find(|s| s.name == second.name) {
                return Err(DefinitionError::SignalTypes {
                    workflow: self.name,
                    signal,
                    first: first.ty.shape.text.clone(),
                    second: second.ty.shape.text.clone(),
                });
            }
        }
        for (i, machine) in self.inlined.iter().enumerate() {
            let name = machine.definition.name;
            let mut before = self.inlined[..i].iter().map(|other| other.definition.name);
            if name == self.name || before.any(|other| other == name) {
                return Err(DefinitionError::InlineNames {
                    workflow: self.name,
                    name,
                });
            }
        }
        Ok(())
    }
}
