//! What generated step functions are made of.
//!
//! A step function takes one `Step`, goes to the state it stands at, loads what was saved there,
//! runs the user's code up to the next await and saves what lives across that. The types of saved
//! locals and of awaited operations are tied together by [`Field`] and [`AwaitPoint`] values, whose
//! type parameters rustc infers: generated code need not spell them.

use std::any::Any;

use crate::codec::{CodecError, Local, PersistLocal, Sealed};
use crate::compiled::{Stated, Workflow};
use crate::failure::{Failure, Returns};

use super::definition::{FieldDefinition, TypeDefinition};
use super::run::SavedField;
use super::{
    Arrived, AwaitDefinition, Awaits, Definition, Durable, Fault, Request, SignalNames, Snapshot,
};

/// What the macro knows of a state without knowing types.
#[derive(Clone, Copy, Debug)]
pub struct StateFacts {
    /// The variant's name.
    pub name: &'static str,
    /// The name without the number that tells it from its like.
    pub base: &'static str,
    /// A hash of the awaiting statement's tokens and of the branches around it.
    pub fingerprint: u64,
    /// A hash of the branches around it and of the names of the awaits before and after it.
    pub surroundings: u64,
    /// The field that shows the state of the workflow that runs inline there.
    pub inline: Option<&'static str>,
}

/// One local that is saved somewhere: ties its type together over all the states that save it.
#[derive(Debug)]
pub struct Field<T> {
    name: &'static str,
    save: fn(&T) -> Result<Sealed, CodecError>,
    load: fn(&Sealed) -> Result<T, CodecError>,
    ty: fn() -> TypeDefinition,
}

/// One await: ties the awaited operation's type to what awaiting it gives.
#[derive(Debug)]
pub struct AwaitPoint<D, O> {
    begin: fn(D) -> Result<Request, CodecError>,
    resolve: fn(&mut Arrived) -> Result<O, CodecError>,
    describe: fn(&mut SignalNames<'_>, &mut Definition) -> Awaits,
}

/// What a step function gives back: only `Step` makes one, so none returns by another door.
#[derive(Debug)]
#[must_use]
pub struct Stepped(());

/// One call of a step function.
#[derive(Debug)]
pub struct Step<'a> {
    mode: Mode<'a>,
    /// How many fields of the state were loaded.
    loaded: usize,
    fields: Vec<SavedField>,
    request: Option<Request>,
    pub(super) end: Option<End>,
}

#[derive(Debug)]
enum Mode<'a> {
    Describe(&'a mut Definition),
    Run {
        definition: &'a Definition,
        entry: usize,
        state: &'a Snapshot,
        /// Whether another workflow waits for what it returns.
        is_inline: bool,
        arrived: Arrived,
    },
}

/// How a step ended.
#[derive(Debug)]
pub(super) enum End {
    Suspended {
        state: Snapshot,
        request: Request,
    },
    /// With a result for the workflow that called it inline.
    Returned(Box<dyn Any>),
    Finished(Sealed),
    Failed(Failure),
    Fault(Fault),
}

impl<T> Field<T> {
    /// A local of that name.
    #[must_use]
    pub fn new(name: &'static str) -> Self
    where
        T: PersistLocal,
    {
        Self {
            name,
            save: Sealed::seal_as::<Local<T>, T>,
            load: |sealed| sealed.open().map(|Local(value)| value),
            ty: TypeDefinition::of::<Local<T>>,
        }
    }

    /// Its facts.
    #[must_use]
    pub fn definition(&self) -> FieldDefinition {
        FieldDefinition {
            name: self.name,
            ty: (self.ty)(),
        }
    }

    /// Saves the local.
    pub fn save(&self, step: &mut Step<'_>, value: &T) {
        match (self.save)(value) {
            Ok(value) => step.fields.push(SavedField {
                name: self.name.to_owned(),
                value,
            }),
            Err(error) => step.codec_fault(self.name, error),
        }
    }

    /// Loads the local; `None` when it cannot be read, and then the step stops.
    pub fn load(&self, step: &mut Step<'_>) -> Option<T> {
        let Mode::Run { state, .. } = &step.mode else {
            return None;
        };
        let field = state.fields.get(step.loaded)?;
        step.loaded += 1;
        match (self.load)(&field.value) {
            Ok(value) => Some(value),
            Err(error) => {
                step.codec_fault(self.name, error);
                None
            }
        }
    }
}

/// A local of that name, whose type the source states.
#[must_use]
pub fn stated_field<S: Stated>(name: &'static str) -> Field<S::Type> {
    Field {
        name,
        save: Sealed::seal::<S::Type>,
        load: Sealed::open::<S::Type>,
        ty: TypeDefinition::of::<S::Type>,
    }
}

impl<D, O> AwaitPoint<D, O> {
    /// An await of an operation.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "its types are inferred, not defaulted"
    )]
    pub fn new() -> Self
    where
        D: Durable<Output = O>,
    {
        Self {
            begin: D::into_request,
            resolve: D::resolve,
            describe: D::describe,
        }
    }

    /// Its facts, with the names of the signals that the source spells, one for each of its
    /// operations.
    #[must_use]
    pub fn definition<'a>(&self, signals: &'a [Option<&'static str>]) -> AwaitDefinition<'a> {
        AwaitDefinition {
            describe: self.describe,
            signals,
        }
    }

    /// Gives the operation back: it ties the type of one that is started here and awaited
    /// elsewhere.
    pub fn started(&self, operation: D) -> D {
        operation
    }

    /// Asks for the operation.
    pub fn begin(&self, step: &mut Step<'_>, operation: D) {
        match (self.begin)(operation) {
            Ok(request) => step.request = Some(request),
            Err(error) => step.codec_fault("the awaited call", error),
        }
    }

    /// What the operation gave; `None` when that cannot be read, and then the step stops.
    pub fn outcome(&self, step: &mut Step<'_>) -> Option<O> {
        let Mode::Run { arrived, .. } = &mut step.mode else {
            return None;
        };
        match (self.resolve)(arrived) {
            Ok(output) => Some(output),
            Err(error) => {
                step.codec_fault("the awaited result", error);
                None
            }
        }
    }
}

impl<'a> Step<'a> {
    pub(super) fn describe(definition: &'a mut Definition) -> Self {
        Self::new(Mode::Describe(definition))
    }

    pub(super) fn run(
        definition: &'a Definition,
        entry: usize,
        state: &'a Snapshot,
        is_inline: bool,
        arrived: Arrived,
    ) -> Self {
        Self::new(Mode::Run {
            definition,
            entry,
            state,
            is_inline,
            arrived,
        })
    }

    fn new(mode: Mode<'a>) -> Self {
        Self {
            mode,
            loaded: 0,
            fields: Vec::new(),
            request: None,
            end: None,
        }
    }

    /// The definition to fill in, when it is the facts that are asked for and no step.
    pub fn describing(&mut self) -> Option<&mut Definition> {
        match &mut self.mode {
            Mode::Describe(definition) => Some(definition),
            Mode::Run { .. } => None,
        }
    }

    /// Which state to go on at, by its place in the definition.
    #[must_use]
    pub fn entry(&self) -> usize {
        match &self.mode {
            Mode::Describe(_) => 0,
            Mode::Run { entry, .. } => *entry,
        }
    }

    /// Ends a step that only described, or that could not load something.
    pub fn stopped(&mut self) -> Stepped {
        Stepped(())
    }

    /// Ends the step at an await, which is a state by its place in the definition. What lives
    /// across it was saved before, and its operation begun.
    pub fn suspend(&mut self, state: usize) -> Stepped {
        let Mode::Run { definition, .. } = &self.mode else {
            return Stepped(());
        };
        // A value that could not be encoded has ended the step already.
        if let (None, Some(request)) = (&self.end, self.request.take()) {
            let mut fields = std::mem::take(&mut self.fields);
            let in_order = &definition.states[state].fields;
            fields.sort_by_key(|saved| in_order.iter().position(|f| f.name == saved.name));
            let state = definition.snapshot(state, fields);
            self.end = Some(End::Suspended { state, request });
        }
        Stepped(())
    }

    pub(super) fn is_inline(&self) -> bool {
        matches!(&self.mode, Mode::Run { is_inline, .. } if *is_inline)
    }

    /// Ends the step with a result for the workflow that called this one inline.
    pub(super) fn give_back<W: Workflow>(
        &mut self,
        returned: Result<W::Output, W::Error>,
    ) -> Stepped {
        if self.end.is_none() {
            self.end = Some(End::Returned(Box::new(returned)));
        }
        Stepped(())
    }

    /// Ends the run with what the workflow returned.
    ///
    /// # Errors
    /// Hands back the error that the workflow returned.
    pub fn finish<W, R>(&mut self, returned: R) -> Result<Stepped, W::Error>
    where
        W: Workflow,
        R: Returns<Ok = W::Output, Error = W::Error>,
    {
        let output: W::Output = returned.into_result()?;
        if self.is_inline() {
            return Ok(self.give_back::<W>(Ok(output)));
        }
        match Sealed::seal(&output) {
            Ok(output) => self.end = Some(End::Finished(output)),
            Err(error) => self.codec_fault("the workflow's result", error),
        }
        Ok(Stepped(()))
    }

    fn codec_fault(&mut self, what: &str, error: CodecError) {
        if let (None, Mode::Run { state, .. }) = (&self.end, &self.mode) {
            self.end = Some(End::Fault(Fault::Codec {
                state: state.name.clone(),
                what: what.to_owned(),
                error,
            }));
        }
    }
}
