//! What can go wrong with the data directory. Each message says what happened, where, and what to
//! do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a data directory could not be opened. Nothing in it has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OpenError {
    /// The directory is not there and cannot be created, or cannot be written.
    #[error(
        "cannot create or write the data directory {path}: {source}. Check that its parent is a \
         directory and that this process may write there"
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// One process at a time, and one store in it.
    #[error(
        "the data directory {path} is already open, in another process or in this one. Stop the \
         other process, share the one engine, or choose another directory"
    )]
    AlreadyOpen {
        /// The directory.
        path: PathBuf,
    },
    /// A backup goes into a directory of its own.
    #[error("{file} is there already. Choose another directory for the backup")]
    NotEmpty {
        /// The file.
        file: PathBuf,
    },
    /// The journal and the state are only complete together.
    #[error(
        "{missing} is missing although {present} is there. Put the missing file back from the \
         same backup, or move both away to begin with an empty data directory"
    )]
    Missing {
        /// The file that is not there.
        missing: PathBuf,
        /// The file that is.
        present: PathBuf,
    },
    /// The journal does not continue the state.
    #[error(
        "{journal} and {state} do not belong together: {reason}. Put both files back from one \
         backup, copied while the engine was stopped"
    )]
    Mismatch {
        /// The journal's file.
        journal: PathBuf,
        /// The state's file.
        state: PathBuf,
        /// How that shows.
        reason: String,
    },
    /// Some other file has this name.
    #[error(
        "{path} is not a workflow database. Choose another data directory, or move the file away"
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this library.
    #[error(
        "{path} has format version {found}, and this version of the library knows versions up to \
         {known}. Update the library"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version this library reads.
        known: u32,
    },
    /// A fault that can also happen later.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something could not be saved or read.
///
/// After an error, what was to be saved is not visible in this process. If the error came from the
/// operating system, a later process may still find it, whole: the outcome is unknown then.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// The store was closed.
    #[error("the data directory is closed. Open the engine again")]
    Closed,
    /// No room. Once there is some, the store goes on by itself.
    #[error("no space left for {path}. Free some disk space; nothing that was saved is lost")]
    DiskFull {
        /// The file that was written.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read or write {path}: {source}. Check the disk and the file's permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// What was written may not have reached the disk, and reading it back proves nothing.
    #[error(
        "{path} could not be synced to the disk, so nothing more is written to it. Check the disk \
         and restart the process; everything that was confirmed before is kept"
    )]
    SyncFailed {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error(
        "{path} is damaged: {reason}. Put the data directory back from a backup; check the disk"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A bug in the store.
    #[error(
        "the store's own code panicked, so it takes nothing more. Restart the process, which loses \
         nothing that was confirmed, and report the panic's message"
    )]
    Panicked,
    /// Two writers of one run, or a change computed from an old image.
    #[error(
        "run {run} has been changed in the meantime, so the change was not saved. Load the run \
         again; if nothing else drives this run, report it as a bug in the engine"
    )]
    Stale {
        /// Number of the run.
        run: u64,
    },
    /// More than one commit may hold.
    #[error("{bytes} bytes are too much to save at once (at most {bytes_max}). Save less state")]
    TooLarge {
        /// What was to be saved.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A record could not be encoded.
    #[error("a record could not be encoded: {reason}. Report it as a bug in the engine")]
    Encode {
        /// What the codec said.
        reason: String,
    },
}
