//! Awaiting several operations until one has ended.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;
use crate::contract::{
    Arrived, Awaits, Definition, Durable, Request, SignalNames, SingleOperation, sealed,
};
use crate::join::asked;

/// Awaits several operations until one has ended, and goes on in its arm. The others are canceled:
/// an activity's attempt is dropped, a timer or a wait ends, a child is asked to cancel.
///
/// Where several have ended, as signals may that came before, the first in the order of the source
/// counts. The arms are the workflow's own code: they may await, return and break.
///
/// What [`ctx.start`](crate::Context::start) began goes on when another arm was first, if it is
/// only lent, by `&mut`. So a long activity is watched:
///
/// ```
/// use workflow::prelude::*;
///
/// #[activity(timeout = "6h")]
/// async fn research(topic: String) -> Result<String, ActivityError> {
///     Ok(format!("all about {topic}"))
/// }
///
/// #[activity]
/// async fn remind() -> Result<(), ActivityError> {
///     Ok(())
/// }
///
/// #[workflow]
/// async fn watched(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> {
///     let mut work = ctx.start(research(topic));
///     loop {
///         select! {
///             report = &mut work => return Ok(report?),
///             slept = ctx.sleep(Duration::from_hours(1)) => {
///                 slept?;
///                 remind().await?;
///             }
///         }
///     }
/// }
/// ```
///
/// ```
/// use workflow::prelude::*;
///
/// #[workflow]
/// async fn confirm(ctx: &mut Context) -> Result<bool, WorkflowError> {
///     select! {
///         answer = ctx.wait_for_signal::<bool>("answer", Duration::MAX) => answer,
///         slept = ctx.sleep(Duration::from_hours(24)) => {
///             slept?;
///             Ok(false)
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        ::std::compile_error!(
            "`select!` stands in a `#[workflow]`, with arms `pattern = operation => value,`"
        )
    };
}

/// Several operations, one of which is waited for: what [`select!`](crate::select!) awaits.
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a select does nothing unless it is awaited"]
pub struct Select<T>(T);

impl<T> Select<T> {
    /// For generated code: of a tuple of operations.
    #[doc(hidden)]
    pub fn new(operations: T) -> Self {
        Self(operations)
    }
}

impl<T> sealed::Sealed for Select<T> {}

/// For generated code: waits for the first operation of a function that runs as written.
#[doc(hidden)]
#[derive(Debug)]
pub struct First<F: Future, O> {
    future: Pin<Box<F>>,
    arm: fn(F::Output) -> O,
}

impl<F: Future, O> Future for First<F, O> {
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        self.future.as_mut().poll(cx).map(self.arm)
    }
}

macro_rules! selects {
    ($($name:ident ($($variant:ident $index:tt),+);)*) => {$(
        /// For generated code: what the one that ended gave.
        #[doc(hidden)]
        #[derive(Debug, Serialize, Deserialize)]
        pub enum $name<$($variant),+> {
            $(
                /// The one of that place.
                $variant($variant),
            )+
        }

        impl<$($variant: SingleOperation),+> Durable for Select<($($variant,)+)> {
            type Output = $name<$(<$variant as Durable>::Output),+>;

            fn into_request(self) -> Result<Request, CodecError> {
                Ok(Request::Any(asked([$(self.0.$index.into_request()),+])?))
            }

            fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
                match arrived.first()? {
                    $($index => Ok($name::$variant($variant::resolve(arrived)?)),)+
                    _ => unreachable!("an outcome is of one of the operations"),
                }
            }

            fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
                Awaits::Select(vec![$($variant::describe(signals, definition)),+])
            }
        }

        impl<$($variant: IntoFuture),+> IntoFuture for Select<($($variant,)+)> {
            type Output = $name<$($variant::Output),+>;
            type IntoFuture = First<A::IntoFuture, Self::Output>;

            /// In the function as written, run without an engine, the first is the one.
            fn into_future(self) -> Self::IntoFuture {
                First {
                    future: Box::pin(self.0.0.into_future()),
                    arm: $name::A,
                }
            }
        }
    )*};
}

selects! {
    Selected1 (A 0);
    Selected2 (A 0, B 1);
    Selected3 (A 0, B 1, C 2);
    Selected4 (A 0, B 1, C 2, D 3);
    Selected5 (A 0, B 1, C 2, D 3, E 4);
    Selected6 (A 0, B 1, C 2, D 3, E 4, F 5);
    Selected7 (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    Selected8 (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}
