//! Looking at runs, as they were last committed. It takes no lock: a busy run does not delay who
//! looks.

use std::sync::Arc;

use crate::codec::{self, CodecError, Sealed};
use crate::executor::{Error, RunError};
use crate::provider::{HistoryEvent, RunTarget};

use super::engine::Engine;
use super::record::{Outcome, Record};
use super::store::{IN_FLIGHT, Image, Summary};

impl Engine {
    /// Completes at the next transition after this call.
    pub(super) fn changed(
        &self,
        target: RunTarget,
    ) -> impl Future<Output = Result<(), Error>> + Send + '_ {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let moved = held.moved.clone().notified_owned();
        let mut closed = self.closed.subscribe();
        async move {
            // As long as it is held, every transition tells this slot.
            let _held = held;
            let (run, summary) = self.find(&target)?;
            if summary.standing.status != IN_FLIGHT {
                return Ok(());
            }
            if let Some(reason) = self.why_aside(run, &summary)? {
                return Err(Error::SetAside {
                    workflow_id: target.workflow_id,
                    reason,
                });
            }
            tokio::select! {
                biased;
                () = moved => Ok(()),
                _ = closed.wait_for(|closed| *closed) => Err(Error::Closed),
            }
        }
    }

    /// Waits for the end of a run.
    pub(super) async fn result(self: &Arc<Self>, target: RunTarget) -> Result<Sealed, RunError> {
        let held = self.slots.hold(target.workflow_id.as_str().into());
        let mut closed = self.closed.subscribe();
        loop {
            // What happens from here on is noticed, whatever is read meanwhile.
            let rests = held.rests.notified();
            let (run, summary) = self.find(&target)?;
            if summary.standing.status != IN_FLIGHT {
                let (_, image) = self.load(run)?;
                let (end, timeout) = Record::decode_end(&image).map_err(Error::from)?;
                let end = end.ok_or_else(|| not_there(run)).map_err(Error::from)?;
                return match end.outcome {
                    Outcome::Completed(output) => Ok(output),
                    Outcome::Failed(failure) => Err(RunError::Failed(failure)),
                    Outcome::Canceled(failure) => Err(RunError::Canceled(failure)),
                    Outcome::Terminated(reason) => Err(RunError::Terminated { reason }),
                    Outcome::TimedOut => Err(RunError::TimedOut {
                        timeout: timeout.unwrap_or_default(),
                    }),
                };
            }
            if let Some(reason) = self.why_aside(run, &summary)? {
                return Err(RunError::SetAside { reason });
            }
            tokio::select! {
                biased;
                () = rests => {}
                _ = closed.wait_for(|closed| *closed) => return Err(Error::Closed.into()),
            }
        }
    }

    /// What happened to a run, in order.
    pub(super) fn history(&self, target: &RunTarget) -> Result<Vec<HistoryEvent>, Error> {
        let (run, _) = self.find(target)?;
        let events = self.store.history(run)?;
        Ok(events
            .iter()
            .map(|event| codec::decode_record(event))
            .collect::<Result<_, _>>()?)
    }

    /// A run as it was last committed. It takes no lock: a busy run does not delay who looks.
    pub(super) fn find(&self, target: &RunTarget) -> Result<(u64, Summary), Error> {
        let found = self
            .store
            .find(&target.workflow_id, target.run_id.as_deref())?;
        found.ok_or_else(|| Error::UnknownRun {
            workflow_id: target.workflow_id.clone(),
        })
    }

    /// The record of a run, as it was last committed.
    pub(super) fn record(&self, target: &RunTarget) -> Result<Record, Error> {
        let (run, _) = self.find(target)?;
        Ok(self.read(run)?.2)
    }

    pub(super) fn load(&self, run: u64) -> Result<(Summary, Arc<Image>), Error> {
        Ok(self.store.load(run)?.ok_or_else(|| not_there(run))?)
    }

    /// A run as it was last committed.
    pub(super) fn read(&self, run: u64) -> Result<(Summary, Arc<Image>, Record), Error> {
        let (summary, image) = self.load(run)?;
        let record = Record::decode(&image)?;
        Ok((summary, image, record))
    }
}

fn not_there(run: u64) -> CodecError {
    CodecError::Decode {
        type_name: std::any::type_name::<Record>(),
        reason: format!("run number {run} is not there"),
    }
}
