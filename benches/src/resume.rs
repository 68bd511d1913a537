//! W3: a run of so many activities, its process killed (SIGKILL) before the last; the time from
//! opening the data again to the run's result. Alone, and beside runs that wait.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::contestant::{self, Contestant, Engine};
use crate::report::{Report, Rounds, Unit, median};
use crate::syscalls::Syscalls;
use crate::{Options, directory, floor};

/// Steps, and runs that wait beside.
const SIZES: [(u32, u32); 4] = [(10, 0), (100, 0), (1_000, 0), (100, 10_000)];
const SIZES_FULL: [(u32, u32); 6] = [
    (10, 0),
    (1_000, 0),
    (10_000, 0),
    (100_000, 0),
    (100, 100_000),
    (100, 1_000_000),
];
/// How long the runs beside have waited before the one that is killed begins.
const SETTLING_TIME: Duration = Duration::from_secs(2);
/// Who parks the runs beside, all at a time.
const PARKERS: u32 = 512;

pub(crate) fn measure(
    runtime: &Runtime,
    contestants: &[&dyn Contestant],
    options: &Options,
    report: &mut Report,
) {
    let sizes: &[(u32, u32)] = if options.full { &SIZES_FULL } else { &SIZES };
    for &(steps, beside) in sizes {
        let what = match beside {
            0 => format!("W3 killed after {steps} steps, reopened"),
            beside => format!("W3 killed after {steps} steps, {beside} beside"),
        };
        let mut rounds: Vec<Rounds> = contestants.iter().map(|_| Rounds::default()).collect();
        let mut floors = Vec::new();
        // The data of the large sizes takes minutes to make, so each round reopens a copy.
        let killed: Vec<_> = contestants
            .iter()
            .map(|contestant| {
                let data = directory(options);
                let id = make_and_kill(*contestant, data.path(), steps, beside);
                (data, id)
            })
            .collect();
        for _ in 0..options.rounds {
            floors.push(floor::append_s(directory(options).path()) * 1e3);
            for ((contestant, rounds), (data, id)) in
                contestants.iter().zip(&mut rounds).zip(&killed)
            {
                let copy = directory(options);
                copy_files(data.path(), copy.path());
                let (ms, did) = runtime.block_on(async {
                    let before = Syscalls::now();
                    let begin = Instant::now();
                    let engine = contestant.open(copy.path()).await;
                    engine.finish(id.clone()).await;
                    let elapsed_s = begin.elapsed().as_secs_f64();
                    let did = Syscalls::now() - before;
                    engine.close().await;
                    (elapsed_s * 1e3, did)
                });
                rounds.add(ms, did, 1);
            }
        }
        for (contestant, rounds) in contestants.iter().zip(&rounds) {
            let floor = Some(median(&floors));
            let row = rounds.row(&what, *contestant, Unit::Milliseconds, floor);
            report.rows.push(row);
        }
    }
}

/// Lets a child process come to the last activity, and kills it. Returns the run's id.
fn make_and_kill(contestant: &dyn Contestant, path: &Path, steps: u32, beside: u32) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--child", "hold", contestant.name()])
        .arg(path)
        .args([steps.to_string(), beside.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let says = BufReader::new(child.stdout.take().expect("it is piped"));
    let (mut id, mut is_held) = (None, false);
    for line in says.lines().map_while(Result::ok) {
        match line.strip_prefix("id ") {
            Some(said) => id = Some(said.to_owned()),
            None => is_held |= line == "held",
        }
        // Which of them is said first depends on the disk.
        if is_held && id.is_some() {
            break;
        }
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it is gone");
    id.expect("the child starts a run")
}

/// The child: runs that wait, and one that comes to its last activity and stays there.
pub(crate) async fn hold(contestant: &dyn Contestant, arguments: &[String]) {
    let [path, steps, beside] = arguments else {
        panic!("PATH STEPS BESIDE");
    };
    contestant::hold();
    let engine = contestant.open(Path::new(path)).await;
    park_many(&engine, beside.parse().expect("a number"), u32::MAX).await;
    if beside != "0" {
        // They have waited for some time: what is done in the background is done.
        tokio::time::sleep(SETTLING_TIME).await;
    }
    let id = engine.start_held(steps.parse().expect("a number")).await;
    println!("id {id}");
    std::future::pending::<()>().await;
}

/// Parks so many runs; gives the id of each `stride`th, for the ids of all would be weighed, too.
pub(crate) async fn park_many(engine: &Arc<dyn Engine>, runs: u32, stride: u32) -> Vec<String> {
    let mut tasks = JoinSet::new();
    for parker in 0..PARKERS {
        let engine = Arc::clone(engine);
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for number in (parker..runs).step_by(PARKERS as usize) {
                let id = engine.park().await;
                if number % stride == 0 {
                    ids.push(id);
                }
            }
            ids
        });
    }
    tasks.join_all().await.concat()
}

/// Copies the data, down to the disk: nobody's sync is to bring the copy there, too.
fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("it can be listed") {
        let entry = entry.expect("it can be listed");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it has one").is_dir() {
            std::fs::create_dir_all(&target).expect("it can be made");
            copy_files(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("it can be copied");
            let copy = std::fs::File::options().write(true).open(target);
            let synced = copy.and_then(|copy| copy.sync_all());
            synced.expect("it can be synced");
        }
    }
}
