//! What goes wrong around a Temporal server: workers killed, servers gone, code exchanged. Runs
//! are never harmed, and every error comes soon and says what to do.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tests::provider::{config, namespace, on_server, server, temporal};
use tests::travel::{TravelState, travel};
use tests::{open, open_with, reach};
use workflow::prelude::*;
use workflow::{Error, OpenError, Tls};

#[path = "temporal/secured.rs"]
mod secured;

use secured::{Authority, secure};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(100);

fn server_is_there() -> bool {
    if !on_server() {
        println!(
            "skipped: no server; run `tests/temporal/with-server cargo test -p tests --features temporal`"
        );
    }
    on_server()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

/// A worker in a process of its own.
struct Traveller(Child);

impl Traveller {
    fn start(data: &Path, log: &str, cached: usize) -> Self {
        let traveller = Command::new(env!("CARGO_BIN_EXE_traveller"))
            .arg(data)
            .args([log, &cached.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(traveller)
    }
}

impl Drop for Traveller {
    /// With SIGKILL.
    fn drop(&mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it is gone");
    }
}

/// Kills the worker each time that the run has come to a new await.
async fn killed_at_every_await(cached: usize) {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log").to_str().unwrap().to_owned();
    let executor = open_with(data.path(), |config| {
        config.client_only().register::<travel>()
    })
    .await;
    let run = executor
        .start(travel(log.clone()))
        .id("travel")
        .await
        .unwrap();
    type Reached = fn(&TravelState) -> bool;
    let awaits: [Reached; 5] = [
        |state| matches!(state, TravelState::Note { .. }),
        |state| matches!(state, TravelState::Sleep { .. }),
        |state| matches!(state, TravelState::Ticket { .. }),
        |state| matches!(state, TravelState::Leg { .. }),
        |state| !matches!(state, TravelState::Leg { .. }),
    ];
    for (number, is_reached) in awaits.into_iter().enumerate() {
        let worker = Traveller::start(data.path(), &log, cached);
        let state = soon(async {
            loop {
                // While no worker is there to answer, it is asked again.
                if let Ok(state) = run.wait_for(is_reached).await {
                    return state;
                }
            }
        });
        state.await.expect("the run goes on");
        drop(worker);
        if number == 2 {
            run.signal("ticket", 7u32).await.unwrap();
        }
    }
    let _worker = Traveller::start(data.path(), &log, cached);
    let (sum, ticket, _) = soon(run.result()).await.unwrap();
    assert_eq!(
        (sum, ticket),
        ("train".len() + "leg".len() + "walk".len(), 7)
    );
    // What has ended was not begun again once the next had begun.
    let log = std::fs::read_to_string(&log).unwrap();
    let order: Vec<&str> = { log.lines() }
        .filter_map(|line| line.strip_prefix("begin "))
        .collect();
    let mut places = order.iter().map(|what| {
        ["train", "leg", "walk"]
            .iter()
            .position(|known| known == what)
    });
    assert!(places.by_ref().is_sorted(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_every_await() {
    killed_at_every_await(1000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_a_cache_killed_at_every_await() {
    killed_at_every_await(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_a_state_is_an_error() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config.client_only().register::<travel>()
    })
    .await;
    let run = executor.start(travel(String::new())).await.unwrap();
    let error = soon(run.state()).await.unwrap_err().to_string();
    assert!(
        error.contains("no worker has answered") && error.contains("`tests`"),
        "{error}"
    );
    // Who executes nothing does not judge the runs of others.
    let other = open_with(data.path(), |config| {
        config.client_only().register::<take>()
    });
    assert!(other.await.set_aside().await.unwrap().is_empty());
    // What the server itself knows needs none.
    assert_eq!(run.status().await.unwrap(), Status::Running);
    run.terminate("enough").await.unwrap();
}

async fn refused(configure: impl FnOnce(Config) -> Config) -> String {
    let data = tempfile::tempdir().unwrap();
    let (provider, config) = config(data.path());
    let config = configure(config).client_only().register::<travel>();
    match soon(workflow::new(provider, config)).await {
        Err(OpenError::Server(error) | OpenError::Config(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_right_is_refused() {
    if !server_is_there() {
        return;
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    // It takes connections and says nothing.
    let error = refused(|config| config.host(format!("127.0.0.1:{port}"))).await;
    assert!(error.contains("cannot be reached"), "{error}");
    drop(nobody);
    let error = refused(|config| config.host(format!("127.0.0.1:{port}"))).await;
    assert!(
        error.contains("cannot be reached") && error.contains("Config::host"),
        "{error}"
    );
    let error = refused(|config| config.namespace("nowhere")).await;
    assert!(error.contains("has no namespace `nowhere`"), "{error}");
    let error = refused(|config| config.tls(Tls::new())).await;
    assert!(error.contains("Config::tls"), "{error}");
    let error = refused(|config| config.tls(Tls::new().server_ca("no certificate"))).await;
    assert!(error.contains("Config::tls"), "{error}");
    let error = refused(|config| config.api_key("wrong")).await;
    assert!(error.contains("Config::api_key"), "{error}");
    let error = refused(|config| config.host("http://127.0.0.1:7233").api_key("secret")).await;
    assert!(
        error.contains("is not secured") && !error.contains("secret"),
        "{error}"
    );
    let error = refused(|config| config.host("not an address")).await;
    assert!(error.contains("is no address"), "{error}");
    let error = refused(|config| config.heartbeat_timeout(Duration::ZERO)).await;
    assert!(error.contains("at least 1s"), "{error}");
    let error = refused(|config| config.path("data")).await;
    assert!(error.contains("no use for `Config::path`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_server_takes_those_with_the_right_certificates() {
    if !server_is_there() {
        return;
    }
    let (authority, stranger) = (Authority::new(), Authority::new());
    let host = secure(&authority).await;
    let tls = |authority: &Authority, (certificate, key)| {
        Tls::new()
            .server_ca(authority.certificate.as_str())
            .server_name("temporal.test")
            .client_certificate(certificate, key)
    };
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        let tls = tls(&authority, authority.certify("worker"));
        config.host(host.as_str()).tls(tls).register::<take>()
    })
    .await;
    assert_eq!(
        soon(executor.execute(take("four".to_owned())))
            .await
            .unwrap(),
        4
    );

    let wrong = [
        tls(&stranger, authority.certify("worker")),
        tls(&authority, stranger.certify("worker")),
        // The key of another certificate.
        tls(
            &authority,
            (authority.certify("worker").0, authority.certify("worker").1),
        ),
        Tls::new()
            .server_ca(authority.certificate.as_str())
            .server_name("temporal.test"),
        tls(&authority, authority.certify("worker")).server_name("another.test"),
    ];
    for tls in wrong {
        let error = refused(|config| config.host(host.as_str()).tls(tls)).await;
        assert!(error.contains("Config::tls"), "{error}");
    }
}

#[activity(timeout = "10s", retry(max_attempts = 1))]
async fn large(bytes: usize) -> Result<String, ActivityError> {
    Ok("x".repeat(bytes))
}

#[workflow]
async fn hoard(bytes: usize) -> Result<String, WorkflowError> {
    match large(bytes).await {
        Ok(text) => Ok(format!("{} bytes", text.len())),
        Err(error) => Ok(error.to_string()),
    }
}

#[workflow]
async fn take(text: String) -> Result<usize, WorkflowError> {
    Ok(text.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_too_large_harms_no_run() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config.register::<hoard>().register::<take>()
    })
    .await;
    let error = soon(executor.start(take("x".repeat(3 << 20))).into_future())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Server(text) if text.contains("size")),
        "{error}"
    );
    let said = soon(executor.execute(hoard(3 << 20))).await.unwrap();
    assert!(said.contains("more than the server takes"), "{said}");
    assert_eq!(
        soon(executor.execute(hoard(1 << 20))).await.unwrap(),
        "1048576 bytes"
    );
}

fn repeat(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Its result is as large as it is told.
#[workflow]
async fn boast(bytes: usize) -> Result<String, WorkflowError> {
    Ok(repeat(bytes))
}

#[activity]
async fn measure(text: String) -> Result<usize, ActivityError> {
    Ok(text.len())
}

/// What it gives to an activity or to a child is as large as it is told.
#[workflow]
async fn hand_on(bytes: usize, to_child: bool) -> Result<usize, WorkflowError> {
    let text = repeat(bytes);
    match to_child {
        true => Ok(take(text).await?),
        false => Ok(measure(text).await?),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_sends_that_is_too_large_sets_it_aside() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open_with(data.path(), |config| {
        config
            .register::<boast>()
            .register::<hand_on>()
            .register::<take>()
    })
    .await;
    let result = executor.start(boast(3 << 20)).await.unwrap();
    is_too_large(result).await;
    let argument = executor.start(hand_on(3 << 20, false)).await.unwrap();
    is_too_large(argument).await;
    let child = executor.start(hand_on(3 << 20, true)).await.unwrap();
    is_too_large(child).await;
}

async fn is_too_large<W: Workflow>(run: WorkflowHandle<W>) {
    let Err(RunError::SetAside { reason }) = soon(run.result()).await else {
        panic!("it is set aside");
    };
    assert!(reason.contains("more than the server takes"), "{reason}");
    assert_eq!(run.status().await.unwrap(), Status::Running);
}

/// Its state is too large for an input until the signal has come.
#[workflow]
async fn burdened(ctx: &mut Context) -> Result<usize, WorkflowError> {
    let mut texts = Vec::new();
    while texts.len() < 3 {
        let text = large(1 << 20).await?;
        texts.push(text);
    }
    let mut steps = 0;
    while steps < 30 {
        steps = add(steps, 1).await?;
    }
    ctx.wait_for_signal::<()>("unburden", Duration::MAX).await?;
    let count = texts.len();
    texts.clear();
    while steps < 60 {
        steps = add(steps, 1).await?;
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_state_is_too_large_to_be_continued_goes_on() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<burdened>(data.path()).await;
    let run = executor.start(burdened()).await.unwrap();
    let error = soon(async {
        loop {
            if let Err(error) = run.state().await {
                return error.to_string();
            }
        }
    });
    let error = error.await;
    assert!(error.contains("size exceeds"), "{error}");
    assert!(!error.contains("no worker"), "{error}");
    run.signal("unburden", ()).await.unwrap();
    assert_eq!(soon(run.result()).await.unwrap(), 3);
}

#[activity(timeout = "10s")]
async fn add(a: u32, b: u32) -> Result<u32, ActivityError> {
    Ok(a + b)
}

/// The code that runs begin under, and what it becomes.
mod versions {
    pub(super) mod first {
        use crate::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            Ok(total + more)
        }
    }

    /// What comes after the wait is another.
    pub(super) mod fitting {
        use crate::*;

        #[workflow(name = "sum")]
        pub(crate) async fn sum(ctx: &mut Context) -> Result<u32, WorkflowError> {
            let total = add(1, 2).await?;
            let more: u32 = ctx.wait_for_signal("more", Duration::MAX).await?;
            Ok(add(total, more).await? * 100)
        }
    }

    /// What the run has behind it is another.
    pub(super) mod other {
        use crate::*;

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
        use crate::*;

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

/// A server of the test's own, which keeps its data over a restart.
struct OwnServer {
    process: Child,
    port: u16,
}

impl OwnServer {
    fn start(data: &Path, port: u16) -> Self {
        let process = Command::new(std::env::var("TEMPORAL_CLI").unwrap())
            .args([
                "server",
                "start-dev",
                "--ip",
                "127.0.0.1",
                "--headless",
                "--log-level",
                "error",
            ])
            .args(["--port", &port.to_string(), "--db-filename"])
            .arg(data.join("server.db"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, port }
    }

    /// Where the data and a free port are its own.
    fn start_anew(data: &Path) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start(data, port)
    }

    async fn executor<W: Workflow>(&self) -> Executor {
        let config = Config::new()
            .host(format!("127.0.0.1:{}", self.port))
            .task_queue("tests")
            .register::<W>();
        soon(async {
            loop {
                if let Ok(executor) = workflow::new("temporal", config.clone()).await {
                    return executor;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
        .await
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_finds_everybody_there() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let first = OwnServer::start_anew(data.path());
    let port = first.port;
    let executor = first.executor::<versions::first::sum>().await;
    let run = executor
        .start(versions::first::sum())
        .id("s")
        .await
        .unwrap();
    reach(&run, |state| {
        matches!(state, versions::first::SumState::More { .. })
    })
    .await;
    let waiting = tokio::spawn({
        let run = run.clone();
        async move { run.result().await }
    });
    drop(first);
    let error = soon(run.signal("more", 1u32))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be reached"), "{error}");
    // Who begins to wait only now waits, too.
    let waiting_late = tokio::spawn({
        let run = run.clone();
        async move { run.result().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;

    let _second = OwnServer::start(data.path(), port);
    soon(async {
        while run.signal("more", 4u32).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    assert_eq!(soon(waiting).await.unwrap().unwrap(), 7);
    assert_eq!(soon(waiting_late).await.unwrap().unwrap(), 7);
}

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
    let namespace = namespace(data);
    let of = ["-w", run.id(), "-a", &activity, "--namespace", &namespace];
    temporal(&[&["activity", what], &of[..]].concat());
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

#[tokio::test(flavor = "multi_thread")]
async fn the_witness_agrees_on_retries_and_timeouts() {
    if !server_is_there() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let executor = open::<hoard>(data.path()).await;
    let run = executor
        .start(hoard(3))
        .id("h")
        .timeout(Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(run.result().await.unwrap(), "3 bytes");
    let namespace = namespace(data.path());
    let shown = temporal(&[
        "workflow",
        "show",
        "-w",
        "h",
        "-o",
        "json",
        "--namespace",
        &namespace,
    ]);
    for text in [
        r#""workflowExecutionTimeout": "3600s""#,
        r#""startToCloseTimeout": "10s""#,
        r#""maximumAttempts": 1"#,
        r#""initialInterval": "0.100s""#,
    ] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
    assert!(server().is_some());
}
