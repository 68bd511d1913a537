//! Runs by status, workflow, time and id, a page at a time.

use redb::{AccessGuard, Range, ReadTransaction};

use super::error::StoreError;
use super::fault::Fault;
use super::file::Snapshot;
use super::state::{IDS, LISTED, SUMMARIES, decode_summary};
use super::summary::{Filter, Place, Summary};

/// One run of a page.
pub(crate) type Listed = (Place, Summary);

impl Filter {
    /// The place of a run in the order of this filter.
    pub(super) fn place(&self, run: u64, summary: &Summary) -> Place {
        let identity = &summary.identity;
        match self.id_prefix {
            Some(_) => Place::Id(identity.workflow_id.clone(), run),
            None => Place::Started(identity.started_ms, run),
        }
    }
}

impl Place {
    /// Whether this stands before the other on the pages.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Started(at, run), Self::Started(other, other_run)) => {
                (at, run) > (other, other_run)
            }
            (Self::Id(id, run), Self::Id(other, other_run)) => (id, run) < (other, other_run),
            // Places of two filters are not compared.
            _ => false,
        }
    }
}

/// Up to `limit` runs that the filter fits, after a place, of those that `is_here`.
pub(super) fn page(
    snapshot: Snapshot<'_>,
    filter: &Filter,
    after: Option<&Place>,
    limit: usize,
    is_here: impl Fn(u64) -> bool,
) -> Result<Vec<Listed>, StoreError> {
    snapshot.read(|transaction| {
        let summaries = transaction.open_table(SUMMARIES)?;
        let mut page = Vec::new();
        let mut take = |run: u64| -> Result<bool, Fault> {
            if !is_here(run) {
                return Ok(true);
            }
            let Some(bytes) = summaries.get(run)? else {
                return Err(Fault::Damaged(format!("run {run} is listed and not there")));
            };
            let summary = decode_summary(run, bytes.value())?;
            if filter.fits(&summary) {
                page.push((filter.place(run, &summary), summary));
            }
            Ok(page.len() < limit)
        };
        match &filter.id_prefix {
            Some(prefix) => by_id(transaction, prefix, after, &mut take)?,
            None => by_start(transaction, filter, after, &mut take)?,
        }
        Ok(page)
    })
}

type Take<'t> = dyn FnMut(u64) -> Result<bool, Fault> + 't;

fn by_id(
    transaction: &ReadTransaction,
    prefix: &str,
    after: Option<&Place>,
    take: &mut Take<'_>,
) -> Result<(), Fault> {
    let table = transaction.open_table(IDS)?;
    let first = match after {
        Some(Place::Id(id, run)) => (id.as_str(), run.saturating_add(1)),
        _ => (prefix, 0),
    };
    for entry in table.range(first..)? {
        let (key, _) = entry?;
        let (id, run) = key.value();
        if !id.starts_with(prefix) || !take(run)? {
            break;
        }
    }
    Ok(())
}

type Rows<'t> = Range<'t, (u8, &'static str, u64, u64), u64>;
type Key<'t> = AccessGuard<'t, (u8, &'static str, u64, u64)>;

/// Newest first, over all ranges of the index that may hold some: one for each status and workflow.
fn by_start(
    transaction: &ReadTransaction,
    filter: &Filter,
    after: Option<&Place>,
    take: &mut Take<'_>,
) -> Result<(), Fault> {
    let table = transaction.open_table(LISTED)?;
    let from_ms = filter.started_from_ms.unwrap_or(0);
    let (mut end_ms, mut end_run) = match filter.started_before_ms {
        Some(before) => (before, 0),
        None => (u64::MAX, u64::MAX),
    };
    if let Some(Place::Started(ms, run)) = after {
        (end_ms, end_run) = (end_ms, end_run).min((*ms, *run));
    }
    let mut ranges: Vec<(Rows<'_>, Option<(u64, u64)>)> = Vec::new();
    let place = |entry: Option<Result<(Key<'_>, AccessGuard<'_, u64>), redb::StorageError>>| {
        entry
            .transpose()
            .map(|entry| entry.map(|(key, _)| (key.value().2, key.value().3)))
    };
    // From one status and workflow that is there to the next.
    let mut next: (u8, String) = (filter.status.unwrap_or(0), String::new());
    loop {
        let first = (next.0, next.1.as_str(), 0, 0);
        let found = match table.range(first..)?.next() {
            Some(entry) => {
                let (key, _) = entry?;
                let (status, workflow, ..) = key.value();
                (status, workflow.to_owned())
            }
            None => break,
        };
        if filter.status.is_some_and(|status| status != found.0) {
            break;
        }
        let (status, workflow) = (found.0, found.1.as_str());
        if filter
            .workflow
            .as_deref()
            .is_none_or(|wanted| wanted == workflow)
        {
            let begin = (status, workflow, from_ms, 0);
            let end = (status, workflow, end_ms, end_run);
            if begin < end {
                let mut rows = table.range(begin..end)?;
                let newest = place(rows.next_back())?;
                ranges.push((rows, newest));
            }
        }
        // The least text after this one.
        next = (status, format!("{workflow}\0"));
    }
    loop {
        let newest = ranges.iter_mut().max_by_key(|(_, newest)| *newest);
        let Some((rows, newest)) = newest else {
            return Ok(());
        };
        let Some((_, run)) = *newest else {
            return Ok(());
        };
        if !take(run)? {
            return Ok(());
        }
        *newest = place(rows.next_back())?;
    }
}
