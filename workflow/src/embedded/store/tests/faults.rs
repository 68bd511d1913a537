//! Faults of a disk, for the files of one directory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, RwLock, RwLockWriteGuard};

/// What the disk of a directory does.
#[derive(Debug)]
pub(in super::super) struct Faults {
    /// Held shared while the disk changes.
    moving: RwLock<()>,
    /// Changes that succeed until one fails with a full disk; negative: all succeed.
    changes_left: AtomicI64,
    /// Whether a change is made before it fails.
    fails_late: AtomicBool,
    /// The same for syncs, which fail with an I/O error.
    syncs_left: AtomicI64,
}

static DISKS: LazyLock<Mutex<HashMap<PathBuf, Arc<Faults>>>> = LazyLock::new(Mutex::default);

/// The faults of the directory this file is in.
pub(in super::super) fn of(file: &Path) -> Arc<Faults> {
    let directory = file.parent().unwrap().to_owned();
    let mut disks = DISKS.lock().unwrap();
    Arc::clone(disks.entry(directory).or_insert_with(|| {
        Arc::new(Faults {
            moving: RwLock::new(()),
            changes_left: AtomicI64::new(-1),
            fails_late: AtomicBool::new(false),
            syncs_left: AtomicI64::new(-1),
        })
    }))
}

impl Faults {
    /// Nothing on the disk changes while this is held: what a kill would leave.
    pub(super) fn freeze(&self) -> RwLockWriteGuard<'_, ()> {
        self.moving.write().unwrap()
    }

    /// Lets so many changes pass; then the disk is full, until [`Faults::heal`].
    pub(super) fn fill_after(&self, changes: i64) {
        self.changes_left.store(changes, Ordering::SeqCst);
    }

    /// From now on a change that fails has been made.
    pub(super) fn fail_late(&self) {
        self.fails_late.store(true, Ordering::SeqCst);
    }

    /// Lets so many syncs pass; then they fail.
    pub(super) fn fail_syncs_after(&self, syncs: i64) {
        self.syncs_left.store(syncs, Ordering::SeqCst);
    }

    pub(super) fn heal(&self) {
        self.fill_after(-1);
        self.fail_syncs_after(-1);
    }

    pub(in super::super) fn change(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let outcome = count_down(&self.changes_left, io::ErrorKind::StorageFull);
        if outcome.is_ok() || self.fails_late.load(Ordering::SeqCst) {
            let _moving = self.moving.read().unwrap();
            work()?;
        }
        outcome
    }

    pub(in super::super) fn sync(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        count_down(&self.syncs_left, io::ErrorKind::Other)?;
        let _moving = self.moving.read().unwrap();
        work()
    }
}

fn count_down(left: &AtomicI64, kind: io::ErrorKind) -> io::Result<()> {
    let counted = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        (left > 0).then(|| left - 1)
    });
    match counted {
        Err(0) => Err(io::Error::new(kind, "an injected fault")),
        _ => Ok(()),
    }
}
