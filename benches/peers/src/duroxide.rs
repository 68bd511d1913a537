//! duroxide on SQLite, as it sets it up itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use benches::contestant::{self, Contestant, Engine, Fut};
use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::Runtime;
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::{
    ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus,
};

#[derive(Debug)]
pub struct Duroxide;

const PATIENCE: Duration = Duration::from_secs(600);
static IDS: AtomicU64 = AtomicU64::new(0);

fn id() -> String {
    let number = IDS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", std::process::id())
}

async fn sequence(ctx: OrchestrationContext, input: String) -> Result<String, String> {
    let (steps, bytes) = input.split_once(' ').expect("two numbers");
    let steps: u32 = steps.parse().expect("a number");
    let mut kept = Vec::new();
    for _ in 0..steps {
        kept.push(ctx.schedule_activity("step", bytes).await?);
    }
    Ok(kept.len().to_string())
}

async fn held(ctx: OrchestrationContext, input: String) -> Result<String, String> {
    let steps: u32 = input.parse().expect("a number");
    for _ in 0..steps {
        ctx.schedule_activity("step", "0").await?;
    }
    ctx.schedule_activity("last", "").await
}

async fn parked(ctx: OrchestrationContext, _input: String) -> Result<String, String> {
    Ok(ctx.schedule_wait("go").await)
}

impl Contestant for Duroxide {
    fn name(&self) -> &'static str {
        "duroxide 0.1.32"
    }

    fn durability(&self) -> &'static str {
        "not synced (WAL)"
    }

    /// With 512, runs fail with "database is locked".
    fn callers_max(&self) -> u32 {
        64
    }

    fn open<'a>(&'a self, path: &'a Path) -> Fut<'a, Arc<dyn Engine>> {
        Box::pin(async move {
            let url = format!("sqlite:{}?mode=rwc", path.join("duroxide.db").display());
            let store = SqliteProvider::new(&url, None).await.expect("it opens");
            let store = Arc::new(store);
            let activities = ActivityRegistry::builder()
                .register("step", |_: ActivityContext, bytes: String| async move {
                    Ok("x".repeat(bytes.parse().expect("a number")))
                })
                .register("last", |_: ActivityContext, _: String| async move {
                    contestant::last().await;
                    Ok(String::new())
                })
                .build();
            let orchestrations = OrchestrationRegistry::builder()
                .register("sequence", sequence)
                .register("held", held)
                .register("parked", parked)
                .build();
            let runtime = Runtime::start_with_store(store.clone(), activities, orchestrations);
            Arc::new(Open {
                runtime: runtime.await,
                client: Client::new(store),
            }) as Arc<dyn Engine>
        })
    }
}

struct Open {
    runtime: Arc<Runtime>,
    client: Client,
}

impl Open {
    async fn start(&self, name: &str, input: String) -> String {
        let id = id();
        let started = self.client.start_orchestration(&id, name, input).await;
        started.expect("it starts");
        id
    }

    async fn wait(&self, id: &str) {
        let status = self.client.wait_for_orchestration(id, PATIENCE).await;
        let status = status.expect("it ends");
        assert!(
            matches!(status, OrchestrationStatus::Completed { .. }),
            "{status:?}"
        );
    }
}

impl Engine for Open {
    fn sequence(&self, steps: u32, bytes: usize) -> Fut<'_, ()> {
        Box::pin(async move {
            let id = self.start("sequence", format!("{steps} {bytes}")).await;
            self.wait(&id).await;
        })
    }

    fn start_held(&self, steps: u32) -> Fut<'_, String> {
        Box::pin(self.start("held", steps.to_string()))
    }

    fn finish(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move { self.wait(&id).await })
    }

    fn park(&self) -> Fut<'_, String> {
        Box::pin(self.start("parked", String::new()))
    }

    fn signal(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            let raised = self.client.raise_event(&id, "go", "true").await;
            raised.expect("it takes it");
            self.wait(&id).await;
        })
    }

    fn close(&self) -> Fut<'_, ()> {
        Box::pin(async move { self.runtime.clone().shutdown(None).await })
    }
}
