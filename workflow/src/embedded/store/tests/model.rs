//! Random operations and reopenings against a plain map.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::bounds::Bounds;
use super::super::{Change, Filter, IN_FLIGHT, Identity, Image, Section, Standing, Store, Summary};
use super::random::Random;
use super::{NEVER, TINY, block_on, copy_files};

const OPERATIONS: u64 = 300;

/// What the store should say of one run.
#[derive(Clone)]
struct Expected {
    workflow_id: String,
    standing: Standing,
    image: Arc<Image>,
    history: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Model {
    runs: BTreeMap<u64, Expected>,
}

impl Model {
    fn assert_same(&self, store: &Store) {
        let mut by_id: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (run, expected) in &self.runs {
            assert_eq!(
                super::load(store, *run).unwrap().as_ref(),
                Some(&expected.image)
            );
            assert_eq!(store.history(*run).unwrap(), expected.history);
            by_id.entry(&expected.workflow_id).or_default().push(*run);
        }
        for (workflow_id, runs) in by_id {
            assert_eq!(super::runs_of(store, workflow_id).unwrap(), runs);
        }
        let standing = |run: &u64| self.runs[run].standing;
        let in_flight = self
            .runs
            .keys()
            .filter(|run| standing(run).status == IN_FLIGHT);
        let in_flight: Vec<u64> = in_flight.copied().collect();
        assert_eq!(super::in_flight(store).unwrap(), in_flight);
        let wakes = self
            .runs
            .keys()
            .filter_map(|run| Some((standing(run).wake_ms?, *run)));
        let mut wakes: Vec<(u64, u64)> = wakes.filter(|(at, run)| (3, 1) < (*at, *run)).collect();
        wakes.sort_unstable();
        wakes.retain(|(at, _)| *at <= 15);
        wakes.truncate(7);
        assert_eq!(store.wakes((3, 1), 15, 7).unwrap(), wakes);
        self.assert_lists(store, None, None);
        self.assert_lists(store, Some(0), None);
        self.assert_lists(store, Some(2), None);
        self.assert_lists(store, None, Some("workflow-"));
        self.assert_lists(store, Some(1), Some("workflow-2"));
    }

    /// Whether all pages together are what a filter says, in order.
    fn assert_lists(&self, store: &Store, status: Option<u8>, id_prefix: Option<&str>) {
        let filter = Filter {
            status,
            id_prefix: id_prefix.map(str::to_owned),
            started_from_ms: Some(2),
            ..Filter::default()
        };
        let fits = |run: &&u64| {
            let expected = &self.runs[*run];
            status.is_none_or(|status| expected.standing.status == status)
                && id_prefix.is_none_or(|prefix| expected.workflow_id.starts_with(prefix))
                && **run / 3 >= 2
        };
        let mut runs: Vec<u64> = self.runs.keys().filter(fits).copied().collect();
        match id_prefix {
            None => runs.reverse(),
            Some(_) => runs.sort_by_key(|run| (self.runs[run].workflow_id.clone(), *run)),
        }
        let mut listed: Vec<u64> = Vec::new();
        let mut after = None;
        loop {
            let page = store.list(&filter, after.as_ref(), 4).unwrap();
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(last.clone());
            let numbers = page
                .iter()
                .map(|(_, run)| run.identity.run_id.parse::<u64>());
            listed.extend(numbers.map(Result::unwrap));
        }
        assert_eq!(listed, runs, "{filter:?}");
    }

    /// A random change of a run that is there, or of a new one.
    fn change(&mut self, run: u64, random: &mut Random) -> Change {
        let is_new = !self.runs.contains_key(&run);
        let expected = self.runs.entry(run).or_insert_with(|| Expected {
            workflow_id: format!("workflow-{}", random.below(5)),
            standing: super::summary(run, IN_FLIGHT).standing,
            image: Arc::default(),
            history: Vec::new(),
        });
        let before = (!is_new).then(|| Arc::clone(&expected.image));
        expected.image = Arc::new(changed(&expected.image, random));
        let status = random.below(8).saturating_sub(5) as u8;
        expected.standing = Standing {
            status,
            closed_ms: (status != IN_FLIGHT).then_some(run),
            wake_ms: (random.below(2) > 0).then(|| random.below(20)),
            fit: random.below(3),
        };
        let event = (random.below(3) > 0).then(|| {
            let length = random.below(30);
            random.bytes(length)
        });
        expected.history.extend(event.clone());
        Change {
            run,
            summary: Summary {
                identity: Arc::new(Identity {
                    workflow_id: expected.workflow_id.clone(),
                    run_id: run.to_string(),
                    workflow: "sample".to_owned(),
                    started_ms: run / 3,
                }),
                standing: expected.standing,
            },
            before,
            after: Arc::clone(&expected.image),
            event,
        }
    }
}

/// An image with some sections removed, added, appended to, cut at the front, or replaced.
fn changed(image: &Image, random: &mut Random) -> Image {
    let mut sections = image.sections.clone();
    sections.retain(|_| random.below(10) > 0);
    for section in &mut sections {
        let length = random.below(100);
        match random.below(6) {
            0 => section.bytes = [&section.bytes[..], &random.bytes(length)].concat().into(),
            1 => section.bytes = section.bytes[section.bytes.len() / 3..].into(),
            2 => section.bytes = random.bytes(length).into(),
            _ => {}
        }
    }
    let key = random.below(8).to_string();
    // A queue has several sections of one key.
    if key == "0" || sections.iter().all(|section| section.key != key) {
        let at = random.below(sections.len() as u64 + 1) as usize;
        let bytes = random.bytes(60).into();
        let key = key.into();
        sections.insert(at, Section { key, bytes });
    }
    Image { sections }
}

fn run_against_model(path: &Path, bounds: Bounds, seed: u64) {
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let mut model = Model::default();
    let mut last_run = 0;
    let mut store = super::open(path, bounds).unwrap();
    for _ in 0..OPERATIONS {
        match random.below(20) {
            0 => {
                drop(store);
                store = super::open(path, bounds).unwrap();
                model.assert_same(&store);
            }
            1 => {
                // No checkpoint may be writing while the files are copied.
                store.inner.shared.lever.run().unwrap();
                let copy = tempfile::tempdir().unwrap();
                copy_files(path, copy.path());
                model.assert_same(&super::open(copy.path(), Bounds::DEFAULT).unwrap());
            }
            2 => model.assert_same(&store),
            _ => {
                let changes = (0..=random.below(3)).map(|_| {
                    let known = model.runs.len() as u64;
                    let run = match model.runs.keys().nth(random.below(known + 2) as usize) {
                        Some(run) => *run,
                        None => store.next_run(),
                    };
                    assert!(run > last_run || model.runs.contains_key(&run));
                    last_run = last_run.max(run);
                    model.change(run, &mut random)
                });
                let changes = changes.collect();
                block_on(store.commit(changes, false)).unwrap();
            }
        }
    }
    model.assert_same(&store);
}

#[test]
fn with_constant_checkpoints() {
    for seed in 0..5 {
        run_against_model(tempfile::tempdir().unwrap().path(), TINY, seed);
    }
}

#[test]
fn without_checkpoints() {
    run_against_model(tempfile::tempdir().unwrap().path(), NEVER, 77);
}
