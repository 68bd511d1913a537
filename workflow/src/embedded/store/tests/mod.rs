//! Tests of the store, by behaviour. A failing random test prints its seed.

mod corruption;
mod crash;
mod delta;
mod deltas;
pub(in crate::embedded) mod faults;
mod full_disk;
mod group_commit;
mod journal;
mod kill;
mod model;
mod opening;
pub(in crate::embedded) mod random;
mod round_trip;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use crate::retention::Retention;

use super::bounds::Bounds;
use super::{
    Change, Filter, IN_FLIGHT, Identity, Image, Kinship, OpenError, Place, Section, Standing,
    Store, StoreError, Summary,
};

/// Bounds that make every commit meet checkpoints and trimming.
const TINY: Bounds = Bounds {
    group_bytes_max: 200,
    checkpoint_journal_bytes: 300,
    checkpoint_rows: 3,
    checkpoint_image_bytes: 10_000,
    wait_journal_bytes: 900,
    wait_image_bytes: 30_000,
    state_cache_bytes: 1 << 20,
    delta_image_bytes_min: 0,
    deltas_max: 3,
    is_single_threaded: false,
    kinship: Kinship::NONE,
};

/// Bounds under which nothing is ever checkpointed before close.
const NEVER: Bounds = Bounds {
    checkpoint_journal_bytes: u64::MAX,
    checkpoint_rows: u64::MAX,
    checkpoint_image_bytes: u64::MAX,
    wait_journal_bytes: u64::MAX,
    wait_image_bytes: u64::MAX,
    delta_image_bytes_min: 0,
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
        key: (*key).to_owned().into(),
        bytes: Arc::from(*bytes),
    });
    Arc::new(Image {
        sections: sections.collect(),
    })
}

/// What a run is found by.
fn summary(run: u64, status: u8) -> Summary {
    Summary {
        identity: Arc::new(Identity {
            workflow_id: format!("workflow-{run}"),
            run_id: format!("run-{run}"),
            workflow: "sample".to_owned(),
            started_ms: run,
        }),
        standing: Standing {
            status,
            closed_ms: (status != IN_FLIGHT).then_some(run),
            wake_ms: None,
            fit: 0,
        },
    }
}

/// The image that was last committed of a run.
fn load(store: &Store, run: u64) -> Result<Option<Arc<Image>>, StoreError> {
    Ok(store.load(run)?.map(|(_, image)| image))
}

/// All runs of a workflow id, ascending.
fn runs_of(store: &Store, workflow_id: &str) -> Result<Vec<u64>, StoreError> {
    let filter = Filter {
        id_prefix: Some(workflow_id.to_owned()),
        ..Filter::default()
    };
    let listed = store.list(&filter, None, usize::MAX)?;
    let runs = listed.into_iter().filter_map(|(place, _)| match place {
        Place::Id(id, run) if id == workflow_id => Some(run),
        _ => None,
    });
    let runs: Vec<u64> = runs.collect();
    let latest = store.find(workflow_id, None)?.map(|(run, _)| run);
    assert_eq!(latest, runs.last().copied());
    Ok(runs)
}

/// All runs in flight, ascending.
fn in_flight(store: &Store) -> Result<Vec<u64>, StoreError> {
    let mut runs = Vec::new();
    store.in_flight(|run, _| runs.push(run))?;
    runs.sort_unstable();
    Ok(runs)
}

fn open(path: &Path, bounds: Bounds) -> Result<Store, OpenError> {
    Store::open_with(path, bounds, Retention::default())
}

/// A change of a run in flight.
fn change(run: u64, before: Option<Arc<Image>>, after: &Arc<Image>, event: &str) -> Change {
    Change {
        run,
        summary: summary(run, IN_FLIGHT),
        before,
        after: Arc::clone(after),
        event: Some(event.as_bytes().to_vec()),
    }
}

/// What a kill leaves: the two files as they are, in another directory.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in ["journal.log", "state.redb"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}
