//! Real processes killed with SIGKILL, at random moments and at each await, and started again.
//!
//! What must hold: no acknowledged start or signal is lost, every signal is seen once and in
//! order, no activity whose result the run had is executed again, and the result is right.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tests::random::Random;

const STEPS: u32 = 12;
const KILLS_AT_RANDOM: u32 = 100;
/// Nothing takes this long; a test that hangs says so instead of hanging CI.
const PATIENCE: Duration = Duration::from_secs(60);

/// One journey over many processes.
struct Journey {
    data: tempfile::TempDir,
    run_id: Option<String>,
    /// Signals in the order in which they were sent; each number is sent once.
    sent: Vec<u32>,
    acknowledged: Vec<u32>,
    result: Option<String>,
}

/// A running victim and what it says.
struct Victim {
    child: Child,
    stdin: ChildStdin,
    says: Receiver<String>,
}

impl Journey {
    fn new() -> Self {
        Self {
            data: tempfile::tempdir().unwrap(),
            run_id: None,
            sent: Vec::new(),
            acknowledged: Vec::new(),
            result: None,
        }
    }

    fn log(&self) -> PathBuf {
        self.data.path().join("log")
    }

    fn spawn(&self) -> Victim {
        let mut child = Command::new(env!("CARGO_BIN_EXE_victim"))
            .arg(self.data.path().join("data"))
            .arg(STEPS.to_string())
            .arg(self.log())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, says) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Victim {
            stdin: child.stdin.take().unwrap(),
            child,
            says,
        }
    }

    /// Sends a signal that was never sent before.
    fn send(&mut self, victim: &mut Victim) {
        let number = u32::try_from(self.sent.len()).unwrap();
        if writeln!(victim.stdin, "{number}").is_ok() {
            self.sent.push(number);
        }
    }

    /// Takes in a line that the victim said.
    fn hear(&mut self, line: &str) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        match what {
            "started" => {
                let known = self.run_id.get_or_insert_with(|| rest.to_owned());
                assert_eq!(known, rest, "an acknowledged start was lost");
            }
            "acknowledged" => self.acknowledged.push(rest.parse().unwrap()),
            "result" => self.result = Some(rest.to_owned()),
            _ => {}
        }
    }

    /// Lets a victim run until `until` says so, or it gives the result, or the time is over.
    fn watch(&mut self, victim: &mut Victim, limit: Duration, mut until: impl FnMut(&str) -> bool) {
        let end = Instant::now() + limit;
        while self.result.is_none() {
            match victim
                .says
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.hear(&line);
                    if line == "state Go" || line.starts_with("started") {
                        self.send(victim);
                    }
                    if until(&line) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the victim ended by itself"),
            }
        }
    }

    /// Kills a victim, with SIGKILL: nothing of it runs any more. What it said before is in the
    /// pipe.
    fn kill(&mut self, mut victim: Victim) {
        victim.child.kill().expect("it can be killed");
        victim.child.wait().expect("it is gone");
        while let Ok(line) = victim.says.recv_timeout(PATIENCE) {
            self.hear(&line);
        }
    }

    fn check(&self) {
        let results: Vec<u32> = (0..STEPS).map(|number| number * 10).collect();
        let result = self.result.as_ref().expect("it completed");
        let (seen_results, seen_signals) = result.split_once("] ").unwrap();
        assert_eq!(format!("{seen_results}]"), format!("{results:?}"));
        let seen: Vec<u32> = seen_signals
            .trim_matches(['[', ']'])
            .split(", ")
            .map(|number| number.parse().unwrap())
            .collect();
        assert!(
            seen.is_sorted_by(|a, b| a < b),
            "out of order or twice: {seen:?}"
        );
        let last = seen.last().unwrap();
        for number in self.acknowledged.iter().filter(|number| *number < last) {
            assert!(seen.contains(number), "signal {number} was lost: {seen:?}");
        }
        check_log(&self.log());
    }
}

/// Once a later step has begun, the run had the results of those before: none begins again.
fn check_log(log: &Path) {
    let log = fs::read_to_string(log).unwrap();
    let mut furthest = 0;
    for line in log.lines() {
        if let Some(number) = line.strip_prefix("begin ") {
            let number: u32 = number.parse().unwrap();
            assert!(
                number >= furthest,
                "step {number} was executed again:\n{log}"
            );
            furthest = number;
        }
    }
    for number in 0..STEPS {
        let end = format!("end {number}");
        assert!(
            log.lines().any(|line| line == end),
            "step {number} is lost:\n{log}"
        );
    }
}

#[test]
fn at_random_moments() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(u64::try_from(since.as_nanos() % 1_000_000_007).unwrap());
    println!("SEED={seed}");
    let mut random = Random(seed);
    let mut kills = 0;
    let mut journeys = 0;
    while kills < KILLS_AT_RANDOM {
        let mut journey = Journey::new();
        let mut killed = 0;
        while journey.result.is_none() {
            let mut victim = journey.spawn();
            // A journey that was killed often enough may end in peace.
            let limit = if killed < 20 {
                Duration::from_micros(random.below(40_000))
            } else {
                PATIENCE
            };
            journey.watch(&mut victim, limit, |_| false);
            let done = journey.result.is_some();
            journey.kill(victim);
            killed += u32::from(!done);
        }
        journey.check();
        kills += killed;
        journeys += 1;
    }
    println!("{kills} kills over {journeys} journeys");
}

#[test]
fn at_each_await() {
    let mut kills = 0;
    // The states of a journey in their order: the n-th victim is killed at its n-th state.
    for nth in 1.. {
        let mut journey = Journey::new();
        let mut victim = journey.spawn();
        let mut states = 0;
        journey.watch(&mut victim, PATIENCE, |line| {
            states += u32::from(line.starts_with("state "));
            states == nth
        });
        journey.kill(victim);
        if journey.result.is_some() && states < nth {
            break;
        }
        kills += 1;
        if journey.result.is_none() {
            let mut victim = journey.spawn();
            journey.watch(&mut victim, PATIENCE, |_| false);
            journey.kill(victim);
        }
        journey.check();
    }
    println!("{kills} kills");
    assert!(
        kills >= STEPS,
        "each await of each step was to be killed at"
    );
}
