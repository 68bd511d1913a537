//! Attempts of activities when their server is away, or somebody pauses, resets or ends them.

use crate::*;

/// An attempt that ends when the test says so, by making the file.
#[activity(retry(max_attempts = 1))]
async fn until_there(path: String) -> Result<String, ActivityError> {
    Ok(wait_until_there(path).await)
}

#[activity]
async fn until_there_again(path: String) -> Result<String, ActivityError> {
    Ok(wait_until_there(path).await)
}

/// Notes that it has begun, and that it is over.
async fn wait_until_there(path: String) -> String {
    struct Attempt(String);

    impl Attempt {
        fn note(&self, what: &str) {
            let notes = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.0);
            std::io::Write::write_all(&mut notes.unwrap(), what.as_bytes()).unwrap();
        }
    }

    impl Drop for Attempt {
        fn drop(&mut self) {
            self.note("over\n");
        }
    }

    let attempt = Attempt(format!("{path}.notes"));
    attempt.note("begun\n");
    while !Path::new(&path).exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    path
}

/// Waits until the attempts at a file have noted that.
async fn noted(path: &str, notes: &str) {
    let path = format!("{path}.notes");
    soon(async {
        while std::fs::read_to_string(&path).unwrap_or_default() != notes {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[workflow]
async fn two_files(first: String, second: String) -> Result<usize, WorkflowError> {
    let (first, second) = join!(until_there(first), until_there(second));
    Ok(first?.len() + second?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_outlives_a_server_that_is_away() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let path = |name| data.path().join(name).to_str().unwrap().to_owned();
    let (during, after) = (path("during"), path("after"));
    let first = OwnServer::start_anew(data.path());
    let port = first.port;
    let executor = first.executor::<two_files>().await;
    let run = executor
        .start(two_files(during.clone(), after.clone()))
        .await
        .unwrap();
    noted(&during, "begun\n").await;
    noted(&after, "begun\n").await;
    drop(first);
    std::fs::write(&during, "").unwrap();
    // Longer than requests are tried again by default.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let _second = OwnServer::start(data.path(), port);
    std::fs::write(&after, "").unwrap();
    assert_eq!(
        soon(run.result()).await.unwrap(),
        during.len() + after.len()
    );
}

/// Nobody else knows it, so there is another attempt.
#[tokio::test(flavor = "multi_thread")]
async fn an_executor_is_closed_before_it_could_tell_an_outcome() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("file").to_str().unwrap().to_owned();
    let first = OwnServer::start_anew(data.path());
    let port = first.port;
    let executor = first.executor::<one_file_again>().await;
    let run = executor.start(one_file_again(path.clone())).id("closed");
    run.await.unwrap();
    noted(&path, "begun\n").await;
    drop(first);
    std::fs::write(&path, "").unwrap();
    noted(&path, "begun\nover\n").await;
    soon(executor.shutdown()).await;
    let second = OwnServer::start(data.path(), port);
    let executor = second.executor::<one_file_again>().await;
    let run = executor.handle::<one_file_again>("closed").await.unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), path);
    noted(&path, "begun\nover\nbegun\nover\n").await;
}

/// Keeps the thread that it runs on from everything else, and makes a file at the end.
fn think(path: &str) {
    std::thread::sleep(Duration::from_secs(7));
    std::fs::write(path, "").unwrap();
}

#[workflow]
async fn thoughtful(ctx: &mut Context, path: String) -> Result<String, WorkflowError> {
    let beside = ctx.start(until_there(path.clone()));
    until_there(format!("{path}.notes")).await?;
    think(&path);
    Ok(beside.await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_outlives_a_step_that_takes_long() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config
            .heartbeat_timeout(Duration::from_secs(4))
            .register::<thoughtful>()
    })
    .await;
    let path = data.path().join("thought").to_str().unwrap().to_owned();
    let run = executor.start(thoughtful(path.clone())).await.unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), path);
}

#[workflow]
async fn one_file(path: String) -> Result<String, WorkflowError> {
    Ok(until_there(path).await?)
}

#[workflow]
async fn one_file_again(path: String) -> Result<String, WorkflowError> {
    Ok(until_there_again(path).await?)
}

/// Asks something of the only activity of a run.
fn ask_activity<W: Workflow>(data: &Path, what: &str, run: &WorkflowHandle<W>) {
    let activity = format!("{}/1", run.run_id());
    cli(data, &["activity", what, "-w", run.id(), "-a", &activity]);
}

/// Longer than it takes until an attempt has been told.
const TOLD: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_outlives_a_pause() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<one_file>(data.path()).await;
    let start = async |name| {
        let path = data.path().join(name).to_str().unwrap().to_owned();
        let run = executor.start(one_file(path.clone())).await.unwrap();
        noted(&path, "begun\n").await;
        ask_activity(data.path(), "pause", &run);
        (run, path)
    };
    let (ended, path) = start("ended").await;
    let (canceled, canceled_path) = start("canceled").await;
    tokio::time::sleep(TOLD).await;
    std::fs::write(&path, "").unwrap();
    assert_eq!(soon(ended.result()).await.unwrap(), path);
    // It is still told of a cancel.
    canceled.cancel().await.unwrap();
    let error = soon(canceled.result()).await.unwrap_err();
    assert!(matches!(error, RunError::Canceled(_)), "{error}");
    noted(&canceled_path, "begun\nover\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_end_with_a_run_that_times_out() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<one_file>(data.path()).await;
    let path = data.path().join("never").to_str().unwrap().to_owned();
    let run = executor.start(one_file(path.clone()));
    let run = run.timeout(Duration::from_secs(2)).await.unwrap();
    let error = soon(run.result()).await.unwrap_err();
    assert!(matches!(error, RunError::TimedOut { .. }), "{error}");
    noted(&path, "begun\nover\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_is_reset_begins_anew() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<one_file_again>(data.path()).await;
    let path = data.path().join("reset").to_str().unwrap().to_owned();
    let run = executor.start(one_file_again(path.clone())).await.unwrap();
    noted(&path, "begun\n").await;
    ask_activity(data.path(), "reset", &run);
    noted(&path, "begun\nover\nbegun\n").await;
    std::fs::write(&path, "").unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), path);
}
