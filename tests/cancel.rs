//! Cancellation at each await, handled and not; termination.

use tests::{open, reach};
use workflow::prelude::*;

#[activity]
async fn hangs() -> Result<(), ActivityError> {
    std::future::pending().await
}

#[activity]
async fn clean_up(what: &str) -> Result<String, ActivityError> {
    Ok(format!("{what} is cleaned up"))
}

#[workflow]
async fn three_waits(ctx: &mut Context, which: u32) -> Result<String, WorkflowError> {
    match which {
        0 => hangs().await?,
        1 => ctx.sleep(Duration::from_hours(1)).await?,
        _ => {
            ctx.wait_for_signal::<()>("go", Duration::from_hours(1))
                .await?
        }
    }
    Ok("not canceled".to_owned())
}

#[tokio::test]
async fn at_each_await() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<three_waits>(data.path()).await;
    for which in 0..3 {
        let id = format!("wait-{which}");
        let run = executor.start(three_waits(which)).id(&id).await.unwrap();
        executor.cancel(&id).await.unwrap();
        let error = run.result().await.unwrap_err();
        assert!(matches!(error, RunError::Canceled(_)));
        assert_eq!(error.to_string(), "the run was canceled");
        assert_eq!(run.status().await.unwrap(), Status::Canceled);
        let again = executor.cancel(&id).await.unwrap_err();
        assert_eq!(
            again.to_string(),
            format!("the run with workflow id `{id}` has ended: it is canceled")
        );
    }
    assert!(executor.cancel("nobody").await.is_err());
}

#[workflow]
async fn tidy(ctx: &mut Context, forgive: bool) -> Result<String, WorkflowError> {
    if let Err(error) = ctx.sleep(Duration::from_hours(1)).await {
        assert!(error.is_canceled());
        let done = clean_up("the room").await?;
        if forgive {
            return Ok(done);
        }
        return Err(error);
    }
    Ok("slept".to_owned())
}

#[tokio::test]
async fn the_workflow_may_handle_it() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<tidy>(data.path()).await;
    let run = executor.start(tidy(true)).await.unwrap();
    run.cancel().await.unwrap();
    assert_eq!(run.result().await.unwrap(), "the room is cleaned up");
    assert_eq!(run.status().await.unwrap(), Status::Completed);

    let run = executor.start(tidy(false)).await.unwrap();
    run.cancel().await.unwrap();
    assert!(run.result().await.is_err());
    assert_eq!(run.status().await.unwrap(), Status::Canceled);
}

#[tokio::test]
async fn terminated_from_outside() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<three_waits>(data.path()).await;
    let run = executor.start(three_waits(0)).id("t").await.unwrap();
    reach(&run, |state| matches!(state, ThreeWaitsState::Hangs { .. })).await;
    executor.terminate("t", "wrong input").await.unwrap();
    let error = run.result().await.unwrap_err();
    assert_eq!(error.to_string(), "the run was terminated: wrong input");
    assert_eq!(run.status().await.unwrap(), Status::Terminated);
}
