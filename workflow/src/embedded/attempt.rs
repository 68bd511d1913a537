//! One attempt of an activity.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use crate::activity::ActivityContext;
use crate::codec::Sealed;
use crate::contract::{ActivityDefinition, ScheduledActivity, panic_message};
use crate::failure::{Failure, FailureKind};

/// Runs one attempt of an activity, for at most `limit`. A panic is a failure like any other.
pub(super) async fn run(
    definition: &ActivityDefinition,
    scheduled: ScheduledActivity,
    context: ActivityContext,
    limit: Option<Duration>,
) -> Result<Sealed, Failure> {
    let name = scheduled.activity.name;
    let body = async { (definition.run)(scheduled.arguments, context).await };
    let body = AssertUnwindSafe(body).catch_unwind();
    let returned = match limit {
        None => body.await,
        Some(limit) => match tokio::time::timeout(limit, body).await {
            Ok(returned) => returned,
            Err(_) => {
                return Err(Failure::new(
                    FailureKind::TimedOut,
                    format!("an attempt of activity `{name}` took longer than {limit:?}"),
                ));
            }
        },
    };
    match returned {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => Err(Failure::new(
            FailureKind::Panicked,
            format!("activity `{name}` panicked: {}", panic_message(&*panic)),
        )),
    }
}
