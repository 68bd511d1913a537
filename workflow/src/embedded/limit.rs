//! Whether what comes in and what a step asks for is within the limits.

use crate::codec::{Payload, Sealed};
use crate::contract::Operation;
use crate::executor::Error;
use crate::failure::{Failure, FailureKind};
use crate::limits::Limits;

use super::record::Record;

pub(super) fn payload(limits: &Limits, payload: &Payload) -> Result<(), Error> {
    if payload.len() > limits.payload_bytes {
        return Err(Error::PayloadTooLarge {
            bytes: payload.len(),
            bytes_max: limits.payload_bytes,
        });
    }
    Ok(())
}

/// What an attempt gave; a result that is too large will be as large again.
pub(super) fn result(limits: &Limits, result: Result<Sealed, Failure>) -> Result<Sealed, Failure> {
    let output = result?;
    payload(limits, &output.payload).map_err(|error| {
        let mut failure = Failure::new(FailureKind::Application, error.to_string());
        failure.non_retryable = true;
        failure
    })?;
    Ok(output)
}

/// Whether one more signal may wait in a run. One that the run waits for does not have to.
pub(super) fn mailbox(limits: &Limits, record: &Record, signal: &str) -> Result<(), Error> {
    let mut under_way = record.run.under_way();
    if under_way.any(|p| matches!(&p.operation, Operation::Signal { name, .. } if name == signal)) {
        return Ok(());
    }
    let signals: usize = record.run.mailbox.values().map(|queue| queue.len()).sum();
    if signals >= limits.mailbox_signals {
        return Err(Error::MailboxFull {
            workflow_id: record.head.workflow_id.clone(),
            signals_max: limits.mailbox_signals,
        });
    }
    Ok(())
}

/// Whether what is under way in a run is not too much.
pub(super) fn operations(limits: &Limits, record: &Record) -> Result<(), Error> {
    let operations = record.run.under_way().count();
    if operations > limits.pending_operations {
        return Err(Error::TooManyOperations {
            workflow_id: record.head.workflow_id.clone(),
            operations,
            operations_max: limits.pending_operations,
        });
    }
    Ok(())
}
