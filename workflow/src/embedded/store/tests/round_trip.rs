//! What is committed is read, before and after a reopening.

use super::super::bounds::Bounds;
use super::super::{Store, StoreError};
use super::{block_on, change, image, summary};

#[test]
fn a_run_is_read_as_it_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let run = store.next_run();
    let first = image(&[("state", b"one"), ("mailbox", b"")]);
    let second = image(&[("state", b"two"), ("mailbox", b"hello")]);
    block_on(store.commit(vec![change(run, None, &first, "started")], false)).unwrap();
    block_on(store.commit(vec![change(run, Some(first), &second, "stepped")], false)).unwrap();

    let check = |store: &Store| {
        assert_eq!(super::load(store, run).unwrap(), Some(second.clone()));
        assert_eq!(super::load(store, run + 1).unwrap(), None);
        assert_eq!(
            super::runs_of(store, &format!("workflow-{run}")).unwrap(),
            [run]
        );
        assert!(super::runs_of(store, "workflow").unwrap().is_empty());
        assert_eq!(super::in_flight(store).unwrap(), [run]);
        let history = store.history(run).unwrap();
        assert_eq!(history, [b"started".to_vec(), b"stepped".to_vec()]);
    };
    check(&store);
    store.close();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    check(&store);
    assert!(store.next_run() > run);
}

#[test]
fn a_finished_run_is_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let run = store.next_run();
    let only = image(&[("state", b"done")]);
    block_on(store.commit(vec![change(run, None, &only, "started")], false)).unwrap();
    store.close();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let mut end = change(run, Some(only.clone()), &only, "completed");
    end.summary = summary(run, 1);
    block_on(store.commit(vec![end], false)).unwrap();
    assert!(super::in_flight(&store).unwrap().is_empty());
    drop(store);
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    assert!(super::in_flight(&store).unwrap().is_empty());
    assert_eq!(
        super::runs_of(&store, &format!("workflow-{run}")).unwrap(),
        [run]
    );
}

#[test]
fn after_close_everything_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let other = store.clone();
    let run = store.next_run();
    store.close();
    store.close();
    let only = image(&[]);
    let outcome = block_on(other.commit(vec![change(run, None, &only, "")], false));
    assert!(matches!(outcome, Err(StoreError::Closed)));
    assert!(matches!(other.load(run), Err(StoreError::Closed)));
    assert!(matches!(super::in_flight(&other), Err(StoreError::Closed)));
}
