//! The data directory: its lock, its two files, and how they come into being.
//!
//! ```text
//! lock           held while a store is open
//! journal.log    what was committed last, one row a group
//! state.redb     everything up to the last checkpoint
//! *.new          files that are being made; never read
//! ```
//!
//! A kill at any moment while the files are made leaves a directory that opens: both are finished
//! under other names first, then renamed, the state before the journal.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::error::{OpenError, StoreError};

const LOCK: &str = "lock";
const JOURNAL: &str = "journal.log";
const STATE: &str = "state.redb";
/// The journal of format version 1.
const OLD_JOURNAL: &str = "journal.redb";
const NEW: &str = "new";

/// A data directory that this store alone has open. Dropping it lets the lock go.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
    #[cfg(test)]
    faults: std::sync::Arc<super::tests::faults::Faults>,
}

/// The two files.
#[derive(Debug)]
pub(super) struct Files {
    pub journal: PathBuf,
    pub state: PathBuf,
}

impl Directory {
    /// Creates the directory if it is not there, and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source: io::Error| OpenError::Directory {
            path: path.to_owned(),
            source,
        };
        if !path.is_dir() {
            let is_new = |path: &&Path| !path.is_dir();
            let new: Vec<&Path> = path.ancestors().take_while(is_new).collect();
            fs::create_dir_all(path).map_err(unusable)?;
            for parent in new.into_iter().filter_map(Path::parent) {
                // Nothing is above a relative path.
                let is_here = parent.as_os_str().is_empty();
                let parent = if is_here { Path::new(".") } else { parent };
                sync_directory(parent).map_err(unusable)?;
            }
        }
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
                #[cfg(test)]
                faults: super::tests::faults::of(&path.join(LOCK)),
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::AlreadyOpen {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Refuses a directory that has data.
    pub(super) fn check_empty(&self) -> Result<(), OpenError> {
        for name in [JOURNAL, OLD_JOURNAL, STATE] {
            let file = self.path.join(name);
            if file.exists() {
                return Err(OpenError::NotEmpty { file });
            }
        }
        Ok(())
    }

    /// Where the state is.
    pub(super) fn state(&self) -> PathBuf {
        self.path.join(STATE)
    }

    /// A journal of format version 1, if it has one.
    pub(super) fn old_journal(&self) -> Option<PathBuf> {
        Some(self.path.join(OLD_JOURNAL)).filter(|old| old.exists())
    }

    /// Makes a journal, in the place of one that may be there.
    pub(super) fn make_journal(
        &self,
        create: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), OpenError> {
        let journal = self.path.join(JOURNAL);
        let new = journal.with_extension(NEW);
        self.finish(|| self.remove_if_there(&new))?;
        create(&new)?;
        self.finish(|| self.rename(&new, &journal))
    }

    /// Removes a file, durably.
    pub(super) fn remove(&self, file: &Path) -> Result<(), OpenError> {
        self.finish(|| self.remove_if_there(file))
    }

    /// The two files, made by `create` if the directory has none.
    pub(super) fn files(
        &self,
        create: impl FnOnce(&Files) -> Result<(), StoreError>,
    ) -> Result<Files, OpenError> {
        let files = Files {
            journal: self.path.join(JOURNAL),
            state: self.state(),
        };
        let new = Files {
            journal: files.journal.with_extension(NEW),
            state: files.state.with_extension(NEW),
        };
        match (files.journal.exists(), files.state.exists()) {
            (true, true) => {}
            (true, false) => {
                return Err(OpenError::Missing {
                    missing: files.state,
                    present: files.journal,
                });
            }
            // Killed between the two renames.
            (false, true) if new.journal.exists() => {
                self.finish(|| self.rename(&new.journal, &files.journal))?
            }
            (false, true) => {
                return Err(OpenError::Missing {
                    missing: files.journal,
                    present: files.state,
                });
            }
            (false, false) => {
                self.finish(|| {
                    self.remove_if_there(&new.journal)?;
                    self.remove_if_there(&new.state)
                })?;
                create(&new)?;
                // One after the other: a state whose journal has no name yet would be half a directory.
                self.sync_names()?;
                self.finish(|| self.rename(&new.state, &files.state))?;
                self.finish(|| self.rename(&new.journal, &files.journal))?;
            }
        }
        Ok(files)
    }

    /// Makes the names durable that are there.
    pub(super) fn sync_names(&self) -> Result<(), OpenError> {
        self.finish(|| Ok(()))
    }

    /// Starts a thread that serves this directory.
    pub(super) fn spawn(
        &self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, OpenError> {
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|source| OpenError::Directory {
                path: self.path.clone(),
                source,
            })
    }

    /// Does something to the names in it, durably.
    fn finish(&self, work: impl FnOnce() -> io::Result<()>) -> Result<(), OpenError> {
        work()
            .and_then(|()| self.sync())
            .map_err(|source| OpenError::Directory {
                path: self.path.clone(),
                source,
            })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(Names::Renamed { from, to }, || fs::rename(from, to))
    }

    fn remove_if_there(&self, path: &Path) -> io::Result<()> {
        if path.exists() {
            self.change(Names::Removed(path), || fs::remove_file(path))?;
        }
        Ok(())
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests watch the directory")]
    fn change(&self, _: Names<'_>, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        work()
    }

    #[cfg(not(test))]
    fn sync(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    #[cfg(test)]
    fn change(&self, change: Names<'_>, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.faults.change_names(&change, work)
    }

    #[cfg(test)]
    fn sync(&self) -> io::Result<()> {
        self.faults.sync_names(|| sync_directory(&self.path))
    }
}

/// What changes the names in a directory.
#[cfg_attr(not(test), expect(dead_code, reason = "tests look at it"))]
pub(super) enum Names<'a> {
    Renamed { from: &'a Path, to: &'a Path },
    Removed(&'a Path),
}

/// Makes the names in a directory durable, where the system has such a thing.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}
