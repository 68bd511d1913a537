//! The process that `kill_load` kills: `load DATA load|finish CALLERS ROUND`. It tells each fact on
//! standard output once it is acknowledged.

use std::env::args;
use std::fs::OpenOptions;
use std::io::Write;

use workflow::prelude::*;

#[activity]
async fn first(id: String, log: String) -> Result<u32, ActivityError> {
    note(&log, &format!("first {id}"))?;
    Ok(3)
}

#[activity(retry(initial_interval = "1ms"))]
async fn second(context: ActivityContext, id: String, log: String) -> Result<u32, ActivityError> {
    note(&log, &format!("second {id}"))?;
    if context.attempt() == 1 && id.ends_with('7') {
        return Err(ActivityError::new("not yet"));
    }
    Ok(7)
}

fn note(log: &str, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(log)?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[workflow]
async fn loaded(ctx: &mut Context, id: String, log: String) -> Result<u32, WorkflowError> {
    let one = first(id.clone(), log.clone()).await?;
    ctx.sleep(Duration::from_millis(1)).await?;
    let two = second(id, log).await?;
    // Whoever was killed before it could signal never will.
    let three = ctx
        .wait_for_signal::<u32>("go", Duration::from_secs(2))
        .await;
    Ok(one + two + three.unwrap_or(0))
}

#[tokio::main]
async fn main() {
    let mut args = args().skip(1);
    let data = args.next().expect("DATA");
    let what = args.next().expect("load or finish");
    let callers: u32 = args.next().and_then(|n| n.parse().ok()).expect("CALLERS");
    let round = args.next().expect("ROUND");
    let config = Config::new().path(&data).register::<loaded>();
    let executor = workflow::new("default", config).await.expect("it opens");
    println!("open");
    if what == "finish" {
        return finish(&executor).await;
    }
    let log = format!("{data}.log");
    for caller in 0..callers {
        let (executor, log) = (executor.clone(), log.clone());
        let prefix = format!("{round}-{caller}");
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("{prefix}-{number}");
                let call = loaded(id.clone(), log.clone());
                let run = executor.start(call).id(&id).await.expect("it starts");
                println!("started {id}");
                run.signal("go", 5u32).await.expect("it takes it");
                println!("signalled {id}");
                let result = run.result().await.expect("it completes");
                println!("result {id} {result}");
            }
        });
    }
    std::future::pending::<()>().await;
}

/// Waits for the end of every run there is.
async fn finish(executor: &Executor) {
    assert_eq!(executor.set_aside().await.expect("it can be read"), []);
    let mut filter = RunFilter::new();
    loop {
        let page = executor.list(filter.clone()).await.expect("it can be read");
        for run in page.runs {
            let handle = executor.handle::<loaded>(&run.workflow_id).await;
            let result = handle.expect("it is there").result().await;
            println!(
                "result {} {}",
                run.workflow_id,
                result.expect("it completes")
            );
        }
        match page.next {
            Some(next) => filter = filter.after(next),
            None => return,
        }
    }
}
