//! Many callers, killed with SIGKILL at random: nothing acknowledged is lost, no neighbour is
//! harmed, every run comes to its end.
//!
//! `ROUNDS=200 cargo test --release -p tests --test kill_load` for longer; the seed is printed, and
//! `SEED=…` takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tests::random::Random;

/// What each caller does, in this order, again and again: see `load.rs`.
const CALLERS: &str = "64";
const ROUNDS: u32 = 30;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn sixty_four_callers() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = from_env("SEED").unwrap_or(u64::from(since.subsec_nanos()));
    let rounds = from_env("ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).unwrap());
    println!("SEED={seed} ROUNDS={rounds}");
    let mut random = Random(seed);
    let data = tempfile::tempdir().unwrap();
    let mut started: BTreeSet<String> = BTreeSet::new();
    let mut signalled: BTreeSet<String> = BTreeSet::new();
    let mut results: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..=rounds {
        // The last round ends in peace: it waits for whatever is in flight.
        let is_last = round == rounds;
        let what = if is_last { "finish" } else { "load" };
        let mut child = Command::new(env!("CARGO_BIN_EXE_load"))
            .arg(data.path().join("data"))
            .args([what, CALLERS, &round.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        if !is_last {
            // It is open, and at work for some time.
            assert_eq!(lines.next().as_deref(), Some("open"));
            std::thread::sleep(Duration::from_micros(random.below(60_000)));
            child.kill().expect("it can be killed");
        }
        for line in lines {
            let (what, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match what {
                "started" => drop(started.insert(rest.to_owned())),
                "signalled" => drop(signalled.insert(rest.to_owned())),
                "result" => {
                    let (id, result) = rest.split_once(' ').unwrap();
                    let known = results.insert(id.to_owned(), result.to_owned());
                    assert!(known.is_none_or(|known| known == result), "{line}");
                }
                _ => {}
            }
        }
        assert_eq!(child.wait().unwrap().success(), is_last, "round {round}");
    }
    println!(
        "{} started, {} signalled, {} results",
        started.len(),
        signalled.len(),
        results.len()
    );
    assert!(!results.is_empty(), "nothing was done between the kills");
    for id in &started {
        let result = results.get(id);
        let result = result.unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        // 10 from the activities; the signal's 5, unless the wait for it timed out.
        let expected: &[&str] = match signalled.contains(id) {
            true => &["15"],
            false => &["15", "10"],
        };
        assert!(expected.contains(&result.as_str()), "{id} gave {result}");
    }
    assert_no_effect_twice(&data.path().join("data.log"));
}

/// The second activity begins only after the first one's result was durable: the first one does
/// not run after it.
fn assert_no_effect_twice(log: &std::path::Path) {
    let log = fs::read_to_string(log).unwrap_or_default();
    let mut second: BTreeSet<&str> = BTreeSet::new();
    for line in log.lines() {
        match line.split_once(' ') {
            Some(("second", id)) => drop(second.insert(id)),
            Some(("first", id)) => assert!(!second.contains(id), "{id} went back"),
            _ => {}
        }
    }
    assert!(!second.is_empty());
}
