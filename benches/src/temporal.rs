//! What our host costs on a Temporal server: the same workflow compiled by `#[workflow]` and
//! written by hand on `temporalio-sdk`, in turns on one server.
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

const STEPS: u32 = 20;
const ROUNDS: usize = 9;

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

async fn run_ours(executor: &Executor) -> Duration {
    let begin = Instant::now();
    let n = executor
        .execute(ours::steps(STEPS))
        .await
        .expect("it completes");
    assert_eq!(n, STEPS);
    begin.elapsed()
}

async fn run_by_hand(client: &Client, round: usize) -> Duration {
    let begin = Instant::now();
    let options = WorkflowStartOptions::new("by-hand", format!("by-hand-{round}")).build();
    let handle = client
        .start_workflow(by_hand::Steps::run, STEPS, options)
        .await;
    let handle = handle.expect("it starts");
    let result = handle.get_result(WorkflowGetResultOptions::default());
    assert_eq!(result.await.expect("it completes"), STEPS);
    begin.elapsed()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
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

    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (our, their) = match round % 2 {
            0 => (run_ours(&executor).await, run_by_hand(&client, round).await),
            _ => {
                let their = run_by_hand(&client, round).await;
                (run_ours(&executor).await, their)
            }
        };
        let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(STEPS);
        ours.push(ms(our));
        theirs.push(ms(their));
        ratios.push(our.as_secs_f64() / their.as_secs_f64());
    }
    println!("{ROUNDS} rounds of {STEPS} steps in turns, medians");
    println!("ours     {:.2} ms a step", median(ours));
    println!("by hand  {:.2} ms a step", median(theirs));
    println!("ratio    {:.3}", median(ratios));
    executor.shutdown().await;
}
