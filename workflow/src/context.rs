//! What workflow code may ask of its run.

use std::cell::RefCell;
use std::hash::Hasher;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::codec::CodecError;
use crate::contract::{Asked, Facts, Operation, Request, Run, SingleOperation};
use crate::signal::{PlainSignals, WaitForSignal};
use crate::started::Started;
use crate::timer::Sleep;

/// What workflow code may ask of its run: the first parameter of a workflow, `ctx: &mut Context`.
///
/// Time, randomness and ids come from here: they are the same however often a step is taken again
/// after a crash. A `Context` is made anew for every step and never saved.
#[derive(Debug)]
pub struct Context {
    facts: Facts,
    seed: u64,
    /// The number of the operation that led here, and how many numbers this step has drawn.
    drawn: (u64, u64),
    begun: RefCell<Begun>,
    /// In a function that runs as written.
    plain: Option<Plain>,
}

/// What a step has begun and does not wait for.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The number of the next operation.
    pub(crate) next_op: u64,
    pub(crate) operations: Vec<(u64, Operation)>,
    /// Why one of them cannot be encoded.
    pub(crate) fault: Option<CodecError>,
}

impl Begun {
    fn nothing(next_op: u64) -> RefCell<Self> {
        RefCell::new(Self {
            next_op,
            operations: Vec::new(),
            fault: None,
        })
    }
}

/// How many functions run as written.
static PLAIN: AtomicUsize = AtomicUsize::new(0);

/// What the context of a function has that runs as written.
#[derive(Debug)]
struct Plain(PlainSignals);

impl Plain {
    fn new() -> Self {
        PLAIN.fetch_add(1, Ordering::Relaxed);
        Self(PlainSignals::default())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        PLAIN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Context {
    pub(crate) fn new(facts: &Facts, run: &Run) -> Self {
        Self {
            facts: facts.clone(),
            seed: run.seed,
            drawn: (run.next_op, 0),
            begun: Begun::nothing(run.next_op),
            plain: None,
        }
    }

    pub(crate) fn describing() -> Self {
        Self::bare(None)
    }

    fn bare(plain: Option<Plain>) -> Self {
        Self {
            facts: Facts {
                workflow_id: "plain".to_owned(),
                run_id: "plain".to_owned(),
                now: UNIX_EPOCH,
            },
            seed: 0,
            drawn: (0, 0),
            begun: Begun::nothing(0),
            plain,
        }
    }

    /// The context of a workflow that runs inline in a function that runs as written: it gets the
    /// same signals.
    pub(crate) fn of_inline(&self) -> Option<Self> {
        let Plain(signals) = self.plain.as_ref()?;
        let mut plain = Plain::new();
        plain.0 = signals.clone();
        Some(Self::bare(Some(plain)))
    }

    /// Whether a function runs as written.
    pub(crate) fn is_plain() -> bool {
        PLAIN.load(Ordering::Relaxed) > 0
    }

    /// For generated code and its tests: the context of a function that runs as written, without
    /// an engine.
    #[doc(hidden)]
    #[must_use]
    pub fn plain() -> Self {
        Self::bare(Some(Plain::new()))
    }

    /// A signal for a function that runs as written.
    #[doc(hidden)]
    pub fn plain_signal<T: Send + 'static>(&mut self, name: &str, payload: T) {
        if let Some(Plain(signals)) = &self.plain {
            signals.push(name, Box::new(payload));
        }
    }

    /// A durable sleep: it goes on counting while the process is down.
    ///
    /// Awaiting it gives an error only when the run is asked to cancel meanwhile.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep { duration }
    }

    /// Waits for a signal of that name, at most that long; [`Duration::MAX`] is for ever.
    ///
    /// Signals are kept in order, also those that come before anyone waits. Awaiting it gives an
    /// error when the time is over or the run is asked to cancel.
    pub fn wait_for_signal<T: 'static>(
        &self,
        name: impl Into<String>,
        timeout: Duration,
    ) -> WaitForSignal<T> {
        WaitForSignal {
            name: name.into(),
            timeout: (timeout != Duration::MAX).then_some(timeout),
            plain: self
                .plain
                .as_ref()
                .map(|plain| plain.0.clone())
                .unwrap_or_default(),
            payload: PhantomData,
        }
    }

    /// Begins an operation, which goes on beside this workflow; awaiting what is given here gives
    /// what awaiting the operation would.
    ///
    /// ```
    /// use workflow::prelude::*;
    ///
    /// #[activity]
    /// async fn bake(cake: String) -> Result<String, ActivityError> {
    ///     Ok(format!("a {cake}"))
    /// }
    ///
    /// #[workflow]
    /// async fn party(ctx: &mut Context) -> Result<String, WorkflowError> {
    ///     let cake = ctx.start(bake("chocolate cake".to_owned()));
    ///     let guests: u32 = ctx.wait_for_signal("guests", Duration::MAX).await?;
    ///     Ok(format!("{} for {guests}", cake.await?))
    /// }
    /// ```
    pub fn start<D: SingleOperation>(&self, operation: D) -> Started<D> {
        let mut begun = self.begun.borrow_mut();
        let op = begun.next_op;
        if self.plain.is_some() {
            return Started::new(op, Some(operation));
        }
        begun.next_op += 1;
        match operation.into_request().map(Request::into_single) {
            Ok(Some(Asked::New(operation))) => begun.operations.push((op, operation)),
            // It is under way already.
            Ok(Some(Asked::Begun(op) | Asked::Lent(op))) => return Started::new(op, None),
            Ok(None) => unreachable!("a single operation asks for one"),
            Err(error) => begun.fault = begun.fault.take().or(Some(error)),
        }
        Started::new(op, None)
    }

    /// What this step has begun, taken out.
    pub(crate) fn into_begun(self) -> Begun {
        self.begun.into_inner()
    }

    /// The time of the event that led to this step. It does not move between two awaits.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.facts.now
    }

    /// A random number, all 64 bits of it.
    #[must_use]
    pub fn random(&mut self) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.seed, self.drawn.0);
        hasher.write_u64(self.drawn.1);
        self.drawn.1 += 1;
        hasher.finish()
    }

    /// A random UUID (version 4).
    #[must_use]
    pub fn uuid(&mut self) -> Uuid {
        let random = (u128::from(self.random()) << 64) | u128::from(self.random());
        uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid()
    }

    /// The id that the run was started with.
    #[must_use]
    pub fn workflow_id(&self) -> &str {
        &self.facts.workflow_id
    }

    /// The run's own id, unique for ever.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.facts.run_id
    }
}
