//! What a worker tells the server of an attempt: signs that it lives, and how it ended.

use std::pin::pin;
use std::time::Duration;

use temporalio_client::errors::{AsyncActivityError, WorkflowInteractionError};
use temporalio_client::{ActivityIdentifier, AsyncActivityHandle, WorkflowDescribeOptions};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::enums::v1::PendingActivityState;
use temporalio_sdk::activities::{ActivityContext as SdkContext, ActivityError};
use tokio::time::{Instant, interval_at};

use crate::config::ServerConfig;
use crate::executor::OpenError;
use crate::failure::{Failure, FailureKind};

use super::connection::{RETRY_INTERVAL, is_out_of_reach, rpc_options};
use super::failures;

/// After so long without a sign of its worker, an attempt is lost: longer than a server is away
/// that is started anew.
pub(super) const HEARTBEAT_TIMEOUT: Duration = Duration::from_mins(1);

/// The shortest such time: a sign takes its way.
const HEARTBEAT_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// The longest time between two signs: by them an attempt is told that it is canceled.
const INTERVAL_MAX: Duration = Duration::from_secs(3);

/// The shortest, for activities that somebody else has begun.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// After how long without a sign of its worker an attempt is lost.
///
/// # Errors
/// When it is set to a time that is too short.
pub(super) fn heartbeat_timeout(server: &ServerConfig) -> Result<Duration, OpenError> {
    let timeout = server.heartbeat_timeout.unwrap_or(HEARTBEAT_TIMEOUT);
    match timeout >= HEARTBEAT_TIMEOUT_MIN {
        true => Ok(timeout),
        false => Err(OpenError::Config(format!(
            "with a heartbeat timeout of {timeout:?} attempts would be lost that live; `Config::heartbeat_timeout` is at least {HEARTBEAT_TIMEOUT_MIN:?}"
        ))),
    }
}

/// How often a worker gives a sign of an attempt: so that two may be missed.
pub(super) fn heartbeat_interval(timeout: Duration) -> Duration {
    (timeout / 3).clamp(INTERVAL_MIN, INTERVAL_MAX)
}

/// Why an attempt is broken off.
pub(super) enum BrokenOff {
    /// The run wants it no more, or the server has given it up.
    Canceled,
    /// Somebody wants the activity to begin anew.
    Reset,
}

/// Waits for something of an attempt, and meanwhile gives signs that it lives.
///
/// # Errors
/// When it is to be broken off.
pub(super) async fn alive<T>(
    ctx: &SdkContext,
    something: impl Future<Output = T>,
) -> Result<T, BrokenOff> {
    let mut something = pin!(something);
    let timeout = ctx.info().heartbeat_timeout.unwrap_or(HEARTBEAT_TIMEOUT);
    let interval = heartbeat_interval(timeout);
    // Most attempts need none: that they began was a sign.
    let mut signs = interval_at(Instant::now() + interval, interval);
    loop {
        let was_told = ctx.is_cancelled();
        tokio::select! {
            biased;
            done = &mut something => return Ok(done),
            () = ctx.cancelled(), if !was_told => {}
            _ = signs.tick() => {
                if let Err(error) = ctx.record_heartbeat(RawValue::default()).await {
                    tracing::error!(%error, "an attempt cannot give a sign");
                }
            }
        }
        // The SDK does not tell why, and tells it once: of a pause, and not of a cancel after it.
        if ctx.is_cancelled()
            && let Some(reason) = broken_off(ctx).await
        {
            return Err(reason);
        }
    }
}

/// Why an attempt of which the SDK says that it is canceled is broken off; not at all where its
/// activity is paused, which is for the attempts after it, or while nobody tells.
async fn broken_off(ctx: &SdkContext) -> Option<BrokenOff> {
    let info = ctx.info();
    let options = WorkflowDescribeOptions::builder().rpc_options(rpc_options());
    let Some(workflow) = ctx.workflow_handle::<UntypedWorkflow>() else {
        return Some(BrokenOff::Canceled);
    };
    let described = match workflow.describe(options.build()).await {
        Ok(described) => described,
        // It is asked again at the next sign.
        Err(WorkflowInteractionError::Rpc(error)) if is_out_of_reach(&error) => return None,
        Err(_) => return Some(BrokenOff::Canceled),
    };
    let activities = described.into_raw().pending_activities;
    let this = activities.iter().find(|activity| {
        activity.activity_id == info.activity_id
            && u32::try_from(activity.attempt) == Ok(info.attempt)
    });
    match this.map(|activity| activity.state()) {
        Some(PendingActivityState::PauseRequested) => None,
        Some(PendingActivityState::Started) => Some(BrokenOff::Reset),
        _ => Some(BrokenOff::Canceled),
    }
}

/// Tells the server how an attempt has ended, and the SDK that it need not. While the server is
/// out of reach it is tried again, where the SDK would soon give up: nobody else knows the outcome.
pub(super) async fn report(ctx: &SdkContext, outcome: Result<RawValue, Failure>) -> ActivityError {
    let attempt = ActivityIdentifier::from_task_token(ctx.info().task_token.clone().into());
    let handle = AsyncActivityHandle::new(ctx.client(), attempt);
    loop {
        let told = match &outcome {
            Ok(value) => handle.complete(Some(value.clone()), rpc_options()).await,
            Err(failure) => {
                let failure = failures::sent(failure);
                handle.fail(failure, None::<RawValue>, rpc_options()).await
            }
        };
        match told {
            // The server may have given it up.
            Ok(()) | Err(AsyncActivityError::NotFound(_)) => {
                return ActivityError::WillCompleteAsync;
            }
            Err(AsyncActivityError::Rpc(error)) if is_out_of_reach(&error) => {
                let activity = &ctx.info().activity_type;
                tracing::warn!(activity, %error, "the outcome of an attempt has not reached the server; trying again");
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            Err(refused) => {
                let failure = Failure::new(FailureKind::Application, refused.to_string());
                return ActivityError::application(failures::sent(&failure));
            }
        }
    }
}
