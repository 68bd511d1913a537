//! `#[workflow]` and `#[activity]`.
//!
//! An activity keeps its function and gets, under the same name, a type that engines run it by and
//! a function that makes a call of it. A workflow's function is compiled into a state machine with
//! one state per await; the module `workflow` names the stages.

mod activity;
mod code;
mod depth;
mod name;
mod output;
#[cfg(test)]
mod random;
mod reference;
mod report;
mod workflow;

use proc_macro::TokenStream;

/// A function with side effects, which workflows may call.
///
/// ```text
/// #[activity(timeout = "10m", retry(max_attempts = 3, initial_interval = "5s"))]
/// async fn research(topic: String) -> Result<String, ActivityError> { … }
/// ```
///
/// Options: `timeout` (of one attempt), `schedule_to_close` (of all attempts together), `retry`
/// with `max_attempts`, `initial_interval`, `backoff_coefficient` and `max_interval`, and `name`,
/// the durable name where it shall not be the function's. Parameters are owned, or `&str`, `&[T]`
/// and `&T`; a first parameter of type `ActivityContext` comes from the engine.
#[proc_macro_attribute]
pub fn activity(options: TokenStream, item: TokenStream) -> TokenStream {
    activity::expand(options.into(), item.into()).into()
}

/// An `async fn` that outlives its process: compiled to a state machine that is saved at every
/// `.await`.
///
/// ```text
/// #[workflow]
/// async fn research_workflow(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> {
///     let findings = research(topic).await?;
///     let approved = ctx.wait_for_signal::<bool>("approval", Duration::from_hours(24)).await?;
///     …
/// }
/// ```
///
/// Beside the call and the type of the function's name it emits the state enum:
///
/// ```text
/// pub enum ResearchWorkflowState {
///     Start { topic: String },
///     Research {},
///     Approval { findings: String },
/// }
/// ```
///
/// Options: `name`, the durable name where it shall not be the function's; `typed`, for a state enum
/// without fields of type `Saved`: a local whose type the macro cannot spell is an error then, which
/// says the type to annotate it with.
///
/// # What is refused
///
/// What would go another way when a step is taken again after a crash, as far as the source shows
/// it: clocks (WF0101, use `ctx.now()`), randomness (WF0102, `ctx.random()`), new ids (WF0103,
/// `ctx.uuid()`), threads and tasks (WF0104), files, environment and network (WF0105, use an
/// `#[activity]`), output (WF0106, use `tracing`), state that is not saved with the run, as in
/// statics and behind locks (WF0107), loops that neither await nor end (WF0108), and the order of
/// a `HashMap`'s items (WF0109). [`#[workflow::allow]`](macro@allow) on a statement lets it be.
/// `docs/determinism.md` says what of all this is seen where.
///
/// A reference to a place of the workflow's own is made again after an `.await`, and so is what a
/// pattern binds that looks into one, and the item of a loop over one: `let name = &order.name;`,
/// `match &decision { … }`, `for item in &items`. A `&'static str` is saved as the text that it is.
/// So is a closure over bindings that never change. Other references and closures, and whatever
/// else cannot be saved, must not live across an `.await`;
/// the error says how to write it instead.
///
/// # Calls of other workflows
///
/// `review(order).await?` starts a child: a run of its own, whose id is made of its parent's ids and
/// the operation's number. A failure of it is the await's error. When the parent is canceled there,
/// or ends while the child runs, the child is asked to cancel.
///
/// `review(ctx, order).await?` runs the other workflow inline, as a part of this run: its awaits are
/// this run's, and so are its signals; the state enum shows its state in a field of its name; its
/// error type is what it returns. An await of it alone cannot stand in `join!` or `select!`: what
/// awaits several times by itself and runs beside others is a child.
///
/// # Names of states
///
/// `Start` is the first. Every await is named after what it awaits: the function's name
/// (`research` → `Research`), a signal's name (`"approval"` → `Approval`), `Sleep`, the local that
/// a call was kept in, otherwise `Await`. Repeats are numbered in the order of the source:
/// `Research`, `Research2`. Where different things have one name, functions get the word of their
/// path before them that tells them apart (`left::fetch` → `LeftFetch`), and what is no function
/// gets its kind after it (`ApprovalSignal` beside an activity `approval`). What would be `Start`
/// or `Self` gets its kind too (`StartActivity`).
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    workflow::expand(options.into(), item.into()).into()
}

/// Lets a statement of a workflow be that may go another way when its step is taken again after a
/// crash.
///
/// ```text
/// #[workflow::allow(nondeterminism, reason = "it is only logged")]
/// let begun = Instant::now();
/// ```
///
/// The reason is for whoever reads the statement next. [`#[workflow]`](macro@workflow) takes the
/// attribute away; anywhere but on a statement of a workflow it is refused.
#[proc_macro_attribute]
pub fn allow(_options: TokenStream, item: TokenStream) -> TokenStream {
    workflow::allow_elsewhere(item.into()).into()
}
