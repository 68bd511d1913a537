//! A disk that is full, or fails: the callers are told, and nothing that was confirmed is lost.

use std::sync::Arc;

use super::super::StoreError;
use super::super::bounds::Bounds;
use super::{NEVER, TINY, block_on, change, faults, image};

/// Fills the disk after each number of writes in turn, and empties it again.
fn fill_after_each_write(bounds: Bounds, late: bool) {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), bounds).unwrap();
    let disk = faults::of(&directory.path().join("journal.log"));
    if late {
        disk.fail_late();
    }
    let run = store.next_run();
    let mut committed = image(&[("step", &[])]);
    let mut steps = 1;
    block_on(store.commit(vec![change(run, None, &committed, "")], false)).unwrap();
    let mut failures = 0;
    for writes in (0..20).chain(0..20) {
        disk.fill_after(writes);
        for _ in 0..8 {
            let after = image(&[("step", &[&committed.sections[0].bytes[..], b"x"].concat())]);
            let step = change(run, Some(Arc::clone(&committed)), &after, "");
            match block_on(store.commit(vec![step], false)) {
                Ok(()) => {
                    committed = after;
                    steps += 1;
                }
                Err(StoreError::DiskFull { .. }) => failures += 1,
                Err(error) => panic!("{error}"),
            }
            // A full disk may keep the state from being opened again; what is in memory is there.
            if let Ok(image) = super::load(&store, run) {
                assert_eq!(image.as_ref(), Some(&committed));
            }
        }
        disk.heal();
        assert_eq!(super::load(&store, run).unwrap().as_ref(), Some(&committed));
    }
    assert!(failures > 20, "the faults were not met");
    assert_eq!(store.history(run).unwrap().len(), steps);
    drop(store);
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    assert_eq!(super::load(&store, run).unwrap(), Some(committed));
    assert_eq!(store.history(run).unwrap().len(), steps);
}

#[test]
fn once_there_is_room_it_goes_on() {
    fill_after_each_write(NEVER, false);
}

/// The row of a commit that failed may be in the file all the same.
#[test]
fn what_was_refused_does_not_come_back() {
    fill_after_each_write(NEVER, true);
    fill_after_each_write(TINY, true);
}

#[test]
fn a_checkpoint_that_fails_is_tried_again() {
    fill_after_each_write(TINY, false);
}

#[test]
fn after_a_failed_sync_nothing_more_is_written() {
    for syncs in 0..6 {
        let directory = tempfile::tempdir().unwrap();
        let store = super::open(directory.path(), NEVER).unwrap();
        let disk = faults::of(&directory.path().join("journal.log"));
        disk.fail_syncs_after(syncs);
        let run = store.next_run();
        let mut confirmed = None;
        let mut refused = None;
        for step in 0..10u8 {
            let after = image(&[("step", &[step])]);
            match block_on(store.commit(vec![change(run, confirmed.clone(), &after, "")], false)) {
                Ok(()) => {
                    assert!(refused.is_none(), "it went on after a failed sync");
                    confirmed = Some(after);
                }
                Err(StoreError::SyncFailed { .. }) => {
                    refused.get_or_insert(after);
                }
                Err(error) => panic!("{error}"),
            }
            assert_eq!(super::load(&store, run).unwrap(), confirmed);
        }
        disk.heal();
        drop(store);
        // Whether the row whose sync failed is there nobody can say; the one before is.
        let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
        let found = super::load(&store, run).unwrap();
        assert!(found == confirmed || found == refused, "{found:?}");
    }
}
