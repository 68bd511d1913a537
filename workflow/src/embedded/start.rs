//! Runs that begin: started by a caller, or by a run as its children.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codec::Sealed;
use crate::contract::{Run, ScheduledChild};
use crate::executor::Error;
use crate::failure::Failure;
use crate::provider::{IdPolicy, RunInfo, RunTarget, StartRequest};

use super::engine::Engine;
use super::record::{self, Head, Parent, Record};
use super::slot::{Active, Slot};
use super::store::{IN_FLIGHT, Summary};
use super::transition::Input;
use super::{clock, limit, telemetry};

impl Engine {
    /// Starts a run.
    pub(super) async fn start(self: &Arc<Self>, request: StartRequest) -> Result<RunInfo, Error> {
        let engine = self.clone();
        let busy = self.busy();
        self.detached(async move {
            let _busy = busy;
            let run_id = clock::run_id();
            let workflow_id = request.id.as_deref().unwrap_or(&run_id).into();
            let held = engine.slots.hold(workflow_id);
            let summary = engine.start_in(&held, request, run_id, None).await?;
            Ok(record::info(&summary))
        })
        .await
    }

    /// Starts a child, or finds the one that was started before: gives how it ended, if it has.
    pub(super) async fn child(
        self: &Arc<Self>,
        parent: &Parent,
        child: &ScheduledChild,
    ) -> Result<Option<Result<Sealed, Failure>>, Error> {
        let workflow_id =
            ScheduledChild::workflow_id(&parent.workflow_id, &parent.run_id, parent.op);
        let held = self.slots.hold(workflow_id.as_str().into());
        let request = StartRequest {
            workflow: child.workflow.clone(),
            arguments: child.arguments.clone(),
            id: Some(workflow_id.clone()),
            timeout: None,
            id_policy: IdPolicy::UseExisting,
        };
        let run_id = clock::run_id();
        let found = self
            .start_in(&held, request, run_id, Some(parent.clone()))
            .await?;
        let found = self.record(&RunTarget {
            workflow_id: workflow_id.clone(),
            run_id: Some(found.identity.run_id.clone()),
        })?;
        if found.head.parent.as_ref() != Some(parent) {
            return Err(Error::IdInUse {
                workflow_id,
                status: found.status(),
                run_id: found.head.run_id,
            });
        }
        Ok(found.end.map(|end| end.outcome.for_parent()))
    }

    async fn start_in(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: StartRequest,
        run_id: String,
        parent: Option<Parent>,
    ) -> Result<Summary, Error> {
        if request.id.as_deref() == Some("") {
            return Err(Error::EmptyId);
        }
        let machine = self
            .machine(&request.workflow)
            .ok_or_else(|| Error::NotRegistered {
                workflow: request.workflow.clone(),
            })?;
        for argument in &request.arguments {
            limit::payload(&self.limits, &argument.payload)?;
        }
        let mut guard = slot.active.lock().await;
        let workflow_id = slot.workflow_id.to_string();
        // An id that was just made up is nobody's.
        let existing = match &request.id {
            Some(_) => self.store.find(&workflow_id, None)?,
            None => None,
        };
        if let Some((_, existing)) = existing {
            let is_closed = existing.standing.status != IN_FLIGHT;
            match (request.id_policy, is_closed) {
                (IdPolicy::UseExisting, _) => return Ok(existing),
                (IdPolicy::RejectRunning, true) => {}
                (IdPolicy::RejectRunning, false) | (IdPolicy::RejectUsed, _) => {
                    let existing = record::info(&existing);
                    return Err(Error::IdInUse {
                        workflow_id,
                        status: existing.status,
                        run_id: existing.run_id,
                    });
                }
            }
        }
        let mut record = Record {
            head: Head {
                workflow_id,
                run_id,
                workflow: request.workflow,
                started_ms: clock::now_ms(),
                timeout: request.timeout,
                parent,
            },
            run: Run::start(machine, request.arguments, clock::random())?,
            waiting: Vec::new(),
            end: None,
        };
        let (happened, aside) = self.advance(&mut record, vec![Input::Started]);
        limit::operations(&self.limits, &record)?;
        let mut active = Active {
            run: self.store.next_run(),
            identity: Arc::new(record.identity()),
            record,
            image: Arc::default(),
            attempts: BTreeMap::new(),
            children: BTreeSet::new(),
            wake_ms: None,
        };
        let mut changes = active.changes(happened)?;
        changes[0].before = None;
        let summary = changes[0].summary.clone();
        self.commit(changes).await?;
        let identity = &summary.identity;
        telemetry::run_started(&identity.workflow);
        tracing::info!(
            workflow_id = identity.workflow_id,
            run_id = identity.run_id,
            workflow = identity.workflow,
            "a run is started"
        );
        if let Some(reason) = aside {
            self.put_aside(active.record.head.clone(), reason);
        }
        let begun = self.settle(slot, &mut guard, active, None);
        self.dispatch(begun);
        Ok(summary)
    }
}
