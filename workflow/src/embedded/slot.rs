//! What belongs to one workflow id while somebody looks at it or its run is in flight.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::codec;
use crate::executor::Error;
use crate::provider::HistoryEvent;

use super::record::Record;
use super::store::{Change, Identity, Image, Summary};
use super::telemetry;
use super::transition::Input;

/// The slots, by workflow id.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<Arc<str>, Arc<Slot>>>);

/// What belongs to one workflow id. Its lock makes the transitions of its runs one after another.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) workflow_id: Arc<str>,
    pub(super) active: tokio::sync::Mutex<Option<Active>>,
    /// Tells of each transition those who wait for one.
    pub(super) moved: Arc<Notify>,
    /// Tells those who wait for a result that a run has ended or is set aside.
    pub(super) rests: Notify,
    /// Outcomes that nobody has taken in yet.
    reports: Mutex<VecDeque<Report>>,
    /// How many look at it. Changed under the lock of the map.
    holders: AtomicUsize,
}

/// An outcome of what a run has begun. Those that come while the run is busy are one commit.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) run_id: Option<String>,
    pub(super) input: Input,
    /// Told once it is durable or is wanted no more; dropped where it could not be written.
    pub(super) done: oneshot::Sender<()>,
}

/// A run in flight, as it was last committed.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) run: u64,
    pub(super) record: Record,
    /// What the store knows the run by, as it was last committed.
    pub(super) identity: Arc<Identity>,
    pub(super) image: Arc<Image>,
    /// The attempts that are being made, by their operations.
    pub(super) attempts: BTreeMap<u64, Attempt>,
    /// The operations whose children were started.
    pub(super) children: BTreeSet<u64>,
    /// When the timers will wake it.
    pub(super) wake_ms: Option<u64>,
}

/// An attempt of an activity that is being made. It stops when this is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) number: u32,
    pub(super) _stop: oneshot::Sender<()>,
}

/// One commit takes in so many outcomes, with results of about so many bytes.
const REPORTS_MAX: usize = 1024;
const REPORTS_BYTES_MAX: usize = 16 << 20;

impl Slot {
    /// Leaves an outcome to whoever has the lock next.
    pub(super) fn report(&self, report: Report) {
        self.reports().push_back(report);
    }

    /// Takes out what one commit takes in, in the order in which it came.
    pub(super) fn take_reports(&self) -> Vec<Report> {
        let mut reports = self.reports();
        let (mut count, mut bytes) = (0, 0);
        while let Some(report) = reports.get(count)
            && count < REPORTS_MAX
            && bytes < REPORTS_BYTES_MAX
        {
            bytes += report.input.size_bytes();
            count += 1;
        }
        reports.drain(..count).collect()
    }

    fn reports(&self) -> MutexGuard<'_, VecDeque<Report>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// What to commit so that the record is durable, with what happened to it; `image` is it from
    /// now on.
    pub(super) fn changes(&mut self, happened: Vec<HistoryEvent>) -> Result<Vec<Change>, Error> {
        let after = Arc::new(self.record.encode(&self.image)?);
        let summary = Summary {
            identity: self.identity.clone(),
            standing: self.record.standing(),
        };
        let mut change = |event| Change {
            run: self.run,
            summary: summary.clone(),
            before: Some(std::mem::replace(&mut self.image, after.clone())),
            after: after.clone(),
            event,
        };
        if happened.is_empty() {
            return Ok(vec![change(None)]);
        }
        // The first brings the image, the others change nothing of it.
        let events = happened.iter().map(codec::encode_record);
        Ok(events
            .map(|event| event.map(|event| change(Some(event))))
            .collect::<Result<_, _>>()?)
    }
}

/// A slot that somebody looks at.
pub(super) struct Held<'a> {
    slots: &'a Slots,
    slot: Arc<Slot>,
}

impl Slots {
    /// The slot of a workflow id, kept while it is held or something of its run is under way.
    pub(super) fn hold(&self, workflow_id: Arc<str>) -> Held<'_> {
        let mut slots = self.lock();
        let slot = slots.entry(workflow_id).or_insert_with_key(|workflow_id| {
            Arc::new(Slot {
                workflow_id: workflow_id.clone(),
                active: tokio::sync::Mutex::default(),
                moved: Arc::default(),
                rests: Notify::new(),
                reports: Mutex::default(),
                holders: AtomicUsize::new(0),
            })
        });
        let slot = slot.clone();
        telemetry::active_runs(slots.len());
        slot.holders.fetch_add(1, Ordering::Relaxed);
        Held { slots: self, slot }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Held<'_> {
    type Target = Arc<Slot>;
    fn deref(&self) -> &Arc<Slot> {
        &self.slot
    }
}

impl Drop for Held<'_> {
    /// Forgets a slot that nobody looks at, with its run if nothing of it is under way in this
    /// process: a run that waits costs disk, not memory.
    fn drop(&mut self) {
        let mut slots = self.slots.lock();
        let holders = self.slot.holders.fetch_sub(1, Ordering::Relaxed) - 1;
        let idle = || {
            self.slot
                .active
                .try_lock()
                .is_ok_and(|run| is_idle(run.as_ref()))
        };
        if holders == 0 && idle() {
            slots.remove(&self.slot.workflow_id);
        }
    }
}

fn is_idle(active: Option<&Active>) -> bool {
    active.is_none_or(|active| active.attempts.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::embedded::engine::Engine;
    use crate::prelude::*;
    use crate::provider::StartRequest;

    #[workflow]
    async fn patient(ctx: &mut Context) -> Result<u32, WorkflowError> {
        ctx.sleep(Duration::from_hours(1)).await?;
        let number: u32 = ctx.wait_for_signal("go", Duration::MAX).await?;
        Ok(number)
    }

    #[tokio::test]
    async fn runs_that_wait_are_not_in_memory() {
        let data = tempfile::tempdir().unwrap();
        let config = Config::new().path(data.path()).register::<patient>();
        for opened in 1..=2 {
            let engine = Engine::open(&config).await.unwrap();
            for _ in 0..20 {
                let request = StartRequest {
                    workflow: <patient as Workflow>::name().to_string(),
                    arguments: Vec::new(),
                    id: None,
                    timeout: None,
                    id_policy: IdPolicy::default(),
                };
                engine.start(request).await.unwrap();
            }
            assert_eq!(engine.slots.len(), 0);
            let mut waiting = 0;
            engine.store.in_flight(|_, _| waiting += 1).unwrap();
            assert_eq!(waiting, opened * 20);
            engine.close();
        }
    }
}
