//! W4: so many runs that wait for a signal: what each takes in memory, how many are parked a
//! second, and the time from a signal to the run's result. Each round is a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::contestant::Contestant;
use crate::report::{Report, Rounds, Row, Unit, median};
use crate::resume::park_many;
use crate::syscalls::Syscalls;
use crate::{Options, directory, floor};

const RUNS: [u32; 1] = [10_000];
const RUNS_FULL: [u32; 2] = [100_000, 1_000_000];
/// Runs that are parked before the memory is weighed the first time.
const WARM_UP_RUNS: u32 = 1_000;
/// Runs that are signalled, one after the other, over all there are.
const SIGNALS: u32 = 500;

pub(crate) fn measure(contestants: &[&dyn Contestant], options: &Options, report: &mut Report) {
    let sizes: &[u32] = if options.full { &RUNS_FULL } else { &RUNS };
    for &runs in sizes {
        let mut rounds: Vec<[Rounds; 3]> = contestants.iter().map(|_| Default::default()).collect();
        let mut floors = Vec::new();
        for _ in 0..options.rounds {
            floors.push(floor::append_s(directory(options).path()) * 1e3);
            for (contestant, [memory, parked, signal]) in contestants.iter().zip(&mut rounds) {
                let data = directory(options);
                let output = Command::new(std::env::current_exe().expect("this program"))
                    .args(["--child", "park", contestant.name()])
                    .arg(data.path())
                    .arg(runs.to_string())
                    .stderr(Stdio::inherit())
                    .output()
                    .expect("the child runs");
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                let numbers: Vec<f64> = said.split_whitespace().flat_map(str::parse).collect();
                let [
                    bytes,
                    per_s,
                    ms,
                    park_syncs,
                    park_bytes,
                    signal_syncs,
                    signal_bytes,
                ] = numbers[..]
                else {
                    panic!("the child said `{said}`");
                };
                memory.values.push(bytes);
                parked.values.push(per_s);
                parked.syncs.push(park_syncs);
                parked.bytes.push(park_bytes);
                signal.values.push(ms);
                signal.syncs.push(signal_syncs);
                signal.bytes.push(signal_bytes);
            }
        }
        let floor_ms = median(&floors);
        let mut add = |row: Row| report.rows.push(row);
        for (contestant, [memory, ..]) in contestants.iter().zip(&rounds) {
            let what = format!("W4 {runs} waiting: memory");
            add(memory.row(&what, *contestant, Unit::BytesARun, None));
        }
        for (contestant, [_, parked, _]) in contestants.iter().zip(&rounds) {
            let what = format!("W4 {runs} waiting: parked");
            let floor = Some(1e3 / floor_ms);
            add(parked.row(&what, *contestant, Unit::PerSecond, floor));
        }
        for (contestant, [_, _, signal]) in contestants.iter().zip(&rounds) {
            let what = format!("W4 {runs} waiting: signal to done");
            add(signal.row(&what, *contestant, Unit::Milliseconds, Some(floor_ms)));
        }
    }
}

/// The child: prints the bytes a run, runs parked a second, milliseconds from signal to done, and
/// the syncs and bytes written of a parked run and of a signalled one.
pub(crate) async fn park(contestant: &dyn Contestant, arguments: &[String]) {
    let [path, runs] = arguments else {
        panic!("PATH RUNS");
    };
    let runs: u32 = runs.parse().expect("a number");
    let engine = contestant.open(Path::new(path)).await;
    park_many(&engine, WARM_UP_RUNS, u32::MAX).await;
    let resident_before = resident_bytes();
    let before = Syscalls::now();
    let begin = Instant::now();
    let ids = park_many(&engine, runs, (runs / SIGNALS).max(1)).await;
    let per_s = f64::from(runs) / begin.elapsed().as_secs_f64();
    let parked = Syscalls::now() - before;
    let resident = resident_bytes().saturating_sub(resident_before);

    let mut signal_ms = Vec::new();
    let before = Syscalls::now();
    for id in ids {
        let begin = Instant::now();
        engine.signal(id).await;
        signal_ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    let signalled = Syscalls::now() - before;
    let signals = signal_ms.len() as f64;
    println!(
        "{} {per_s} {} {} {} {} {}",
        resident as f64 / f64::from(runs),
        median(&signal_ms),
        parked.syncs as f64 / f64::from(runs),
        parked.written_bytes as f64 / f64::from(runs),
        signalled.syncs as f64 / signals,
        signalled.written_bytes as f64 / signals,
    );
    // Closing such a number of runs in order is not what is measured.
    std::process::exit(0);
}

/// Memory of this process that is in use, in bytes; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
