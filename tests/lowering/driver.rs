//! Runs a workflow as written and as a machine, and compares.

use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use workflow::codec::Sealed;
use workflow::contract::{
    Command, Event, Facts, Fault, Machine, Operation, Run, SavedState, ScheduledActivity,
};
use workflow::prelude::*;
use workflow::{Failure, FailureKind};

thread_local! {
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes that something happened.
pub fn note(what: impl Debug) {
    TRACE.with_borrow_mut(|trace| trace.push(format!("{what:?}")));
}

/// Like [`note`], as an expression.
pub fn noted<T: Debug>(value: T) -> T {
    note(&value);
    value
}

fn traced<T>(run: impl FnOnce() -> T) -> (Vec<String>, T) {
    TRACE.with_borrow_mut(Vec::clear);
    let result = run();
    (TRACE.with_borrow_mut(std::mem::take), result)
}

/// An activity: gives its argument back.
#[activity]
pub async fn give(n: i64) -> Result<i64, ActivityError> {
    note(("give", n));
    Ok(n)
}

/// An activity: adds.
#[activity]
pub async fn add(a: i64, b: i64) -> Result<i64, ActivityError> {
    note(("add", a, b));
    Ok(a + b)
}

/// An activity: fails when the number is negative.
#[activity]
pub async fn check(n: i64) -> Result<i64, ActivityError> {
    note(("check", n));
    if n < 0 {
        return Err(ActivityError::new(format!("{n} is negative")));
    }
    Ok(n)
}

/// An activity: whether the number is even.
#[activity]
pub async fn even(n: i64) -> Result<bool, ActivityError> {
    note(("even", n));
    Ok(n % 2 == 0)
}

/// An activity: half of an even number.
#[activity]
pub async fn half(n: i64) -> Result<Option<i64>, ActivityError> {
    note(("half", n));
    Ok((n % 2 == 0).then_some(n / 2))
}

/// An activity: greets.
#[activity]
pub async fn greet(name: &str) -> Result<String, ActivityError> {
    note(("greet", name));
    Ok(format!("hello {name}"))
}

/// An activity: all numbers below.
#[activity]
pub async fn list(n: i64) -> Result<Vec<i64>, ActivityError> {
    note(("list", n));
    Ok((0..n).collect())
}

/// A workflow: gives a sum, in a run of its own.
#[workflow]
pub async fn child_sum(n: i64) -> Result<i64, WorkflowError> {
    let mut sum = 0;
    for i in 0..2 {
        sum += add(n % 100, i).await?;
    }
    Ok(sum % 1000)
}

/// A workflow: gives a sum, in which its caller's signals count.
#[workflow]
pub async fn inline_sum(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
    let said = ctx
        .wait_for_signal::<i64>("s", Duration::from_secs(1))
        .await;
    let said = said.unwrap_or(1);
    if n % 5 == 0 {
        return Ok(said);
    }
    Ok((give(n % 100).await? + said) % 1000)
}

/// Polls a future whose parts are all ready.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut TaskContext::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("an activity of these tests waited"),
    }
}

/// How a run ended: its result as JSON, or the text of its error or panic.
type Ended = Result<serde_json::Value, String>;

/// Runs the function as written.
pub fn plain<T: serde::Serialize, E: workflow::IntoFailure>(
    future: impl Future<Output = Result<T, E>>,
) -> (Vec<String>, Ended) {
    // While there is one, workflows as written may be awaited.
    let _context = Context::plain();
    traced(|| match catch_unwind(AssertUnwindSafe(|| ready(future))) {
        Ok(Ok(output)) => Ok(serde_json::to_value(output).unwrap()),
        Ok(Err(error)) => Err(error.into_failure().message),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into()));
            Err(format!("panicked: {}", text.unwrap_or_default()))
        }
    })
}

/// The context of a function that runs as written, with signals that are there already.
pub fn context(signals: &[(&str, i64)]) -> Context {
    let mut context = Context::plain();
    for (name, payload) in signals {
        context.plain_signal(name, *payload);
    }
    context
}

/// Runs the machine, written and read again at every await.
pub fn compiled<W: Workflow>(
    call: workflow::WorkflowCall<W>,
    signals: &[(&str, i64)],
) -> (Vec<String>, Ended) {
    let machine = Machine::of::<W>().unwrap();
    traced(|| {
        let arguments = call.into_arguments().unwrap();
        let output = drive(&machine, arguments, signals, &|run| {
            view::<W>(&machine, run)
        });
        output
            .map(|output| json::<W>(&output))
            .map_err(|failure| failure.message)
    })
}

/// Runs a machine to its end. What it waits for is done when it waits for it, one after the other,
/// as in a function that runs as written.
fn drive(
    machine: &Machine,
    arguments: Vec<Sealed>,
    signals: &[(&str, i64)],
    look: &dyn Fn(&Run),
) -> Result<Sealed, Failure> {
    let facts = Facts {
        workflow_id: "plain".into(),
        run_id: "plain".into(),
        now: std::time::UNIX_EPOCH,
    };
    let mut run = Run::start(machine, arguments, 0).unwrap();
    for (name, payload) in signals {
        run.absorb(Event::SignalReceived {
            name: (*name).to_owned(),
            payload: Sealed::seal(payload).unwrap(),
        });
    }
    loop {
        run = read_again(&run);
        look(&run);
        let commands = match run.step(machine, &facts) {
            Ok(commands) => commands,
            Err(Fault::Panicked { message, .. }) => {
                let message = format!("panicked: {message}");
                return Err(Failure::new(FailureKind::Panicked, message));
            }
            Err(fault) => panic!("{fault}"),
        };
        match commands.into_iter().last() {
            Some(Command::Complete { output }) => return Ok(output),
            Some(Command::Fail { failure } | Command::Cancel { failure }) => return Err(failure),
            _ => {}
        }
        while !run.is_ready() {
            run = read_again(&run);
            let ops = run.wait.as_ref().unwrap().ops();
            let mut open = ops
                .iter()
                .filter_map(|op| run.under_way().find(|p| p.op == *op));
            let pending = open.next().unwrap().clone();
            let event = outcome(machine, pending.op, pending.operation);
            run.absorb(event);
        }
    }
}

fn json<W: Workflow>(output: &Sealed) -> serde_json::Value {
    let output: W::Output = output.open().unwrap();
    serde_json::to_value(output).unwrap()
}

fn read_again(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).unwrap()).unwrap()
}

/// The typed view of each state can be made, and printed, and read back.
fn view<W: Workflow>(machine: &Machine, run: &Run) {
    let saved = SavedState::new(machine, &run.frames).unwrap();
    let state: W::State = saved.read().unwrap();
    let json = serde_json::to_value(&state).unwrap();
    assert_eq!(json, saved.to_json().unwrap());
    assert!(format!("{state:?}").starts_with(&run.frames[0].name));
}

fn outcome(machine: &Machine, op: u64, operation: Operation) -> Event {
    let definition = machine.definition();
    match operation {
        Operation::Activity(ScheduledActivity {
            activity,
            arguments,
            ..
        }) => {
            let known = &definition.activities;
            let found = known.iter().find(|known| known.name == activity).unwrap();
            let context = ActivityContext::new("plain".into(), "plain".into(), op, 1);
            match ready((found.run)(arguments, context)) {
                Ok(output) => Event::ActivityCompleted { op, output },
                Err(error) => Event::ActivityFailed {
                    op,
                    failure: error.failure().clone(),
                },
            }
        }
        Operation::Child(child) => {
            let known = &definition.children;
            let found = known.iter().find(|known| known.name == child.workflow);
            let machine = (found.unwrap().machine)().unwrap();
            match drive(&machine, child.arguments, &[], &|_| {}) {
                Ok(output) => Event::ChildCompleted { op, output },
                Err(failure) => Event::ChildFailed { op, failure },
            }
        }
        Operation::Timer { .. } | Operation::Signal { .. } => Event::TimerFired { op },
    }
}

/// Checks that a workflow without a context does the same both ways, for each list of arguments.
#[macro_export]
macro_rules! same {
    ($workflow:ident; $(($($argument:expr),* $(,)?)),* $(,)?) => {$({
        let plain = $crate::driver::plain($workflow::plain($($argument),*));
        let compiled = $crate::driver::compiled($workflow($($argument),*), &[]);
        assert_eq!(plain, compiled);
    })*};
    ($workflow:ident with $signals:expr; $(($($argument:expr),* $(,)?)),* $(,)?) => {$({
        let mut context = $crate::driver::context(&$signals);
        let plain = $crate::driver::plain($workflow::plain(&mut context, $($argument),*));
        let compiled = $crate::driver::compiled($workflow($($argument),*), &$signals);
        assert_eq!(plain, compiled);
    })*};
}

/// Checks that a workflow does the same both ways, and what that is.
#[macro_export]
macro_rules! gives {
    ($workflow:ident with $signals:tt ($($argument:expr),*), $trace:expr, $result:expr) => {{
        $crate::same!($workflow with $signals; ($($argument),*));
        let (trace, result) = $crate::driver::compiled($workflow($($argument),*), &$signals);
        assert_eq!(trace.join(" "), $trace);
        assert_eq!(result, $result.map(|value| serde_json::to_value(value).unwrap()).map_err(|e: &str| e.to_owned()));
    }};
    ($workflow:ident($($argument:expr),*), $trace:expr, $result:expr) => {{
        $crate::same!($workflow; ($($argument),*));
        let (trace, result) = $crate::driver::compiled($workflow($($argument),*), &[]);
        assert_eq!(trace.join(" "), $trace);
        assert_eq!(result, $result.map(|value| serde_json::to_value(value).unwrap()).map_err(|e: &str| e.to_owned()));
    }};
}
