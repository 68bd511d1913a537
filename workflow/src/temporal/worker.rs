//! The worker: a thread that takes tasks from the task queue, for as long as the executor is open.

use std::sync::Arc;
use std::time::Duration;

use temporalio_sdk::runtime::RuntimeOptions;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::contract::Fault;
use crate::executor::OpenError;

use super::activities::{self, Activities};
use super::code::{Code, Machines};
use super::connection::Target;
use super::host::Host;
use super::until_closed;

/// How long to wait before trying again to reach the server.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// How long a worker may take to say goodbye to the server.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a worker is started with.
pub(super) struct WorkerConfig {
    pub(super) target: Target,
    pub(super) machines: Arc<Machines>,
    pub(super) cached_runs: Option<usize>,
    /// Whether the executor was closed.
    pub(super) closed: watch::Receiver<bool>,
}

/// Starts the worker. The SDK's futures stay on one thread, and so get one of their own; attempts
/// of activities run on the runtime of the caller.
pub(super) fn start(config: WorkerConfig) -> Result<std::thread::JoinHandle<()>, OpenError> {
    let attempts = Handle::current();
    let cannot_start = |error| OpenError::Storage(Box::new(error));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot_start)?;
    let work = move || {
        let mut closed = config.closed.clone();
        runtime.block_on(async {
            // What goes wrong is tried again: the server may be back, and runs wait for it.
            while !*closed.borrow() {
                if let Err(error) = work_once(&config, &attempts).await {
                    tracing::error!(%error, "the worker has lost the server; trying again");
                    let sleep = tokio::time::sleep(RECONNECT_INTERVAL);
                    tokio::select! {
                        () = sleep => {}
                        () = until_closed(&mut closed) => {}
                    }
                }
            }
        });
    };
    std::thread::Builder::new()
        .name("temporal-worker".to_owned())
        .spawn(work)
        .map_err(cannot_start)
}

/// Takes tasks until the executor is closed or something goes wrong.
async fn work_once(
    config: &WorkerConfig,
    attempts: &Handle,
) -> Result<(), Box<dyn std::error::Error>> {
    let client = config.target.connect().await?;
    let runtime_options = RuntimeOptions::builder().heartbeat_interval(None).build()?;
    let runtime = Runtime::from_current_tokio(runtime_options)?;
    let mut options = WorkerOptions::new(config.target.task_queue.as_str())
        .maybe_max_cached_workflows(config.cached_runs)
        .max_heartbeat_throttle_interval(activities::HEARTBEAT_INTERVAL)
        .build();
    for code in Code::of_each(&config.machines) {
        let name = code.name();
        let on_fault =
            move |fault: &Fault| tracing::warn!(workflow = name, %fault, "a run is set aside");
        Host::register(code, on_fault, |make| {
            options
                .register_workflow_with_factory::<Host, _>(make)
                .map(|_| ())
        })?;
    }
    options.register_activities(Activities {
        machines: config.machines.clone(),
        runtime: attempts.clone(),
        closed: config.closed.clone(),
    });
    let mut worker = Worker::new(&runtime, client, options)?;
    let shut_down = worker.shutdown_handle();
    let mut closed = config.closed.clone();
    let running = worker.run();
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = until_closed(&mut closed) => shut_down(),
    }
    Ok(tokio::time::timeout(SHUTDOWN_TIMEOUT, running).await??)
}
