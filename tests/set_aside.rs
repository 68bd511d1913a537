//! Code that does not fit a run sets it aside, untouched; code that fits goes on with it.

use tests::{on_server, open, reach};
use workflow::FailureKind;
use workflow::prelude::*;

#[activity]
async fn add(a: u32, b: u32) -> Result<u32, ActivityError> {
    Ok(a + b)
}

/// The version that runs start under.
mod v1 {
    use super::*;

    #[workflow(name = "sum")]
    pub async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let total = add(1, 2).await?;
        let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
        Ok(total + more)
    }
}

/// `total` is another type.
mod other_type {
    use super::*;

    #[workflow(name = "sum")]
    pub async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
        let total = u64::from(add(1, 2).await?);
        let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
        Ok(u32::try_from(total)? + more)
    }
}

/// The await is gone.
mod no_await {
    use super::*;

    #[workflow(name = "sum")]
    pub async fn sum() -> Result<u32, WorkflowError> {
        Ok(add(1, 2).await?)
    }
}

/// An edit elsewhere.
mod edited_elsewhere {
    use super::*;

    #[workflow(name = "sum")]
    pub async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
        ctx.sleep(Duration::from_millis(1)).await?;
        let total = add(1, 2).await?;
        let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
        Ok((total + more) * 100)
    }
}

async fn refused<W: Workflow>(path: &std::path::Path) -> String {
    let executor = open::<W>(path).await;
    let aside = executor.set_aside().await.unwrap();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(
        (aside[0].workflow_id.as_str(), aside[0].workflow.as_str()),
        ("s", "sum")
    );
    assert_eq!(
        executor.describe("s").await.unwrap().info.status,
        Status::Running
    );
    executor.shutdown().await;
    aside[0].reason.clone()
}

#[tokio::test]
async fn another_shape_is_left_untouched_and_goes_on_with_code_that_fits() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<v1::sum>(data.path()).await;
    let run = executor.start(v1::sum()).id("s").await.unwrap();
    reach(&run, |state| matches!(state, v1::SumState::More { .. })).await;
    drop((executor, run));

    let reason = refused::<other_type::sum>(data.path()).await;
    assert_eq!(
        reason,
        "what the run saved at `More` does not fit the code: field `total` was of another type and is now `u64`"
    );
    let reason = refused::<no_await::sum>(data.path()).await;
    assert!(
        reason.contains("waits at `More`, and the workflow has no such await"),
        "{reason}"
    );
    let reason = refused::<tests::shout>(data.path()).await;
    assert!(
        reason.contains("workflow `sum` is not registered"),
        "{reason}"
    );

    let executor = open::<edited_elsewhere::sum>(data.path()).await;
    assert!(executor.set_aside().await.unwrap().is_empty());
    let run = executor.handle::<edited_elsewhere::sum>("s").await.unwrap();
    run.signal("more", 4u32).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 700);
}

#[tokio::test]
async fn what_is_sent_while_set_aside_is_not_lost() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<v1::sum>(data.path()).await;
    let run = executor.start(v1::sum()).id("s").await.unwrap();
    reach(&run, |state| matches!(state, v1::SumState::More { .. })).await;
    drop((executor, run));

    let executor = open::<other_type::sum>(data.path()).await;
    let run = executor.handle::<other_type::sum>("s").await.unwrap();
    assert!(matches!(run.result().await, Err(RunError::SetAside { .. })));
    run.signal("more", 5u32).await.unwrap();
    assert_eq!(run.status().await.unwrap(), Status::Running);
    drop((executor, run));

    let executor = open::<v1::sum>(data.path()).await;
    let run = executor.handle::<v1::sum>("s").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 8);
}

/// Awaits of one name, told apart by their statements, not by their numbers.
mod numbers {
    use super::*;

    #[activity]
    pub async fn step(name: &str) -> Result<String, ActivityError> {
        Ok(name.to_owned())
    }

    pub mod before {
        use super::*;

        #[workflow(name = "numbers")]
        pub async fn numbers(ctx: &mut Context) -> Result<String, WorkflowError> {
            let a: String = ctx.wait_for_signal("go", Duration::from_hours(1)).await?;
            let b: String = ctx.wait_for_signal("go", Duration::from_hours(2)).await?;
            Ok(format!("{a}{b}"))
        }
    }

    /// One more of the name above: the numbers move, the statements tell.
    pub mod inserted {
        use super::*;

        #[workflow(name = "numbers")]
        pub async fn numbers(ctx: &mut Context) -> Result<String, WorkflowError> {
            let _z: String = ctx.wait_for_signal("go", Duration::from_hours(9)).await?;
            let a: String = ctx.wait_for_signal("go", Duration::from_hours(1)).await?;
            let b: String = ctx.wait_for_signal("go", Duration::from_hours(2)).await?;
            Ok(format!("{a}{b}, after one more"))
        }
    }

    /// `Go` and `Go2` are there, and neither is surely the one that was `Go`.
    pub mod edited {
        use super::*;

        #[workflow(name = "numbers")]
        pub async fn numbers(ctx: &mut Context) -> Result<String, WorkflowError> {
            let _z: String = ctx.wait_for_signal("go", Duration::from_hours(9)).await?;
            let a: String = ctx.wait_for_signal("go", Duration::from_hours(7)).await?;
            let b: String = ctx.wait_for_signal("go", Duration::from_hours(8)).await?;
            Ok(format!("{a}{b}"))
        }
    }
}

#[tokio::test]
async fn a_number_that_moved() {
    use numbers::{before, edited, inserted};
    let data = tempfile::tempdir().unwrap();
    let executor = open::<before::numbers>(data.path()).await;
    let run = executor.start(before::numbers()).id("n").await.unwrap();
    reach(&run, |state| {
        matches!(state, before::NumbersState::Go { .. })
    })
    .await;
    drop((executor, run));

    let executor = open::<edited::numbers>(data.path()).await;
    let aside = executor.set_aside().await.unwrap();
    assert!(aside[0].reason.contains("Go, Go2, Go3"), "{aside:?}");
    executor.shutdown().await;

    let executor = open::<inserted::numbers>(data.path()).await;
    assert!(executor.set_aside().await.unwrap().is_empty());
    let run = executor.handle::<inserted::numbers>("n").await.unwrap();
    // It stood at the first wait, which is the second now; it does not wait a third time.
    assert!(matches!(
        run.state().await.unwrap(),
        Some(inserted::NumbersState::Go2 { .. })
    ));
    run.signal("go", "a").await.unwrap();
    run.signal("go", "b").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "ab, after one more");
}

/// A bug between two awaits, and its repair.
mod panics {
    use super::*;

    pub mod broken {
        use super::*;

        #[workflow(name = "index")]
        pub async fn index(items: Vec<u32>) -> Result<u32, WorkflowError> {
            let i = add(1, 1).await?;
            Ok(items[i as usize])
        }
    }

    pub mod mended {
        use super::*;

        #[workflow(name = "index")]
        pub async fn index(items: Vec<u32>) -> Result<u32, WorkflowError> {
            let i = add(1, 1).await?;
            Ok(items.get(i as usize).copied().unwrap_or_default())
        }
    }
}

#[tokio::test]
async fn a_panic_in_workflow_code_sets_the_run_aside_and_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<panics::broken::index>(data.path()).await;
    let broken = executor
        .start(panics::broken::index(vec![]))
        .id("bad")
        .await
        .unwrap();
    let RunError::SetAside { reason } = broken.result().await.unwrap_err() else {
        panic!("a panic sets the run aside");
    };
    assert!(
        reason.contains("panicked after `Add`: index out of bounds"),
        "{reason}"
    );
    assert_eq!(broken.status().await.unwrap(), Status::Running);
    let good = executor.execute(panics::broken::index(vec![1, 2, 3])).await;
    assert_eq!(good.unwrap(), 3);
    drop((executor, broken));

    let executor = open::<panics::mended::index>(data.path()).await;
    let run = executor
        .handle::<panics::mended::index>("bad")
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), 0);
}

#[workflow]
async fn panics_at_once(text: String) -> Result<u32, WorkflowError> {
    let n: u32 = text.parse().expect("a number");
    Ok(add(n, 1).await?)
}

#[tokio::test]
async fn a_panic_before_the_first_await_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<panics_at_once>(data.path()).await;
    let run = executor
        .start(panics_at_once("x".to_owned()))
        .id("p")
        .await
        .unwrap();
    assert!(matches!(run.result().await, Err(RunError::SetAside { .. })));
    match run.state().await {
        Ok(Some(PanicsAtOnceState::Start { text })) => assert_eq!(text, "x"),
        // It knows a run's input and its history, but no state.
        Err(workflow::Error::SetAside { .. }) => assert!(on_server()),
        state => panic!("{state:?}"),
    }
    executor.terminate("p", "bad input").await.unwrap();
}

/// Edits after which a run would go on at another await than it stands at, if names were trusted.
mod moved {
    use super::*;

    #[activity]
    pub async fn act(what: &str) -> Result<String, ActivityError> {
        Ok(what.to_owned())
    }

    macro_rules! version {
        ($module:ident, |$ctx:ident, $vip:ident| $body:block) => {
            pub mod $module {
                use super::*;

                #[workflow(name = "moved")]
                pub async fn moved($ctx: &mut Context, $vip: bool) -> Result<String, WorkflowError> $body
            }
        };
    }

    const LONG: Duration = Duration::from_hours(1);

    version!(in_then, |ctx, vip| {
        if vip {
            ctx.sleep(LONG).await?;
            Ok(act("gift").await?)
        } else {
            Ok(act("bill").await?)
        }
    });
    version!(in_else, |ctx, vip| {
        if vip {
            Ok(act("gift").await?)
        } else {
            ctx.sleep(LONG).await?;
            Ok(act("bill").await?)
        }
    });
    version!(before_ask, |ctx, _vip| {
        ctx.sleep(LONG).await?;
        act("pack").await?;
        ctx.sleep(LONG).await?;
        act("ask").await?;
        Ok(act("ship").await?)
    });
    version!(after_ask, |ctx, _vip| {
        act("pack").await?;
        ctx.sleep(LONG).await?;
        act("ask").await?;
        ctx.sleep(LONG).await?;
        Ok(act("ship").await?)
    });
    version!(short_before, |ctx, _vip| {
        ctx.sleep(LONG).await?;
        act("remind").await?;
        Ok(act("delete").await?)
    });
    version!(long_after, |ctx, _vip| {
        act("remind").await?;
        ctx.sleep(LONG * 720).await?;
        Ok(act("delete").await?)
    });
    version!(dashed, |ctx, _vip| {
        ctx.wait_for_signal::<String>("pay-done", LONG).await
    });
    version!(underscored, |ctx, _vip| {
        ctx.wait_for_signal::<String>("pay_done", LONG).await
    });
    version!(an_activity, |_ctx, _vip| { Ok(pay_done("pay").await?) });

    #[activity]
    pub async fn pay_done(what: &str) -> Result<String, ActivityError> {
        Ok(what.to_owned())
    }

    pub async fn from_to<Before: Workflow, After: Workflow>(
        call: workflow::WorkflowCall<Before>,
        base: &str,
    ) -> Option<String> {
        let data = tempfile::tempdir().unwrap();
        let executor = open::<Before>(data.path()).await;
        let run = executor.start(call).id("m").await.unwrap();
        run.wait_for(|state| format!("{state:?}").starts_with(base))
            .await
            .unwrap();
        drop(executor);
        let executor = open::<After>(data.path()).await;
        let aside = executor.set_aside().await.unwrap();
        aside.first().map(|aside| aside.reason.clone())
    }
}

#[tokio::test]
async fn an_await_that_moved_is_not_mistaken_for_another() {
    use moved::*;
    let aside = [
        from_to::<_, in_else::moved>(in_then::moved(true), "Sleep").await,
        from_to::<_, after_ask::moved>(before_ask::moved(true), "Sleep").await,
        from_to::<_, long_after::moved>(short_before::moved(true), "Sleep").await,
        from_to::<_, underscored::moved>(dashed::moved(true), "PayDone").await,
        from_to::<_, an_activity::moved>(dashed::moved(true), "PayDone").await,
    ];
    for (edit, reason) in aside.iter().enumerate() {
        assert!(reason.is_some(), "edit {edit} goes on at another await");
    }
    assert_eq!(
        aside[3].as_deref(),
        Some(
            "what the run saved at `PayDone` does not fit the code: the run waits for signal `pay-done`, and the code awaits signal `pay_done` there"
        )
    );
    // The same code goes on, whatever is alike in it.
    assert_eq!(
        from_to::<_, before_ask::moved>(before_ask::moved(true), "Sleep").await,
        None
    );
}

#[workflow]
async fn stops(ctx: &mut Context, items: Vec<u32>) -> Result<u32, WorkflowError> {
    ctx.sleep(Duration::from_millis(1)).await?;
    Ok(items[7])
}

#[tokio::test]
async fn waiting_for_a_state_ends_when_the_run_is_set_aside() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<stops>(data.path()).await;
    let run = executor.start(stops(vec![])).await.unwrap();
    let waited = run.wait_for(|_| false).await;
    assert!(matches!(waited, Err(workflow::Error::SetAside { .. })));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[activity(timeout = "10ms", retry(max_attempts = 1))]
async fn bomb(when: u32) -> Result<(), ActivityError> {
    match when {
        0 => {
            let _bomb = Bomb;
            std::future::pending().await
        }
        _ => std::panic::panic_any(Bomb),
    }
}

#[workflow]
async fn bombed(when: u32) -> Result<(), WorkflowError> {
    bomb(when).await?;
    Ok(())
}

#[workflow]
async fn bombs() -> Result<(), WorkflowError> {
    add(1, 2).await?;
    std::panic::panic_any(Bomb)
}

#[tokio::test]
async fn panics_in_drop_stay_in_their_run() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<bombed>(data.path()).await;
    for when in 0..2 {
        let error = executor.execute(bombed(when)).await.unwrap_err();
        let expected = match when {
            // It does not wait for what an attempt does after its time.
            0 if on_server() => FailureKind::TimedOut,
            _ => FailureKind::Panicked,
        };
        assert_eq!(error.failure().unwrap().kind, expected);
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<bombs>(data.path()).await;
    let error = executor.execute(bombs()).await.unwrap_err();
    assert!(matches!(error, RunError::SetAside { .. }), "{error}");
}

macro_rules! hidden {
    ($operation:expr) => {
        $operation.await?
    };
}

#[activity]
async fn later(n: u64) -> Result<u64, ActivityError> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    Ok(n)
}

#[workflow]
async fn awaits_within_a_macro(ctx: &mut Context, which: u64) -> Result<u64, WorkflowError> {
    let n = later(which).await?;
    Ok(match n {
        0 => hidden!(later(n)),
        1 => {
            hidden!(ctx.sleep(Duration::from_hours(24)));
            n
        }
        _ => hidden!(ctx.wait_for_signal("go", Duration::MAX)),
    })
}

/// What cannot be seen must not be taken for done.
#[tokio::test]
async fn an_await_that_a_macro_makes_sets_the_run_aside() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<awaits_within_a_macro>(data.path()).await;
    for which in 0..3 {
        let run = executor.start(awaits_within_a_macro(which)).await.unwrap();
        let RunError::SetAside { reason } = run.result().await.unwrap_err() else {
            panic!("it goes on");
        };
        assert!(reason.contains("WF0023"), "{reason}");
    }
}
