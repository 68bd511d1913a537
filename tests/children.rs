//! Workflows that start others as runs of their own, and workflows that run inline.

use tests::{on_server, open, reach};
use workflow::prelude::*;
use workflow::{FailureKind, RunError};

#[activity]
async fn double(n: u32) -> Result<u32, ActivityError> {
    Ok(n * 2)
}

#[workflow]
async fn review(ctx: &mut Context, draft: String) -> Result<String, WorkflowError> {
    let said: String = match ctx.wait_for_signal("said", Duration::MAX).await {
        Ok(said) => said,
        Err(error) => {
            // Cleaning up works also when the parent is gone.
            double(1).await?;
            return Err(error);
        }
    };
    if said == "no" {
        return Err(WorkflowError::new(format!("{draft} is refused")));
    }
    Ok(format!("{draft}: {said}"))
}

#[workflow]
async fn publish(draft: String) -> Result<String, WorkflowError> {
    let length = double(u32::try_from(draft.len()).unwrap_or(0)).await?;
    let reviewed = review(draft).await?;
    Ok(format!("{reviewed} ({length})"))
}

#[workflow]
async fn publish_inline(ctx: &mut Context, draft: String) -> Result<String, WorkflowError> {
    let length = double(u32::try_from(draft.len()).unwrap_or(0)).await?;
    let reviewed = review(ctx, draft).await?;
    Ok(format!("{reviewed} ({length})"))
}

/// The child of the parent's operation.
async fn child<W: Workflow>(
    executor: &Executor,
    parent: &WorkflowHandle<publish>,
    op: u64,
) -> WorkflowHandle<W> {
    let id = format!("{}/{}/{op}", parent.id(), parent.run_id());
    loop {
        match executor.handle::<W>(&id).await {
            Ok(child) => return child,
            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

#[tokio::test]
async fn a_child_is_a_run_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    // The child is registered with its parent.
    let executor = open::<publish>(data.path()).await;
    let run = executor
        .start(publish("draft".into()))
        .id("p")
        .await
        .unwrap();
    let state = reach(&run, |state| matches!(state, PublishState::Review { .. })).await;
    assert!(matches!(state, PublishState::Review { length: 10 }));
    let review = child::<review>(&executor, &run, 2).await;
    assert_eq!(review.status().await.unwrap(), Status::Running);
    review.signal("said", "fine").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "draft: fine (10)");
    assert_eq!(review.result().await.unwrap(), "draft: fine");
}

#[tokio::test]
async fn a_failure_of_the_child_is_the_await_s() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<publish>(data.path()).await;
    let run = executor.start(publish("draft".into())).await.unwrap();
    let review = child::<review>(&executor, &run, 2).await;
    review.signal("said", "no").await.unwrap();
    let error = run.result().await.unwrap_err();
    assert_eq!(error.to_string(), "the workflow failed: draft is refused");

    let run = executor.start(publish("other".into())).await.unwrap();
    let review = child::<review>(&executor, &run, 2).await;
    review.terminate("enough").await.unwrap();
    let RunError::Failed(failure) = run.result().await.unwrap_err() else {
        panic!()
    };
    assert_eq!(failure.kind, FailureKind::Terminated);
    // A server does not tell the parent why.
    let why = if on_server() { "Terminated" } else { "enough" };
    let expected = format!("the child workflow was terminated: {why}");
    assert_eq!(failure.message, expected);
}

#[tokio::test]
async fn children_go_with_their_parent() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<publish>(data.path()).await;
    let run = executor.start(publish("draft".into())).await.unwrap();
    let review_ = child::<review>(&executor, &run, 2).await;
    run.cancel().await.unwrap();
    assert!(matches!(run.result().await, Err(RunError::Canceled(_))));
    assert!(matches!(review_.result().await, Err(RunError::Canceled(_))));

    let run = executor.start(publish("draft".into())).await.unwrap();
    let review_ = child::<review>(&executor, &run, 2).await;
    run.terminate("enough").await.unwrap();
    assert!(matches!(review_.result().await, Err(RunError::Canceled(_))));
}

#[tokio::test]
async fn parent_and_child_go_on_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<publish>(data.path()).await;
    let run = executor
        .start(publish("draft".into()))
        .id("p")
        .await
        .unwrap();
    let review_ = child::<review>(&executor, &run, 2).await;
    let review_id = review_.id().to_owned();
    executor.shutdown().await;

    // Code that does not know the parent: the child ends, and the parent learns of it later.
    let executor = open::<review>(data.path()).await;
    assert_eq!(executor.set_aside().await.unwrap().len(), 1);
    executor.signal(&review_id, "said", "fine").await.unwrap();
    let review_ = executor.handle::<review>(&review_id).await.unwrap();
    assert_eq!(review_.result().await.unwrap(), "draft: fine");
    executor.shutdown().await;

    let executor = open::<publish>(data.path()).await;
    let run = executor.handle::<publish>("p").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "draft: fine (10)");
}

#[tokio::test]
async fn an_inline_workflow_is_a_part_of_its_caller() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<publish_inline>(data.path()).await;
    let run = executor
        .start(publish_inline("draft".into()))
        .id("p")
        .await
        .unwrap();
    let inside = |state: &PublishInlineState| matches!(state, PublishInlineState::Review { .. });
    let state = reach(&run, inside).await;
    let PublishInlineState::Review { length: 10, review } = state else {
        panic!()
    };
    assert!(matches!(*review, ReviewState::Said { draft } if draft == "draft"));
    assert_eq!(
        executor.query("p", "state").await.unwrap(),
        serde_json::json!({"Review": {"length": 10, "review": {"Said": {"draft": "draft"}}}})
    );
    executor.shutdown().await;

    let executor = open::<publish_inline>(data.path()).await;
    let run = executor.handle::<publish_inline>("p").await.unwrap();
    // The signals of the inner workflow are the caller's.
    run.signal("said", "fine").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "draft: fine (10)");
    let history = executor.history(run.id()).await.unwrap();
    // A server does not know at which states a run stood.
    assert!(on_server() || history.iter().any(|event| event.state == "Review.Said"));
}

#[workflow]
async fn endless(ctx: &mut Context) -> Result<u32, WorkflowError> {
    endless(ctx).await
}

#[tokio::test]
async fn inline_calls_without_an_end_set_the_run_aside() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<endless>(data.path()).await;
    let run = executor.start(endless()).await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(error.to_string().contains("more than 1000 deep"), "{error}");
}
