//! How fast the embedded engine is: workloads, measured side by side in one run.
//!
//! - `contestant`: what an engine must do to be measured; `ours` is this library's.
//! - `one_step` (W1), `sequence` (W2), `resume` (W3), `waiting` (W4): the workloads.
//! - `floor`: what the disk allows: append and `fdatasync`, nothing else.
//! - `syscalls`: syncs and bytes written, counted alike for everyone.
//! - `report`, `chart`: the table, and the same as SVG.

mod chart;
pub mod contestant;
mod floor;
mod one_step;
pub mod ours;
mod report;
mod resume;
mod sequence;
mod syscalls;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use contestant::Contestant;
use report::Report;

/// Measures the workloads W1 to W4, several times each, one contestant after the other in each
/// round, and prints the medians.
#[derive(Debug, Parser)]
struct Options {
    /// Which workloads.
    #[arg(long, value_delimiter = ',', default_value = "w1,w2,w3,w4")]
    only: Vec<String>,
    /// Which contestants; all there are without this.
    #[arg(long, value_delimiter = ',')]
    contestants: Vec<String>,
    /// Rounds; the medians of them are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The sizes of the published claims (up to a million waiting runs) instead of small ones.
    #[arg(long)]
    full: bool,
    /// Where the data is written: a directory on the disk that is to be measured.
    #[arg(long, default_value = "target")]
    directory: PathBuf,
    /// Where the chart goes.
    #[arg(long, default_value = "target/bench.svg")]
    chart: PathBuf,
    /// What a child process does: the workloads that kill or weigh a process start one.
    #[arg(long, hide = true, num_args = 1..)]
    child: Vec<String>,
}

/// The program: measures these contestants.
pub fn main(contestants: &[&dyn Contestant]) -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if let [what, name, rest @ ..] = &options.child[..] {
        let contestant = contestants.iter().find(|known| known.name() == name);
        let contestant = *contestant.expect("a known contestant");
        runtime.block_on(async {
            match what.as_str() {
                "hold" => resume::hold(contestant, rest).await,
                "park" => waiting::park(contestant, rest).await,
                other => panic!("unknown child `{other}`"),
            }
        });
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&dyn Contestant> = contestants
        .iter()
        .filter(|known| {
            options.contestants.is_empty() || options.contestants.iter().any(|n| n == known.name())
        })
        .copied()
        .collect();
    let mut report = Report::new();
    for workload in &options.only {
        match workload.as_str() {
            "w1" => one_step::measure(&runtime, &chosen, &options, &mut report),
            "w2" => sequence::measure(&runtime, &chosen, &options, &mut report),
            "w3" => resume::measure(&runtime, &chosen, &options, &mut report),
            "w4" => waiting::measure(&chosen, &options, &mut report),
            other => {
                eprintln!("unknown workload `{other}`: w1, w2, w3 or w4");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", report.table());
    if let Err(error) = std::fs::write(&options.chart, chart::svg(&report)) {
        eprintln!("{}: {error}", options.chart.display());
        return ExitCode::FAILURE;
    }
    println!("chart: {}", options.chart.display());
    ExitCode::SUCCESS
}

/// A directory for one round, on the disk that is measured.
fn directory(options: &Options) -> tempfile::TempDir {
    std::fs::create_dir_all(&options.directory).expect("the directory can be made");
    tempfile::tempdir_in(&options.directory).expect("a directory can be made")
}
