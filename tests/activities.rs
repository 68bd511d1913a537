//! Attempts: retried until success or exhaustion, timed out, not retryable, panicking.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use tests::open;
use workflow::FailureKind;
use workflow::prelude::*;

/// How often an activity ran, by the key its test chose.
static CALLS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

fn count(key: &str) -> u32 {
    let mut calls = CALLS.lock().unwrap();
    let count = calls.entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

fn calls(key: &str) -> u32 {
    CALLS.lock().unwrap().get(key).copied().unwrap_or_default()
}

#[activity(retry(max_attempts = 4, initial_interval = "1ms", max_interval = "2ms"))]
async fn succeeds_at(key: &str, attempt: u32) -> Result<u32, ActivityError> {
    if count(key) < attempt {
        return Err(ActivityError::new("not yet"));
    }
    Ok(attempt)
}

#[workflow]
async fn persistent(key: String, attempt: u32) -> Result<u32, WorkflowError> {
    Ok(succeeds_at(&key, attempt).await?)
}

#[tokio::test]
async fn retried_until_success() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<persistent>(data.path()).await;
    let call = persistent("success".to_owned(), 4);
    assert_eq!(executor.execute(call).await.unwrap(), 4);
    assert_eq!(calls("success"), 4);
}

#[tokio::test]
async fn retried_until_exhausted() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<persistent>(data.path()).await;
    let call = persistent("exhausted".to_owned(), 100);
    let error = executor.execute(call).await.unwrap_err();
    assert_eq!(error.to_string(), "the workflow failed: not yet");
    assert_eq!(calls("exhausted"), 4);
}

#[activity(retry(max_attempts = 10, initial_interval = "1ms"))]
async fn refuses(key: &str) -> Result<(), ActivityError> {
    count(key);
    Err(ActivityError::non_retryable("card declined"))
}

#[workflow]
async fn declined(key: String) -> Result<String, WorkflowError> {
    match refuses(&key).await {
        Ok(()) => Ok("paid".to_owned()),
        Err(error) => Ok(format!("handled: {error}")),
    }
}

#[tokio::test]
async fn not_retryable() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<declined>(data.path()).await;
    let result = executor.execute(declined("declined".to_owned())).await;
    assert_eq!(result.unwrap(), "handled: card declined");
    assert_eq!(calls("declined"), 1);
}

#[activity(timeout = "20ms", retry(max_attempts = 2, initial_interval = "1ms"))]
async fn hangs_once(key: &str) -> Result<u32, ActivityError> {
    let call = count(key);
    if call == 1 {
        std::future::pending::<()>().await;
    }
    Ok(call)
}

#[workflow]
async fn hanging(key: String) -> Result<u32, WorkflowError> {
    Ok(hangs_once(&key).await?)
}

#[tokio::test]
async fn an_attempt_times_out_and_is_made_again() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<hanging>(data.path()).await;
    let call = hanging("hanging".to_owned());
    assert_eq!(executor.execute(call).await.unwrap(), 2);
}

#[activity(
    schedule_to_close = "60ms",
    retry(max_attempts = 1000, initial_interval = "10ms")
)]
async fn always_fails() -> Result<(), ActivityError> {
    Err(ActivityError::new("no"))
}

#[workflow]
async fn limited() -> Result<(), WorkflowError> {
    always_fails().await?;
    Ok(())
}

#[tokio::test]
async fn all_attempts_together_have_a_limit() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<limited>(data.path()).await;
    let error = executor.execute(limited()).await.unwrap_err();
    assert_eq!(error.to_string(), "the workflow failed: no");
}

#[activity(schedule_to_close = "30ms", retry(max_attempts = 5))]
async fn hangs() -> Result<(), ActivityError> {
    std::future::pending().await
}

#[workflow]
async fn stuck() -> Result<(), WorkflowError> {
    hangs().await?;
    Ok(())
}

#[tokio::test]
async fn the_overall_limit_ends_a_hanging_attempt() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<stuck>(data.path()).await;
    let error = executor.execute(stuck()).await.unwrap_err();
    assert_eq!(error.failure().unwrap().kind, FailureKind::TimedOut);
}

#[activity(retry(max_attempts = 2, initial_interval = "1ms"))]
async fn panics(key: &str) -> Result<u32, ActivityError> {
    let call = count(key);
    assert!(call > 1, "the first call breaks");
    Ok(call)
}

#[workflow]
async fn fragile(key: String) -> Result<u32, WorkflowError> {
    Ok(panics(&key).await?)
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<fragile>(data.path()).await;
    assert_eq!(
        executor
            .execute(fragile("fragile".to_owned()))
            .await
            .unwrap(),
        2
    );
}

#[activity(retry(max_attempts = 1))]
async fn panics_always() -> Result<(), ActivityError> {
    panic!("broken for good")
}

#[workflow]
async fn hopeless() -> Result<(), WorkflowError> {
    panics_always().await?;
    Ok(())
}

#[tokio::test]
async fn the_panic_message_is_the_error() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<hopeless>(data.path()).await;
    let error = executor.execute(hopeless()).await.unwrap_err();
    assert!(error.to_string().contains("broken for good"), "{error}");
    assert_eq!(error.failure().unwrap().kind, FailureKind::Panicked);
}

#[activity]
async fn parses(text: String) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[workflow]
async fn parse(text: String) -> Result<u32, WorkflowError> {
    Ok(parses(text).await?)
}

#[tokio::test]
async fn any_error_type_keeps_its_text_and_name() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<parse>(data.path()).await;
    let error = executor.execute(parse("x".to_owned())).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.message, "invalid digit found in string");
    let name = failure.type_name.as_deref().unwrap();
    assert!(name.ends_with("ParseIntError"), "{name}");
}

#[activity]
async fn who(ctx: ActivityContext) -> Result<(String, String, u32), ActivityError> {
    Ok((
        ctx.workflow_id().to_owned(),
        ctx.idempotency_key(),
        ctx.attempt(),
    ))
}

#[workflow]
async fn asks_who(ctx: &mut Context) -> Result<bool, WorkflowError> {
    let (id, first, attempt) = who().await?;
    let (_, second, _) = who().await?;
    Ok(id == ctx.workflow_id() && first != second && attempt == 1)
}

#[tokio::test]
async fn an_attempt_knows_itself() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<asks_who>(data.path()).await;
    assert!(executor.execute(asks_who()).await.unwrap());
}

#[tokio::test]
async fn outside_a_workflow_a_call_runs_directly() {
    assert_eq!(succeeds_at("direct", 1).await.unwrap(), 1);
}
