//! memable: redb, each step a commit of its own.

use std::path::Path;
use std::sync::Arc;

use benches::contestant::{self, Contestant, Engine, Fut};
use memable::{Context, EngineError, SuspendPoint, WorkflowState};

#[derive(Debug)]
pub struct Memable;

const GO: SuspendPoint<bool> = SuspendPoint::new("go:v1");

async fn step(ctx: &Context, number: u32, bytes: usize) -> Result<String, EngineError> {
    let key = format!("step-{number}");
    ctx.step(&key)
        .run(async move || Ok("x".repeat(bytes)))
        .await
}

async fn sequence(ctx: Context) -> Result<(), EngineError> {
    let (steps, bytes) = ctx.input::<(u32, usize)>()?.expect("it has an input");
    let mut kept = Vec::new();
    for number in 0..steps {
        kept.push(step(&ctx, number, bytes).await?);
    }
    Ok(())
}

async fn held(ctx: Context) -> Result<(), EngineError> {
    let steps = ctx.input::<u32>()?.expect("it has an input");
    for number in 0..steps {
        step(&ctx, number, 0).await?;
    }
    ctx.step("last")
        .run(async || {
            contestant::last().await;
            Ok(())
        })
        .await
}

async fn parked(ctx: Context) -> Result<(), EngineError> {
    ctx.suspend(&GO).await?;
    Ok(())
}

impl Contestant for Memable {
    fn name(&self) -> &'static str {
        "memable 0.1.5"
    }

    fn durability(&self) -> &'static str {
        "synced"
    }

    fn open<'a>(&'a self, path: &'a Path) -> Fut<'a, Arc<dyn Engine>> {
        Box::pin(async move {
            let mut engine = memable::Engine::builder()
                .open(path.join("memable.redb"))
                .expect("it opens")
                .build();
            engine.register("sequence", sequence);
            engine.register("held", held);
            engine.register("parked", parked);
            engine.start().await.expect("it starts");
            Arc::new(Open(engine)) as Arc<dyn Engine>
        })
    }
}

struct Open(memable::Engine);

impl Engine for Open {
    fn sequence(&self, steps: u32, bytes: usize) -> Fut<'_, ()> {
        Box::pin(async move {
            let run = self.0.invoke("sequence").input((steps, bytes)).await;
            let state = run.expect("it starts").wait().await;
            assert_eq!(state, WorkflowState::Completed(None));
        })
    }

    fn start_held(&self, steps: u32) -> Fut<'_, String> {
        Box::pin(async move {
            let run = self.0.invoke("held").input(steps).await;
            run.expect("it starts").instance_id().to_owned()
        })
    }

    fn finish(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            // It was resumed when the engine was opened. `wait_all` looks once a second.
            loop {
                let metadata = self.0.get_metadata("held", &id).expect("it can be read");
                match metadata.expect("it is there").status() {
                    memable::MetadataStatus::Completed(_) => return,
                    _ => tokio::task::yield_now().await,
                }
            }
        })
    }

    fn park(&self) -> Fut<'_, String> {
        Box::pin(async move {
            let run = self.0.invoke("parked").await.expect("it starts");
            let id = run.instance_id().to_owned();
            run.wait().await;
            id
        })
    }

    fn signal(&self, id: String) -> Fut<'_, ()> {
        Box::pin(async move {
            let run = self.0.signal("parked", &id, &GO, true).await;
            let state = run.expect("it takes it").wait().await;
            assert_eq!(state, WorkflowState::Completed(None));
        })
    }

    fn close(&self) -> Fut<'_, ()> {
        Box::pin(self.0.stop())
    }
}
