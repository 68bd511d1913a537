//! The worker: a thread that takes tasks from the task queue, for as long as the executor is open.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use temporalio_sdk::runtime::RuntimeOptions;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::contract::Fault;
use crate::executor::OpenError;
use crate::panic_text;

use super::activities::Activities;
use super::code::{Code, Machines};
use super::connection::Target;
use super::host::{Host, Settings};
use super::{reporting, until_closed};

/// How long to wait before a worker that has stopped is started again.
const RESTART_INTERVAL: Duration = Duration::from_secs(1);

/// How long a worker may take to say goodbye to the server.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a worker is started with.
pub(super) struct WorkerConfig {
    /// Where attempts of activities run.
    pub(super) runtime: Handle,
    pub(super) target: Target,
    pub(super) machines: Arc<Machines>,
    pub(super) cached_runs: Option<usize>,
    pub(super) settings: Settings,
    /// Whether the executor was closed.
    pub(super) closed: watch::Receiver<bool>,
}

/// Starts the worker. The SDK's futures stay on one thread, and so get one of their own.
pub(super) fn start(config: WorkerConfig) -> Result<std::thread::JoinHandle<()>, OpenError> {
    let work = move || again_until_closed(&config.closed, || work_once(&config));
    std::thread::Builder::new()
        .name("temporal-worker".to_owned())
        .spawn(work)
        .map_err(|error| OpenError::Storage(Box::new(error)))
}

/// Starts the work again where it has stopped before the executor was closed, whatever the reason:
/// the server may be back, and runs wait.
pub(super) fn again_until_closed<F>(closed: &watch::Receiver<bool>, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), Box<dyn Error>>>,
{
    while !*closed.borrow() {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            // A second thread, so that a step that takes long keeps nobody from giving signs of the
            // attempts. What has stopped leaves nothing behind: all of it goes with the runtime.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("temporal-client")
                .enable_all()
                .build()?;
            runtime.block_on(work())
        }));
        let error = match ended {
            Ok(Ok(())) if *closed.borrow() => return,
            Ok(Ok(())) => "nobody knows why".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("it panicked: {}", panic_text::of(panic)),
        };
        tracing::error!(%error, "the worker has stopped; it starts again unless it is closed");
        std::thread::sleep(RESTART_INTERVAL);
    }
}

/// Takes tasks until the executor is closed or something goes wrong.
async fn work_once(config: &WorkerConfig) -> Result<(), Box<dyn Error>> {
    let mut closed = config.closed.clone();
    let client = tokio::select! {
        () = until_closed(&mut closed) => return Ok(()),
        client = config.target.connect() => client?,
    };
    let runtime_options = RuntimeOptions::builder().heartbeat_interval(None).build()?;
    let runtime = Runtime::from_current_tokio(runtime_options)?;
    let heartbeat_interval = reporting::heartbeat_interval(config.settings.heartbeat_timeout);
    let mut options = WorkerOptions::new(config.target.task_queue.as_str())
        .maybe_max_cached_workflows(config.cached_runs)
        .max_heartbeat_throttle_interval(heartbeat_interval)
        .build();
    for code in Code::of_each(&config.machines) {
        let name = code.name();
        let on_fault =
            move |fault: &Fault| tracing::warn!(workflow = name, %fault, "a run is set aside");
        Host::register(code, config.settings, on_fault, |make| {
            options
                .register_workflow_with_factory::<Host, _>(make)
                .map(|_| ())
        })?;
    }
    options.register_activities(Activities {
        machines: config.machines.clone(),
        payload_bytes: config.settings.payload_bytes,
        runtime: config.runtime.clone(),
        closed: config.closed.clone(),
    });
    let mut worker = Worker::new(&runtime, client, options)?;
    let shut_down = worker.shutdown_handle();
    let running = worker.run();
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = until_closed(&mut closed) => shut_down(),
    }
    match tokio::time::timeout(SHUTDOWN_TIMEOUT, running).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Err("the server did not hear that the worker leaves".into()),
    }
}
