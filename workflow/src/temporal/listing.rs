//! Runs by status, workflow, time and id, as the server's index of runs ("visibility") has them.

use std::time::{SystemTime, UNIX_EPOCH};

use temporalio_client::Client;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Request, Status as Refused};
use temporalio_common::protos::temporal::api::workflowservice::v1::ListWorkflowExecutionsRequest;

use crate::listing::{PageToken, RunFilter, RunPage};
use crate::status::Status;

use super::connection::{REQUEST_TIMEOUT, Target};
use super::found;

/// Why there is no page.
pub(super) enum ListError {
    /// No page gave this token.
    Token(String),
    /// The server said so.
    Refused(Refused),
}

/// One page of the runs on a task queue.
pub(super) async fn page(
    client: &mut Client,
    target: &Target,
    filter: &RunFilter,
) -> Result<RunPage, ListError> {
    let unknown = |token: &PageToken| ListError::Token(token.as_str().to_owned());
    let mut request = Request::new(ListWorkflowExecutionsRequest {
        namespace: target.namespace.clone(),
        page_size: i32::try_from(filter.page_runs).unwrap_or(i32::MAX),
        next_page_token: match &filter.after {
            None => Vec::new(),
            Some(token) => bytes(token).ok_or_else(|| unknown(token))?,
        },
        query: query(&target.task_queue, filter),
    });
    request.set_timeout(REQUEST_TIMEOUT);
    let listed = client.list_workflow_executions(request).await;
    let listed = listed.map_err(|refused| match (&filter.after, refused.code()) {
        (Some(token), Code::InvalidArgument) => unknown(token),
        _ => ListError::Refused(refused),
    })?;
    let listed = listed.into_inner();
    let runs = listed.executions.into_iter().filter_map(found::info);
    let next = listed.next_page_token;
    Ok(RunPage {
        runs: runs.map(|(info, _)| info).collect(),
        next: (!next.is_empty()).then(|| token(&next)),
    })
}

fn query(task_queue: &str, filter: &RunFilter) -> String {
    let mut terms = vec![
        format!("TaskQueue = {}", text(task_queue)),
        // Those are only parts of a run that went on.
        "ExecutionStatus != 'ContinuedAsNew'".to_owned(),
    ];
    if let Some(status) = filter.status {
        terms.push(format!("ExecutionStatus = '{}'", name(status)));
    }
    if let Some(workflow) = &filter.workflow {
        terms.push(format!("WorkflowType = {}", text(workflow)));
    }
    if let Some(prefix) = &filter.id_prefix {
        terms.push(format!("WorkflowId STARTS_WITH {}", text(prefix)));
    }
    if let Some(time) = filter.started_from {
        terms.push(format!("StartTime >= {}", nanos(time)));
    }
    if let Some(time) = filter.started_before {
        terms.push(format!("StartTime < {}", nanos(time)));
    }
    terms.join(" AND ")
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn nanos(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}

fn name(status: Status) -> &'static str {
    match status {
        Status::Running => "Running",
        Status::Completed => "Completed",
        Status::Failed => "Failed",
        Status::Canceled => "Canceled",
        Status::Terminated => "Terminated",
        Status::TimedOut => "TimedOut",
    }
}

fn token(bytes: &[u8]) -> PageToken {
    PageToken::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn bytes(token: &PageToken) -> Option<Vec<u8>> {
    let text = token.as_str();
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    match text.len() % 2 {
        0 => digits.map(byte).collect(),
        _ => None,
    }
}
