//! Random operations and reopenings against a plain map.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::bounds::Bounds;
use super::super::{Change, Image, Section, Store};
use super::random::Random;
use super::{NEVER, TINY, block_on, copy_files};

const OPERATIONS: u64 = 300;

/// What the store should say of one run.
#[derive(Clone, Default)]
struct Expected {
    workflow_id: String,
    open: bool,
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
            assert_eq!(store.load(*run).unwrap().as_ref(), Some(&expected.image));
            assert_eq!(store.history(*run).unwrap(), expected.history);
            by_id.entry(&expected.workflow_id).or_default().push(*run);
        }
        for (workflow_id, runs) in by_id {
            assert_eq!(store.runs_of(workflow_id).unwrap(), runs);
        }
        let open = self.runs.iter().filter(|(_, expected)| expected.open);
        let open: Vec<u64> = open.map(|(run, _)| *run).collect();
        assert_eq!(store.open_runs().unwrap(), open);
    }

    /// A random change of a run that is there, or of a new one.
    fn change(&mut self, run: u64, random: &mut Random) -> Change {
        let is_new = !self.runs.contains_key(&run);
        let expected = self.runs.entry(run).or_default();
        if is_new {
            expected.workflow_id = format!("workflow-{}", random.below(5));
        }
        let before = (!is_new).then(|| Arc::clone(&expected.image));
        expected.image = Arc::new(changed(&expected.image, random));
        expected.open = random.below(4) > 0;
        let event = (random.below(3) > 0).then(|| {
            let length = random.below(30);
            random.bytes(length)
        });
        expected.history.extend(event.clone());
        Change {
            run,
            workflow_id: Arc::from(expected.workflow_id.as_str()),
            open: expected.open,
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
            0 => section.bytes.extend(random.bytes(length)),
            1 => drop(section.bytes.drain(..section.bytes.len() / 3)),
            2 => section.bytes = random.bytes(length),
            _ => {}
        }
    }
    let key = random.below(8).to_string();
    if sections.iter().all(|section| section.key != key) {
        let at = random.below(sections.len() as u64 + 1) as usize;
        let bytes = random.bytes(60);
        sections.insert(at, Section { key, bytes });
    }
    Image { sections }
}

fn run_against_model(path: &Path, bounds: Bounds, seed: u64) {
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let mut model = Model::default();
    let mut last_run = 0;
    let mut store = Store::open_with(path, bounds).unwrap();
    for _ in 0..OPERATIONS {
        match random.below(20) {
            0 => {
                drop(store);
                store = Store::open_with(path, bounds).unwrap();
                model.assert_same(&store);
            }
            1 => {
                // No checkpoint may be writing while the files are copied.
                store.inner.shared.lever.run().unwrap();
                let copy = tempfile::tempdir().unwrap();
                copy_files(path, copy.path());
                model.assert_same(&Store::open(copy.path()).unwrap());
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
                block_on(store.commit(changes)).unwrap();
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
