//! Payloads that are too large for the server.

use crate::*;

#[activity(timeout = "10s", retry(max_attempts = 1))]
async fn large(bytes: usize) -> Result<String, ActivityError> {
    Ok("x".repeat(bytes))
}

#[workflow]
async fn hoard(bytes: usize) -> Result<String, WorkflowError> {
    match large(bytes).await {
        Ok(text) => Ok(format!("{} bytes", text.len())),
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_too_large_harms_no_run() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config.register::<hoard>().register::<take>()
    })
    .await;
    let error = soon(executor.start(take("x".repeat(3 << 20))).into_future())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Server(text) if text.contains("size")),
        "{error}"
    );
    let said = soon(executor.execute(hoard(3 << 20))).await.unwrap();
    assert!(said.contains("more than the server takes"), "{said}");
    assert_eq!(
        soon(executor.execute(hoard(1 << 20))).await.unwrap(),
        "1048576 bytes"
    );
}

fn repeat(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Its result is as large as it is told.
#[workflow]
async fn boast(bytes: usize) -> Result<String, WorkflowError> {
    Ok(repeat(bytes))
}

#[activity]
async fn measure(text: String) -> Result<usize, ActivityError> {
    Ok(text.len())
}

/// What it gives to an activity or to a child is as large as it is told.
#[workflow]
async fn hand_on(bytes: usize, to_child: bool) -> Result<usize, WorkflowError> {
    let text = repeat(bytes);
    match to_child {
        true => Ok(take(text).await?),
        false => Ok(measure(text).await?),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_sends_that_is_too_large_sets_it_aside() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config
            .register::<boast>()
            .register::<hand_on>()
            .register::<take>()
    })
    .await;
    let result = executor.start(boast(3 << 20)).await.unwrap();
    is_too_large(result).await;
    let argument = executor.start(hand_on(3 << 20, false)).await.unwrap();
    is_too_large(argument).await;
    let child = executor.start(hand_on(3 << 20, true)).await.unwrap();
    is_too_large(child).await;
}

async fn is_too_large<W: Workflow>(run: WorkflowHandle<W>) {
    let Err(RunError::SetAside { reason }) = soon(run.result()).await else {
        panic!("it is set aside");
    };
    assert!(reason.contains("more than the server takes"), "{reason}");
    assert_eq!(run.status().await.unwrap(), Status::Running);
}

/// Its state is too large for an input until the signal has come.
#[workflow]
async fn burdened(ctx: &mut Context) -> Result<usize, WorkflowError> {
    let mut texts = Vec::new();
    while texts.len() < 3 {
        let text = large(1 << 20).await?;
        texts.push(text);
    }
    let mut steps = 0;
    while steps < 30 {
        steps = add(steps, 1).await?;
    }
    ctx.wait_for_signal::<()>("unburden", Duration::MAX).await?;
    let count = texts.len();
    texts.clear();
    while steps < 60 {
        steps = add(steps, 1).await?;
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_state_is_too_large_to_be_continued_goes_on() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<burdened>(data.path()).await;
    let run = executor.start(burdened()).await.unwrap();
    let error = soon(async {
        loop {
            if let Err(error) = run.state().await {
                return error.to_string();
            }
        }
    });
    let error = error.await;
    assert!(error.contains("size exceeds"), "{error}");
    assert!(!error.contains("no worker"), "{error}");
    run.signal("unburden", ()).await.unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), 3);
}
