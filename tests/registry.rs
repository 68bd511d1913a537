//! Providers by name.

use std::sync::Arc;

use tests::shout;
use workflow::prelude::*;
use workflow::provider::{Engine, Provider, ProviderFuture};
use workflow::{OpenError, providers, register_provider};

struct Nowhere;

impl Provider for Nowhere {
    fn open(&self, _: Config) -> ProviderFuture<'_, Result<Arc<dyn Engine>, OpenError>> {
        Box::pin(async { Err(OpenError::Config("nowhere runs nothing".to_owned())) })
    }
}

#[tokio::test]
async fn a_provider_of_ones_own() {
    assert!(providers().contains(&"default".to_owned()));
    register_provider("nowhere", Nowhere);
    assert!(providers().contains(&"nowhere".to_owned()));
    let error = workflow::new("nowhere", Config::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "nowhere runs nothing");
}

#[tokio::test]
async fn an_unknown_name_lists_the_known_ones() {
    let error = workflow::new("nope", Config::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("there is no provider `nope`; known are: default"),
        "{error}"
    );
}

#[tokio::test]
async fn the_embedded_engine_needs_a_path() {
    let error = workflow::new("default", Config::new()).await.unwrap_err();
    assert!(error.to_string().contains("Config::new().path("), "{error}");
}

mod twin {
    use workflow::prelude::*;

    #[workflow]
    pub async fn shout() -> Result<(), WorkflowError> {
        Ok(())
    }
}

#[tokio::test]
async fn two_workflows_of_one_name() {
    let data = tempfile::tempdir().unwrap();
    let config = Config::new()
        .path(data.path())
        .register::<shout>()
        .register::<twin::shout>();
    let error = workflow::new("default", config).await.unwrap_err();
    assert!(error.to_string().contains("are named `shout`"), "{error}");
}

#[workflow]
async fn unregistered() -> Result<(), WorkflowError> {
    Ok(())
}

#[tokio::test]
async fn an_unregistered_workflow_cannot_be_started() {
    let data = tempfile::tempdir().unwrap();
    let executor = tests::open::<shout>(data.path()).await;
    let error = executor.start(unregistered()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "workflow `unregistered` is not registered; add `.register::<unregistered>()` to the `Config`"
    );
    let error = executor.query("x", "colour").await.unwrap_err();
    assert!(
        error.to_string().contains("no run with workflow id `x`"),
        "{error}"
    );
    executor.start(shout("x".to_owned())).id("x").await.unwrap();
    let error = executor.query("x", "colour").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no query `colour`; known are: status, result, state"
    );
}
