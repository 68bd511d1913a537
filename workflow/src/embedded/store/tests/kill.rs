//! A kill at any moment: every commit that returned is there, and none is half there.
//!
//! The disk is frozen between two writes and the files are copied: what a kill leaves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::super::Image;
use super::super::bounds::Bounds;
use super::random::Random;
use super::{NEVER, TINY, block_on, change, copy_files, faults, image};

const KILLS: u64 = 40;
const CALLERS: usize = 3;

fn step_of(image: &Image) -> u64 {
    u64::from_le_bytes(*image.sections[0].bytes.first_chunk().unwrap())
}

fn image_of(step: u64) -> std::sync::Arc<Image> {
    let ballast = Random::new(step).bytes(step % 50);
    image(&[("step", &step.to_le_bytes()), ("ballast", &ballast)])
}

/// Each caller changes a pair of runs in one commit, step by step, and notes the step that is
/// confirmed. A copy must hold that step or the one in the air, of both runs.
fn kill_at_many_moments(bounds: Bounds, seed: u64) {
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let store = super::open(directory.path(), bounds).unwrap();
    let disk = faults::of(&directory.path().join("state.redb"));
    let confirmed: [AtomicU64; CALLERS] = [const { AtomicU64::new(0) }; CALLERS];
    let pairs: [[u64; 2]; CALLERS] = std::array::from_fn(|_| [store.next_run(), store.next_run()]);
    let stop = AtomicBool::new(false);

    thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        for (confirmed, pair) in confirmed.iter().zip(pairs) {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                let mut before = None;
                for step in 1.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let after = image_of(step);
                    let event = step.to_string();
                    let changes = pair.map(|run| change(run, before.clone(), &after, &event));
                    block_on(store.commit(changes.into(), false)).unwrap();
                    confirmed.store(step, Ordering::SeqCst);
                    before = Some(after);
                }
            });
        }
        let mut random = Random::new(seed);
        for _ in 0..KILLS {
            thread::sleep(Duration::from_micros(random.below(4_000)));
            let copy = tempfile::tempdir().unwrap();
            // Also while the copy is looked at: there is to be no more to look at each time.
            let _frozen = disk.freeze();
            let steps = confirmed.each_ref().map(|step| step.load(Ordering::SeqCst));
            copy_files(directory.path(), copy.path());
            assert_holds(copy.path(), &pairs, &steps);
        }
    });
}

/// Ends the callers also when an assertion fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn assert_holds(copy: &std::path::Path, pairs: &[[u64; 2]], steps: &[u64]) {
    let store = super::open(copy, Bounds::DEFAULT).unwrap();
    for (pair, &confirmed) in pairs.iter().zip(steps) {
        let [one, other] = pair.map(|run| super::load(&store, run).unwrap());
        assert_eq!(one, other, "a commit is half there");
        let step = one.as_deref().map_or(0, step_of);
        let in_the_air = confirmed + 1;
        assert!(
            (confirmed..=in_the_air).contains(&step),
            "step {step} is there, {confirmed} was confirmed"
        );
        let events: Vec<_> = (1..=step)
            .map(|step| step.to_string().into_bytes())
            .collect();
        for run in pair {
            assert_eq!(store.history(*run).unwrap(), events);
            let is_there = step > 0;
            assert_eq!(super::in_flight(&store).unwrap().contains(run), is_there);
            let runs = super::runs_of(&store, &format!("workflow-{run}")).unwrap();
            assert_eq!(runs == [*run], is_there);
        }
        if let Some(image) = one {
            assert_eq!(*image, *image_of(step));
        }
    }
    assert!(store.next_run() > pairs.iter().flatten().copied().max().unwrap_or(0) || steps[0] == 0);
}

#[test]
fn while_commits_and_checkpoints_run() {
    for seed in 0..4 {
        kill_at_many_moments(TINY, seed);
    }
}

#[test]
fn while_the_journal_only_grows() {
    kill_at_many_moments(NEVER, 0);
}
