//! The contract between generated code and engines.
//!
//! Generated code knows nothing of storage, tokio or a server; an engine ("provider") knows
//! nothing of users' types. Between the two stands this module, and nothing else. It is pure: no
//! clock, no I/O, no randomness of its own.
//!
//! - A [`Machine`] is one workflow, compiled: its [`Definition`] (static facts) and its step
//!   function.
//! - A [`Run`] is one execution as a value that can be saved: the [`Snapshot`] of its state, and
//!   of those of the workflows that run inline in it, the [`Operation`]s under way, its mailbox
//!   of signals, its next operation number.
//! - An [`Event`] is what happened. [`Run::absorb`] takes one in; it never runs user code.
//! - [`Run::step`] runs the code up to the next await, once, and gives back the [`Command`]s that
//!   it asks for. It is called while [`Run::is_ready`].
//!
//! # How to write a provider
//!
//! 1. Start: [`Run::start`] with the encoded arguments, then step while ready.
//! 2. On each event: `absorb`, then step while ready.
//! 3. Make the run durable, *then* carry out the commands in order. A command that was lost with
//!    its process is found again in [`Run::under_way`].
//! 4. A [`Fault`] from `step` says that the code at hand cannot go on with this run (it panicked,
//!    or the saved state has another shape). The run is then unchanged by that step: keep it, show
//!    the reason, and step it again when other code is there. Events it has absorbed stay in it.
//! 5. A payload from outside goes through [`Definition::accept_signal`] first, so that a wrong one
//!    is refused to its sender.
//! 6. A child is a run of its own, under [`ScheduledChild::workflow_id`]. Its end is an event of
//!    the parent's; when its operation is canceled, which the end of the parent does too, it is
//!    asked to cancel.
//!
//! ```
//! use workflow::contract::{Command, Event, Facts, Machine, Operation, Run};
//! use workflow::prelude::*;
//!
//! #[activity]
//! async fn double(n: u32) -> Result<u32, ActivityError> {
//!     Ok(n * 2)
//! }
//!
//! #[workflow]
//! async fn quadruple(n: u32) -> Result<u32, WorkflowError> {
//!     let twice = double(n).await?;
//!     Ok(double(twice).await?)
//! }
//!
//! let machine = Machine::of::<quadruple>().unwrap();
//! let facts = Facts { workflow_id: "a".into(), run_id: "b".into(), now: std::time::UNIX_EPOCH };
//! let mut run = Run::start(&machine, quadruple(5).into_arguments().unwrap(), 7).unwrap();
//! let commands = run.step(&machine, &facts).unwrap();
//! let [Command::Begin { op, operation: Operation::Activity(call) }] = &commands[..] else { panic!() };
//! assert_eq!(call.activity.name, "double");
//!
//! let output = workflow::codec::Sealed::seal(&10u32).unwrap();
//! run.absorb(Event::ActivityCompleted { op: *op, output });
//! let commands = run.step(&machine, &facts).unwrap();
//! assert_eq!(run.position(), "Double2");
//! # assert!(matches!(&commands[..], [Command::Begin { .. }]));
//! ```

mod awaits;
mod command;
mod definition;
mod durable;
mod event;
mod fault;
mod locate;
mod machine;
mod operation;
mod run;
mod saved_state;
mod signal;
mod stack;
mod step;

pub use awaits::{AwaitDefinition, Awaits};
pub use command::Command;
pub use definition::{
    ActivityDefinition, ChildDefinition, Definition, DefinitionError, FieldDefinition,
    StateDefinition, TypeDefinition,
};
pub use durable::{Arrived, Asked, Durable, Request, SignalNames, SingleOperation};
pub use event::Event;
pub use fault::Fault;
pub use machine::{Facts, Machine};
pub use operation::{
    ActivityName, Operation, Outcome, Pending, ScheduledActivity, ScheduledChild, Wait,
};
pub use run::{CancelRequest, Run, SavedField, Snapshot};
pub use saved_state::SavedState;
pub use signal::{SignalDefinition, SignalError};
pub use step::{AwaitPoint, Field, StateFacts, Step, Stepped, stated_field};

pub(crate) use durable::sealed;
