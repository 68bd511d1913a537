//! Many callers, few syncs.

use std::sync::Arc;

use futures::FutureExt;

use super::super::bounds::Bounds;
use super::super::{Store, StoreError};
use super::{TINY, block_on, change, image};

const CALLERS: u64 = 64;
const STEPS: u64 = 20;

fn commit_from_many_callers(store: &Store) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let callers = (0..CALLERS).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = store.next_run();
                let mut before = None;
                for step in 0..STEPS {
                    let after = image(&[("step", &step.to_le_bytes())]);
                    let change = change(run, before, &after, &step.to_string());
                    store.commit(vec![change], false).await.unwrap();
                    assert_eq!(super::load(&store, run).unwrap().as_ref(), Some(&after));
                    assert_eq!(store.history(run).unwrap().len() as u64, step + 1);
                    before = Some(after);
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
    });
}

fn assert_complete(store: &Store) {
    let runs = super::in_flight(store).unwrap();
    assert_eq!(runs.len() as u64, CALLERS);
    for run in runs {
        let last = image(&[("step", &(STEPS - 1).to_le_bytes())]);
        assert_eq!(super::load(store, run).unwrap(), Some(last));
        let events = (0..STEPS).map(|step| step.to_string().into_bytes());
        assert_eq!(store.history(run).unwrap(), events.collect::<Vec<_>>());
    }
}

#[test]
fn callers_share_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    commit_from_many_callers(&store);
    let rows = store.inner.shared.overlay().applied().row;
    assert!(rows < CALLERS * STEPS / 4, "{rows} rows");
    assert_complete(&store);
    drop(store);
    assert_complete(&super::open(directory.path(), Bounds::DEFAULT).unwrap());
}

#[test]
fn checkpoints_run_among_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), TINY).unwrap();
    commit_from_many_callers(&store);
    assert!(store.inner.shared.overlay().mark().row > 0);
    assert_complete(&store);
    drop(store);
    assert_complete(&super::open(directory.path(), Bounds::DEFAULT).unwrap());
}

#[test]
fn a_dropped_future_does_not_undo_its_commit() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let run = store.next_run();
    let only = image(&[("state", b"one")]);
    block_on(async {
        let mut commit = Box::pin(store.commit(vec![change(run, None, &only, "")], false));
        let _ = futures::poll!(&mut commit);
    });
    store.close();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    assert_eq!(super::load(&store, run).unwrap(), Some(only));
}

#[test]
fn a_change_of_an_old_image_is_refused_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let (run, other) = (store.next_run(), store.next_run());
    let images = [b"one", b"two", b"six"].map(|bytes| image(&[("state", bytes)]));
    let [first, second, third] = &images;
    let begin = |run| vec![change(run, None, first, "")];
    let step = |before: &Arc<_>, after| vec![change(run, Some(Arc::clone(before)), after, "")];
    block_on(store.commit(begin(run), false)).unwrap();
    let (fresh, stale, neighbour) = block_on(async {
        tokio::join!(
            store.commit(step(first, second), false),
            store.commit(step(first, third), false),
            store.commit(begin(other), false),
        )
    });
    fresh.unwrap();
    neighbour.unwrap();
    assert!(matches!(stale, Err(StoreError::Stale { .. })));
    let again = block_on(store.commit(begin(run), false));
    assert!(matches!(again, Err(StoreError::Stale { .. })));
    assert_eq!(super::load(&store, run).unwrap().as_ref(), Some(second));
    // One commit may change a run twice, and equal images are as good as the same.
    let twice = [
        step(&image(&[("state", b"two")]), third),
        step(third, first),
    ]
    .concat();
    block_on(store.commit(twice, false)).unwrap();
    drop(store);
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    assert_eq!(super::load(&store, run).unwrap().as_ref(), Some(first));
    assert_eq!(store.history(run).unwrap().len(), 4);
}

/// One caller of a group is told first, and tells the others: also where it went away.
#[test]
fn a_caller_that_goes_away_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let disk = super::faults::of(&directory.path().join("journal.log"));
    let only = image(&[("state", b"one")]);
    let begin = || {
        let begun = vec![change(store.next_run(), None, &only, "")];
        Box::pin(store.commit(begun, false))
    };
    block_on(async {
        for _ in 0..20 {
            let mut callers: Vec<_> = (0..4).map(|_| begin()).collect();
            {
                // The first one is a group by itself; the others wait together.
                let _frozen = disk.freeze();
                for caller in &mut callers {
                    assert!(caller.now_or_never().is_none());
                }
            }
            let last = callers.pop().unwrap();
            drop(callers);
            last.await.unwrap();
        }
    });
}
