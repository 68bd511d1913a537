//! One attempt of an activity.

use std::time::Duration;

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

/// What became of the task that ran an attempt: a panic, also one while it was dropped, is a
/// failure like any other. `None` where nobody waits for it any more.
pub(crate) fn outcome(
    name: &str,
    joined: Result<Result<Sealed, Failure>, JoinError>,
) -> Option<Result<Sealed, Failure>> {
    match joined {
        Ok(result) => Some(result),
        Err(error) if error.is_panic() => {
            let message = panic_text::of(error.into_panic());
            let text = format!("activity `{name}` panicked: {message}");
            Some(Err(shortened(Failure::new(FailureKind::Panicked, text))))
        }
        Err(_) => None,
    }
}

fn shortened(mut failure: Failure) -> Failure {
    if failure.message.len() > FAILURE_TEXT_BYTES_MAX {
        let end = failure.message.floor_char_boundary(FAILURE_TEXT_BYTES_MAX);
        failure.message.truncate(end);
        failure.message.push('…');
    }
    failure
}
