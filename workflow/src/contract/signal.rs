//! The signals that a workflow waits for, and which payloads it takes.

use std::collections::BTreeSet;

use crate::codec::{self, CodecError, Payload, Persist, Sealed};

use super::{Definition, TypeDefinition};

/// A signal that a workflow waits for.
#[derive(Clone, Copy, Debug)]
pub struct SignalDefinition {
    /// Its name; `None` where the source computes the name.
    pub name: Option<&'static str>,
    /// The type of its payload.
    pub ty: TypeDefinition,
    seal: fn(&Payload) -> Result<Sealed, CodecError>,
}

/// A signal that is refused to its sender.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SignalError {
    /// The workflow never waits for that name.
    #[error("workflow `{workflow}` never waits for a signal `{signal}`; it waits for: {}", names(.known))]
    UnknownName {
        /// The workflow.
        workflow: &'static str,
        /// The name that was sent.
        signal: String,
        /// The names it waits for.
        known: Vec<&'static str>,
    },
    /// The payload is not of the type that the workflow waits for.
    #[error(
        "the payload of signal `{signal}` is not what workflow `{workflow}` waits for: {error}"
    )]
    Payload {
        /// The workflow.
        workflow: &'static str,
        /// The name that was sent.
        signal: String,
        /// What is wrong with the payload.
        error: CodecError,
    },
}

fn names(known: &[&'static str]) -> String {
    if known.is_empty() {
        return "none at all".to_owned();
    }
    known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Definition {
    /// Adds a signal that an await waits for.
    pub(crate) fn signal<T: Persist>(&mut self, name: Option<&'static str>) {
        let ty = TypeDefinition::of::<T>();
        let known = |s: &SignalDefinition| s.name == name && s.ty.shape.hash == ty.shape.hash;
        if !self.signals.iter().any(known) {
            self.signals.push(SignalDefinition {
                name,
                ty,
                seal: codec::reseal::<T>,
            });
        }
    }

    /// Checks a signal and gives its payload as the workflow will read it.
    ///
    /// # Errors
    /// When the workflow never waits for that name, or the payload is not of the type it waits
    /// for. Where a wait's name is computed at run time, every name is accepted.
    pub fn accept_signal(&self, name: &str, payload: &Payload) -> Result<Sealed, SignalError> {
        self.accept_signal_as(name, |signal| (signal.seal)(payload))
    }

    /// As [`accept_signal`](Self::accept_signal), for a payload of an encoding of the provider's:
    /// `seal` reads it as what a wait expects.
    ///
    /// # Errors
    /// As there.
    pub fn accept_signal_as(
        &self,
        name: &str,
        seal: impl Fn(&SignalDefinition) -> Result<Sealed, CodecError>,
    ) -> Result<Sealed, SignalError> {
        let spelled = self.signals.iter().find(|s| s.name == Some(name));
        let computed = self.signals.iter().filter(|s| s.name.is_none());
        let mut refused = None;
        for candidate in spelled.into_iter().chain(computed) {
            match seal(candidate) {
                Ok(sealed) => return Ok(sealed),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(match refused {
            Some(error) => SignalError::Payload {
                workflow: self.name,
                signal: name.to_owned(),
                error,
            },
            None => SignalError::UnknownName {
                workflow: self.name,
                signal: name.to_owned(),
                known: self
                    .signals
                    .iter()
                    .filter_map(|s| s.name)
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
            },
        })
    }
}
