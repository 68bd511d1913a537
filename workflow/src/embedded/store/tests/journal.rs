//! The journal alone, on a disk that fails in every way: what was confirmed is there, in order, and
//! at most the one row more that was under way.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::StoreError;
use super::super::delta::Delta;
use super::super::extents::EXTENT_BYTES;
use super::super::image::Image;
use super::super::journal::{self, Journal, Read, TailError};
use super::super::log::Link;
use super::super::row::{Entry, Event, Row};
use super::faults;
use super::random::Random;

const DATABASE: [u8; 16] = [3; 16];

/// A row with a stamp to know it by.
fn row(stamp: u64, bytes: u64) -> Row {
    Row {
        next_run: stamp,
        entries: vec![Entry {
            run: 1,
            identity: None,
            standing: super::summary(1, super::IN_FLIGHT).standing,
            delta: Delta::between(None, &Image::default()),
            event: Some(Event(Random::new(stamp).bytes(bytes))),
        }],
    }
}

fn tail(journal: &mut Journal, mark: Link) -> Vec<Read> {
    journal.tail(mark).unwrap_or_else(|error| match error {
        TailError::Mismatch(reason) => panic!("{reason}"),
        TailError::Store(error) => panic!("{error}"),
    })
}

/// A journal in use, and what it was told.
struct Trial {
    directory: tempfile::TempDir,
    disk: Arc<faults::Faults>,
    random: Random,
    /// The rows with their stamps, from row 1.
    confirmed: Vec<(Link, u64)>,
    /// Stamps of rows that may stand behind them.
    in_doubt: Vec<u64>,
    /// The last row that the state contains.
    mark: u64,
    stamp: u64,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.log");
        journal::create(&path, &DATABASE, Link::default(), std::iter::empty()).unwrap();
        let disk = faults::of(&path);
        disk.watch(directory.path());
        Self {
            directory,
            disk,
            random: Random::new(seed),
            confirmed: Vec::new(),
            in_doubt: Vec::new(),
            mark: 0,
            stamp: 0,
        }
    }

    /// Where the state stands.
    fn mark(&self) -> Link {
        let last = (self.mark as usize).checked_sub(1);
        last.map_or_else(Link::default, |last| self.confirmed[last].0)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal.log")
    }

    /// Opens what is there, and commits to it until the machine is down, or for some time.
    fn use_it(&mut self, steps: u64) {
        let Ok(mut journal) = Journal::open(&self.path()) else {
            assert!(self.disk.has_crashed());
            return;
        };
        match journal.tail(self.mark()) {
            Ok(tail) => self.take(&tail, "opened again"),
            Err(TailError::Store(_)) => return,
            Err(TailError::Mismatch(reason)) => panic!("{reason}"),
        }
        for _ in 0..steps {
            if self.random.below(4) == 0 {
                let pending = self.confirmed.len() as u64 - self.mark;
                self.mark += self.random.below(pending + 1);
            }
            let bytes = match self.random.below(12) {
                0 => self.random.below(5 * EXTENT_BYTES),
                1..4 => self.random.below(20_000),
                _ => self.random.below(300),
            };
            self.commit(&mut journal, bytes);
        }
        if self.random.below(2) == 0 {
            self.mark = self.confirmed.len() as u64;
            let _ = journal.close(self.mark);
        }
    }

    fn commit(&mut self, journal: &mut Journal, bytes: u64) {
        self.stamp += 1;
        match journal.append(&row(self.stamp, bytes), self.mark) {
            Ok(_) => {
                self.confirmed.push((journal.last(), self.stamp));
                self.in_doubt.clear();
            }
            Err(_) => self.in_doubt.push(self.stamp),
        }
    }

    /// What an opening found, which is confirmed from now on.
    fn take(&mut self, tail: &[Read], what: &str) {
        let known = self.confirmed.len() as u64;
        assert!(self.mark + tail.len() as u64 >= known, "{what}: rows lost");
        for (number, Read { link, row, .. }) in (self.mark + 1..).zip(tail) {
            assert_eq!(link.row, number, "{what}: a gap");
            if number <= known {
                let confirmed = self.confirmed[number as usize - 1];
                assert_eq!((*link, row.next_run), confirmed, "{what}: row {number}");
                continue;
            }
            assert_eq!(number, known + 1, "{what}: rows that nobody wrote");
            assert!(
                self.in_doubt.contains(&row.next_run),
                "{what}: row {number}"
            );
            self.confirmed.push((*link, row.next_run));
        }
        self.in_doubt.clear();
    }

    /// What a crash leaves now opens.
    fn assert_left(&mut self, what: &str) {
        let disk = Arc::clone(&self.disk);
        disk.each_crash(self.random.next(), |left, kind| {
            let what = format!("{what}, {kind}");
            let mut journal = Journal::open(&left.join("journal.log"))
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            let tail = tail(&mut journal, self.mark());
            let (confirmed, in_doubt) = (self.confirmed.clone(), self.in_doubt.clone());
            self.take(&tail, &what);
            (self.confirmed, self.in_doubt) = (confirmed, in_doubt);
        });
    }
}

/// Killed, started again, and then without power: each after any operation.
#[test]
fn a_kill_and_then_a_loss_of_power() {
    for seed in 0..60 {
        let mut trial = Trial::new(seed);
        for round in 0..3 {
            let operations = trial.random.below(60);
            trial.disk.crash_after(operations);
            trial.use_it(25);
            trial.assert_left(&format!("seed {seed}, round {round}"));
            trial.disk.restart();
        }
    }
}

/// The header may reach the disk before the extents that a killed process left on their way.
#[test]
fn a_growth_that_a_kill_interrupted() {
    for (killed, down) in (0..6).flat_map(|killed| (0..6).map(move |down| (killed, down))) {
        let mut trial = Trial::new(killed << 8 | down);
        let mut journal = Journal::open(&trial.path()).unwrap();
        tail(&mut journal, Link::default());
        for number in 1..=3 {
            if number == 3 {
                trial.disk.crash_after(killed);
            }
            trial.commit(&mut journal, 2 * EXTENT_BYTES - 200);
        }
        drop(journal);
        trial.disk.restart();
        // The state has all of them, so nothing else makes an opening sync.
        trial.mark = trial.confirmed.len() as u64;
        let mut journal = Journal::open(&trial.path()).unwrap();
        let tail = tail(&mut journal, trial.mark());
        trial.take(&tail, "opened again");
        trial.disk.crash_after(down);
        trial.commit(&mut journal, 100_000);
        for loss in 0..5 {
            trial.assert_left(&format!("killed at {killed}, down at {down}, {loss}"));
        }
    }
}

/// A growth after a close whose sync failed: the system shows a header that is not on the disk.
#[test]
fn a_cut_that_was_not_synced() {
    for down in 0..8 {
        let mut trial = Trial::new(down);
        let mut journal = Journal::open(&trial.path()).unwrap();
        tail(&mut journal, Link::default());
        trial.commit(&mut journal, 66 * EXTENT_BYTES);
        trial.commit(&mut journal, 100);
        trial.mark = trial.confirmed.len() as u64;
        trial.disk.fail_syncs_after(0);
        journal.close(trial.mark).unwrap_err();
        trial.disk.heal();
        trial.assert_left("not closed in order");
        let mut journal = Journal::open(&trial.path()).unwrap();
        trial.disk.crash_after(down);
        if let Ok(found) = journal.tail(trial.mark()) {
            trial.take(&found, "opened again");
            trial.commit(&mut journal, 65 * EXTENT_BYTES);
        }
        trial.assert_left(&format!("down after {down}"));
    }
}

/// A disk that is full now and then, and fails before or after it did what it was told.
#[test]
fn a_full_disk_and_then_a_loss_of_power() {
    for seed in 0..30 {
        let mut trial = Trial::new(seed);
        if seed % 2 == 0 {
            trial.disk.fail_late();
        }
        for round in 0..6 {
            let (writes, operations) = (trial.random.below(30), 10 + trial.random.below(60));
            match round % 3 {
                2 => trial.disk.heal(),
                _ => trial.disk.fill_after(writes as i64),
            }
            trial.disk.crash_after(operations);
            trial.use_it(12);
            trial.assert_left(&format!("seed {seed}, round {round}"));
            trial.disk.restart();
        }
    }
}

/// After a failed sync the system shows what never reaches the disk: whoever opens the journal again
/// must not go by it.
#[test]
fn a_failed_sync_and_then_a_loss_of_power() {
    for seed in 0..60 {
        let mut trial = Trial::new(seed);
        for round in 0..4 {
            let (syncs, operations) = (trial.random.below(12), 5 + trial.random.below(60));
            trial.disk.fail_syncs_after(syncs as i64);
            trial.use_it(12);
            trial.disk.heal();
            trial.assert_left(&format!("seed {seed}, round {round}, failed"));
            trial.disk.crash_after(operations);
            trial.use_it(12);
            trial.assert_left(&format!("seed {seed}, round {round}, after"));
            trial.disk.restart();
        }
    }
}

/// A backup has all rows, or there is none.
#[test]
fn a_row_that_is_gone_is_missed() {
    let trial = Trial::new(0);
    let mut journal = Journal::open(&trial.path()).unwrap();
    tail(&mut journal, Link::default());
    let mut offsets = Vec::new();
    for number in 1..=4 {
        journal.append(&row(number, 50), 0).unwrap();
        let file = std::fs::read(trial.path()).unwrap();
        let rows = super::super::log::rows(&DATABASE, &file, 0);
        offsets.push(rows.last().unwrap().place.start as usize);
    }
    assert_eq!(journal.records(1).unwrap().len(), 3);
    let whole = std::fs::read(trial.path()).unwrap();
    for (number, offset) in (1..).zip(offsets) {
        let mut file = whole.clone();
        file[offset + 30] ^= 1;
        std::fs::write(trial.path(), file).unwrap();
        let error = journal.records(0).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(&format!("row {number} is gone")), "{error}");
        assert_eq!(journal.records(number).unwrap().len(), 4 - number as usize);
    }
}
