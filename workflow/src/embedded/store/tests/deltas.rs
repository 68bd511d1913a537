//! What a checkpoint writes of a large image: what changed, and the whole only where that is less
//! than what changed before.

use std::sync::Arc;

use redb::ReadableTable;

use super::super::bounds::Bounds;
use super::super::images::{DELTAS, DeltaKey, DeltaValue, RUNS};
use super::super::{Image, Store, StoreError};
use super::random::Random;
use super::{NEVER, block_on, change, faults, image, summary};
use crate::retention::Retention;

/// Bytes that the state has of a run: of its image, and of each delta.
fn stored(store: &Store, run: u64) -> (usize, Vec<usize>) {
    let snapshot = store.inner.shared.state.snapshot().unwrap();
    let read = snapshot.read(|transaction| {
        let image = transaction.open_table(RUNS)?.get(run)?;
        let deltas = transaction.open_table(DELTAS)?;
        let deltas = deltas.range((run, 0)..=(run, u64::MAX))?;
        let deltas = deltas.map(|entry| Ok(entry?.1.value().1.len()));
        let deltas: Result<_, redb::StorageError> = deltas.collect();
        Ok((image.map_or(0, |image| image.value().len()), deltas?))
    });
    read.unwrap()
}

/// Commits each list of bytes in turn and writes a checkpoint of it; says what it wrote.
fn written(store: &Store, run: u64, lists: &[Vec<u8>]) -> Vec<usize> {
    let mut before: Option<Arc<Image>> = None;
    let mut written = Vec::new();
    for list in lists {
        let after = image(&[("head", b"stays"), ("list", list)]);
        let step = change(run, before.clone(), &after, "");
        block_on(store.commit(vec![step], false)).unwrap();
        store.compact().unwrap();
        assert_eq!(super::load(store, run).unwrap().as_ref(), Some(&after));
        let (whole, deltas) = stored(store, run);
        assert!(deltas.len() as u64 <= Bounds::DEFAULT.deltas_max);
        let all = whole + deltas.iter().sum::<usize>();
        assert!(all <= 2 * list.len() + 1_000, "{all} for {}", list.len());
        written.push(deltas.last().copied().unwrap_or(whole));
        before = Some(after);
    }
    written
}

fn random_bytes(count: u64) -> Vec<u8> {
    Random::new(1).bytes(count)
}

#[test]
fn an_image_that_grows_costs_what_it_grows_by() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let all = random_bytes(200_000);
    let lists: Vec<_> = (1..=20).map(|tenth| all[..tenth * 10_000].into()).collect();
    let run = store.next_run();
    for bytes in written(&store, run, &lists) {
        assert!(bytes < 10_200, "{bytes}");
    }
    drop(store);
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let found = super::load(&store, run).unwrap().unwrap();
    assert_eq!(found.sections[1].bytes[..], all);
}

/// What was written of it before is paid for by what was taken away.
#[test]
fn an_image_that_shrinks_is_written_whole_now_and_then() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let all = random_bytes(200_000);
    let lists: Vec<_> = (0..20).map(|tenth| all[tenth * 10_000..].into()).collect();
    let written = written(&store, store.next_run(), &lists);
    assert!(written.iter().sum::<usize>() < 450_000, "{written:?}");
}

#[test]
fn an_image_that_changes_often_is_written_whole_now_and_then() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let mut all = random_bytes(20_000);
    let lists: Vec<_> = (0..80)
        .map(|at| {
            all[at * 100] ^= 1;
            all.clone()
        })
        .collect();
    let written = written(&store, store.next_run(), &lists);
    let wholes = written.iter().filter(|bytes| **bytes > 20_000).count();
    assert_eq!(wholes, 3, "{written:?}");
}

#[test]
fn deltas_go_with_their_run() {
    let directory = tempfile::tempdir().unwrap();
    let retention = Retention {
        runs: Some(0),
        ..Retention::default()
    };
    let store = Store::open_with(directory.path(), NEVER, retention).unwrap();
    let run = store.next_run();
    written(&store, run, &[vec![1; 9_000], vec![1; 9_500]]);
    assert_eq!(stored(&store, run).1.len(), 1);
    let last = super::load(&store, run).unwrap().unwrap();
    let mut end = change(run, Some(Arc::clone(&last)), &last, "");
    end.summary = summary(run, 1);
    block_on(store.commit(vec![end], false)).unwrap();
    store.compact().unwrap();
    assert_eq!(stored(&store, run), (0, vec![]));
}

type Deltas<'t> = redb::Table<'t, DeltaKey, DeltaValue>;

#[test]
fn a_delta_that_is_damaged_or_gone_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let all = random_bytes(12_000);
    let run = store.next_run();
    let lists = [10, 11, 12].map(|thousands| all[..thousands * 1_000].to_vec());
    written(&store, run, &lists);
    let assert_told = |damage: fn(&mut Deltas<'_>, &[u8]), expected: &str| {
        let damaged = store.inner.shared.state.write(|transaction| {
            let mut deltas = transaction.open_table(DELTAS)?;
            let last = deltas.get((1, 2))?.unwrap().value().1.to_vec();
            damage(&mut deltas, &last);
            Ok(())
        });
        damaged.unwrap();
        let error = super::load(&store, run).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        let text = error.to_string();
        let is_told = text.contains(expected) && text.contains("state.redb");
        assert!(is_told, "{text}");
    };
    let cut = |deltas: &mut Deltas<'_>, last: &[u8]| {
        let half = &last[..last.len() / 2];
        deltas.insert((1, 2), (0, half)).unwrap();
    };
    assert_told(cut, "delta 2 of run 1");
    let other = |deltas: &mut Deltas<'_>, last: &[u8]| {
        deltas.insert((1, 1), (0, last)).unwrap();
    };
    assert_told(other, "delta 1 of run 1");
    let gone = |deltas: &mut Deltas<'_>, _: &[u8]| {
        deltas.remove((1, 1)).unwrap();
    };
    assert_told(gone, "delta 1 of run 1 is gone");
}

/// What the state has of it is in memory, too, and shares nearly all of it.
#[test]
fn a_large_image_that_changes_a_little_does_not_make_commits_wait() {
    let directory = tempfile::tempdir().unwrap();
    let bounds = Bounds::DEFAULT;
    let store = super::open(directory.path(), bounds).unwrap();
    let large = Arc::from(vec![1; bounds.wait_image_bytes as usize * 2 / 3]);
    let mut before: Option<Arc<Image>> = None;
    let run = store.next_run();
    for step in 0..3_u8 {
        let mut sections = image(&[("step", &[step]), ("large", b"")]).sections.clone();
        sections[1].bytes = Arc::clone(&large);
        let after = Arc::new(Image { sections });
        let step = change(run, before, &after, "");
        block_on(store.commit(vec![step], false)).unwrap();
        assert!(!store.inner.shared.overlay().is_full(&bounds));
        store.compact().unwrap();
        before = Some(after);
    }
}

/// A checkpoint that is said to have failed may be on the disk all the same.
#[test]
fn no_delta_follows_a_checkpoint_that_failed() {
    let mut was_made = false;
    for writes in 0..60 {
        let directory = tempfile::tempdir().unwrap();
        let store = super::open(directory.path(), NEVER).unwrap();
        let all = random_bytes(12_000);
        let run = store.next_run();
        written(&store, run, std::slice::from_ref(&all));
        let disk = faults::of(&directory.path().join("state.redb"));
        let mut before = super::load(&store, run).unwrap();
        for cut in [1, 2] {
            let after = image(&[("new", b""), ("head", b"stays"), ("list", &all[cut..])]);
            let step = change(run, before, &after, "");
            block_on(store.commit(vec![step], false)).unwrap();
            before = Some(after);
            if cut == 1 {
                disk.fail_late();
                disk.fill_after(writes);
                let failed = store.compact().is_err();
                disk.heal();
                was_made |= failed && stored(&store, run).1.len() == 1;
            }
        }
        store.compact().unwrap();
        drop(store);
        let store = super::open(directory.path(), NEVER).unwrap();
        assert_eq!(super::load(&store, run).unwrap(), before, "{writes}");
    }
    assert!(was_made);
}
