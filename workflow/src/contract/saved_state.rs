//! A saved state as the state enum.

use std::any::{Any, TypeId};

use serde::de::DeserializeOwned;

use crate::codec::CodecError;
use crate::compiled::{Stated, Workflow};
use crate::error::{ActivityError, WorkflowError};
use crate::saved::Saved;
use crate::state_enum::{ReadState, StateEnum, unreadable};

use super::{Definition, Fault, Machine, Snapshot};

/// A saved state, for the generated view of it as the state enum.
#[derive(Clone, Copy, Debug)]
pub struct SavedState<'a> {
    /// The whole run's.
    machine: &'a Machine,
    definition: &'a Definition,
    index: usize,
    snapshot: &'a Snapshot,
    /// Those that run inline.
    above: &'a [Snapshot],
}

impl<'a> SavedState<'a> {
    /// Where a run stands, seen through the code at hand.
    ///
    /// # Errors
    /// When it does not fit that code.
    pub fn new(machine: &'a Machine, frames: &'a [Snapshot]) -> Result<Self, Fault> {
        let (snapshot, above) = frames.split_first().expect("a run has a frame");
        Self::of(machine, machine.definition(), snapshot, above)
    }

    fn of(
        machine: &'a Machine,
        definition: &'a Definition,
        snapshot: &'a Snapshot,
        above: &'a [Snapshot],
    ) -> Result<Self, Fault> {
        Ok(Self {
            machine,
            definition,
            index: definition.locate(snapshot)?,
            snapshot,
            above,
        })
    }

    /// The state of the workflow that runs inline there; `None` where none does.
    fn inner(&self) -> Result<Option<Self>, Fault> {
        let Some((snapshot, above)) = self.above.split_first() else {
            return Ok(None);
        };
        let definition = self.machine.inlined(&snapshot.workflow)?.definition();
        Self::of(self.machine, definition, snapshot, above).map(Some)
    }

    /// The state, typed.
    ///
    /// # Errors
    /// When a field cannot be read.
    pub fn read<S: StateEnum>(&self) -> Result<S, CodecError> {
        ReadState::saved(self)
    }

    /// The state of the workflow that runs inline there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn inline<W: Workflow>(&self) -> Result<Box<W::State>, CodecError> {
        self.inline_as::<W::State>()?.read().map(Box::new)
    }

    /// The same, where only the step function knows which workflow it is.
    pub(crate) fn inline_shown<S: DeserializeOwned>(&self) -> Result<Box<S>, CodecError> {
        from_json(self.inline_as::<S>()?.to_json()?).map(Box::new)
    }

    fn inline_as<S>(&self) -> Result<Self, CodecError> {
        let inner = self.inner();
        let inner = inner.map_err(|fault| unreadable::<S>(fault.to_string()))?;
        inner.ok_or_else(|| unreadable::<S>("no workflow runs inline there".to_owned()))
    }

    /// Which state it is, by its place in the definition.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// A field whose type the state enum spells.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn field<S: Stated>(&self, index: usize) -> Result<S::Type, CodecError> {
        // A type that comes from the name of a function is made of `Saved` when that is no activity.
        if TypeId::of::<S::Type>() == TypeId::of::<Saved>() {
            let saved: Box<dyn Any> = Box::new(self.opaque(index)?);
            if let Ok(saved) = saved.downcast::<S::Type>() {
                return Ok(*saved);
            }
        }
        let outcomes = [
            TypeId::of::<Result<Saved, ActivityError>>(),
            TypeId::of::<Result<Saved, WorkflowError>>(),
        ];
        if outcomes.contains(&TypeId::of::<S::Type>()) {
            return from_json(self.opaque(index)?.json().clone());
        }
        self.snapshot.fields[index].value.open()
    }

    /// A field whose type only the step function knows.
    ///
    /// # Errors
    /// When it cannot be read.
    fn opaque(&self, index: usize) -> Result<Saved, CodecError> {
        let value = &self.snapshot.fields[index].value;
        let ty = self.definition.states[self.index].fields[index].ty;
        let json = (ty.to_json)(value);
        let json = json.unwrap_or_else(|error| format!("({error})").into());
        Ok(Saved::new(json, value.clone()))
    }

    /// The state as JSON, as serde writes the state enum: `{"Approval": {"findings": "…"}}`.
    ///
    /// # Errors
    /// When a field cannot be read or has no JSON.
    pub fn to_json(&self) -> Result<serde_json::Value, CodecError> {
        let state = &self.definition.states[self.index];
        let mut fields = serde_json::Map::new();
        for (field, saved) in state.fields.iter().zip(&self.snapshot.fields) {
            // One that has no JSON is not to hide the others.
            let json = (field.ty.to_json)(&saved.value);
            let json = json.unwrap_or_else(|error| format!("({error})").into());
            fields.insert(field.name.to_owned(), json);
        }
        if let (Some(name), Ok(Some(inner))) = (state.inline, self.inner()) {
            fields.insert(name.to_owned(), inner.to_json()?);
        }
        Ok(serde_json::json!({ state.name: fields }))
    }
}

fn from_json<S: DeserializeOwned>(json: serde_json::Value) -> Result<S, CodecError> {
    serde_json::from_value(json).map_err(|error| unreadable::<S>(error.to_string()))
}
