//! Waiting for a signal.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{IntoFuture, Ready, ready};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::__private::awaited_as_written;
use crate::codec::{CodecError, Persist};
use crate::contract::{
    Arrived, Awaits, Definition, Durable, Operation, Outcome, Request, SignalNames,
    SingleOperation, sealed,
};
use crate::error::WorkflowError;
use crate::failure::{Failure, FailureKind};

/// A wait for a signal: what [`Context::wait_for_signal`](crate::Context::wait_for_signal) gives.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "a wait does nothing unless it is awaited"]
pub struct WaitForSignal<T> {
    pub(crate) name: String,
    pub(crate) timeout: Option<Duration>,
    #[serde(skip)]
    pub(crate) plain: PlainSignals,
    #[serde(skip)]
    pub(crate) payload: PhantomData<fn() -> T>,
}

impl<T> sealed::Sealed for WaitForSignal<T> {}

impl<T: Persist> Durable for WaitForSignal<T> {
    type Output = Result<T, WorkflowError>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::one(Operation::Signal {
            name: self.name,
            timeout: self.timeout,
        }))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        match arrived.next()? {
            Outcome::Completed(payload) => Ok(Ok(payload.open()?)),
            Outcome::Failed(failure) => Ok(Err(failure.into())),
            Outcome::Fired => unreachable!("a wait that timed out has failed"),
        }
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        let name = signals.take();
        definition.signal::<T>(name);
        Awaits::Signal(name)
    }
}

impl<T: Persist> SingleOperation for WaitForSignal<T> {}

/// The signals of a function that runs as written, without an engine: values, for they are not
/// saved. So what waits for one asks nothing of its type, and rustc says once, where it is awaited
/// in the machine, that it cannot be kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlainSignals(Arc<Mutex<BTreeMap<String, Queue>>>);

type Queue = VecDeque<Box<dyn Any + Send>>;

impl PlainSignals {
    pub(crate) fn push(&self, name: &str, payload: Box<dyn Any + Send>) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues
            .entry(name.to_owned())
            .or_default()
            .push_back(payload);
    }

    fn pop<T: 'static>(&self, name: &str) -> Option<T> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = queues.get_mut(name)?.pop_front()?;
        payload.downcast().ok().map(|payload| *payload)
    }
}

impl<T: 'static> IntoFuture for WaitForSignal<T> {
    type Output = Result<T, WorkflowError>;
    type IntoFuture = Ready<Self::Output>;

    /// In the function as written, run without an engine, a signal is there or the wait has timed
    /// out.
    fn into_future(self) -> Self::IntoFuture {
        awaited_as_written();
        ready(match self.plain.pop(&self.name) {
            Some(payload) => Ok(payload),
            None => Err(timed_out(&self.name, self.timeout).into()),
        })
    }
}

/// The failure of a wait whose time is over.
pub(crate) fn timed_out(name: &str, timeout: Option<Duration>) -> Failure {
    let within = timeout.map_or_else(String::new, |timeout| format!(" within {timeout:?}"));
    Failure::new(
        FailureKind::TimedOut,
        format!("no signal `{name}` came{within}"),
    )
}

impl<T> fmt::Debug for WaitForSignal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForSignal")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
