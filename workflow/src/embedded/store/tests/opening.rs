//! What an opening finds, and what it says when that is not a data directory.

use std::fs;
use std::path::Path;

use redb::{Database, TableDefinition};

use super::super::bounds::Bounds;
use super::super::file::DataFile;
use super::super::log::{self, Header};
use super::super::{OpenError, StoreError, meta, state};
use super::{NEVER, block_on, change, copy_files, faults, image};

/// A directory with one run in it, closed.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let only = image(&[("state", b"one")]);
    block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    directory
}

fn error_of(directory: &Path) -> OpenError {
    let error = super::open(directory, Bounds::DEFAULT)
        .err()
        .expect("an error");
    let text = error.to_string();
    assert!(
        text.contains(directory.to_str().unwrap()),
        "no path: {text}"
    );
    error
}

#[test]
fn one_store_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/demand");
    let store = super::open(&path, Bounds::DEFAULT).unwrap();
    assert!(matches!(error_of(&path), OpenError::AlreadyOpen { .. }));
    let clone = store.clone();
    drop(store);
    assert!(matches!(error_of(&path), OpenError::AlreadyOpen { .. }));
    drop(clone);
    super::open(&path, Bounds::DEFAULT).unwrap();
}

#[test]
fn a_file_that_is_open_elsewhere_is_refused() {
    let directory = filled();
    let path = directory.path().join("state.redb");
    let _other = DataFile::open(&path, state::settings(1 << 20)).unwrap();
    let error = error_of(directory.path());
    assert!(matches!(error, OpenError::AlreadyOpen { .. }));
}

#[test]
fn a_path_under_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "text").unwrap();
    let error = error_of(&file.join("data"));
    assert!(matches!(error, OpenError::Directory { .. }));
    assert!(matches!(error_of(&file), OpenError::Directory { .. }));
}

#[test]
fn one_file_without_the_other_is_refused() {
    for file in ["journal.log", "state.redb"] {
        let directory = filled();
        fs::remove_file(directory.path().join(file)).unwrap();
        let error = error_of(directory.path());
        let OpenError::Missing { missing, .. } = error else {
            panic!("{error}");
        };
        assert!(missing.ends_with(file));
    }
}

#[test]
fn files_of_two_databases_are_refused() {
    let (one, other) = (filled(), filled());
    fs::copy(
        other.path().join("journal.log"),
        one.path().join("journal.log"),
    )
    .unwrap();
    assert!(matches!(error_of(one.path()), OpenError::Mismatch { .. }));
}

/// Copies the directory, then commits runs in it, each checkpointed but the last.
fn go_on(directory: &Path, bytes: &[u8], runs: usize) -> tempfile::TempDir {
    let before = tempfile::tempdir().unwrap();
    copy_files(directory, before.path());
    let store = super::open(directory, NEVER).unwrap();
    for run in 1..=runs {
        let only = image(&[("state", bytes)]);
        block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
        if run < runs {
            store.compact().unwrap();
        }
    }
    // Killed: its files are left as they stand.
    let left = tempfile::tempdir().unwrap();
    copy_files(directory, left.path());
    drop(store);
    copy_files(left.path(), directory);
    before
}

/// The directory with a file of another one in the place of its own.
fn swapped(directory: &Path, file: &str, other: &Path) -> OpenError {
    let mixed = tempfile::tempdir().unwrap();
    copy_files(directory, mixed.path());
    fs::copy(other.join(file), mixed.path().join(file)).unwrap();
    let journal = mixed.path().join("journal.log");
    let before = fs::read(&journal).unwrap();
    let error = error_of(mixed.path());
    assert!(error.to_string().contains(file), "{error}");
    assert!(matches!(error, OpenError::Mismatch { .. }), "{error}");
    let is_same = before == fs::read(&journal).unwrap();
    assert!(is_same, "what is refused is left as it was");
    error
}

#[test]
fn a_state_older_than_the_journal_is_refused() {
    let directory = filled();
    let backup = tempfile::tempdir().unwrap();
    copy_files(directory.path(), backup.path());
    for _ in 0..2 {
        let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
        let only = image(&[("state", b"one")]);
        block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    }
    // Leaves a row in the journal that does not follow the old state.
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let only = image(&[("state", b"one")]);
    block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    fs::copy(
        directory.path().join("journal.log"),
        backup.path().join("journal.log"),
    )
    .unwrap();
    assert!(matches!(
        error_of(backup.path()),
        OpenError::Mismatch { .. }
    ));
}

#[test]
fn a_journal_older_than_the_state_is_refused() {
    for runs in 2..5 {
        let directory = filled();
        let backup = go_on(directory.path(), b"one", runs);
        let error = swapped(directory.path(), "journal.log", backup.path());
        let text = error.to_string();
        assert!(text.contains("the journal ends before row"), "{text}");
    }
    // Also where both were closed in order, and one was cut shorter at that.
    let directory = filled();
    let backup = tempfile::tempdir().unwrap();
    copy_files(directory.path(), backup.path());
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    let large = image(&[("state", &vec![1; 10 << 20])]);
    for _ in 0..2 {
        block_on(store.commit(vec![change(store.next_run(), None, &large, "")], false)).unwrap();
    }
    drop(store);
    super::open(directory.path(), Bounds::DEFAULT).unwrap();
    swapped(directory.path(), "journal.log", backup.path());
    swapped(directory.path(), "state.redb", backup.path());
}

/// A journal that went on from another row of that number than the state has.
#[test]
fn files_of_copies_that_went_on_apart_are_refused() {
    for (runs, others) in [(2, 1), (2, 2), (2, 5), (3, 3), (5, 2)] {
        let directory = filled();
        let copy = go_on(directory.path(), b"one", runs);
        go_on(copy.path(), b"other", others);
        let error = swapped(directory.path(), "journal.log", copy.path());
        let text = error.to_string();
        let is_told = text.contains("two copies") || others + 1 < runs;
        assert!(is_told, "{runs} {others}: {text}");
    }
}

#[test]
fn foreign_and_empty_files_are_refused() {
    for file in ["journal.log", "state.redb"] {
        let directory = filled();
        let path = directory.path().join(file);
        fs::write(&path, "not a database, though longer than its magic number").unwrap();
        let error = error_of(directory.path());
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");

        fs::write(&path, "").unwrap();
        let error = error_of(directory.path());
        let is_corrupt = matches!(error, OpenError::Store(StoreError::Corrupt { .. }));
        assert!(is_corrupt, "{error}");
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            0,
            "it is left as it was"
        );

        fs::remove_file(&path).unwrap();
        let other = Database::create(&path).unwrap();
        let transaction = other.begin_write().unwrap();
        transaction
            .open_table(TableDefinition::<u64, u64>::new("other"))
            .unwrap();
        transaction.commit().unwrap();
        drop(other);
        let error = error_of(directory.path());
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let is_newer = |directory: &Path| {
        let error = error_of(directory);
        let is_newer = matches!(error, OpenError::NewerFormat { found: 7, .. });
        assert!(is_newer, "{error}");
    };
    let directory = filled();
    let path = directory.path().join("state.redb");
    let database = DataFile::open(&path, state::settings(1 << 20)).unwrap();
    let newer = |transaction: &_| meta::put_version(transaction, 7);
    database.write(newer).unwrap();
    database.close().unwrap();
    is_newer(directory.path());

    let directory = filled();
    let path = directory.path().join("journal.log");
    let mut bytes = fs::read(&path).unwrap();
    let mut newer = Header::read(&bytes).unwrap();
    newer.version = 7;
    bytes[..newer.to_bytes().len()].copy_from_slice(&newer.to_bytes());
    fs::write(&path, bytes).unwrap();
    is_newer(directory.path());
}

/// What is in the journal's last row is also in the state.
#[test]
fn a_journal_that_was_closed_in_order_is_not_read() {
    let directory = filled();
    let path = directory.path().join("journal.log");
    let mut bytes = fs::read(&path).unwrap();
    let database = Header::read(&bytes).unwrap().database;
    for row in log::rows(&database, &bytes, 0) {
        bytes[row.record.start] ^= 1;
    }
    fs::write(&path, bytes).unwrap();
    let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
    assert_eq!(super::in_flight(&store).unwrap().len(), 1);
}

/// A killed process may leave a row that the system has and the disk has not.
#[test]
fn what_a_kill_left_is_synced_before_anybody_goes_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), NEVER).unwrap();
    let only = image(&[("state", b"one")]);
    block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    let mut refusals = Vec::new();
    for syncs in 0.. {
        let copy = tempfile::tempdir().unwrap();
        copy_files(directory.path(), copy.path());
        let disk = faults::of(&copy.path().join("journal.log"));
        disk.fail_syncs_after(syncs);
        match super::open(copy.path(), NEVER) {
            Ok(_) => break,
            Err(error) => refusals.push(error.to_string()),
        }
    }
    let is_of_the_journal = |refusal: &String| refusal.contains("journal.log");
    assert!(refusals.iter().any(is_of_the_journal), "{refusals:?}");
}

/// A kill while data of version 1 is made data of this version: the old journal is the one to go by
/// until the state is of the new version.
#[test]
fn an_interrupted_upgrade_is_done_again() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/format-1");
    for stage in 0..=2 {
        let directory = tempfile::tempdir().unwrap();
        let at = |name| directory.path().join(name);
        for file in ["journal.redb", "state.redb"] {
            fs::copy(fixture.join(file), at(file)).unwrap();
        }
        if stage > 0 {
            fs::write(at("journal.new"), "half").unwrap();
        }
        if stage > 1 {
            fs::write(at("journal.log"), "not the one to go by").unwrap();
        }
        let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
        assert_eq!(super::in_flight(&store).unwrap().len(), 5);
        assert!(!at("journal.redb").exists());
        drop(store);
        let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
        assert_eq!(super::in_flight(&store).unwrap().len(), 5);
    }
}

/// An old journal beside data of this version must not replace it.
#[test]
fn an_old_journal_is_not_gone_by_any_more() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/format-1");
    let directory = tempfile::tempdir().unwrap();
    for file in ["journal.redb", "state.redb"] {
        fs::copy(fixture.join(file), directory.path().join(file)).unwrap();
    }
    let store = super::open(directory.path(), NEVER).unwrap();
    let only = image(&[("state", b"one")]);
    block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy_files(directory.path(), killed.path());
    let old = "journal.redb";
    fs::copy(fixture.join(old), killed.path().join(old)).unwrap();
    let store = super::open(killed.path(), NEVER).unwrap();
    assert_eq!(super::in_flight(&store).unwrap().len(), 6);
    assert!(!killed.path().join(old).exists());
}

/// Put back beside a state that went on: what was committed since is not in it.
#[test]
fn a_journal_of_version_2_beside_data_of_this_version_is_refused() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/format-2");
    let (directory, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_files(&fixture, old.path());
    copy_files(&fixture, directory.path());
    for is_checkpointed in [false, true] {
        let store = super::open(directory.path(), NEVER).unwrap();
        if is_checkpointed {
            let only = image(&[("state", b"one")]);
            block_on(store.commit(vec![change(store.next_run(), None, &only, "")], false)).unwrap();
        }
        drop(store);
        swapped(directory.path(), "journal.log", old.path());
    }
}

/// Data of version 1 that does not open is left to the version that wrote it.
#[test]
fn an_upgrade_that_is_refused_changes_nothing() {
    const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/format-1");
    let directory = tempfile::tempdir().unwrap();
    let at = |name| directory.path().join(name);
    for file in ["journal.redb", "state.redb"] {
        fs::copy(fixture.join(file), at(file)).unwrap();
    }
    // A row that does not follow the state.
    let old = Database::open(at("journal.redb")).unwrap();
    let transaction = old.begin_write().unwrap();
    let mut rows = transaction.open_table(ROWS).unwrap();
    rows.insert(1 << 20, &[][..]).unwrap();
    drop(rows);
    transaction.commit().unwrap();
    drop(old);
    for _ in 0..2 {
        error_of(directory.path());
        assert!(at("journal.redb").exists());
        let state = DataFile::open(&at("state.redb"), state::settings(1 << 20)).unwrap();
        assert_eq!(meta::version(&state).unwrap(), 1);
    }
}

/// A kill while the files are made: before, between and after the two renames.
#[test]
fn an_interrupted_creation_is_finished() {
    for renamed in 0..=2 {
        let directory = tempfile::tempdir().unwrap();
        super::open(directory.path(), Bounds::DEFAULT).unwrap();
        let files = ["state.redb", "journal.log"].map(|name| directory.path().join(name));
        for file in &files[renamed..] {
            fs::rename(file, file.with_extension("new")).unwrap();
        }
        let store = super::open(directory.path(), Bounds::DEFAULT).unwrap();
        assert!(super::in_flight(&store).unwrap().is_empty());
    }
    // Before the first is complete.
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("state.new"), "half").unwrap();
    super::open(directory.path(), Bounds::DEFAULT).unwrap();
}
