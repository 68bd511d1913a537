//! Faults of a disk, for the files of one directory.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, RwLock, RwLockWriteGuard, Weak};

use super::super::directory::Names;
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
    files: Vec<WatchedFile>,
    /// Which file has which name: for the process, and on the disk.
    names: BTreeMap<OsString, usize>,
    synced_names: BTreeMap<OsString, usize>,
    /// Changes of the names since the last sync, in order.
    unsynced_names: Vec<Named>,
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

/// A name that a file got, or that is gone.
#[derive(Debug)]
enum Named {
    Made(OsString, usize),
    Renamed(OsString, OsString),
    Removed(OsString),
}

impl Named {
    fn apply(&self, names: &mut BTreeMap<OsString, usize>) {
        match self {
            Self::Made(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Renamed(from, to) => {
                let file = names.remove(from).unwrap();
                names.insert(to.clone(), file);
            }
            Self::Removed(name) => {
                names.remove(name);
            }
        }
    }
}

impl Watched {
    fn file(&mut self, name: &OsStr) -> &mut WatchedFile {
        let known = self.names.get(name).copied();
        let file = known.unwrap_or_else(|| {
            self.files.push(WatchedFile::default());
            let file = self.files.len() - 1;
            self.named(Named::Made(name.to_owned(), file));
            file
        });
        &mut self.files[file]
    }

    fn named(&mut self, change: Named) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }
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
                watched.file(file).unsynced.push(match *change {
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
        let outcome = count_down(&self.syncs_left, io::ErrorKind::Other);
        let _moving = self.moving.read().unwrap();
        let mut watched = self.watched.lock().unwrap();
        let Some(watched) = &mut *watched else {
            return outcome.and_then(|()| work());
        };
        // The model stands for the disk: syncing it as well would only take time.
        let file = watched.file(file);
        if outcome.is_err() {
            // The system shows what was written, and takes it for written.
            file.unsynced.clear();
        }
        for change in file.unsynced.drain(..) {
            change.apply(&mut file.synced);
        }
        outcome
    }

    pub(in super::super) fn change_names(
        &self,
        change: &Names<'_>,
        work: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.may_crash()?;
        let _moving = self.moving.read().unwrap();
        work()?;
        if let Some(watched) = &mut *self.watched.lock().unwrap() {
            let name = |path: &Path| path.file_name().unwrap().to_owned();
            watched.named(match *change {
                Names::Renamed { from, to } => Named::Renamed(name(from), name(to)),
                Names::Removed(path) => Named::Removed(name(path)),
            });
        }
        Ok(())
    }

    pub(in super::super) fn sync_names(
        &self,
        work: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.may_crash()?;
        let mut watched = self.watched.lock().unwrap();
        let Some(watched) = &mut *watched else {
            return work();
        };
        watched.unsynced_names.clear();
        watched.synced_names.clone_from(&watched.names);
        Ok(())
    }

    /// Watches the files of this directory from now on; they are all synced.
    pub(in crate::embedded) fn watch(&self, directory: &Path) {
        let mut files = Vec::new();
        let mut names = BTreeMap::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let file = WatchedFile {
                synced: std::fs::read(entry.path()).unwrap(),
                unsynced: Vec::new(),
            };
            names.insert(entry.file_name(), files.len());
            files.push(file);
        }
        *self.watched.lock().unwrap() = Some(Watched {
            files,
            synced_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
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

    /// The process that was killed is started again, on a machine that went on.
    pub(in crate::embedded) fn restart(&self) {
        if let Some(watched) = &mut *self.watched.lock().unwrap() {
            watched.crash_in = None;
            watched.crashed = false;
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

    /// Looks at a directory as each kind of crash leaves it.
    pub(in crate::embedded) fn each_crash(&self, seed: u64, mut look: impl FnMut(&Path, &str)) {
        let mut random = Random::new(seed);
        let kinds = [
            ("killed", Keeps::All),
            ("only what was synced", Keeps::Nothing),
            ("power lost", Keeps::Any(&mut random)),
        ];
        for (kind, keeps) in kinds {
            let left = tempfile::tempdir().unwrap();
            self.write_left(left.path(), keeps);
            look(left.path(), kind);
        }
    }

    /// Writes the files as a crash leaves them.
    pub(in crate::embedded) fn write_left(&self, directory: &Path, mut keeps: Keeps<'_>) {
        let watched = self.watched.lock().unwrap();
        let watched = watched.as_ref().expect("it is watched");
        let mut names = watched.synced_names.clone();
        let changes = &watched.unsynced_names;
        let kept = match &mut keeps {
            Keeps::All => changes.len(),
            Keeps::Nothing => 0,
            // File systems keep names in the order in which they change.
            Keeps::Any(random) => random.below(changes.len() as u64 + 1) as usize,
        };
        for change in &changes[..kept] {
            change.apply(&mut names);
        }
        for (name, file) in names {
            let file = &watched.files[file];
            let mut bytes = file.synced.clone();
            for change in &file.unsynced {
                match &mut keeps {
                    Keeps::All => change.apply(&mut bytes),
                    Keeps::Nothing => {}
                    Keeps::Any(random) => match (random.below(8), change) {
                        (0..3, _) => {}
                        (way @ (3 | 4), Unsynced::Bytes(offset, data)) => {
                            // Torn where a sector ends: the first ones, or any of them.
                            let kept = random.below(data.len() as u64 / SECTOR_BYTES + 2);
                            for (number, (offset, data)) in (0..).zip(sectors(*offset, data)) {
                                let is_kept = match way {
                                    3 => number < kept,
                                    _ => random.below(2) == 0,
                                };
                                if is_kept {
                                    Unsynced::Bytes(offset, data.to_vec()).apply(&mut bytes);
                                }
                            }
                        }
                        _ => change.apply(&mut bytes),
                    },
                }
            }
            std::fs::write(directory.join(name), bytes).unwrap();
        }
    }
}

const SECTOR_BYTES: u64 = 512;

/// What a write writes into each sector.
fn sectors(offset: u64, data: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = offset + at as u64;
        let end = (begin / SECTOR_BYTES + 1) * SECTOR_BYTES;
        let sector = &data[at..data.len().min((end - offset) as usize)];
        at += sector.len();
        (!sector.is_empty()).then_some((begin, sector))
    })
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
