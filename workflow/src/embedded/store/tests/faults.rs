//! Faults of a disk, for the files of one directory.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, RwLock, RwLockWriteGuard, Weak};

use super::super::disk::Change;
use super::random::Random;

/// What the disk of a directory does.
#[derive(Debug)]
pub(in crate::embedded) struct Faults {
    /// Held shared while the disk changes.
    moving: RwLock<()>,
    /// Changes that succeed until one fails with a full disk; negative: all succeed.
    changes_left: AtomicI64,
    /// Whether a change is made before it fails.
    fails_late: AtomicBool,
    /// The same for syncs, which fail with an I/O error.
    syncs_left: AtomicI64,
    /// What is on the disk and what is not yet, where that is watched.
    watched: Mutex<Option<Watched>>,
}

/// What a crash keeps, and what it may drop.
#[derive(Debug)]
struct Watched {
    files: BTreeMap<OsString, WatchedFile>,
    /// The crash comes instead of this change or sync, counted down.
    crash_in: Option<u64>,
    /// What the crash left.
    crashed: bool,
}

#[derive(Debug, Default)]
struct WatchedFile {
    synced: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Unsynced>,
}

#[derive(Debug)]
enum Unsynced {
    Length(u64),
    Bytes(u64, Vec<u8>),
}

impl Unsynced {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Length(len) => file.resize(*len as usize, 0),
            Self::Bytes(offset, data) => {
                let (begin, end) = (*offset as usize, *offset as usize + data.len());
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[begin..end].copy_from_slice(data);
            }
        }
    }
}

/// What of the unsynced changes is there after a crash.
pub(in crate::embedded) enum Keeps<'r> {
    /// The process was killed: the system writes them all.
    All,
    /// Just what was synced.
    Nothing,
    /// The power was lost: any of them, and the last one perhaps in part.
    Any(&'r mut Random),
}

static DISKS: LazyLock<Mutex<HashMap<PathBuf, Weak<Faults>>>> = LazyLock::new(Mutex::default);

/// The faults of the directory this file is in.
pub(in crate::embedded) fn of(file: &Path) -> Arc<Faults> {
    let directory = file.parent().unwrap().to_owned();
    let mut disks = DISKS.lock().unwrap();
    if let Some(known) = disks.get(&directory).and_then(Weak::upgrade) {
        return known;
    }
    let faults = Arc::new(Faults {
        moving: RwLock::new(()),
        changes_left: AtomicI64::new(-1),
        fails_late: AtomicBool::new(false),
        syncs_left: AtomicI64::new(-1),
        watched: Mutex::new(None),
    });
    disks.retain(|_, known| known.strong_count() > 0);
    disks.insert(directory, Arc::downgrade(&faults));
    faults
}

impl Faults {
    /// Nothing on the disk changes while this is held: what a kill would leave.
    pub(in crate::embedded) fn freeze(&self) -> RwLockWriteGuard<'_, ()> {
        self.moving.write().unwrap()
    }

    /// Lets so many changes pass; then the disk is full, until [`Faults::heal`].
    pub(in crate::embedded) fn fill_after(&self, changes: i64) {
        self.changes_left.store(changes, Ordering::SeqCst);
    }

    /// From now on a change that fails has been made.
    pub(in crate::embedded) fn fail_late(&self) {
        self.fails_late.store(true, Ordering::SeqCst);
    }

    /// Lets so many syncs pass; then they fail.
    pub(in crate::embedded) fn fail_syncs_after(&self, syncs: i64) {
        self.syncs_left.store(syncs, Ordering::SeqCst);
    }

    pub(in crate::embedded) fn heal(&self) {
        self.fill_after(-1);
        self.fail_syncs_after(-1);
    }

    pub(in super::super) fn change(
        &self,
        file: &OsStr,
        change: &Change<'_>,
        work: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.may_crash()?;
        let outcome = count_down(&self.changes_left, io::ErrorKind::StorageFull);
        if outcome.is_ok() || self.fails_late.load(Ordering::SeqCst) {
            let _moving = self.moving.read().unwrap();
            work()?;
            if let Some(watched) = &mut *self.watched.lock().unwrap() {
                let file = watched.files.entry(file.to_owned()).or_default();
                file.unsynced.push(match *change {
                    Change::Length(len) => Unsynced::Length(len),
                    Change::Bytes { offset, data } => Unsynced::Bytes(offset, data.to_vec()),
                });
            }
        }
        outcome
    }

    pub(in super::super) fn sync(
        &self,
        file: &OsStr,
        work: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.may_crash()?;
        count_down(&self.syncs_left, io::ErrorKind::Other)?;
        let _moving = self.moving.read().unwrap();
        let mut watched = self.watched.lock().unwrap();
        let Some(watched) = &mut *watched else {
            return work();
        };
        // The model stands for the disk: syncing it as well would only take time.
        let file = watched.files.entry(file.to_owned()).or_default();
        for change in file.unsynced.drain(..) {
            change.apply(&mut file.synced);
        }
        Ok(())
    }

    /// Watches the files of this directory from now on; they are all synced.
    pub(in crate::embedded) fn watch(&self, directory: &Path) {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let file = WatchedFile {
                synced: std::fs::read(entry.path()).unwrap(),
                unsynced: Vec::new(),
            };
            files.insert(entry.file_name(), file);
        }
        *self.watched.lock().unwrap() = Some(Watched {
            files,
            crash_in: None,
            crashed: false,
        });
    }

    /// Lets so many changes and syncs pass; then nothing more reaches the disk.
    pub(in crate::embedded) fn crash_after(&self, operations: u64) {
        if let Some(watched) = &mut *self.watched.lock().unwrap() {
            watched.crash_in = Some(operations);
        }
    }

    pub(in crate::embedded) fn has_crashed(&self) -> bool {
        let watched = self.watched.lock().unwrap();
        watched.as_ref().is_some_and(|watched| watched.crashed)
    }

    fn may_crash(&self) -> io::Result<()> {
        let mut watched = self.watched.lock().unwrap();
        let Some(watched) = &mut *watched else {
            return Ok(());
        };
        if let Some(left) = &mut watched.crash_in {
            watched.crashed |= *left == 0;
            *left = left.saturating_sub(1);
        }
        if watched.crashed {
            return Err(io::Error::other("the machine is down"));
        }
        Ok(())
    }

    /// Writes the files as a crash leaves them.
    pub(in crate::embedded) fn write_left(&self, directory: &Path, mut keeps: Keeps<'_>) {
        let watched = self.watched.lock().unwrap();
        for (name, file) in &watched.as_ref().expect("it is watched").files {
            let mut bytes = file.synced.clone();
            for change in &file.unsynced {
                match &mut keeps {
                    Keeps::All => change.apply(&mut bytes),
                    Keeps::Nothing => {}
                    Keeps::Any(random) => match (random.below(8), change) {
                        (0..3, _) => {}
                        (3, Unsynced::Bytes(offset, data)) => {
                            // Torn where a sector ends.
                            let sectors = data.len().div_ceil(512) as u64;
                            let kept = (random.below(sectors + 1) * 512) as usize;
                            let kept = data[..kept.min(data.len())].to_vec();
                            Unsynced::Bytes(*offset, kept).apply(&mut bytes);
                        }
                        _ => change.apply(&mut bytes),
                    },
                }
            }
            std::fs::write(directory.join(name), bytes).unwrap();
        }
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
