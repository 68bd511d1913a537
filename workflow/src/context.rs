//! What workflow code may ask of its run.

use std::hash::Hasher;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::contract::{Facts, Run};
use crate::signal::{PlainSignals, WaitForSignal};
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
    plain: PlainSignals,
}

impl Context {
    pub(crate) fn new(facts: &Facts, run: &Run) -> Self {
        Self {
            facts: facts.clone(),
            seed: run.seed,
            drawn: (run.next_op, 0),
            plain: PlainSignals::default(),
        }
    }

    pub(crate) fn describing() -> Self {
        Self::plain()
    }

    /// For generated code and its tests: the context of a function that runs as written, without
    /// an engine.
    #[doc(hidden)]
    #[must_use]
    pub fn plain() -> Self {
        Self {
            facts: Facts {
                workflow_id: "plain".to_owned(),
                run_id: "plain".to_owned(),
                now: UNIX_EPOCH,
            },
            seed: 0,
            drawn: (0, 0),
            plain: PlainSignals::default(),
        }
    }

    /// A signal for a function that runs as written.
    #[doc(hidden)]
    pub fn plain_signal<T: Send + 'static>(&mut self, name: &str, payload: T) {
        self.plain.push(name, Box::new(payload));
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
            plain: self.plain.clone(),
            payload: PhantomData,
        }
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
