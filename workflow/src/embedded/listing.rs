//! Runs by status, workflow, time and id, as the store lists them.

use crate::executor::Error;
use crate::listing::{PageToken, RunFilter, RunPage};

use super::engine::Engine;
use super::store::{Filter, Place};
use super::{clock, record};

impl Engine {
    /// One page of runs, as they were last committed.
    pub(super) fn list(&self, filter: &RunFilter) -> Result<RunPage, Error> {
        let after = filter.after.as_ref().map(place).transpose()?;
        let wanted = Filter {
            status: filter.status.map(record::status_number),
            workflow: filter.workflow.clone(),
            id_prefix: filter.id_prefix.clone(),
            started_from_ms: filter.started_from.map(clock::to_ms),
            started_before_ms: filter.started_before.map(clock::to_ms),
        };
        let listed = self.store.list(&wanted, after.as_ref(), filter.page_runs)?;
        let is_last = listed.len() < filter.page_runs;
        let next = listed.last().filter(|_| !is_last);
        Ok(RunPage {
            next: next.map(|(place, _)| token(place)),
            runs: listed.iter().map(|(_, run)| record::info(run)).collect(),
        })
    }
}

fn token(place: &Place) -> PageToken {
    PageToken::new(match place {
        Place::Started(ms, run) => format!("started {run} {ms}"),
        Place::Id(id, run) => format!("id {run} {id}"),
    })
}

fn place(token: &PageToken) -> Result<Place, Error> {
    let mut parts = token.as_str().splitn(3, ' ');
    let place = match (parts.next(), parts.next().map(str::parse), parts.next()) {
        (Some("started"), Some(Ok(run)), Some(ms)) => {
            ms.parse().ok().map(|ms| Place::Started(ms, run))
        }
        (Some("id"), Some(Ok(run)), Some(id)) => Some(Place::Id(id.to_owned(), run)),
        _ => None,
    };
    place.ok_or_else(|| Error::PageToken {
        token: token.as_str().to_owned(),
    })
}
