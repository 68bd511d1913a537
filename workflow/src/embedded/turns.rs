//! Whose turn it is: so many attempts of activities are made at a time. A run whose activities wait
//! for a turn is not in memory for that.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// One attempt may be made while this is held.
pub(super) type Turn = OwnedSemaphorePermit;

/// The turns there are, and the runs that wait for one.
#[derive(Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    queue: Mutex<Queue>,
    came: Notify,
}

/// Runs by their numbers, each once.
#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<u64>,
    runs: HashSet<u64>,
}

impl Turns {
    pub(super) fn new(attempts_max: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(
                attempts_max.clamp(1, Semaphore::MAX_PERMITS),
            )),
            queue: Mutex::default(),
            came: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn, if one is free and nobody waits for it.
    pub(super) fn take(&self) -> Option<Turn> {
        if !self.queue().order.is_empty() {
            return None;
        }
        self.free.clone().try_acquire_owned().ok()
    }

    /// Puts a run at the end of those that wait for a turn, if it is not among them.
    pub(super) fn wait(&self, run: u64) {
        let mut queue = self.queue();
        if queue.runs.insert(run) {
            queue.order.push_back(run);
            drop(queue);
            self.came.notify_one();
        }
    }

    /// Waits until there is a turn, and gives it to the run that has waited longest.
    pub(super) async fn next(&self) -> (u64, Turn) {
        loop {
            if self.queue().order.is_empty() {
                self.came.notified().await;
                continue;
            }
            let turn = self.free.clone().acquire_owned().await;
            let turn = turn.expect("it is never closed");
            let mut queue = self.queue();
            if let Some(run) = queue.order.pop_front() {
                queue.runs.remove(&run);
                return (run, turn);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock, Mutex};

    use tokio::sync::Semaphore;

    use crate::codec::Sealed;
    use crate::embedded::engine::Engine;
    use crate::limits::Limits;
    use crate::prelude::*;
    use crate::provider::{RunTarget, StartRequest};

    static GATE: Semaphore = Semaphore::const_new(0);
    static BEGUN: LazyLock<Mutex<Vec<String>>> = LazyLock::new(Mutex::default);

    #[activity]
    async fn pass(gate: bool, name: String) -> Result<(), ActivityError> {
        if gate {
            GATE.acquire().await?.forget();
        } else {
            BEGUN.lock().unwrap().push(name);
        }
        Ok(())
    }

    #[workflow]
    async fn passing(gate: bool, times: u32, name: String) -> Result<(), WorkflowError> {
        let mut all = Vec::new();
        for _ in 0..times {
            all.push(pass(gate, name.clone()));
        }
        for passed in join_all(all).await {
            passed?;
        }
        Ok(())
    }

    async fn open(attempts: usize, data: &tempfile::TempDir) -> Arc<Engine> {
        let config = Config::new().path(data.path()).register::<passing>();
        let config = config.limits(Limits {
            concurrent_activities: attempts,
            ..Limits::default()
        });
        Engine::open(&config).await.unwrap()
    }

    async fn start(engine: &Arc<Engine>, gate: bool, times: u32, name: &str) -> RunTarget {
        let request = StartRequest {
            workflow: <passing as Workflow>::name().to_string(),
            arguments: vec![
                Sealed::seal(&gate).unwrap(),
                Sealed::seal(&times).unwrap(),
                Sealed::seal(&name.to_owned()).unwrap(),
            ],
            id: Some(name.to_owned()),
            timeout: None,
            id_policy: IdPolicy::default(),
        };
        let info = engine.start(request).await.unwrap();
        RunTarget {
            workflow_id: info.workflow_id,
            run_id: Some(info.run_id),
        }
    }

    #[tokio::test]
    async fn runs_that_wait_for_a_turn_are_not_in_memory() {
        const ATTEMPTS: usize = 3;
        let data = tempfile::tempdir().unwrap();
        let engine = open(ATTEMPTS, &data).await;
        let mut runs = Vec::new();
        for number in 0..50 {
            runs.push(start(&engine, true, 1 + number % 5, &format!("run-{number}")).await);
        }
        assert!(engine.slots.len() <= ATTEMPTS);
        engine.close();
        drop(engine);
        // Nor when they are taken up again.
        let engine = open(ATTEMPTS, &data).await;
        assert!(engine.slots.len() <= ATTEMPTS);
        GATE.add_permits(1_000);
        for run in runs {
            engine.result(run).await.unwrap();
        }
        engine.close();
    }

    #[tokio::test]
    async fn turns_go_round() {
        let data = tempfile::tempdir().unwrap();
        let engine = open(1, &data).await;
        let many = start(&engine, false, 100, "many").await;
        let one = start(&engine, false, 1, "one").await;
        engine.result(one).await.unwrap();
        engine.result(many).await.unwrap();
        let begun = BEGUN.lock().unwrap().clone();
        let before = begun.iter().position(|name| name == "one").unwrap();
        assert!(before <= 50, "{before} of the other run came first");
        engine.close();
    }
}
