//! What an engine must do to be measured.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A future of a contestant's.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An engine that can be opened on a directory.
pub trait Contestant: Sync {
    /// Its name, with its version.
    fn name(&self) -> &'static str;

    /// When what it acknowledged is on the disk.
    fn durability(&self) -> &'static str;

    /// With more callers at a time than these its runs fail, so it is not asked.
    fn callers_max(&self) -> u32 {
        u32::MAX
    }

    /// Opens it; runs that were in flight go on.
    fn open<'a>(&'a self, path: &'a Path) -> Fut<'a, Arc<dyn Engine>>;
}

/// An open engine.
pub trait Engine: Send + Sync {
    /// A run of so many activities one after the other, from its start to its result. Each
    /// returns so many bytes, which the run keeps in a `Vec`.
    fn sequence(&self, steps: u32, bytes: usize) -> Fut<'_, ()>;

    /// Starts a run of so many activities and one more, [`last`], which ends only where nothing is
    /// held. Gives the run's id.
    fn start_held(&self, steps: u32) -> Fut<'_, String>;

    /// Waits for the result of such a run.
    fn finish(&self, id: String) -> Fut<'_, ()>;

    /// Starts a run that waits for a signal; returns its id once it waits, durably.
    fn park(&self) -> Fut<'_, String>;

    /// Signals such a run, and waits for its result.
    fn signal(&self, id: String) -> Fut<'_, ()>;

    /// Closes it in order.
    fn close(&self) -> Fut<'_, ()>;
}

static HELD: AtomicBool = AtomicBool::new(false);

/// From now on [`last`] does not end in this process.
pub(crate) fn hold() {
    HELD.store(true, Ordering::SeqCst);
}

/// The body of the last activity of a held run.
pub async fn last() {
    if HELD.load(Ordering::SeqCst) {
        println!("held");
        std::future::pending::<()>().await;
    }
}
