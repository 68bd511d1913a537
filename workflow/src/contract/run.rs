//! One execution of a workflow, as a value that can be saved.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::codec::Sealed;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::signal;

use super::step::{End, Step};
use super::{Command, Event, Facts, Fault, Machine, Operation, Outcome};

/// Where a run stands: a value of the state enum, encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The variant's name.
    pub name: String,
    /// The name without its number.
    pub base: String,
    /// A hash of the base name and of the fields' names and shapes.
    pub shape: u64,
    /// A hash of the awaiting statement's tokens and of the branches around it.
    pub fingerprint: u64,
    /// A hash of the branches around it and of the names of the awaits before and after it.
    pub surroundings: u64,
    /// The locals that live across the await, in the order of the variant.
    pub fields: Vec<SavedField>,
}

/// One saved local.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Sealed,
}

/// An operation that a run awaits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its number, unique in the run.
    pub op: u64,
    /// What it is.
    pub operation: Operation,
    /// How it ended, once it has; the next step takes it.
    pub outcome: Option<Outcome>,
}

/// One execution of a workflow, as a value that can be saved.
///
/// See the [module](super) for how an engine drives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Where it stands.
    pub state: Snapshot,
    /// What it awaits; `None` before the first step and after the last.
    pub awaiting: Option<Pending>,
    /// Signals that nobody has waited for yet, by name, in the order of arrival.
    pub mailbox: BTreeMap<String, VecDeque<Sealed>>,
    /// The number of the next operation.
    pub next_op: u64,
    /// What the run's random numbers are made from.
    pub seed: u64,
    /// Whether it was asked to cancel.
    pub cancel: CancelRequest,
    /// Whether it has ended.
    pub ended: bool,
}

/// How far a request to cancel has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelRequest {
    /// Nobody asked.
    #[default]
    None,
    /// Asked; no await was interrupted yet.
    Requested,
    /// An await was interrupted; later awaits work, so that the workflow can clean up.
    Delivered,
}

impl Run {
    /// A run that has not taken its first step. The seed is any number of the provider's, fixed
    /// for the run.
    ///
    /// # Errors
    /// When the arguments are not those of the workflow's parameters.
    pub fn start(machine: &Machine, arguments: Vec<Sealed>, seed: u64) -> Result<Self, Fault> {
        let start = &machine.definition().states[0];
        let snapshot = Snapshot {
            name: start.name.to_owned(),
            base: start.base.to_owned(),
            shape: start.shape,
            fingerprint: start.fingerprint,
            surroundings: start.surroundings,
            fields: start
                .fields
                .iter()
                .zip(&arguments)
                .map(|(field, argument)| SavedField {
                    name: field.name.to_owned(),
                    value: argument.clone(),
                })
                .collect(),
        };
        let fits = arguments.len() == start.fields.len()
            && start
                .fields
                .iter()
                .zip(&arguments)
                .all(|(field, argument)| field.ty.shape.hash == argument.shape);
        if !fits {
            return Err(Fault::ShapeChanged {
                state: start.name.to_owned(),
                difference: format!(
                    "{} arguments were given, and the workflow takes ({})",
                    arguments.len(),
                    start
                        .fields
                        .iter()
                        .map(|field| format!("{}: {}", field.name, field.ty.shape.text))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            });
        }
        Ok(Self {
            state: snapshot,
            awaiting: None,
            mailbox: BTreeMap::new(),
            next_op: 1,
            seed,
            cancel: CancelRequest::None,
            ended: false,
        })
    }

    /// Takes in an event, without running user code. The commands are to be carried out once the
    /// run is durable, before those of the step that may follow.
    pub fn absorb(&mut self, event: Event) -> Vec<Command> {
        if self.ended {
            return Vec::new();
        }
        match event {
            Event::ActivityCompleted { op, output } => {
                self.resolve(op, Outcome::Completed(output));
            }
            Event::ActivityFailed { op, failure } => self.resolve(op, Outcome::Failed(failure)),
            Event::TimerFired { op } => self.fire(op),
            Event::SignalReceived { name, payload } => {
                self.mailbox.entry(name).or_default().push_back(payload);
                self.deliver_signal();
            }
            Event::CancelRequested => {
                if self.cancel == CancelRequest::None {
                    self.cancel = CancelRequest::Requested;
                    return self.deliver_cancel();
                }
            }
        }
        Vec::new()
    }

    /// Whether the run can take a step.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.ended
            && self
                .awaiting
                .as_ref()
                .is_none_or(|pending| pending.outcome.is_some())
    }

    /// Takes one step: runs the workflow's code up to the next await, or to its end.
    ///
    /// # Errors
    /// When the code at hand cannot go on with the run. The run is then as it was before.
    ///
    /// # Panics
    /// When the run is not [ready](Self::is_ready).
    pub fn step(&mut self, machine: &Machine, facts: &Facts) -> Result<Vec<Command>, Fault> {
        assert!(self.is_ready(), "a run takes a step only when it is ready");
        let definition = machine.definition();
        let entry = definition.locate(&self.state)?;
        let outcome = self.awaiting.as_ref().and_then(|p| p.outcome.clone());
        let mut step = Step::run(definition, entry, &self.state, outcome);
        let mut ctx = Context::new(facts, self);
        let returned = machine
            .call(&mut step, &mut ctx)
            .map_err(|message| Fault::Panicked {
                state: self.state.name.clone(),
                message,
            })?;
        match (returned, step.end) {
            (_, Some(End::Fault(fault))) => Err(fault),
            (Err(failure), _) => Ok(vec![self.fail(failure)]),
            (Ok(_), Some(End::Finished(output))) => {
                self.close();
                Ok(vec![Command::Complete { output }])
            }
            (Ok(_), Some(End::Suspended { state, operation })) => {
                self.state = state;
                Ok(self.await_operation(operation))
            }
            (Ok(_), None) => unreachable!("a step ends at an await, at the end, or with a fault"),
        }
    }

    fn await_operation(&mut self, operation: Operation) -> Vec<Command> {
        let op = self.next_op;
        self.next_op += 1;
        self.awaiting = Some(Pending {
            op,
            operation: operation.clone(),
            outcome: None,
        });
        // A signal that is there already, or a cancel that had no await to interrupt, ends the
        // operation before it begins.
        self.deliver_signal();
        self.deliver_cancel();
        if self.is_ready() {
            return Vec::new();
        }
        vec![Command::Begin { op, operation }]
    }

    fn resolve(&mut self, op: u64, outcome: Outcome) {
        if let Some(pending) = &mut self.awaiting
            && pending.op == op
            && pending.outcome.is_none()
        {
            pending.outcome = Some(outcome);
        }
    }

    fn fire(&mut self, op: u64) {
        let outcome = match self.awaiting.as_ref().map(|pending| &pending.operation) {
            Some(Operation::Timer { .. }) => Outcome::Fired,
            Some(Operation::Signal { name, timeout }) => {
                Outcome::Failed(signal::timed_out(name, *timeout))
            }
            Some(Operation::Activity(_)) | None => return,
        };
        self.resolve(op, outcome);
    }

    fn deliver_signal(&mut self) {
        let Some(Pending {
            operation: Operation::Signal { name, .. },
            outcome: outcome @ None,
            ..
        }) = &mut self.awaiting
        else {
            return;
        };
        let Some(queue) = self.mailbox.get_mut(name) else {
            return;
        };
        *outcome = queue.pop_front().map(Outcome::Completed);
        if queue.is_empty() {
            self.mailbox.remove(name);
        }
    }

    fn deliver_cancel(&mut self) -> Vec<Command> {
        if self.cancel != CancelRequest::Requested {
            return Vec::new();
        }
        let Some(pending) = &mut self.awaiting else {
            return Vec::new();
        };
        if pending.outcome.is_some() {
            return Vec::new();
        }
        pending.outcome = Some(Outcome::Failed(Failure::new(
            FailureKind::Canceled,
            "the run was canceled",
        )));
        self.cancel = CancelRequest::Delivered;
        vec![Command::CancelOperation { op: pending.op }]
    }

    fn fail(&mut self, failure: Failure) -> Command {
        self.close();
        let canceled = self.cancel != CancelRequest::None && failure.kind == FailureKind::Canceled;
        if canceled {
            Command::Cancel { failure }
        } else {
            Command::Fail { failure }
        }
    }

    /// Ends the run, also from outside. What only a run in flight needs is dropped.
    pub fn close(&mut self) {
        self.ended = true;
        self.awaiting = None;
        self.mailbox.clear();
        self.state.fields.clear();
    }
}
