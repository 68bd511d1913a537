//! What belongs to one workflow id while somebody looks at it or its run is in flight.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use crate::codec;
use crate::executor::Error;
use crate::provider::{HistoryEvent, HistoryEventKind};

use super::record::Record;
use super::store::{Change, Identity, Image, Summary};
use super::{clock, telemetry};

/// The slots, by workflow id.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<Arc<str>, Arc<Slot>>>);

/// What belongs to one workflow id. Its lock makes the transitions of its runs one after another.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) workflow_id: Arc<str>,
    pub(super) active: tokio::sync::Mutex<Option<Active>>,
    /// Counts the transitions, for those who wait for one.
    pub(super) version: watch::Sender<u64>,
    /// Changes when a run has ended or is set aside, for those who wait for its result.
    pub(super) rests: watch::Sender<()>,
    /// How many look at it. Changed under the lock of the map.
    holders: AtomicUsize,
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

impl Active {
    /// What to commit so that the record is durable, with an entry of the history if it is worth
    /// one; `image` is it from now on.
    pub(super) fn change(&mut self, kind: Option<HistoryEventKind>) -> Result<Change, Error> {
        let after = Arc::new(self.record.encode(&self.image)?);
        let event = kind.map(|kind| HistoryEvent {
            at: clock::to_time(clock::now_ms()),
            kind,
            state: self.record.run.position(),
        });
        Ok(Change {
            run: self.run,
            summary: Summary {
                identity: self.identity.clone(),
                standing: self.record.standing(),
            },
            before: Some(std::mem::replace(&mut self.image, after.clone())),
            after,
            event: event
                .map(|event| codec::encode_record(&event))
                .transpose()?,
        })
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
                version: watch::Sender::new(0),
                rests: watch::Sender::new(()),
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
