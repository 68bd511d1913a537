//! Drives a machine as a workflow of the SDK: its commands become Temporal's, and what Temporal
//! tells becomes its events.
//!
//! Temporal keeps a history, not a state, so after a restart the machine is run again from its
//! start, or from where the run was continued. Everything that it is given is the same then: the
//! events and their order, the time of the history, and a seed made of the run id.

use std::any::Any;
use std::cell::{Cell, Ref, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use temporalio_common::WorkflowDefinition;
use temporalio_common::data_converters::{PayloadConverter, RawValue};
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};
use temporalio_sdk::workflow_interceptors::WorkflowOutputValue;
use temporalio_sdk::workflows::{
    WorkflowDefinitionDescriptor, WorkflowError, WorkflowImplementation,
};
use temporalio_sdk::{
    ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowTermination,
};

use crate::codec;
use crate::contract::{Command, Event, Facts, Fault, Operation, Run};

use super::code::Code;
use super::operations::{Operations, Scene};
use super::standing::Standing;
use super::{continuation, failures, payloads, queries};

thread_local! {
    /// The SDK asks a type for the name of its workflow, and all hosts are of one type: this is the
    /// name of the one that is being registered on this thread.
    static REGISTERED: Cell<&'static str> = const { Cell::new("") };
}

/// What holds for all runs.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    /// After how long without a sign of its worker an attempt of an activity is lost.
    pub(super) heartbeat_timeout: Duration,
    /// How many bytes of payloads the server takes at once.
    pub(super) payload_bytes: usize,
}

/// A run of any workflow, as the SDK holds it.
pub(super) struct Host {
    code: Code,
    settings: Settings,
    /// Signals that have arrived and not been given to the run.
    inbox: VecDeque<(String, Vec<Payload>)>,
    /// The run, once it has begun.
    standing: Option<Rc<RefCell<Standing>>>,
    /// Is told why the code at hand cannot go on with it.
    on_fault: Rc<dyn Fn(&Fault)>,
}

impl Host {
    /// Registers the workflow of some code, by `register`. Why the code cannot go on with a run is
    /// told to `on_fault`, too: the server is told only of the first in a row.
    pub(super) fn register<T>(
        code: Code,
        settings: Settings,
        on_fault: impl Fn(&Fault) + Clone + Send + Sync + 'static,
        register: impl FnOnce(Box<dyn Fn() -> Self + Send + Sync>) -> T,
    ) -> T {
        REGISTERED.set(code.name());
        register(Box::new(move || Self {
            code: code.clone(),
            settings,
            inbox: VecDeque::new(),
            standing: None,
            on_fault: Rc::new(on_fault.clone()),
        }))
    }

    /// The code that the run is of.
    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    /// Where the run stands; nothing before its first step.
    pub(super) fn standing(&self) -> Option<Ref<'_, Standing>> {
        self.standing.as_ref().map(|standing| standing.borrow())
    }
}

/// What drives one run.
struct Driver {
    ctx: WorkflowContext<Host>,
    code: Code,
    settings: Settings,
    facts: Facts,
    standing: Rc<RefCell<Standing>>,
    operations: Operations,
    /// Whether the run knows that it is asked to cancel.
    is_cancelled: bool,
    /// Whether something has happened to the run since it began or was continued.
    has_advanced: bool,
    /// Whether somebody was warned that the run is not continued.
    has_warned: bool,
}

/// Why a driver is done.
enum Stop {
    /// The run has ended, or is continued.
    Ended(Result<RawValue, WorkflowTermination>),
    /// The code at hand cannot go on with it.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<WorkflowTermination> for Stop {
    fn from(termination: WorkflowTermination) -> Self {
        Self::Ended(Err(termination))
    }
}

async fn drive(
    ctx: WorkflowContext<Host>,
    input: Vec<Payload>,
) -> Result<RawValue, WorkflowTermination> {
    let stop = match Driver::begin(ctx.clone(), &input) {
        Ok(driver) => driver.go_on().await,
        Err(fault) => Stop::Fault(fault),
    };
    match stop {
        Stop::Ended(result) => result,
        Stop::Fault(fault) => {
            ctx.state(|host| (host.on_fault)(&fault));
            // The task fails and is tried again, the run stays as it is.
            ctx.force_task_fail(fault);
            std::future::pending().await
        }
    }
}

impl Driver {
    fn begin(ctx: WorkflowContext<Host>, input: &[Payload]) -> Result<Self, Fault> {
        let (code, settings) = ctx.state(|host| (host.code.clone(), host.settings));
        let info = ctx.info();
        // All runs of a chain are one to the workflow: that of the first.
        let run_id = info.first_execution_run_id().to_owned();
        let definition = code.machine().definition();
        let unreadable = |error| Fault::Codec {
            state: "Start".to_owned(),
            what: "the input".to_owned(),
            error,
        };
        let standing = match continuation::standing(input) {
            Some(standing) => standing.map_err(unreadable)?,
            None => {
                let arguments = payloads::decode_all(input, &definition.parameters());
                let seed = codec::hash_text(&run_id);
                Standing {
                    run: Run::start(code.machine(), arguments.map_err(unreadable)?, seed)?,
                    since: BTreeMap::new(),
                }
            }
        };
        let standing = Rc::new(RefCell::new(standing));
        ctx.state_mut(|host| host.standing = Some(standing.clone()));
        let mut driver = Self {
            facts: Facts {
                workflow_id: info.workflow_id().to_owned(),
                run_id,
                now: UNIX_EPOCH,
            },
            ctx,
            code,
            settings,
            standing,
            operations: Operations::default(),
            is_cancelled: false,
            has_advanced: false,
            has_warned: false,
        };
        // What the run before had asked for when it was continued, and its timers.
        let asked = {
            let standing = driver.standing.borrow();
            let under_way = standing.run.under_way();
            let asked = under_way.map(|pending| (pending.op, pending.operation.clone()));
            asked.collect()
        };
        driver.send(asked)?;
        Ok(driver)
    }

    async fn go_on(mut self) -> Stop {
        loop {
            if let Err(stop) = self.advance() {
                return stop;
            }
            if let Err(fault) = self.wait().await {
                return Stop::Fault(fault);
            }
            self.has_advanced = true;
        }
    }

    /// Gives the run what has arrived, one after another, lets it take its steps, and sends what
    /// they ask for.
    fn advance(&mut self) -> Result<(), Stop> {
        let mut asked = Vec::new();
        loop {
            self.step_while_ready(&mut asked)?;
            let Some(event) = self.next_arrived() else {
                break;
            };
            let commands = self.standing.borrow_mut().run.absorb(event);
            self.carry_out(commands, &mut asked)?;
        }
        // What was asked for just now travels with the run, and so do timers.
        if self.has_advanced && self.ctx.continue_as_new_suggested() {
            match self.input_of_next() {
                Ok(input) => return Err(self.continue_as_new(input)),
                Err(reason) => self.warn_of(&reason),
            }
        }
        Ok(self.send(asked)?)
    }

    /// The run as the input of the run that continues it, or what keeps it from being continued.
    fn input_of_next(&self) -> Result<RawValue, String> {
        if let Some(op) = self.operations.immovable() {
            return Err(format!(
                "operation {op}, an activity or a child, is under way"
            ));
        }
        let input = continuation::input(&self.standing.borrow(), self.settings.payload_bytes);
        input.map_err(|error| format!("its state cannot be sent: {error}"))
    }

    /// Warns of what keeps the run from being continued, once.
    fn warn_of(&mut self, reason: &str) {
        if !self.has_warned && !self.ctx.is_replaying() {
            tracing::warn!(
                workflow_id = self.facts.workflow_id,
                reason,
                "the server suggests to continue a run as new, and something keeps it from that: its history grows meanwhile"
            );
        }
        self.has_warned = true;
    }

    fn step_while_ready(&mut self, asked: &mut Vec<(u64, Operation)>) -> Result<(), Stop> {
        while self.standing.borrow().run.is_ready() {
            self.facts.now = self.ctx.workflow_time().unwrap_or(UNIX_EPOCH);
            let commands = {
                let run = &mut self.standing.borrow_mut().run;
                run.step(self.code.machine(), &self.facts)?
            };
            self.carry_out(commands, asked)?;
        }
        Ok(())
    }

    /// Carries out what ends something; what is to begin is only noted.
    fn carry_out(
        &mut self,
        commands: Vec<Command>,
        asked: &mut Vec<(u64, Operation)>,
    ) -> Result<(), Stop> {
        for command in commands {
            match command {
                Command::Begin { op, operation } => asked.push((op, operation)),
                Command::CancelOperation { op, .. } => {
                    asked.retain(|(asked, _)| *asked != op);
                    self.operations.cancel(op);
                }
                Command::Complete { output } => {
                    let definition = self.code.machine().definition();
                    let output = payloads::encode(&output, &definition.output);
                    let bytes_max = self.settings.payload_bytes;
                    let output = output.and_then(|it| payloads::sendable(vec![it], bytes_max));
                    let output = output.map_err(|error| Fault::Codec {
                        state: self.standing.borrow().run.position(),
                        what: "the result".to_owned(),
                        error,
                    })?;
                    return Err(Stop::Ended(Ok(output)));
                }
                Command::Fail { failure } => {
                    return Err(WorkflowTermination::from(failures::sent(&failure)).into());
                }
                Command::Cancel { failure } => {
                    let details = failures::details(&failure);
                    return Err(WorkflowTermination::cancelled_with_details(details).into());
                }
            }
        }
        Ok(())
    }

    /// What has arrived and the run does not know of yet: a signal, or else a cancellation.
    fn next_arrived(&mut self) -> Option<Event> {
        let definition = self.code.machine().definition();
        while self.has_signals() {
            let (name, payloads) = self.ctx.state_mut(|host| host.inbox.pop_front())?;
            let payload = definition
                .accept_signal_as(&name, |signal| payloads::decode_one(&payloads, &signal.ty));
            match payload {
                Ok(payload) => return Some(Event::SignalReceived { name, payload }),
                // Our own executor refuses it to its sender; from elsewhere it can only be left.
                Err(error) => tracing::warn!(
                    workflow_id = self.facts.workflow_id,
                    %error,
                    "a signal is ignored"
                ),
            }
        }
        self.has_new_cancellation().then(|| {
            self.is_cancelled = true;
            Event::CancelRequested
        })
    }

    fn has_signals(&self) -> bool {
        self.ctx.state(|host| !host.inbox.is_empty())
    }

    fn has_new_cancellation(&self) -> bool {
        !self.is_cancelled && self.ctx.cancellation_token().is_cancelled()
    }

    /// Waits for something to happen to the run; the end of an operation is taken in.
    async fn wait(&mut self) -> Result<(), Fault> {
        // Signals first, then a cancellation, then operations by number: the same in every replay.
        let ended = poll_fn(|context| {
            if self.has_signals() || self.has_new_cancellation() {
                return Poll::Ready(None);
            }
            self.operations.poll_ended(context).map(Some)
        });
        if let Some(event) = ended.await {
            self.standing.borrow_mut().run.absorb(event?);
        }
        Ok(())
    }

    fn send(&mut self, asked: Vec<(u64, Operation)>) -> Result<(), Fault> {
        let scene = Scene {
            ctx: &self.ctx,
            code: &self.code,
            facts: &self.facts,
            settings: self.settings,
            state: self.standing.borrow().run.position(),
        };
        let now = self.ctx.workflow_time().unwrap_or(UNIX_EPOCH);
        let Standing { run, since } = &mut *self.standing.borrow_mut();
        since.retain(|op, _| run.pending(*op).is_some());
        for (op, operation) in asked {
            let since = since.entry(op).or_insert(now);
            let passed = now.duration_since(*since).unwrap_or_default();
            self.operations.begin(&scene, op, operation, passed)?;
        }
        Ok(())
    }

    fn continue_as_new(&self, input: RawValue) -> Stop {
        let continued = self
            .ctx
            .continue_as_new(input, ContinueAsNewOptions::default());
        match continued {
            Err(termination) => termination.into(),
            Ok(never) => match never {},
        }
    }
}

/// The types of every workflow: payloads as they are.
pub(super) struct Payloaded;

impl WorkflowDefinition for Payloaded {
    type Input = RawValue;
    type Output = RawValue;

    fn name(&self) -> &str {
        REGISTERED.get()
    }
}

type Local<T> = Pin<Box<dyn Future<Output = T>>>;
type Output = Box<dyn WorkflowOutputValue>;

impl WorkflowImplementation for Host {
    type Run = Payloaded;

    const HAS_INIT: bool = false;
    const INIT_TAKES_INPUT: bool = false;

    fn name() -> &'static str {
        REGISTERED.get()
    }

    fn definition() -> WorkflowDefinitionDescriptor {
        WorkflowDefinitionDescriptor {
            workflow_type: REGISTERED.get().to_owned(),
            has_init: false,
            init_takes_input: false,
            signals: Vec::new(),
            queries: queries::NAMES.iter().map(|&name| name.to_owned()).collect(),
            updates: Vec::new(),
        }
    }

    fn init(_: WorkflowContextView, _: Option<RawValue>) -> Self {
        unreachable!("a host is made by the factory that it is registered with")
    }

    fn run(
        ctx: WorkflowContext<Self>,
        input: Option<RawValue>,
    ) -> Local<Result<Output, WorkflowTermination>> {
        let input = input.unwrap_or_default().payloads;
        Box::pin(async move { Ok(Box::new(drive(ctx, input).await?) as Output) })
    }

    fn decode_signal_input(
        _: &str,
        payloads: Payloads,
        _: &PayloadConverter,
    ) -> Result<Option<Box<dyn Any>>, WorkflowError> {
        Ok(Some(Box::new(payloads.payloads)))
    }

    fn dispatch_signal(
        ctx: WorkflowContext<Self>,
        name: &str,
        input: Box<dyn Any>,
    ) -> Local<Result<(), WorkflowError>> {
        let payloads = *input.downcast().expect("`decode_signal_input` made it");
        ctx.state_mut(|host| host.inbox.push_back((name.to_owned(), payloads)));
        Box::pin(ready(Ok(())))
    }

    fn decode_query_input(
        _: &str,
        _: &Payloads,
        _: &PayloadConverter,
    ) -> Result<Option<Box<dyn Any>>, WorkflowError> {
        Ok(Some(Box::new(())))
    }

    fn dispatch_query(
        &self,
        _: WorkflowContextView,
        name: &str,
        _: Box<dyn Any>,
    ) -> Result<Output, WorkflowError> {
        let answer =
            queries::answer(self, name).map_err(|error| WorkflowError::Execution(error.into()))?;
        Ok(Box::new(RawValue::new(vec![answer])))
    }

    fn dispatch_update(
        _: WorkflowContext<Self>,
        name: &str,
        _: Box<dyn Any>,
    ) -> Local<Result<Output, WorkflowError>> {
        Box::pin(ready(Err(no_update(name))))
    }

    fn validate_update(
        &self,
        _: WorkflowContextView,
        name: &str,
        _: Box<dyn Any>,
    ) -> Result<(), WorkflowError> {
        Err(no_update(name))
    }
}

fn no_update(name: &str) -> WorkflowError {
    WorkflowError::Execution(format!("there is no update `{name}`: send a signal").into())
}
