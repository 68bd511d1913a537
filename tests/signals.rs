//! Signals: before they are awaited, in order, and the refused ones.

use tests::provider::config;
use tests::{open, reach};
use workflow::prelude::*;

#[activity(timeout = "10s")]
async fn slow() -> Result<(), ActivityError> {
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(())
}

#[workflow]
async fn collector(ctx: &mut Context, wanted: u32) -> Result<Vec<u32>, WorkflowError> {
    slow().await?;
    let mut seen = Vec::new();
    for _ in 0..wanted {
        seen.push(ctx.wait_for_signal::<u32>("number", Duration::MAX).await?);
    }
    let _: bool = ctx.wait_for_signal("stop", Duration::from_hours(1)).await?;
    Ok(seen)
}

#[tokio::test]
async fn before_they_are_awaited_and_in_order() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<collector>(data.path()).await;
    let run = executor.start(collector(5)).await.unwrap();
    // The other name comes first and waits for its turn.
    run.signal("stop", true).await.unwrap();
    for n in 0..5u32 {
        run.signal("number", n).await.unwrap();
    }
    assert_eq!(run.result().await.unwrap(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn refused_to_their_sender_and_the_run_unharmed() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<collector>(data.path()).await;
    let unknown = executor.signal("nobody", "number", 1u32).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no run with workflow id `nobody`"
    );

    let run = executor.start(collector(1)).id("c").await.unwrap();
    let name = executor.signal("c", "nubmer", 1u32).await.unwrap_err();
    assert_eq!(
        name.to_string(),
        "workflow `collector` never waits for a signal `nubmer`; it waits for: `number`, `stop`"
    );
    for wrong in [
        serde_json::json!("one"),
        serde_json::json!(-1),
        serde_json::json!(null),
    ] {
        let error = executor.signal("c", "number", wrong).await.unwrap_err();
        assert!(
            error.to_string().contains("the payload of signal `number`"),
            "{error}"
        );
    }
    assert_eq!(run.status().await.unwrap(), Status::Running);
    // JSON from a web handler is as good as a typed value.
    executor
        .signal("c", "number", serde_json::json!(7))
        .await
        .unwrap();
    executor.signal("c", "stop", true).await.unwrap();
    assert_eq!(run.result().await.unwrap(), [7]);

    let ended = executor.signal("c", "number", 1u32).await.unwrap_err();
    assert_eq!(
        ended.to_string(),
        "the run with workflow id `c` has ended: it is completed"
    );
}

#[workflow]
async fn two_types(ctx: &mut Context) -> Result<(), WorkflowError> {
    let _: bool = ctx.wait_for_signal("go", Duration::MAX).await?;
    let _: String = ctx.wait_for_signal("go", Duration::MAX).await?;
    Ok(())
}

#[tokio::test]
async fn one_signal_as_two_types_is_refused_at_registration() {
    let data = tempfile::tempdir().unwrap();
    let (provider, config) = config(data.path());
    let config = config.register::<two_types>();
    let error = workflow::new(provider, config).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("workflow `two_types` waits for signal `go` as `bool` and as `String`"),
        "{error}"
    );
}

#[workflow]
async fn computed(ctx: &mut Context, topic: String) -> Result<u32, WorkflowError> {
    let name = format!("{topic}-done");
    ctx.wait_for_signal::<u32>(name, Duration::MAX).await
}

#[tokio::test]
async fn a_computed_name() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<computed>(data.path()).await;
    let run = executor.start(computed("tea".to_owned())).await.unwrap();
    reach(&run, |state| matches!(state, ComputedState::Signal { .. })).await;
    run.signal("tea-done", 3u32).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 3);
}
