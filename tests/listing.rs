//! Runs by status, workflow, time and id, a page at a time.

use std::collections::BTreeSet;
use std::time::SystemTime;

use tests::{on_server, open_with, shout};
use workflow::prelude::*;
use workflow::{PageToken, RunInfo};

#[workflow]
async fn patient(ctx: &mut Context) -> Result<u32, WorkflowError> {
    let number: u32 = ctx.wait_for_signal("go", Duration::MAX).await?;
    Ok(number)
}

async fn open(path: &std::path::Path) -> Executor {
    open_with(path, |config| {
        config.register::<patient>().register::<shout>()
    })
    .await
}

/// The ids of all pages together, in their order.
async fn all(executor: &Executor, filter: RunFilter) -> Vec<String> {
    let mut ids = Vec::new();
    let mut filter = filter.page_runs(3);
    loop {
        let page = executor.list(filter.clone()).await.unwrap();
        assert!(page.runs.len() <= 3);
        ids.extend(page.runs.into_iter().map(|run: RunInfo| run.workflow_id));
        match page.next {
            Some(next) => filter = filter.after(next),
            None => return ids,
        }
    }
}

/// Waits until so many runs are listed: on a server that is some moments after they are there.
async fn until_listed(executor: &Executor, filter: RunFilter, count: usize) {
    while all(executor, filter.clone()).await.len() != count {
        assert!(on_server(), "it is exact");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn each_filter_gives_its_runs_in_order() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    for number in 0..7 {
        let id = format!("patient-{number}");
        executor.start(patient()).id(id).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let middle = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    for number in 0..4 {
        let id = format!("shout-{number}");
        let run = executor.start(shout("hi".to_owned())).id(id).await.unwrap();
        run.result().await.unwrap();
    }
    executor.signal("patient-2", "go", 5u32).await.unwrap();
    let run = executor.handle::<patient>("patient-2").await.unwrap();
    run.result().await.unwrap();

    let ended = RunFilter::new().status(Status::Completed);
    until_listed(&executor, ended, 5).await;

    let names = |name: &str, numbers: &[u32]| -> Vec<String> {
        numbers.iter().map(|n| format!("{name}-{n}")).collect()
    };
    // From memory, and from disk.
    for reopen in [false, true] {
        let executor = match reopen {
            false => executor.clone(),
            true => {
                executor.clone().shutdown().await;
                open(data.path()).await
            }
        };
        let everything = all(&executor, RunFilter::new()).await;
        assert_eq!(everything.len(), 11);
        match on_server() {
            false => assert_eq!(everything[4..], names("patient", &[6, 5, 4, 3, 2, 1, 0])),
            // Those in flight, and then those that have ended, as they ended.
            true => {
                assert_eq!(everything[..6], names("patient", &[6, 5, 4, 3, 1, 0]));
                assert_eq!(everything[6], "patient-2");
                assert_eq!(everything[7..], names("shout", &[3, 2, 1, 0]));
            }
        }
        let running = RunFilter::new().status(Status::Running);
        assert_eq!(
            all(&executor, running).await,
            names("patient", &[6, 5, 4, 3, 1, 0])
        );
        let completed = RunFilter::new()
            .status(Status::Completed)
            .workflow("patient");
        assert_eq!(all(&executor, completed).await, names("patient", &[2]));
        let early = RunFilter::new().started_before(middle);
        assert_eq!(all(&executor, early).await.len(), 7);
        let late = RunFilter::new().started_from(middle).id_prefix("shout-");
        let mut late = all(&executor, late).await;
        if on_server() {
            late.reverse();
        }
        assert_eq!(late, names("shout", &[0, 1, 2, 3]));
        let none = RunFilter::new().status(Status::Failed);
        assert!(all(&executor, none).await.is_empty());
    }
}

#[tokio::test]
async fn a_page_begins_only_where_another_ended() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let filter = RunFilter::new().after(PageToken::new("nonsense".to_owned()));
    let error = executor.list(filter).await.unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
}

/// Pages are read while runs start and end: what is there throughout is listed exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_under_load() {
    let data = tempfile::tempdir().unwrap();
    let executor = open(data.path()).await;
    let mut there = BTreeSet::new();
    for number in 0..200 {
        let id = format!("there-{number}");
        executor.start(patient()).id(&id).await.unwrap();
        there.insert(id);
    }
    let running = RunFilter::new().status(Status::Running).workflow("patient");
    until_listed(&executor, running.clone(), there.len()).await;
    let load = tokio::spawn({
        let executor = executor.clone();
        async move {
            for _ in 0..300 {
                executor.execute(shout("hi".to_owned())).await.unwrap();
            }
        }
    });
    while !load.is_finished() {
        let listed = all(&executor, running.clone()).await;
        assert_eq!(listed.len(), there.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), there);
    }
    load.await.unwrap();
}
