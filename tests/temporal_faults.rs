//! What goes wrong around a Temporal server: workers killed, servers gone, code exchanged. Runs
//! are never harmed, and every error comes soon and says what to do.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tests::provider::{cli, config, runs_with, server_is_there};
use tests::travel::{TravelState, travel};
use tests::{open, open_with, reach};
use workflow::prelude::*;
use workflow::{Error, OpenError, Tls};

#[path = "temporal/attempts.rs"]
mod attempts;
#[path = "temporal/change.rs"]
mod change;
#[path = "temporal/payloads.rs"]
mod payloads;
#[path = "temporal/secured.rs"]
mod secured;

use change::versions;
use secured::{Authority, secure};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(100);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

#[activity(timeout = "10s")]
async fn add(a: u32, b: u32) -> Result<u32, ActivityError> {
    Ok(a + b)
}

#[workflow]
async fn take(text: String) -> Result<usize, WorkflowError> {
    Ok(text.len())
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
            .heartbeat_timeout(Duration::from_secs(20))
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
