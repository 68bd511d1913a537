//! durare on SQLite, as it sets it up itself: WAL, `synchronous = NORMAL`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use benches::contestant::{self, Contestant, Engine, Fut};
use durare::{DurableContext, DurableEngine, Result, WorkflowOptions};

#[derive(Debug)]
pub struct Durare;

static IDS: AtomicU64 = AtomicU64::new(0);

fn id() -> String {
    let number = IDS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", std::process::id())
}

#[durare::step]
async fn step(ctx: &DurableContext, bytes: usize) -> Result<String> {
    Ok("x".repeat(bytes))
}

#[durare::step]
async fn last(ctx: &DurableContext) -> Result<()> {
    contestant::last().await;
    Ok(())
}

#[durare::workflow]
async fn sequence(ctx: DurableContext, (steps, bytes): (u32, usize)) -> Result<usize> {
    let mut kept = Vec::new();
    for _ in 0..steps {
        kept.push(step(&ctx, bytes).await?);
    }
    Ok(kept.len())
}

#[durare::workflow]
async fn held(ctx: DurableContext, steps: u32) -> Result<()> {
    for _ in 0..steps {
        step(&ctx, 0).await?;
    }
    last(&ctx).await
}

#[durare::workflow]
async fn parked(ctx: DurableContext, _nothing: ()) -> Result<bool> {
    let go: Option<bool> = ctx.recv("go", Duration::from_secs(24 * 3600)).await?;
    Ok(go.unwrap_or(false))
}

impl Contestant for Durare {
    fn name(&self) -> &'static str {
        "durare 0.5"
    }

    fn durability(&self) -> &'static str {
        "not synced (NORMAL)"
    }

    fn open<'a>(&'a self, path: &'a Path) -> Fut<'a, Arc<dyn Engine>> {
        Box::pin(async move {
            let url = format!("sqlite://{}?mode=rwc", path.join("durare.db").display());
            let engine = DurableEngine::connect(&url).await.expect("it connects");
            let engine = engine.build().await.expect("it opens");
            engine.recover().await.expect("it recovers");
            Arc::new(Open(engine)) as Arc<dyn Engine>
        })
    }
}

struct Open(DurableEngine);

impl Engine for Open {
    fn sequence(&self, steps: u32, bytes: usize) -> Fut<'_, ()> {
        Box::pin(async move {
            let options = WorkflowOptions::with_id(id());
            let run = self.0.start_with(Sequence, (steps, bytes), options).await;
            run.expect("it starts").await.expect("it completes");
        })
    }

    fn start_held(&self, steps: u32) -> Fut<'_, String> {
        Box::pin(async move {
            let id = id();
            let options = WorkflowOptions::with_id(id.clone());
            let run = self.0.start_with(Held, steps, options).await;
            drop(run.expect("it starts"));
            id
        })
    }

    fn finish(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            let run = self.0.retrieve_workflow::<()>(&id).await;
            run.expect("it is there").await.expect("it completes");
        })
    }

    fn park(&self) -> Fut<'_, String> {
        Box::pin(async move {
            let id = id();
            let options = WorkflowOptions::with_id(id.clone());
            let run = self.0.start_with(Parked, (), options).await;
            drop(run.expect("it starts"));
            id
        })
    }

    fn signal(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            self.0.send(&id, true, "go").await.expect("it takes it");
            let run = self.0.retrieve_workflow::<bool>(&id).await;
            run.expect("it is there").await.expect("it completes");
        })
    }

    fn close(&self) -> Fut<'_, ()> {
        Box::pin(async move {
            let _ = self.0.shutdown(Duration::from_secs(5)).await;
        })
    }
}
