//! The tutorial's scenario: start, running, signal, completed; rejected; timed out.

use tests::research::{research, write_report};
use tests::{open, reach};
use workflow::prelude::*;

#[workflow]
async fn research_workflow(
    ctx: &mut Context,
    topic: String,
    patience: Duration,
) -> Result<String, WorkflowError> {
    let findings = research(topic).await?;
    let approved = ctx.wait_for_signal::<bool>("approval", patience).await?;
    if !approved {
        return Ok("Workflow rejected by reviewer.".into());
    }
    let report = write_report(findings).await?;
    Ok(report)
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn approved() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<research_workflow>(data.path()).await;
    let run = executor
        .start(research_workflow("Q4 revenue analysis".to_string(), DAY))
        .id("research-q4-2025")
        .timeout(Duration::from_hours(48))
        .await
        .unwrap();
    assert_eq!(run.id(), "research-q4-2025");
    assert!(!run.run_id().is_empty());
    assert_eq!(run.status().await.unwrap(), Status::Running);
    let query = |name: &'static str| executor.query("research-q4-2025", name);
    assert_eq!(query("status").await.unwrap(), "running");
    assert!(query("result").await.unwrap().is_null());

    reach(&run, |state| {
        matches!(state, ResearchWorkflowState::Approval { .. })
    })
    .await;
    let state = run.state().await.unwrap();
    assert!(matches!(
        state,
        Some(ResearchWorkflowState::Approval { findings, .. }) if findings.contains("Q4")
    ));
    assert_eq!(
        query("state").await.unwrap()["Approval"]["findings"],
        "findings on Q4 revenue analysis"
    );

    executor
        .signal("research-q4-2025", "approval", true)
        .await
        .unwrap();
    let report = run.result().await.unwrap();
    assert_eq!(report, "report: findings on Q4 revenue analysis");
    assert_eq!(run.status().await.unwrap(), Status::Completed);
    assert!(run.state().await.unwrap().is_none());
    assert_eq!(query("status").await.unwrap(), "completed");
    assert_eq!(query("result").await.unwrap(), report);
    assert!(query("state").await.unwrap().is_null());

    let again = executor
        .handle::<research_workflow>("research-q4-2025")
        .await
        .unwrap();
    assert_eq!(again.run_id(), run.run_id());
    assert_eq!(again.result().await.unwrap(), report);
}

#[tokio::test]
async fn rejected() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<research_workflow>(data.path()).await;
    let run = executor
        .start(research_workflow("Q4".to_string(), DAY))
        .await
        .unwrap();
    run.signal("approval", false).await.unwrap();
    assert_eq!(
        run.result().await.unwrap(),
        "Workflow rejected by reviewer."
    );
    assert_eq!(run.status().await.unwrap(), Status::Completed);
}

#[tokio::test]
async fn nobody_answers() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<research_workflow>(data.path()).await;
    let call = research_workflow("Q4".to_string(), Duration::from_millis(20));
    let run = executor.start(call).await.unwrap();
    let RunError::Failed(failure) = run.result().await.unwrap_err() else {
        panic!("the workflow's own error ends it");
    };
    assert_eq!(failure.kind, workflow::FailureKind::TimedOut);
    assert_eq!(failure.to_string(), "no signal `approval` came within 20ms");
    assert_eq!(run.status().await.unwrap(), Status::Failed);
}

#[tokio::test]
async fn the_run_takes_too_long() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<research_workflow>(data.path()).await;
    let call = research_workflow("Q4".to_string(), DAY);
    let run = executor
        .start(call)
        .timeout(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(matches!(run.result().await, Err(RunError::TimedOut { .. })));
    assert_eq!(run.status().await.unwrap(), Status::TimedOut);
    assert_eq!(run.query("status").await.unwrap(), "timed_out");
}

#[tokio::test]
async fn execute_starts_and_waits() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<tests::shout>(data.path()).await;
    let call = tests::shout("hi".to_owned());
    assert_eq!(executor.execute(call).await.unwrap(), "HI!");
}
