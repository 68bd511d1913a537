//! What is committed is read, before and after a reopening.

use super::super::{Store, StoreError};
use super::{block_on, change, image};

#[test]
fn a_run_is_read_as_it_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let run = store.next_run();
    let first = image(&[("state", b"one"), ("mailbox", b"")]);
    let second = image(&[("state", b"two"), ("mailbox", b"hello")]);
    block_on(store.commit(vec![change(run, None, &first, "started")])).unwrap();
    block_on(store.commit(vec![change(run, Some(first), &second, "stepped")])).unwrap();

    let check = |store: &Store| {
        assert_eq!(store.load(run).unwrap(), Some(second.clone()));
        assert_eq!(store.load(run + 1).unwrap(), None);
        assert_eq!(store.runs_of(&format!("workflow-{run}")).unwrap(), [run]);
        assert!(store.runs_of("workflow").unwrap().is_empty());
        assert_eq!(store.open_runs().unwrap(), [run]);
        let history = store.history(run).unwrap();
        assert_eq!(history, [b"started".to_vec(), b"stepped".to_vec()]);
    };
    check(&store);
    store.close();
    let store = Store::open(directory.path()).unwrap();
    check(&store);
    assert!(store.next_run() > run);
}

#[test]
fn a_finished_run_is_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let run = store.next_run();
    let only = image(&[("state", b"done")]);
    block_on(store.commit(vec![change(run, None, &only, "started")])).unwrap();
    store.close();
    let store = Store::open(directory.path()).unwrap();
    let mut end = change(run, Some(only.clone()), &only, "completed");
    end.open = false;
    block_on(store.commit(vec![end])).unwrap();
    assert!(store.open_runs().unwrap().is_empty());
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert!(store.open_runs().unwrap().is_empty());
    assert_eq!(store.runs_of(&format!("workflow-{run}")).unwrap(), [run]);
}

#[test]
fn after_close_everything_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let other = store.clone();
    let run = store.next_run();
    store.close();
    store.close();
    let only = image(&[]);
    let outcome = block_on(other.commit(vec![change(run, None, &only, "")]));
    assert!(matches!(outcome, Err(StoreError::Closed)));
    assert!(matches!(other.load(run), Err(StoreError::Closed)));
    assert!(matches!(other.open_runs(), Err(StoreError::Closed)));
}
