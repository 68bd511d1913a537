//! What was measured, as rows: one a workload, size and contestant.

use std::fmt::Write;

use crate::contestant::Contestant;
use crate::syscalls::Syscalls;

/// All rows, in the order of the workloads.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

/// The medians of one contestant at one size of a workload.
#[derive(Debug)]
pub(crate) struct Row {
    /// The workload and its size.
    pub(crate) what: String,
    pub(crate) contestant: &'static str,
    pub(crate) durability: &'static str,
    /// Median of the rounds, in `unit`.
    pub(crate) value: f64,
    pub(crate) unit: Unit,
    pub(crate) syncs_per_step: Option<f64>,
    pub(crate) bytes_per_step: Option<f64>,
    /// What the disk allows, in the same unit, measured in the same rounds; where that compares.
    pub(crate) floor: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    MillisecondsAStep,
    Milliseconds,
    PerSecond,
    BytesARun,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MillisecondsAStep => "ms a step",
            Self::Milliseconds => "ms",
            Self::PerSecond => "a second",
            Self::BytesARun => "B a run",
        }
    }

    /// How many times better `value` is than `other`.
    fn advantage(self, value: f64, other: f64) -> f64 {
        match self {
            Self::PerSecond => value / other,
            _ => other / value,
        }
    }
}

/// What the rounds of one contestant at one size gave.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    pub(crate) values: Vec<f64>,
    pub(crate) syncs: Vec<f64>,
    pub(crate) bytes: Vec<f64>,
}

impl Rounds {
    pub(crate) fn add(&mut self, value: f64, did: Syscalls, steps: u32) {
        self.values.push(value);
        self.syncs.push(did.syncs as f64 / f64::from(steps));
        self.bytes.push(did.written_bytes as f64 / f64::from(steps));
    }

    pub(crate) fn row(
        &self,
        what: &str,
        contestant: &dyn Contestant,
        unit: Unit,
        floor: Option<f64>,
    ) -> Row {
        let some = |values: &[f64]| (!values.is_empty()).then(|| median(values));
        Row {
            what: what.to_owned(),
            contestant: contestant.name(),
            durability: contestant.durability(),
            value: median(&self.values),
            unit,
            syncs_per_step: some(&self.syncs),
            bytes_per_step: some(&self.bytes),
            floor,
        }
    }
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The peer that ratios are given against, at the same size of the same workload.
    fn memable(&self, row: &Row) -> Option<&Row> {
        self.rows.iter().find(|other| {
            other.contestant.starts_with("memable")
                && (&other.what, other.unit) == (&row.what, row.unit)
        })
    }

    pub(crate) fn table(&self) -> String {
        let mut table = format!(
            "{:<44} {:<16} {:<22} {:>22} {:>7} {:>10} {:>9} {:>8}\n",
            "workload",
            "contestant",
            "durability",
            "median",
            "syncs",
            "bytes",
            "x memable",
            "x append"
        );
        for row in &self.rows {
            let ratio = |other: Option<f64>| match other {
                Some(other) => format!("{:.2}", row.unit.advantage(row.value, other)),
                None => "-".to_owned(),
            };
            let per_step = |value: Option<f64>, digits: usize| match value {
                Some(value) => format!("{value:.digits$}"),
                None => "-".to_owned(),
            };
            let _ = writeln!(
                table,
                "{:<44} {:<16} {:<22} {:>22} {:>7} {:>10} {:>9} {:>8}",
                row.what,
                row.contestant,
                row.durability,
                format!("{:.3} {}", row.value, row.unit.name()),
                per_step(row.syncs_per_step, 2),
                per_step(row.bytes_per_step, 0),
                ratio(self.memable(row).map(|other| other.value)),
                ratio(row.floor),
            );
        }
        table.push_str(
            "\nsyncs and bytes (those of write calls) are per step; `x memable` and `x append` say \
             how many times better than memable, and than\nan append with its fdatasync, in the \
             same rounds.\n",
        );
        table
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
