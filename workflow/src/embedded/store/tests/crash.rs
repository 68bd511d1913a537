//! A crash, a full disk and a failed sync at every single operation on the disk, checkpoints and
//! what is between the two files included: what was confirmed is there, and nothing is half there.

use std::path::Path;
use std::sync::Arc;

use super::super::bounds::Bounds;
use super::super::{Image, Store, StoreError};
use super::faults;
use super::random::Random;
use super::{NEVER, TINY, block_on, change, image};

const COMMITS: u64 = 12;

const ALONE: Bounds = Bounds {
    is_single_threaded: true,
    ..TINY
};

/// Where a scenario stands: a pair of runs that always change together.
#[derive(Default)]
struct Pair {
    confirmed: Option<Arc<Image>>,
    /// What a commit that failed would have made of them.
    in_doubt: Vec<Arc<Image>>,
    steps: usize,
}

/// It grows from step to step, so that checkpoints write deltas.
fn image_of(step: u64) -> Arc<Image> {
    let ballast = Random::new(1).bytes(step * 40);
    image(&[("step", &[step as u8]), ("ballast", &ballast)])
}

/// Commits one change after the other, and goes on after errors.
fn commit_all(store: &Store) -> Pair {
    let runs = [store.next_run(), store.next_run()];
    let mut pair = Pair::default();
    for step in 0..COMMITS {
        let after = image_of(step);
        let changes = runs.map(|run| change(run, pair.confirmed.clone(), &after, "step"));
        match block_on(store.commit(changes.into(), false)) {
            Ok(()) => {
                pair.confirmed = Some(after);
                pair.in_doubt.clear();
                pair.steps += 1;
            }
            Err(StoreError::Panicked) => panic!("the store panicked"),
            Err(_) => pair.in_doubt.push(after),
        }
    }
    pair
}

fn assert_holds(store: &Store, pair: &Pair, what: &str) {
    let [one, other] = [1, 2].map(|run| super::load(store, run).unwrap());
    assert_eq!(one, other, "{what}: a commit is half there");
    let is_expected =
        one == pair.confirmed || pair.in_doubt.iter().any(|it| one.as_ref() == Some(it));
    assert!(is_expected, "{what}: {one:?}");
    for run in [1, 2] {
        let events = store.history(run).unwrap().len();
        assert!(
            (pair.steps..=pair.steps + pair.in_doubt.len()).contains(&events),
            "{what}"
        );
        let is_there = one.is_some();
        assert_eq!(
            super::in_flight(store).unwrap().contains(&run),
            is_there,
            "{what}"
        );
        let runs = super::runs_of(store, &format!("workflow-{run}")).unwrap();
        assert_eq!(runs == [run], is_there, "{what}");
    }
}

#[test]
fn a_crash_at_every_operation() {
    let mut operations = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        drop(super::open(directory.path(), ALONE).unwrap());
        let disk = faults::of(&directory.path().join("state.redb"));
        disk.watch(directory.path());
        disk.crash_after(operations);
        let opened = super::open(directory.path(), ALONE);
        let pair = opened.as_ref().map_or_else(|_| Pair::default(), commit_all);
        let crashed = disk.has_crashed();
        disk.each_crash(operations, |left, kind| {
            let what = format!("after {operations} operations, {kind}");
            let store = super::open(left, ALONE);
            let store = store.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_holds(&store, &pair, &what);
        });
        drop(opened);
        if !crashed {
            break;
        }
        operations += 1;
    }
    println!("{operations} operations");
    assert!(operations > 100, "there is more to crash at");
}

/// Opens the directory and commits one run, with a crash at each operation; then once more.
fn crash_while_opening(prepare: impl Fn(&Path), runs: usize) {
    let mut operations = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let disk = faults::of(&directory.path().join("state.redb"));
        disk.watch(directory.path());
        disk.crash_after(operations);
        let (mut confirmed, mut tried) = (0, 0);
        let mut open_and_commit = || {
            let opened = super::open(directory.path(), ALONE);
            if let Ok(store) = &opened {
                let only = image(&[("state", b"one")]);
                let one = vec![change(store.next_run(), None, &only, "")];
                tried += 1;
                confirmed += usize::from(block_on(store.commit(one, false)).is_ok());
            }
            let what = format!("after {operations} operations");
            disk.each_crash(operations, |left, kind| {
                let store = super::open(left, ALONE);
                let store = store.unwrap_or_else(|error| panic!("{what}, {kind}: {error}"));
                let found = super::in_flight(&store).unwrap().len();
                let expected = runs + confirmed..=runs + tried;
                assert!(expected.contains(&found), "{what}, {kind}: {found}");
            });
            opened
        };
        let opened = open_and_commit();
        let crashed = disk.has_crashed();
        drop(opened);
        disk.restart();
        open_and_commit().unwrap();
        if !crashed {
            break;
        }
        operations += 1;
    }
    println!("{operations} operations");
    assert!(operations > 15, "there is more to crash at");
}

#[test]
fn a_crash_while_the_files_are_made() {
    crash_while_opening(|_| {}, 0);
}

#[test]
fn a_crash_while_data_of_version_1_is_read() {
    crash_while_reading("format-1", ["journal.redb", "state.redb"]);
}

#[test]
fn a_crash_while_data_of_version_2_is_read() {
    crash_while_reading("format-2", ["journal.log", "state.redb"]);
}

fn crash_while_reading(format: &str, files: [&str; 2]) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let copy = |directory: &Path| {
        for file in files {
            std::fs::copy(fixtures.join(format).join(file), directory.join(file)).unwrap();
        }
    };
    crash_while_opening(copy, 5);
}

/// A backup that was said to be there is there; of one that was not, nothing is half there.
#[test]
fn a_crash_during_a_backup() {
    let source = tempfile::tempdir().unwrap();
    let store = super::open(source.path(), NEVER).unwrap();
    let only = image(&[("state", b"one")]);
    for _ in 0..3 {
        block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
        store.compact().unwrap();
    }
    block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    for operations in 0.. {
        let target = tempfile::tempdir().unwrap();
        let disk = faults::of(&target.path().join("state.redb"));
        disk.watch(target.path());
        disk.crash_after(operations);
        let outcome = store.backup(target.path());
        let crashed = disk.has_crashed();
        assert_eq!(outcome.is_err(), crashed);
        disk.each_crash(operations, |left, kind| {
            let what = format!("after {operations} operations, {kind}");
            let copy = super::open(left, ALONE);
            let copy = copy.unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = super::in_flight(&copy).unwrap().len();
            assert!(found == 4 || crashed && found == 0, "{what}: {found}");
        });
        if !crashed {
            return;
        }
    }
}

/// Lets each change of the disk fail as a full disk does; then there is room again.
#[test]
fn a_full_disk_at_every_write() {
    for late in [false, true] {
        for writes in 0..150 {
            let directory = tempfile::tempdir().unwrap();
            let store = super::open(directory.path(), ALONE).unwrap();
            let disk = faults::of(&directory.path().join("state.redb"));
            if late {
                disk.fail_late();
            }
            disk.fill_after(writes);
            let mut pair = commit_all(&store);
            disk.heal();
            let what = format!("full after {writes} writes, late: {late}");
            // Nothing that was refused shows, and it goes on without a restart.
            assert_eq!(super::load(&store, 1).unwrap(), pair.confirmed, "{what}");
            let after = image_of(COMMITS);
            let changes = [1, 2].map(|run| change(run, pair.confirmed.clone(), &after, "step"));
            block_on(store.commit(changes.into(), false))
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            pair.confirmed = Some(after);
            pair.in_doubt.clear();
            pair.steps += 1;
            drop(store);
            assert_holds(&super::open(directory.path(), ALONE).unwrap(), &pair, &what);
        }
    }
}

/// Lets each sync fail; then the process is started again.
#[test]
fn a_failed_sync_at_every_sync() {
    for syncs in 0..60 {
        let directory = tempfile::tempdir().unwrap();
        let store = super::open(directory.path(), ALONE).unwrap();
        let disk = faults::of(&directory.path().join("state.redb"));
        disk.fail_syncs_after(syncs);
        let pair = commit_all(&store);
        // What was confirmed is still shown, or an error that names the file.
        match super::load(&store, 1) {
            Ok(found) => assert_eq!(found, pair.confirmed),
            Err(error) => assert!(error.to_string().contains(".redb"), "{error}"),
        }
        drop(store);
        disk.heal();
        let what = format!("after {syncs} syncs");
        assert_holds(&super::open(directory.path(), ALONE).unwrap(), &pair, &what);
    }
}
