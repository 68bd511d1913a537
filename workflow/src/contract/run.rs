//! One execution of a workflow, as a value that can be saved.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::codec::{CodecError, Sealed};
use crate::context::{Begun, Context};
use crate::failure::{Failure, FailureKind};
use crate::signal;

use super::stack::{self, Reached};
use super::{
    Arrived, Asked, Command, Event, Facts, Fault, Machine, Operation, Outcome, Pending, Request,
    Wait,
};

/// Where a workflow stands: a value of its state enum, encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The durable name of the workflow.
    pub workflow: String,
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

/// One execution of a workflow, as a value that can be saved.
///
/// See the [module](super) for how an engine drives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Where it stands: the workflow itself, and above it those that run inline, each called by
    /// the one before.
    pub frames: Vec<Snapshot>,
    /// The operations that it has begun and not yet taken the outcomes of, by their numbers.
    pub pending: Vec<Pending>,
    /// Which of them it waits for; `None` before the first step and after the last.
    pub wait: Option<Wait>,
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
        Ok(Self {
            frames: vec![machine.definition().start(arguments)?],
            pending: Vec::new(),
            wait: None,
            mailbox: BTreeMap::new(),
            next_op: 1,
            seed,
            cancel: CancelRequest::None,
            ended: false,
        })
    }

    /// The names of the states that it stands at, from the workflow's own inward:
    /// `Review.Approval`.
    #[must_use]
    pub fn position(&self) -> String {
        let names: Vec<_> = self.frames.iter().map(|frame| &*frame.name).collect();
        names.join(".")
    }

    /// Takes in an event, without running user code. The commands are to be carried out once the
    /// run is durable, before those of the step that may follow.
    pub fn absorb(&mut self, event: Event) -> Vec<Command> {
        if self.ended {
            return Vec::new();
        }
        match event {
            Event::ActivityCompleted { op, output } | Event::ChildCompleted { op, output } => {
                self.resolve(op, Outcome::Completed(output));
            }
            Event::ActivityFailed { op, failure } | Event::ChildFailed { op, failure } => {
                self.resolve(op, Outcome::Failed(failure));
            }
            Event::TimerFired { op } => self.fire(op),
            Event::SignalReceived { name, payload } => {
                self.mailbox.entry(name).or_default().push_back(payload);
                self.deliver_signals();
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
        let has_ended = |op: &u64| self.pending(*op).is_some_and(|p| p.outcome.is_some());
        !self.ended
            && match &self.wait {
                None => true,
                Some(Wait::All(ops)) => ops.iter().all(has_ended),
                Some(Wait::Any(ops) | Wait::AnyLent { ops, .. }) => ops.iter().any(has_ended),
            }
    }

    /// The operations that are under way, whether the run waits for them now or later.
    pub fn under_way(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(|pending| self.is_open(pending))
    }

    /// Takes one step: runs the workflow's code up to the next await, or to its end. Workflows
    /// that run inline are called and left on the way.
    ///
    /// # Errors
    /// When the code at hand cannot go on with the run. The run is then as it was before.
    ///
    /// # Panics
    /// When the run is not [ready](Self::is_ready).
    pub fn step(&mut self, machine: &Machine, facts: &Facts) -> Result<Vec<Command>, Fault> {
        assert!(self.is_ready(), "a run takes a step only when it is ready");
        let mut ctx = Context::new(facts, self);
        let reached = stack::run(machine, &self.frames, self.arrived(), &mut ctx)?;
        let mut begun = ctx.into_begun();
        if let Some(error) = begun.fault.take() {
            return Err(self.codec_fault("the started call", error));
        }
        match reached {
            Reached::Failed(failure) => Ok(self.fail(failure)),
            Reached::Finished(output) => {
                let mut commands = self.close();
                commands.push(Command::Complete { output });
                Ok(commands)
            }
            Reached::Await {
                kept,
                above,
                request,
            } => {
                self.check_asked(&begun, &request)?;
                self.frames.truncate(kept);
                self.frames.extend(above);
                let mut commands = self.leave_wait();
                commands.extend(self.enter_wait(begun, request));
                Ok(commands)
            }
        }
    }

    /// The place of an operation among those that are kept: they are in the order of their numbers.
    fn place(&self, op: u64) -> Option<usize> {
        self.pending
            .binary_search_by_key(&op, |pending| pending.op)
            .ok()
    }

    /// An operation that it has begun and not yet taken the outcome of.
    #[must_use]
    pub fn pending(&self, op: u64) -> Option<&Pending> {
        self.place(op).map(|place| &self.pending[place])
    }

    /// What the wait that is over gives the code after it.
    fn arrived(&self) -> Arrived {
        let Some(wait) = &self.wait else {
            return Arrived::default();
        };
        let first = self.first_of(wait);
        let outcome = |op: &u64| {
            let pending = self.pending(*op)?;
            let is_taken = !wait.is_any() || first == Some(*op);
            pending.outcome.clone().filter(|_| is_taken)
        };
        Arrived::outcomes(wait.ops().iter().map(outcome).collect())
    }

    /// The operation that ended a wait for one of several. One that is only lent may have ended since.
    fn first_of(&self, wait: &Wait) -> Option<u64> {
        let has_ended = |op: &&u64| self.pending(**op).is_some_and(|p| p.outcome.is_some());
        let ended = wait.ops().iter().filter(has_ended);
        ended.min_by_key(|op| wait.lends(**op)).copied()
    }

    /// What was begun before and is awaited now must be there still.
    fn check_asked(&self, begun: &Begun, request: &Request) -> Result<(), Fault> {
        let (Request::All(asked) | Request::Any(asked)) = request else {
            return Ok(());
        };
        let lost = |asked: &&Asked| match asked {
            Asked::New(_) => false,
            Asked::Begun(op) | Asked::Lent(op) => {
                self.pending(*op).is_none() && begun.operations.iter().all(|(begun, _)| begun != op)
            }
        };
        match asked.iter().find(lost) {
            None => Ok(()),
            Some(_) => Err(self.codec_fault(
                "an operation that was started before",
                CodecError::Decode {
                    type_name: std::any::type_name::<Pending>(),
                    reason: "it was awaited already".to_owned(),
                },
            )),
        }
    }

    fn codec_fault(&self, what: &str, error: CodecError) -> Fault {
        Fault::Codec {
            state: self.position(),
            what: what.to_owned(),
            error,
        }
    }

    /// Forgets the operations that were waited for. Of several of which one was wanted, the others
    /// are canceled, but for those that were only lent.
    fn leave_wait(&mut self) -> Vec<Command> {
        let Some(wait) = self.wait.take() else {
            return Vec::new();
        };
        let first = self.first_of(&wait);
        let stays = |op: &u64| wait.lends(*op) && first != Some(*op);
        let ops: BTreeSet<u64> = wait.ops().iter().copied().filter(|op| !stays(op)).collect();
        let (left, pending) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| ops.contains(&pending.op));
        self.pending = pending;
        cancel_commands(left)
    }

    /// Begins what the code has asked for, and waits for it.
    fn enter_wait(&mut self, begun: Begun, request: Request) -> Vec<Command> {
        let first_new = self.next_op;
        self.next_op = begun.next_op;
        for (op, operation) in begun.operations {
            self.begin(op, operation);
        }
        let mut lent = Vec::new();
        let mut number = |asked: Vec<Asked>| -> Vec<u64> {
            let ops = asked.into_iter().map(|asked| match asked {
                Asked::Begun(op) => op,
                Asked::Lent(op) => {
                    lent.push(op);
                    op
                }
                Asked::New(operation) => {
                    let op = self.next_op;
                    self.next_op += 1;
                    self.begin(op, operation);
                    op
                }
            });
            ops.collect()
        };
        self.wait = Some(match request {
            Request::All(asked) => Wait::All(number(asked)),
            Request::Any(asked) => match number(asked) {
                ops if lent.is_empty() => Wait::Any(ops),
                ops => Wait::AnyLent { ops, lent },
            },
            Request::Inline { .. } => unreachable!("`stack::run` goes on in it"),
        });
        // A signal that is there already, or a cancel that had no await to interrupt, ends an
        // operation before it begins.
        self.deliver_signals();
        let mut commands = self.deliver_cancel();
        commands.retain(
            |command| !matches!(command, Command::CancelOperation { op, .. } if *op >= first_new),
        );
        let open: BTreeSet<u64> = self.under_way().map(|pending| pending.op).collect();
        // What is not wanted any more before it has begun never begins.
        self.pending
            .retain(|p| p.op < first_new || p.outcome.is_some() || open.contains(&p.op));
        let new = self
            .pending
            .iter()
            .filter(|p| p.op >= first_new && p.outcome.is_none());
        commands.extend(new.map(|pending| Command::Begin {
            op: pending.op,
            operation: pending.operation.clone(),
        }));
        commands
    }

    fn begin(&mut self, op: u64, operation: Operation) {
        self.pending.push(Pending {
            op,
            operation,
            outcome: None,
        });
    }

    /// Whether an operation can still end. Of several of which one is wanted, none can once one
    /// has, but for those that go on.
    fn is_open(&self, pending: &Pending) -> bool {
        let wait = self.wait.as_ref().filter(|wait| wait.is_any());
        let is_of_it = |wait: &Wait| wait.ops().contains(&pending.op) && !wait.lends(pending.op);
        let decided = wait.is_some_and(is_of_it) && self.is_ready();
        pending.outcome.is_none() && !decided
    }

    fn resolve(&mut self, op: u64, outcome: Outcome) {
        if let Some(index) = self.place(op)
            && self.is_open(&self.pending[index])
        {
            self.pending[index].outcome = Some(outcome);
        }
    }

    fn fire(&mut self, op: u64) {
        let outcome = match self.pending(op).map(|pending| &pending.operation) {
            Some(Operation::Timer { .. }) => Outcome::Fired,
            Some(Operation::Signal { name, timeout }) => {
                Outcome::Failed(signal::timed_out(name, *timeout))
            }
            Some(Operation::Activity(_) | Operation::Child(_)) | None => return,
        };
        self.resolve(op, outcome);
    }

    fn deliver_signals(&mut self) {
        for index in 0..self.pending.len() {
            let pending = &self.pending[index];
            let Operation::Signal { name, .. } = &pending.operation else {
                continue;
            };
            if !self.is_open(pending) {
                continue;
            }
            let Some(queue) = self.mailbox.get_mut(name) else {
                continue;
            };
            let payload = queue.pop_front();
            if queue.is_empty() {
                self.mailbox.remove(name);
            }
            self.pending[index].outcome = payload.map(Outcome::Completed);
        }
    }

    fn deliver_cancel(&mut self) -> Vec<Command> {
        if self.cancel != CancelRequest::Requested || self.is_ready() {
            return Vec::new();
        }
        let Some(wait) = self.wait.clone() else {
            return Vec::new();
        };
        self.cancel = CancelRequest::Delivered;
        let mut canceled = Vec::new();
        for op in wait.ops() {
            let open = self.place(*op);
            let Some(index) = open.filter(|&index| self.is_open(&self.pending[index])) else {
                continue;
            };
            canceled.push(self.pending[index].clone());
            self.pending[index].outcome = Some(Outcome::Failed(Failure::canceled()));
            // Of several of which one is wanted, the first is the one.
            if wait.is_any() {
                break;
            }
        }
        cancel_commands(canceled)
    }

    fn fail(&mut self, failure: Failure) -> Vec<Command> {
        let mut commands = self.close();
        let canceled = self.cancel != CancelRequest::None && failure.kind == FailureKind::Canceled;
        commands.push(if canceled {
            Command::Cancel { failure }
        } else {
            Command::Fail { failure }
        });
        commands
    }

    /// Ends the run, also from outside. What only a run in flight needs is dropped, and what is
    /// under way is canceled.
    pub fn close(&mut self) -> Vec<Command> {
        self.ended = true;
        self.wait = None;
        self.mailbox.clear();
        self.frames.truncate(1);
        for frame in &mut self.frames {
            frame.fields.clear();
        }
        cancel_commands(std::mem::take(&mut self.pending))
    }
}

/// Cancels those that have not ended.
fn cancel_commands(pending: Vec<Pending>) -> Vec<Command> {
    let open = pending.into_iter().filter(|p| p.outcome.is_none());
    open.map(|pending| Command::CancelOperation {
        op: pending.op,
        operation: pending.operation,
    })
    .collect()
}
