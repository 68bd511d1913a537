//! What our host costs on a Temporal server: the same workflow compiled by `#[workflow]` and
//! written by hand on `temporalio-sdk`, in turns on one server. Most of a step is the server's, so
//! beside the time there is what this process itself computes.
//!
//! ```text
//! tests/temporal/with-server cargo run --release -p benches --features temporal --bin temporal
//! ```

use std::time::{Duration, Instant};

use temporalio_client::{
    Client, ClientOptions, ConnectionOptions, Url, WorkflowGetResultOptions, WorkflowStartOptions,
};
use temporalio_sdk::runtime::RuntimeOptions;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};
use workflow::prelude::{Config, Executor};

const STEPS: u32 = 100;
const ROUNDS: usize = 15;

mod ours {
    use workflow::prelude::*;

    #[activity(timeout = "10s", retry(max_attempts = 3))]
    pub(crate) async fn count(n: u32) -> Result<u32, ActivityError> {
        Ok(n + 1)
    }

    #[workflow(name = "ours")]
    pub(crate) async fn steps(steps: u32) -> Result<u32, WorkflowError> {
        let mut n = 0;
        while n < steps {
            n = count(n).await?;
        }
        Ok(n)
    }
}

#[allow(unreachable_pub, reason = "the macros of the SDK want it")]
mod by_hand {
    use std::time::Duration;

    use temporalio_common::RetryPolicy;
    use temporalio_macros::{activities, workflow, workflow_methods};
    use temporalio_sdk::activities::{ActivityContext, ActivityError};
    use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

    #[workflow]
    #[derive(Default)]
    pub struct Steps;

    #[workflow_methods]
    impl Steps {
        #[run]
        pub async fn run(ctx: &mut WorkflowContext<Self>, steps: u32) -> WorkflowResult<u32> {
            let mut n = 0;
            while n < steps {
                let timeout = Duration::from_secs(10);
                let options = ActivityOptions::with_start_to_close_timeout(timeout)
                    .retry_policy(RetryPolicy::builder().maximum_attempts(3).build())
                    .build();
                n = ctx.execute_activity(Counting::add, n, options).await?;
            }
            Ok(n)
        }
    }

    pub struct Counting;

    #[activities]
    impl Counting {
        #[activity]
        pub async fn add(_ctx: ActivityContext, n: u32) -> Result<u32, ActivityError> {
            Ok(n + 1)
        }
    }
}

async fn connect(address: &str) -> Client {
    let url: Url = format!("http://{address}").parse().expect("an address");
    let connection = ConnectionOptions::new(url).build();
    let options = ClientOptions::new("default").build();
    Client::connect(connection, options)
        .await
        .expect("a server")
}

/// The worker written by hand, on a thread of its own, as ours is.
fn work(address: String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let options = RuntimeOptions::builder().heartbeat_interval(None).build();
        let runtime = Runtime::from_current_tokio(options.expect("options")).expect("a runtime");
        let options = WorkerOptions::new("by-hand")
            .register_workflow::<by_hand::Steps>()
            .expect("it is registered once")
            .register_activities(by_hand::Counting)
            .build();
        let client = connect(&address).await;
        let mut worker = Worker::new(&runtime, client, options).expect("a worker");
        worker.run().await.expect("it works until the end");
    });
}

/// What a step took, in milliseconds.
#[derive(Clone, Copy)]
struct Step {
    time: f64,
    /// On the processors, by all threads of this process.
    computed: f64,
}

/// Measures a run, while which nobody else works in this process.
async fn measure(run: impl Future<Output = u32>) -> Step {
    let (begin, computed) = (Instant::now(), processor_time());
    assert_eq!(run.await, STEPS);
    let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(STEPS);
    Step {
        time: ms(begin.elapsed()),
        computed: ms(processor_time() - computed),
    }
}

#[allow(unsafe_code, reason = "the standard library does not tell it")]
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to a value that is there.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(done, 0, "the clock is there");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

async fn run_ours(executor: &Executor) -> u32 {
    let ended = executor.execute(ours::steps(STEPS));
    ended.await.expect("it completes")
}

async fn run_by_hand(client: &Client, round: usize) -> u32 {
    let options = WorkflowStartOptions::new("by-hand", format!("by-hand-{round}")).build();
    let handle = client
        .start_workflow(by_hand::Steps::run, STEPS, options)
        .await;
    let handle = handle.expect("it starts");
    let result = handle.get_result(WorkflowGetResultOptions::default());
    result.await.expect("it completes")
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[tokio::main]
async fn main() {
    let address =
        std::env::var("TEMPORAL_ADDRESS").expect("run it in `tests/temporal/with-server`");
    let config = Config::new()
        .host(address.as_str())
        .task_queue("ours")
        .register::<ours::steps>();
    let executor = workflow::new("temporal", config).await.expect("a server");
    let client = connect(&address).await;
    std::thread::spawn({
        let address = address.clone();
        move || work(address)
    });
    // What only the first run pays for.
    run_ours(&executor).await;
    run_by_hand(&client, ROUNDS).await;

    let mut turns = Vec::new();
    for round in 0..ROUNDS {
        let (our, their);
        if round % 2 == 0 {
            our = measure(run_ours(&executor)).await;
            their = measure(run_by_hand(&client, round)).await;
        } else {
            their = measure(run_by_hand(&client, round)).await;
            our = measure(run_ours(&executor)).await;
        }
        turns.push((our, their));
    }
    let tell = |what: &str, of: fn(Step) -> f64| {
        let our = median(turns.iter().map(|turn| of(turn.0)));
        let their = median(turns.iter().map(|turn| of(turn.1)));
        let ratio = median(turns.iter().map(|turn| of(turn.0) / of(turn.1)));
        println!("{what:9} ours {our:.2} ms, by hand {their:.2} ms, ratio {ratio:.3}");
    };
    println!("a step, medians of {ROUNDS} turns of {STEPS} steps");
    tell("takes", |step| step.time);
    tell("computes", |step| step.computed);
    executor.shutdown().await;
}
