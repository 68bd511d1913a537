//! One run of so many activities at a time: what each of them costs, from the run's start to its
//! result. The directory for the data is the argument.

use std::time::Instant;

use workflow::prelude::*;

const ACTIVITIES: [u32; 6] = [10, 100, 1_000, 2_000, 4_000, 8_000];

#[activity]
async fn piece(number: u32) -> Result<u32, ActivityError> {
    tokio::time::sleep(Duration::from_micros(200)).await;
    Ok(number)
}

#[workflow]
async fn fan_out(activities: u32) -> Result<u32, WorkflowError> {
    let mut sum = 0;
    for one in join_all((0..activities).map(piece)).await {
        sum += one?;
    }
    Ok(sum)
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let directory = std::env::args().nth(1).unwrap_or("target".to_owned());
    for activities in ACTIVITIES {
        let data = tempfile::tempdir_in(&directory).expect("a directory can be made");
        let config = Config::new().path(data.path()).register::<fan_out>();
        let executor = workflow::new("default", config).await.expect("it opens");
        // What is made at the first use is not what is measured.
        executor.execute(fan_out(1)).await.expect("it completes");
        let begin = Instant::now();
        let run = executor.execute(fan_out(activities)).await;
        run.expect("it completes");
        let each_ms = begin.elapsed().as_secs_f64() * 1e3 / f64::from(activities);
        println!("{activities:5} activities at a time: {each_ms:.4} ms each");
        executor.shutdown().await;
    }
}
