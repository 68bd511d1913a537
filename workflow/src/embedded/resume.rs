//! What is taken up when the engine is opened.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::executor::Error;
use crate::provider::RunTarget;

use super::aside::unreadable;
use super::dispatch::open_children;
use super::engine::Engine;
use super::input::happened;
use super::record::{Head, Record};
use super::transition::{self, Input, LOST_ATTEMPTS_MAX, Moment};

/// How many runs are taken up by one commit when the engine is opened.
const RESUME_CHANGES_MAX: usize = 4096;
/// So many steps are taken and children asked for at a time then, each in a task.
const TAKING_UP_MAX: usize = 1024;

impl Engine {
    /// Takes up the runs of which something was under way: what they lost is noted, then they go
    /// on. Runs that wait are not touched.
    pub(super) async fn resume(self: &Arc<Self>) -> Result<(), Error> {
        let mut last = (0, 0);
        let places = Arc::new(Semaphore::new(TAKING_UP_MAX));
        loop {
            let found = self.store.wakes(last, 0, RESUME_CHANGES_MAX)?;
            let Some(next) = found.last() else {
                return Ok(());
            };
            last = *next;
            let runs = found.into_iter().map(|(_, run)| run);
            self.take_up(runs, &places).await?;
        }
    }

    async fn take_up(
        self: &Arc<Self>,
        runs: impl Iterator<Item = u64>,
        places: &Arc<Semaphore>,
    ) -> Result<(), Error> {
        let mut taken_up = Vec::new();
        let mut changes = Vec::new();
        for run in runs {
            let mut active = match self.active(run) {
                Ok(active) => active,
                // The others are not to wait for one that is damaged.
                Err(error @ (Error::Codec(_) | Error::Storage(_))) => {
                    tracing::error!(run, %error, "a run cannot be read");
                    self.put_aside(unreadable(run), error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let record = &mut active.record;
            let before = record.clone();
            // Steps are taken later, each run's by itself: a slow one delays nobody.
            if self.fitting(record).is_ok() {
                transition::absorb(record, Input::Reopened, Moment::now());
            }
            let mut waiting = record.waiting.iter_mut();
            if let Some(waiting) = waiting.find(|waiting| waiting.lost >= LOST_ATTEMPTS_MAX) {
                let reason = format!(
                    "its activity died with the process {} times in a row; it is tried again when the executor is opened next, or cancel or terminate the run",
                    waiting.lost
                );
                waiting.lost = 0;
                self.put_aside(record.head.clone(), reason);
            }
            if active.record != before {
                let happened = happened(Input::Reopened.kind(), &active.record, Moment::now());
                changes.extend(active.changes(vec![happened])?);
            }
            taken_up.push(active);
        }
        self.store.commit(changes, false).await?;
        for active in taken_up {
            let held = self
                .slots
                .hold(active.record.head.workflow_id.as_str().into());
            let mut guard = held.active.lock().await;
            // A child whose parent went on without it was to be canceled when the process died.
            let input = if self.is_orphan(&active.record.head) {
                Some(Input::Cancel)
            } else {
                active.record.run.is_ready().then_some(Input::Tick)
            };
            let target = RunTarget {
                workflow_id: active.record.head.workflow_id.clone(),
                run_id: Some(active.record.head.run_id.clone()),
            };
            let children = open_children(&active.record);
            let begun = self.settle(&held, &mut guard, active, None);
            drop(guard);
            self.dispatch(begun);
            if let Some(input) = input {
                let engine = self.clone();
                self.in_its_place(places, async move { engine.report(target, input).await })
                    .await;
            }
            // Whether they were started before the process died, nobody knows.
            for (parent, child) in children {
                self.in_its_place(places, self.clone().start_child(parent, child))
                    .await;
            }
        }
        Ok(())
    }

    /// Makes it a task as soon as there is a place for one more.
    async fn in_its_place(
        &self,
        places: &Arc<Semaphore>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let place = places.clone().acquire_owned().await;
        self.runtime.spawn(async move {
            let _place = place;
            work.await;
        });
    }

    /// Whether the run that started a child waits for it no more.
    fn is_orphan(&self, head: &Head) -> bool {
        let Some(parent) = &head.parent else {
            return false;
        };
        let target = RunTarget {
            workflow_id: parent.workflow_id.clone(),
            run_id: Some(parent.run_id.clone()),
        };
        let waits = |record: &Record| record.run.under_way().any(|p| p.op == parent.op);
        self.record(&target).is_ok_and(|record| !waits(&record))
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::Sealed;
    use crate::embedded::record::{End, KINSHIP, Outcome, Record};
    use crate::embedded::store::{Change, Store, Summary};
    use crate::limits::Limits;
    use crate::prelude::*;
    use crate::retention::Retention;

    #[workflow]
    async fn younger(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let number: u32 = ctx.wait_for_signal("go", Duration::MAX).await?;
        Ok(number)
    }

    #[workflow]
    async fn elder() -> Result<u32, WorkflowError> {
        let number = younger().await?;
        Ok(number)
    }

    /// Ends the child as its last commit before a crash does, when its parent has not heard of it.
    async fn end_child(store: &Store, id: &str) {
        let (run, Summary { identity, .. }) = store.find(id, None).unwrap().unwrap();
        let (_, before) = store.load(run).unwrap().unwrap();
        let mut record = Record::decode(&before).unwrap();
        record.run.close();
        record.waiting.clear();
        record.end = Some(End {
            at_ms: 1,
            outcome: Outcome::Completed(Sealed::seal(&7u32).unwrap()),
        });
        let change = Change {
            run,
            summary: Summary {
                identity,
                standing: record.standing(),
            },
            after: record.encode(&before).unwrap().into(),
            before: Some(before),
            event: None,
        };
        store.commit(vec![change], false).await.unwrap();
    }

    #[tokio::test]
    async fn a_child_is_kept_until_its_parent_has_heard_of_its_end() {
        let data = tempfile::tempdir().unwrap();
        let retention = Retention {
            runs: Some(0),
            ..Retention::default()
        };
        let config = Config::new().path(data.path()).retention(retention);
        let config = config.register::<elder>().register::<younger>();
        let executor = crate::new("default", config.clone()).await.unwrap();
        let parent = executor.start(elder()).id("elder").await.unwrap();
        let child = loop {
            let page = executor.list(RunFilter::new().workflow("younger")).await;
            match page.unwrap().runs.pop() {
                Some(child) => break child.workflow_id,
                None => tokio::task::yield_now().await,
            }
        };
        drop(parent);
        executor.shutdown().await;

        let open = || Store::open(data.path(), &Limits::default(), retention, KINSHIP).unwrap();
        let store = open();
        end_child(&store, &child).await;
        for _ in 0..3 {
            store.compact().unwrap();
        }
        assert!(store.find(&child, None).unwrap().is_some());
        store.close();

        let executor = crate::new("default", config).await.unwrap();
        let parent = executor.handle::<elder>("elder").await.unwrap();
        assert_eq!(parent.result().await.unwrap(), 7);
        // Now it need not be kept any longer.
        for _ in 0..3 {
            executor.compact().await.unwrap();
        }
        executor.shutdown().await;
        let store = open();
        assert!(store.find(&child, None).unwrap().is_none());
    }
}
