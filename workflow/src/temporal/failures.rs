//! Failures as Temporal has them, and back.

use temporalio_common::data_converters::RawValue;
use temporalio_common::error::ApplicationFailure;
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};
use temporalio_common::protos::temporal::api::enums::v1::TimeoutType;
use temporalio_common::protos::temporal::api::failure::v1::{
    ApplicationFailureInfo, Failure as Received, TimeoutFailureInfo, failure::FailureInfo,
};

use crate::failure::{Failure, FailureKind};

use super::payloads;

/// The key under which the details of a failure are one of ours, in JSON.
const KIND: &str = "failure";

/// A failure for the server: its text and its type for everyone, and all of it as details.
pub(super) fn sent(failure: &Failure) -> ApplicationFailure {
    ApplicationFailure::builder(failure.clone())
        .type_name(type_name(failure))
        .non_retryable(failure.non_retryable)
        .maybe_next_retry_delay(failure.retry_after)
        .details(details(failure))
        .build()
}

/// The details of a failure, for where the server keeps nothing else of it.
pub(super) fn details(failure: &Failure) -> RawValue {
    RawValue::new(vec![payloads::json(&serde_json::json!({ KIND: failure }))])
}

fn type_name(failure: &Failure) -> String {
    match (&failure.kind, &failure.type_name) {
        (FailureKind::Application, Some(name)) => name.clone(),
        (kind, _) => format!("{kind:?}"),
    }
}

/// A failure from the server, from us or from a worker in another language.
pub(super) fn received(failure: &Received) -> Failure {
    let message = &failure.message;
    match &failure.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            ours(info.details.as_ref()).unwrap_or_else(|| foreign(message, info))
        }
        Some(FailureInfo::CanceledFailureInfo(info)) => ours(info.details.as_ref())
            .unwrap_or_else(|| Failure::new(FailureKind::Canceled, message)),
        Some(FailureInfo::TerminatedFailureInfo(_)) => {
            Failure::new(FailureKind::Terminated, message)
        }
        Some(FailureInfo::TimeoutFailureInfo(info)) => match &failure.cause {
            // The time was over between two attempts: this is why the last one failed.
            Some(cause) if info.timeout_type() == TimeoutType::ScheduleToClose => received(cause),
            _ => timed_out(message, info),
        },
        // What wraps the failure of an activity or of a child.
        _ => match &failure.cause {
            Some(cause) => received(cause),
            None => Failure::new(FailureKind::Application, message),
        },
    }
}

/// The failure that [`details`] kept.
pub(super) fn ours(details: Option<&Payloads>) -> Option<Failure> {
    let Payload { data, .. } = details?.payloads.first()?;
    let mut details: serde_json::Value = serde_json::from_slice(data).ok()?;
    serde_json::from_value(details.get_mut(KIND)?.take()).ok()
}

fn foreign(message: &str, info: &ApplicationFailureInfo) -> Failure {
    Failure {
        type_name: (!info.r#type.is_empty()).then(|| info.r#type.clone()),
        non_retryable: info.non_retryable,
        ..Failure::new(FailureKind::Application, message)
    }
}

fn timed_out(message: &str, info: &TimeoutFailureInfo) -> Failure {
    let kind = match info.timeout_type() {
        // Its worker beats for as long as it lives.
        TimeoutType::Heartbeat => FailureKind::Lost,
        _ => FailureKind::TimedOut,
    };
    Failure::new(kind, message)
}
