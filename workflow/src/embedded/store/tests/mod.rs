//! Tests of the store, by behaviour. A failing random test prints its seed.

mod corruption;
mod delta;
pub(super) mod faults;
mod full_disk;
mod group_commit;
mod kill;
mod model;
mod opening;
mod random;
mod round_trip;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use super::bounds::Bounds;
use super::{Change, Image, Section};

/// Bounds that make every commit meet checkpoints and trimming.
const TINY: Bounds = Bounds {
    group_bytes_max: 200,
    checkpoint_journal_bytes: 300,
    checkpoint_rows: 3,
    checkpoint_image_bytes: 400,
    wait_journal_bytes: 900,
    wait_image_bytes: 2_000,
    trim_rows_max: 2,
    state_check_bytes_max: 1 << 30,
};

/// Bounds under which nothing is ever checkpointed before close.
const NEVER: Bounds = Bounds {
    checkpoint_journal_bytes: u64::MAX,
    checkpoint_rows: u64::MAX,
    checkpoint_image_bytes: u64::MAX,
    wait_journal_bytes: u64::MAX,
    wait_image_bytes: u64::MAX,
    ..Bounds::DEFAULT
};

/// Runs a future to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// An image with these sections.
fn image(sections: &[(&str, &[u8])]) -> Arc<Image> {
    let sections = sections.iter().map(|(key, bytes)| Section {
        key: (*key).to_owned(),
        bytes: bytes.to_vec(),
    });
    Arc::new(Image {
        sections: sections.collect(),
    })
}

/// A change of a run in flight.
fn change(run: u64, before: Option<Arc<Image>>, after: &Arc<Image>, event: &str) -> Change {
    Change {
        run,
        workflow_id: Arc::from(format!("workflow-{run}")),
        open: true,
        before,
        after: Arc::clone(after),
        event: Some(event.as_bytes().to_vec()),
    }
}

/// What a kill leaves: the two files as they are, in another directory.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in ["journal.redb", "state.redb"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}
