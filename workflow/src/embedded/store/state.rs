//! The state: every run as it stood at the last checkpoint, its history, and the indexes.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};

use crate::retention::Retention;

use super::backup::copy_table;
use super::bounds::{Bounds, REMOVED_RUNS_MAX};
use super::directory::Files;
use super::encoding::{decode, encode};
use super::error::StoreError;
use super::fault::Fault;
use super::file::{Check, DataFile, Settings, Snapshot};
use super::image::Image;
use super::images::{self, DELTAS, Form, Images, RUNS, Stored};
use super::log::Link;
use super::meta::{self, DatabaseId};
use super::overlay::{Batch, Written};
use super::summary::{Awaiter, IN_FLIGHT, Identity, Kinship, Standing, Summary};

/// Run -> identity and standing.
pub(super) const SUMMARIES: TableDefinition<'static, u64, &[u8]> =
    TableDefinition::new("summaries");
/// Workflow id and run.
pub(super) const IDS: TableDefinition<'static, (&str, u64), ()> = TableDefinition::new("ids");
/// Status, workflow, start and run -> `Standing::fit`.
pub(super) const LISTED: TableDefinition<'static, (u8, &str, u64, u64), u64> =
    TableDefinition::new("listed");
/// When a run has to be looked at, and the run.
pub(super) const WAKES: TableDefinition<'static, (u64, u64), ()> = TableDefinition::new("wakes");
/// When a run ended, and the run.
const ENDED: TableDefinition<'static, (u64, u64), ()> = TableDefinition::new("ended");
/// Run and number of the entry -> entry.
const HISTORY: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("history");

/// It grows without bound, so opening it must not read it.
pub(super) fn settings(cache_bytes: usize) -> Settings {
    Settings {
        cache_bytes,
        check: Check::AtReading,
    }
}

pub(super) fn create(files: &Files, id: &DatabaseId, cache_bytes: usize) -> Result<(), StoreError> {
    DataFile::create(&files.state, settings(cache_bytes), |transaction| {
        transaction.open_table(RUNS)?;
        transaction.open_table(DELTAS)?;
        transaction.open_table(SUMMARIES)?;
        transaction.open_table(IDS)?;
        transaction.open_table(LISTED)?;
        transaction.open_table(WAKES)?;
        transaction.open_table(ENDED)?;
        transaction.open_table(HISTORY)?;
        meta::create(transaction, id)
    })
}

/// Makes a new file of what a snapshot shows; says how far that stands.
pub(super) fn copy(
    snapshot: Snapshot<'_>,
    path: &Path,
    cache_bytes: usize,
) -> Result<Mark, StoreError> {
    snapshot.read(|from| {
        let mark = mark_in(from)?;
        let created = DataFile::create(path, settings(cache_bytes), |to| {
            copy_table(from, to, RUNS)?;
            copy_table(from, to, DELTAS)?;
            copy_table(from, to, SUMMARIES)?;
            copy_table(from, to, IDS)?;
            copy_table(from, to, LISTED)?;
            copy_table(from, to, WAKES)?;
            copy_table(from, to, ENDED)?;
            copy_table(from, to, HISTORY)?;
            copy_table(from, to, meta::META)
        });
        Ok(created.map(|()| mark))
    })?
}

/// Brings a batch into the state, with the row it stands at, and removes what need not be kept:
/// all of it or nothing.
pub(super) fn write(
    file: &DataFile,
    batch: &Batch,
    bounds: &Bounds,
    retention: &Retention,
    now_ms: u64,
) -> Result<(), StoreError> {
    // Encoded first: what cannot be encoded must not look like a fault of the file.
    let mut encoded = Vec::with_capacity(batch.runs.len());
    for (written, stored) in batch.runs.iter().zip(stored(file, batch)?) {
        let summary = &written.summary;
        encoded.push((
            Form::of(written, stored, bounds)?,
            encode(&(&*summary.identity, summary.standing))?,
        ));
    }
    file.write(|transaction| {
        let mut images = open_images(transaction)?;
        let mut summaries = transaction.open_table(SUMMARIES)?;
        let mut old = Vec::with_capacity(batch.runs.len());
        for (written, (form, summary)) in batch.runs.iter().zip(&encoded) {
            images.put(written.run, form)?;
            let replaced = summaries.insert(written.run, summary.as_slice())?;
            old.push(match replaced {
                Some(summary) => Some(decode_summary(written.run, summary.value())?),
                None => None,
            });
        }
        drop((images, summaries));
        index(transaction, batch, &old)?;
        let mut history = transaction.open_table(HISTORY)?;
        for (run, number, event) in &batch.events {
            history.insert((*run, *number), &**event)?;
        }
        // A history is cut when it was added to; its entries are numbered without order but time.
        if let Some(events_max) = retention.history_events {
            let mut events = batch
                .events
                .iter()
                .map(|(run, ..)| *run)
                .collect::<Vec<_>>();
            events.dedup();
            for run in events {
                cut_history(&mut history, run, events_max)?;
            }
        }
        drop(history);
        remove_ended(transaction, retention, &bounds.kinship, now_ms)?;
        meta::put_number(transaction, meta::MARK, batch.upto.row)?;
        meta::put_number(transaction, meta::MARK_CRC, batch.upto.crc.into())?;
        meta::put_number(transaction, meta::NEXT_RUN, batch.next_run)
    })
}

/// What the state has of the images that may be written as deltas.
fn stored(file: &DataFile, batch: &Batch) -> Result<Vec<Option<Stored>>, StoreError> {
    file.snapshot()?.read(|transaction| {
        // A checkpoint that failed may have come to the disk: deltas do not follow what it wrote.
        let is_known = meta::number(transaction, meta::MARK)? == batch.mark;
        let stored = |written: &Written| match &written.base {
            Some(_) if is_known => images::stored(transaction, written.run),
            _ => Ok(None),
        };
        batch.runs.iter().map(stored).collect()
    })
}

fn open_images(transaction: &WriteTransaction) -> Result<Images<'_>, Fault> {
    Ok(Images {
        runs: transaction.open_table(RUNS)?,
        deltas: transaction.open_table(DELTAS)?,
    })
}

/// Brings the indexes into line with the batch; `old` is what they stand at.
fn index(
    transaction: &WriteTransaction,
    batch: &Batch,
    old: &[Option<Summary>],
) -> Result<(), Fault> {
    let mut ids = transaction.open_table(IDS)?;
    let mut listed = transaction.open_table(LISTED)?;
    let mut wakes = transaction.open_table(WAKES)?;
    let mut ended = transaction.open_table(ENDED)?;
    for (Written { run, summary, .. }, old) in batch.runs.iter().zip(old) {
        let (identity, standing) = (&*summary.identity, &summary.standing);
        let key = |standing: &Standing| {
            let workflow = identity.workflow.as_str();
            (standing.status, workflow, identity.started_ms, *run)
        };
        let old = old.as_ref().map(|old| &old.standing);
        if old.is_none() {
            ids.insert((identity.workflow_id.as_str(), *run), ())?;
        }
        if let Some(old) = old
            && old.status != standing.status
        {
            listed.remove(key(old))?;
        }
        if old.is_none_or(|old| (old.status, old.fit) != (standing.status, standing.fit)) {
            listed.insert(key(standing), standing.fit)?;
        }
        let old_wake_ms = old.and_then(|old| old.wake_ms);
        if old_wake_ms != standing.wake_ms {
            if let Some(wake_ms) = old_wake_ms {
                wakes.remove((wake_ms, *run))?;
            }
            if let Some(wake_ms) = standing.wake_ms {
                wakes.insert((wake_ms, *run), ())?;
            }
        }
        if let Some(closed_ms) = standing.closed_ms {
            ended.insert((closed_ms, *run), ())?;
        }
    }
    Ok(())
}

type History<'t> = redb::Table<'t, (u64, u64), &'static [u8]>;

fn cut_history(history: &mut History<'_>, run: u64, events_max: u64) -> Result<(), Fault> {
    let all = (run, 0)..=(run, u64::MAX);
    let keep = usize::try_from(events_max).unwrap_or(usize::MAX);
    let newest_cut = match history.range(all)?.rev().nth(keep) {
        Some(entry) => entry?.0.value(),
        None => return Ok(()),
    };
    history.retain_in((run, 0)..=newest_cut, |_, _| false)?;
    Ok(())
}

/// Removes the runs that ended too long ago or are too many, so many at a time that nobody waits
/// long for it.
fn remove_ended(
    transaction: &WriteTransaction,
    retention: &Retention,
    kinship: &Kinship,
    now_ms: u64,
) -> Result<(), Fault> {
    let mut ended = transaction.open_table(ENDED)?;
    let before_ms = retention.age.map_or(0, |age| {
        now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    });
    let runs_max = retention.runs.unwrap_or(u64::MAX);
    let surplus = ended.len()?.saturating_sub(runs_max);
    let mut images = open_images(transaction)?;
    let mut summaries = transaction.open_table(SUMMARIES)?;
    let mut ids = transaction.open_table(IDS)?;
    let mut removed = Vec::new();
    let mut awaited = Awaited {
        kinship,
        images: &images,
        summaries: &summaries,
        ids: &ids,
        known: HashMap::new(),
    };
    for entry in ended.iter()? {
        let (closed_ms, run) = entry?.0.value();
        let is_surplus = (removed.len() as u64) < surplus;
        if removed.len() >= REMOVED_RUNS_MAX || !(is_surplus || closed_ms < before_ms) {
            break;
        }
        if !awaited.contains(run)? {
            removed.push((closed_ms, run));
        }
    }
    if removed.is_empty() {
        return Ok(());
    }
    let mut listed = transaction.open_table(LISTED)?;
    let mut history = transaction.open_table(HISTORY)?;
    for (closed_ms, run) in removed {
        ended.remove((closed_ms, run))?;
        images.remove(run)?;
        let summary = summaries.remove(run)?;
        let summary = summary.ok_or_else(|| missing(run))?;
        let Summary { identity, standing } = decode_summary(run, summary.value())?;
        let workflow = identity.workflow.as_str();
        ids.remove((identity.workflow_id.as_str(), run))?;
        listed.remove((standing.status, workflow, identity.started_ms, run))?;
        history.retain_in((run, 0)..=(run, u64::MAX), |_, _| false)?;
    }
    Ok(())
}

/// The runs of which another run in flight has not taken in that they ended.
struct Awaited<'a, 't> {
    kinship: &'a Kinship,
    images: &'a Images<'t>,
    summaries: &'a redb::Table<'t, u64, &'static [u8]>,
    ids: &'a redb::Table<'t, (&'static str, u64), ()>,
    /// What the runs in flight await that were looked at, by their run ids.
    known: HashMap<String, Option<BTreeSet<u64>>>,
}

impl Awaited<'_, '_> {
    fn contains(&mut self, run: u64) -> Result<bool, Fault> {
        let Some(awaiter) = (self.kinship.awaited_by)(&self.image(run)?) else {
            return Ok(false);
        };
        if !self.known.contains_key(&awaiter.run_id) {
            let awaits = self.awaits(&awaiter)?;
            self.known.insert(awaiter.run_id.clone(), awaits);
        }
        let awaits = self.known[&awaiter.run_id].as_ref();
        Ok(awaits.is_none_or(|awaits| awaits.contains(&awaiter.number)))
    }

    fn awaits(&self, awaiter: &Awaiter) -> Result<Option<BTreeSet<u64>>, Fault> {
        let id = awaiter.workflow_id.as_str();
        for entry in self.ids.range((id, 0)..=(id, u64::MAX))? {
            let (_, run) = entry?.0.value();
            let summary = self.summaries.get(run)?.ok_or_else(|| missing(run))?;
            let Summary { identity, standing } = decode_summary(run, summary.value())?;
            if identity.run_id == awaiter.run_id && standing.status == IN_FLIGHT {
                return Ok((self.kinship.awaits)(&self.image(run)?));
            }
        }
        Ok(Some(BTreeSet::new()))
    }

    fn image(&self, run: u64) -> Result<Image, Fault> {
        let Images { runs, deltas } = self.images;
        images::read(runs, Some(deltas), run)?.ok_or_else(|| missing(run))
    }
}

fn missing(run: u64) -> Fault {
    Fault::Damaged(format!("run {run} is listed and not there"))
}

pub(super) fn decode_summary(run: u64, bytes: &[u8]) -> Result<Summary, Fault> {
    let (identity, standing): (Identity, Standing) = decode(&format!("summary {run}"), bytes)?;
    Ok(Summary {
        identity: Arc::new(identity),
        standing,
    })
}

/// How far the state stands.
pub(super) struct Mark {
    /// The last row of the journal that the state contains.
    pub last: Link,
    /// No run number from here on had been given out.
    pub next_run: u64,
}

pub(super) fn mark(snapshot: Snapshot<'_>) -> Result<Mark, StoreError> {
    snapshot.read(mark_in)
}

fn mark_in(transaction: &ReadTransaction) -> Result<Mark, Fault> {
    let crc = meta::number(transaction, meta::MARK_CRC)?;
    Ok(Mark {
        last: Link {
            row: meta::number(transaction, meta::MARK)?,
            crc: u32::try_from(crc)
                .map_err(|_| Fault::Damaged("its mark has no checksum".to_owned()))?,
        },
        next_run: meta::number(transaction, meta::NEXT_RUN)?,
    })
}

pub(super) fn run(
    snapshot: Snapshot<'_>,
    run: u64,
) -> Result<Option<(Summary, Arc<Image>)>, StoreError> {
    snapshot.read(|transaction| {
        let summary = summary_in(transaction, run)?;
        let runs = transaction.open_table(RUNS)?;
        let deltas = images::open_deltas(transaction)?;
        match (summary, images::read(&runs, deltas.as_ref(), run)?) {
            (Some(summary), Some(image)) => Ok(Some((summary, Arc::new(image)))),
            (None, None) => Ok(None),
            _ => Err(missing(run)),
        }
    })
}

pub(super) fn summary(snapshot: Snapshot<'_>, run: u64) -> Result<Option<Summary>, StoreError> {
    snapshot.read(|transaction| summary_in(transaction, run))
}

fn summary_in(transaction: &ReadTransaction, run: u64) -> Result<Option<Summary>, Fault> {
    let table = transaction.open_table(SUMMARIES)?;
    let Some(bytes) = table.get(run)? else {
        return Ok(None);
    };
    decode_summary(run, bytes.value()).map(Some)
}

/// All runs of a workflow id, ascending.
pub(super) fn runs_of(snapshot: Snapshot<'_>, workflow_id: &str) -> Result<Vec<u64>, StoreError> {
    snapshot.read(|transaction| {
        let table = transaction.open_table(IDS)?;
        let mut runs = Vec::new();
        for entry in table.range((workflow_id, 0)..=(workflow_id, u64::MAX))? {
            runs.push(entry?.0.value().1);
        }
        Ok(runs)
    })
}

/// The first `limit` wakes after a place in their order, up to a time, of runs that `is_here`.
pub(super) fn wakes(
    snapshot: Snapshot<'_>,
    after: (u64, u64),
    until_ms: u64,
    limit: usize,
    is_here: impl Fn(u64) -> bool,
) -> Result<Vec<(u64, u64)>, StoreError> {
    use std::ops::Bound::{Excluded, Included};
    snapshot.read(|transaction| {
        let table = transaction.open_table(WAKES)?;
        let range = (Excluded(after), Included((until_ms, u64::MAX)));
        let mut wakes = Vec::new();
        for entry in table.range::<(u64, u64)>(range)? {
            let (wake_ms, run) = entry?.0.value();
            if is_here(run) {
                wakes.push((wake_ms, run));
                if wakes.len() == limit {
                    break;
                }
            }
        }
        Ok(wakes)
    })
}

/// Every run in flight that `is_here`, with its `fit`, in the order of the index.
pub(super) fn in_flight(
    snapshot: Snapshot<'_>,
    is_here: impl Fn(u64) -> bool,
    mut each: impl FnMut(u64, u64),
) -> Result<(), StoreError> {
    snapshot.read(|transaction| {
        let table = transaction.open_table(LISTED)?;
        for entry in table.range((IN_FLIGHT, "", 0, 0)..(IN_FLIGHT + 1, "", 0, 0))? {
            let (key, fit) = entry?;
            let (.., run) = key.value();
            if is_here(run) {
                each(run, fit.value());
            }
        }
        Ok(())
    })
}

/// Entries with their numbers, ascending.
pub(super) fn history(snapshot: Snapshot<'_>, run: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    snapshot.read(|transaction: &ReadTransaction| {
        let table = transaction.open_table(HISTORY)?;
        let mut events = Vec::new();
        for entry in table.range((run, 0)..=(run, u64::MAX))? {
            let (key, event) = entry?;
            events.push((key.value().1, event.value().to_vec()));
        }
        Ok(events)
    })
}
