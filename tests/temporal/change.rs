//! Code that changes under runs on a server.

use crate::*;

/// The code that runs begin under, and what it becomes.
pub(crate) mod versions {
    pub(crate) mod first {
        use super::super::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            Ok(total + more)
        }
    }

    /// What comes after the wait is another.
    pub(super) mod fitting {
        use super::super::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            Ok(add(total, more).await? * 100)
        }
    }

    /// What the run has behind it is another.
    pub(super) mod other {
        use super::super::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            ctx.sleep(Duration::from_secs(60)).await?;
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            Ok(total + more)
        }
    }

    /// It panics after the wait.
    pub(super) mod broken {
        use super::super::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            assert!(more == 0, "a bug");
            Ok(total + more)
        }
    }
}

/// Why the code cannot go on with the run `s`.
async fn reason<W: Workflow>(data: &Path) -> String {
    let executor = open::<W>(data).await;
    let run = executor.handle::<W>("s").await.unwrap();
    let Err(RunError::SetAside { reason }) = soon(run.result()).await else {
        panic!("it is set aside");
    };
    assert_eq!(executor.set_aside().await.unwrap()[0].reason, reason);
    let description = executor.describe("s").await.unwrap();
    assert_eq!(description.set_aside.as_ref(), Some(&reason));
    let state = run.state().await.unwrap_err();
    assert!(
        matches!(&state, Error::SetAside { reason: told, .. } if *told == reason),
        "{state}"
    );
    assert_eq!(run.status().await.unwrap(), Status::Running);
    executor.shutdown().await;
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_fit_leaves_a_run_as_it_is_and_says_why() {
    use versions::{broken, first, fitting, other};
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<first::sum>(data.path()).await;
    let run = executor.start(first::sum()).id("s").await.unwrap();
    reach(&run, |state| matches!(state, first::SumState::More { .. })).await;
    executor.shutdown().await;
    let client = open_with(data.path(), |config| {
        config.client_only().register::<first::sum>()
    })
    .await;
    client.signal("s", "more", 4u32).await.unwrap();

    // The server tells only of the first failure in a row, and the reason is that of the code at hand.
    for _ in 0..2 {
        let reason = reason::<other::sum>(data.path()).await;
        assert!(reason.contains("nondeterminism"), "{reason}");
    }
    let reason = reason::<broken::sum>(data.path()).await;
    assert!(reason.contains("panicked after `More`: a bug"), "{reason}");

    // The server still has the last task as failed when this asks.
    let executor = open::<fitting::sum>(data.path()).await;
    let run = executor.handle::<fitting::sum>("s").await.unwrap();
    assert!(executor.set_aside().await.unwrap().is_empty());
    assert_eq!(soon(run.result()).await.unwrap(), 700);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_with_different_code_on_one_task_queue() {
    use versions::{broken, first, fitting};
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<first::sum>(data.path()).await;
    let ids: Vec<String> = (0..6).map(|number| format!("s{number}")).collect();
    for id in &ids {
        let run = executor.start(first::sum()).id(id).await.unwrap();
        reach(&run, |state| matches!(state, first::SumState::More { .. })).await;
    }
    executor.shutdown().await;

    // The first run meets only the wrong worker, the others meet both.
    let wrong = open::<broken::sum>(data.path()).await;
    wrong.signal("s0", "more", 4u32).await.unwrap();
    let run = wrong.handle::<broken::sum>("s0").await.unwrap();
    let Err(RunError::SetAside { reason }) = soon(run.result()).await else {
        panic!("it is set aside");
    };
    assert!(reason.contains("panicked after `More`: a bug"), "{reason}");
    let right = open::<fitting::sum>(data.path()).await;
    for id in &ids[1..] {
        right.signal(id, "more", 4u32).await.unwrap();
    }
    for id in &ids {
        let run = wrong.handle::<broken::sum>(id).await.unwrap();
        match soon(run.result()).await {
            // The right worker has taken it.
            Ok(sum) => assert_eq!(sum, 700),
            Err(RunError::SetAside { reason: other }) => assert_eq!(other, reason),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(right.set_aside().await.unwrap().is_empty());

    wrong.shutdown().await;
    for id in &ids {
        let run = right.handle::<fitting::sum>(id).await.unwrap();
        assert_eq!(soon(run.result()).await.unwrap(), 700);
    }
}

/// The same for a run that is continued in the middle of it.
mod continued {
    pub(super) mod first {
        use super::super::*;

        #[workflow(name = "steps")]
        pub(crate) async fn steps(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let mut total = 0;
            while total < 100 {
                let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
                total = add(total, more).await?;
            }
            Ok(total)
        }
    }

    /// Other operations before and after, and a local that is not saved where the run stands.
    pub(super) mod fitting {
        use super::super::*;

        #[workflow(name = "steps")]
        pub(crate) async fn steps(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let begun = ctx.now();
            ctx.sleep(Duration::from_millis(1)).await?;
            assert!(ctx.now() > begun);
            let mut total = 0;
            while total < 100 {
                let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
                total = add(total, more).await?;
            }
            Ok(add(total, 0).await? * 100)
        }
    }

    /// What is saved where the run stands is another.
    pub(super) mod other {
        use super::super::*;

        #[workflow(name = "steps")]
        pub(crate) async fn steps(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let mut total = String::from("0");
            while total.len() < 3 {
                let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
                total = add(total.parse().unwrap_or(0), more).await?.to_string();
            }
            Ok(total.parse().unwrap_or(0))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_changes_under_a_continued_run_meets_its_state() {
    use continued::{first, fitting, other};
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<first::steps>(data.path()).await;
    let run = executor.start(first::steps()).id("s").await.unwrap();
    for total in 1..=50 {
        run.signal("more", 1u32).await.unwrap();
        reach(
            &run,
            |state| matches!(state, first::StepsState::More { total: now } if *now == total),
        )
        .await;
    }
    executor.shutdown().await;
    assert!(runs_with(data.path(), "s", "ContinuedAsNew") > 0);
    let client = open_with(data.path(), |config| {
        config.client_only().register::<first::steps>()
    })
    .await;
    client.signal("s", "more", 50u32).await.unwrap();

    let reason = reason::<other::steps>(data.path()).await;
    assert!(reason.contains("total"), "{reason}");

    let executor = open::<fitting::steps>(data.path()).await;
    let run = executor.handle::<fitting::steps>("s").await.unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), 10_000);
}
