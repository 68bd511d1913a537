//! Code that changes under runs that stand inside an inline workflow, or wait for several
//! operations.

use tests::{open, reach};
use workflow::prelude::*;

#[activity]
async fn give(n: u32) -> Result<u32, ActivityError> {
    Ok(n)
}

/// A caller and the workflow that runs inline in it, in one version.
macro_rules! version {
    ($module:ident, |$ctx:ident, $n:ident| $caller:block, |$inner_ctx:ident, $m:ident| $inner:block) => {
        mod $module {
            use super::*;

            #[workflow(name = "caller")]
            pub async fn caller($ctx: &mut Context, $n: u32) -> Result<u32, WorkflowError> $caller

            #[workflow(name = "asked")]
            pub async fn asked($inner_ctx: &mut Context, $m: u32) -> Result<u32, WorkflowError> $inner
        }
    };
}

version!(
    first,
    |ctx, n| {
        let kept = give(n).await?;
        let answer = asked(ctx, n + 1).await?;
        Ok(kept + answer)
    },
    |ctx, m| {
        let said: u32 = ctx.wait_for_signal("said", Duration::MAX).await?;
        Ok(said * m)
    }
);
version!(
    both_edited_elsewhere,
    |ctx, n| {
        let kept = give(n).await?;
        let answer = asked(ctx, n + 1).await?;
        let more = give(1000).await?;
        Ok(kept + answer + more)
    },
    |ctx, m| {
        ctx.sleep(Duration::from_millis(1)).await?;
        let said: u32 = ctx.wait_for_signal("said", Duration::MAX).await?;
        Ok(said * m + give(100).await?)
    }
);
version!(
    inner_await_gone,
    |ctx, n| {
        let kept = give(n).await?;
        let answer = asked(ctx, n + 1).await?;
        Ok(kept + answer)
    },
    |ctx, m| {
        let said: u32 = ctx.wait_for_signal("told", Duration::MAX).await?;
        Ok(said * m)
    }
);
version!(
    a_child_now,
    |_ctx, n| {
        let kept = give(n).await?;
        let answer = asked(n + 1).await?;
        Ok(kept + answer)
    },
    |ctx, m| {
        let said: u32 = ctx.wait_for_signal("said", Duration::MAX).await?;
        Ok(said * m)
    }
);

async fn refused<W: Workflow>(path: &std::path::Path) -> String {
    let executor = open::<W>(path).await;
    let aside = executor.set_aside().await.unwrap();
    assert_eq!(aside.len(), 1, "{aside:?}");
    executor.shutdown().await;
    aside[0].reason.clone()
}

#[tokio::test]
async fn each_frame_is_found_by_itself() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<first::caller>(data.path()).await;
    let run = executor.start(first::caller(3)).id("c").await.unwrap();
    reach(&run, |state| {
        matches!(state, first::CallerState::Asked { .. })
    })
    .await;
    drop((executor, run));

    let reason = refused::<inner_await_gone::caller>(data.path()).await;
    assert!(
        reason.contains("the run waits at `Said`, and the workflow has no such await now"),
        "{reason}"
    );
    let reason = refused::<a_child_now::caller>(data.path()).await;
    assert!(reason.contains("`asked`"), "{reason}");

    let executor = open::<both_edited_elsewhere::caller>(data.path()).await;
    let run = executor
        .handle::<both_edited_elsewhere::caller>("c")
        .await
        .unwrap();
    run.signal("said", 5).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 3 + 5 * 4 + 100 + 1000);
}

mod together {
    use super::*;

    #[workflow(name = "together")]
    pub async fn before(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let (one, two) = join!(
            ctx.wait_for_signal::<u32>("one", Duration::MAX),
            ctx.wait_for_signal::<u32>("two", Duration::MAX),
        );
        Ok(one? + two?)
    }

    #[workflow(name = "together")]
    pub async fn exchanged(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let (one, two) = join!(
            ctx.wait_for_signal::<u32>("two", Duration::MAX),
            ctx.wait_for_signal::<u32>("one", Duration::MAX),
        );
        Ok(one? + two?)
    }

    #[workflow(name = "together")]
    pub async fn one_more(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let (one, two, three) = join!(
            ctx.wait_for_signal::<u32>("one", Duration::MAX),
            ctx.wait_for_signal::<u32>("two", Duration::MAX),
            ctx.wait_for_signal::<u32>("three", Duration::MAX),
        );
        Ok(one? + two? + three?)
    }

    #[workflow(name = "together")]
    pub async fn the_first(ctx: &mut Context) -> Result<u32, WorkflowError> {
        select! {
            one = ctx.wait_for_signal::<u32>("one", Duration::MAX) => one,
            two = ctx.wait_for_signal::<u32>("two", Duration::MAX) => two,
        }
    }
}

#[tokio::test]
async fn other_operations_are_not_taken_for_those_under_way() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<together::before>(data.path()).await;
    let run = executor.start(together::before()).id("t").await.unwrap();
    run.signal("two", 2).await.unwrap();
    drop((executor, run));

    refused::<together::exchanged>(data.path()).await;
    refused::<together::one_more>(data.path()).await;
    refused::<together::the_first>(data.path()).await;

    let executor = open::<together::before>(data.path()).await;
    let run = executor.handle::<together::before>("t").await.unwrap();
    run.signal("one", 1).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 3);
}
