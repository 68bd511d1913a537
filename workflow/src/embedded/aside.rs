//! Runs that the code at hand cannot go on with.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::contract::Machine;
use crate::executor::Error;
use crate::provider::SetAside;

use super::engine::{Engine, lock};
use super::fit::fits;
use super::record::{Head, Record};
use super::store::Summary;

impl Engine {
    /// The runs that the code cannot go on with: those of which that was found out when they were
    /// to go on, and those that stand where the code does not fit. Reads one run for each place at
    /// which runs stand, and those that are set aside.
    pub(super) fn set_aside(&self) -> Result<Vec<SetAside>, Error> {
        let mut aside = lock(&self.aside).clone();
        let mut places: HashMap<u64, Vec<u64>> = HashMap::new();
        let mut fitting: HashSet<u64> = HashSet::new();
        let mut unread = None;
        self.store.in_flight(|run, fit| {
            if fitting.contains(&fit) {
                return;
            }
            let runs = places.entry(fit).or_default();
            if runs.is_empty() {
                match self.read(run) {
                    Ok((.., record)) if self.fitting(&record).is_ok() => {
                        fitting.insert(fit);
                        return;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        unread.get_or_insert((run, error));
                    }
                }
            }
            runs.push(run);
        })?;
        for run in places.into_values().flatten() {
            let (head, reason) = match self.read(run) {
                Ok((.., record)) => match self.fitting(&record) {
                    Ok(_) => continue,
                    Err(reason) => (record.head, reason),
                },
                Err(error) => (unreadable(run), error.to_string()),
            };
            let id: Arc<str> = head.workflow_id.as_str().into();
            aside.entry(id).or_insert_with(|| set_aside(head, reason));
        }
        Ok(aside.into_values().collect())
    }

    /// Why a run in flight is set aside, if it is.
    pub(super) fn why_aside(&self, run: u64, summary: &Summary) -> Result<Option<String>, Error> {
        let identity = &summary.identity;
        if let Some(reason) = self.aside_of(&identity.workflow_id, &identity.run_id) {
            return Ok(Some(reason));
        }
        let fit = summary.standing.fit;
        if lock(&self.fitting).contains(&fit) {
            return Ok(None);
        }
        let reason = self.fitting(&self.read(run)?.2).err();
        if reason.is_none() {
            lock(&self.fitting).insert(fit);
        }
        Ok(reason)
    }

    /// Why going on with a run failed, if it did.
    pub(super) fn aside_of(&self, workflow_id: &str, run_id: &str) -> Option<String> {
        let aside = lock(&self.aside);
        let aside = aside
            .get(workflow_id)
            .filter(|aside| aside.run_id == run_id);
        aside.map(|aside| aside.reason.clone())
    }

    pub(super) fn put_aside(&self, head: Head, reason: String) {
        tracing::warn!(
            workflow_id = head.workflow_id,
            run_id = head.run_id,
            reason,
            "a run is set aside"
        );
        let id = head.workflow_id.as_str().into();
        lock(&self.aside).insert(id, set_aside(head, reason));
    }

    /// The machine of a run, if its code fits.
    pub(super) fn fitting(&self, record: &Record) -> Result<&Machine, String> {
        let workflow = &record.head.workflow;
        let machine = self.machine(workflow).ok_or_else(|| {
            let workflow = workflow.clone();
            Error::NotRegistered { workflow }.to_string()
        })?;
        fits(machine, record).map_err(|fault| fault.to_string())?;
        Ok(machine)
    }
}

/// What there is to say of a run that cannot be read.
pub(super) fn unreadable(run: u64) -> Head {
    Head {
        workflow_id: format!("(run number {run})"),
        run_id: String::new(),
        workflow: String::new(),
        started_ms: 0,
        timeout: None,
        parent: None,
    }
}

fn set_aside(head: Head, reason: String) -> SetAside {
    SetAside {
        workflow_id: head.workflow_id,
        run_id: head.run_id,
        workflow: head.workflow,
        reason,
    }
}
