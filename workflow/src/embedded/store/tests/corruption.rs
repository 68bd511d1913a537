//! Damaged files: an error that names the file, or everything that was committed. Never a panic,
//! never a wrong image.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::super::bounds::Bounds;
use super::super::{Image, Store, StoreError};
use super::random::Random;
use super::{NEVER, block_on, change, copy_files, image};

const RUNS: u64 = 12;
const CASES: u64 = 250;
const FILES: [&str; 2] = ["journal.log", "state.redb"];

/// What was committed: the image of each run, from 1, and the number of its history entries.
type Facts = Vec<(Arc<Image>, usize)>;

/// Two thirds of the facts in the state, one in the journal, and the facts without the last row.
fn fill(path: &Path) -> (Store, Facts, Facts) {
    let mut random = Random::new(1);
    let mut facts: Facts = Vec::new();
    let store = super::open(path, NEVER).unwrap();
    for run in 1..=RUNS {
        assert_eq!(store.next_run(), run);
        let first = image(&[
            ("state", &random.bytes(600)),
            ("mailbox", &random.bytes(20)),
        ]);
        block_on(store.commit(vec![change(run, None, &first, "started")], false)).unwrap();
        facts.push((first, 1));
    }
    store.close();
    let store = super::open(path, NEVER).unwrap();
    let mut before_last = facts.clone();
    for run in (1..=RUNS).step_by(2) {
        before_last.clone_from(&facts);
        let (before, entries) = facts[run as usize - 1].clone();
        let mut after = Image::clone(&before);
        let longer = [&after.sections[0].bytes[..], &random.bytes(100)].concat();
        after.sections[0].bytes = longer.into();
        let after = Arc::new(after);
        block_on(store.commit(vec![change(run, Some(before), &after, "stepped")], false)).unwrap();
        facts[run as usize - 1] = (after, entries + 1);
    }
    (store, facts, before_last)
}

fn damage(file: &Path, random: &mut Random) -> String {
    let mut bytes = fs::read(file).unwrap();
    let at = random.below(bytes.len() as u64) as usize;
    let what = match random.below(4) {
        0 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        1 => {
            let end = bytes.len().min(at + 4096);
            bytes[at..end].fill(0);
            format!("zeroes at {at}")
        }
        _ => {
            let bit = random.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of {at} flipped")
        }
    };
    fs::write(file, bytes).unwrap();
    format!("{what} in {}", file.display())
}

/// Whether all facts are there, or an error stands in their place.
fn holds(store: &Store, facts: &Facts) -> Result<(), String> {
    let named = |error: StoreError| {
        let text = error.to_string();
        assert!(
            FILES.iter().any(|file| text.contains(file)),
            "no file: {text}"
        );
    };
    for (run, (image, entries)) in (1..).zip(facts) {
        match super::load(store, run) {
            Ok(found) if found.as_ref() == Some(image) => {}
            Ok(found) => return Err(format!("run {run} is {found:?}")),
            Err(error) => named(error),
        }
        match store.history(run) {
            Ok(found) if found.len() == *entries => {}
            Ok(found) => return Err(format!("history of {run} is {found:?}")),
            Err(error) => named(error),
        }
        match super::runs_of(store, &format!("workflow-{run}")) {
            Ok(found) if found == [run] => {}
            Ok(found) => return Err(format!("runs of workflow-{run} are {found:?}")),
            Err(error) => named(error),
        }
    }
    match super::in_flight(store) {
        Ok(found) if found == (1..=RUNS).collect::<Vec<_>>() => {}
        Ok(found) => return Err(format!("open are {found:?}")),
        Err(error) => named(error),
    }
    Ok(())
}

fn damage_many_times(source: &Path, allowed: &[&Facts], seed: u64) {
    let mut random = Random::new(seed);
    let (mut opened, mut refused) = (0, 0);
    for case in 0..CASES {
        let copy = tempfile::tempdir().unwrap();
        copy_files(source, copy.path());
        let file = FILES[random.below(2) as usize];
        let what = damage(&copy.path().join(file), &mut random);
        println!("seed {seed}, case {case}: {what}");
        match super::open(copy.path(), Bounds::DEFAULT) {
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains(file), "{text}");
            }
            Ok(store) => {
                opened += 1;
                let outcomes: Vec<_> = allowed.iter().map(|facts| holds(&store, facts)).collect();
                assert!(outcomes.iter().any(Result::is_ok), "{outcomes:#?}");
            }
        }
    }
    println!("{opened} opened, {refused} refused");
    assert!(opened > 0 && refused > 0, "the cases were all alike");
}

#[test]
fn after_a_close() {
    let directory = tempfile::tempdir().unwrap();
    let (store, facts, _) = fill(directory.path());
    store.close();
    damage_many_times(directory.path(), &[&facts], 1);
}

/// A damaged last page looks like a commit that a kill interrupted, and is undone: that one row may
/// be missing, whole.
#[test]
fn after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let (_store, facts, before_last) = fill(directory.path());
    let killed = tempfile::tempdir().unwrap();
    copy_files(directory.path(), killed.path());
    damage_many_times(killed.path(), &[&facts, &before_last], 2);
}
