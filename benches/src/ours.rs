//! This library.

use std::path::Path;
use std::sync::Arc;

use workflow::prelude::*;

use crate::contestant::{self, Contestant, Engine, Fut};

/// This library's embedded engine.
#[derive(Debug)]
pub struct Workflow;

#[activity]
async fn step(bytes: u64) -> Result<String, ActivityError> {
    Ok("x".repeat(usize::try_from(bytes)?))
}

#[activity]
async fn last() -> Result<(), ActivityError> {
    contestant::last().await;
    Ok(())
}

#[workflow]
async fn sequence(steps: u32, bytes: u64) -> Result<u64, WorkflowError> {
    let mut kept: Vec<String> = Vec::new();
    for _ in 0..steps {
        let made = step(bytes).await?;
        if !made.is_empty() {
            kept.push(made);
        }
    }
    Ok(kept.len() as u64)
}

#[workflow]
async fn held(steps: u32) -> Result<(), WorkflowError> {
    for _ in 0..steps {
        step(0).await?;
    }
    last().await?;
    Ok(())
}

#[workflow]
async fn parked(ctx: &mut Context) -> Result<bool, WorkflowError> {
    let go: bool = ctx.wait_for_signal("go", Duration::from_hours(24)).await?;
    Ok(go)
}

impl Contestant for Workflow {
    fn name(&self) -> &'static str {
        "workflow"
    }

    fn durability(&self) -> &'static str {
        "synced"
    }

    fn open<'a>(&'a self, path: &'a Path) -> Fut<'a, Arc<dyn Engine>> {
        Box::pin(async move {
            let config = Config::new()
                .path(path)
                .register::<sequence>()
                .register::<held>()
                .register::<parked>();
            let executor = workflow::new("default", config).await.expect("it opens");
            Arc::new(Open(executor)) as Arc<dyn Engine>
        })
    }
}

struct Open(Executor);

impl Engine for Open {
    fn sequence(&self, steps: u32, bytes: usize) -> Fut<'_, ()> {
        Box::pin(async move {
            let call = sequence(steps, bytes as u64);
            self.0.execute(call).await.expect("it completes");
        })
    }

    fn start_held(&self, steps: u32) -> Fut<'_, String> {
        Box::pin(async move {
            let run = self.0.start(held(steps)).await.expect("it starts");
            run.id().to_owned()
        })
    }

    fn finish(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            let run = self.0.handle::<held>(&id).await.expect("it is there");
            run.result().await.expect("it completes");
        })
    }

    fn park(&self) -> Fut<'_, String> {
        Box::pin(async move {
            let run = self.0.start(parked()).await.expect("it starts");
            run.id().to_owned()
        })
    }

    fn signal(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            let run = self.0.handle::<parked>(&id).await.expect("it is there");
            run.signal("go", true).await.expect("it takes it");
            run.result().await.expect("it completes");
        })
    }

    fn close(&self) -> Fut<'_, ()> {
        Box::pin(self.0.clone().shutdown())
    }
}
