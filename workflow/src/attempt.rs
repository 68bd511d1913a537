//! One attempt of an activity.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

#[cfg(feature = "temporal")]
use tokio::task::JoinError;

use crate::activity::ActivityContext;
use crate::codec::Sealed;
use crate::contract::ActivityDefinition;
use crate::failure::{Failure, FailureKind};
use crate::panic_text;

/// The longest text of a failure that is kept.
const FAILURE_TEXT_BYTES_MAX: usize = 64 << 10;

/// Runs one attempt of an activity, for at most `limit`.
pub(crate) async fn run(
    definition: ActivityDefinition,
    arguments: Vec<Sealed>,
    context: ActivityContext,
    limit: Option<Duration>,
) -> Result<Sealed, Failure> {
    let body = (definition.run)(arguments, context);
    let returned = match limit {
        None => body.await,
        Some(limit) => match tokio::time::timeout(limit, body).await {
            Ok(returned) => returned,
            Err(_) => {
                return Err(Failure::new(
                    FailureKind::TimedOut,
                    format!(
                        "an attempt of activity `{}` took longer than {limit:?}",
                        definition.name.name
                    ),
                ));
            }
        },
    };
    returned.map_err(|error| shortened(error.into()))
}

/// Makes an attempt; a panic in it is a failure like any other.
pub(crate) async fn unless_panicked(
    name: &str,
    attempt: impl Future<Output = Result<Sealed, Failure>>,
) -> Result<Sealed, Failure> {
    let mut attempt = pin!(attempt);
    std::future::poll_fn(|context| {
        let poll = || attempt.as_mut().poll(context);
        catch_unwind(AssertUnwindSafe(poll))
            .unwrap_or_else(|panic| Poll::Ready(Err(panicked(name, panic))))
    })
    .await
}

/// What became of the task that ran an attempt: a panic, also one while it was dropped, is a
/// failure like any other. `None` where nobody waits for it any more.
#[cfg(feature = "temporal")]
pub(crate) fn outcome(
    name: &str,
    joined: Result<Result<Sealed, Failure>, JoinError>,
) -> Option<Result<Sealed, Failure>> {
    match joined {
        Ok(result) => Some(result),
        Err(error) if error.is_panic() => Some(Err(panicked(name, error.into_panic()))),
        Err(_) => None,
    }
}

fn panicked(name: &str, panic: Box<dyn Any + Send>) -> Failure {
    let message = panic_text::of(panic);
    let text = format!("activity `{name}` panicked: {message}");
    shortened(Failure::new(FailureKind::Panicked, text))
}

fn shortened(mut failure: Failure) -> Failure {
    if failure.message.len() > FAILURE_TEXT_BYTES_MAX {
        let end = failure.message.floor_char_boundary(FAILURE_TEXT_BYTES_MAX);
        failure.message.truncate(end);
        failure.message.push('…');
    }
    failure
}
