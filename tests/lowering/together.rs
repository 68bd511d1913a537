//! Several operations at once, and workflows that call workflows.

use crate::driver::{add, check, give, greet, note};
use crate::{gives, same};
use workflow::codec::Sealed;
use workflow::contract::{Command, Event, Facts, Machine, Run};
use workflow::prelude::*;

#[test]
fn join_gives_each_its_own() {
    #[workflow]
    async fn run(x: i64) -> Result<String, WorkflowError> {
        let kept = x + 1;
        let (sum, text, failed) = join!(add(x, kept), greet("you"), check(-x),);
        let text = format!("{} {}", text?, failed.is_err());
        Ok(format!("{} {kept} {text}", sum?))
    }
    gives!(
        run(3),
        "(\"add\", 3, 4) (\"greet\", \"you\") (\"check\", -3)",
        Ok("7 4 hello you true")
    );
    same!(run; (-3), (0));
}

#[test]
fn join_of_one_and_in_expressions() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let total = x + tokio::join!(give(x)).0? + {
            let (a, b) = join!(give(x + give(1).await?), give(2));
            a? * b?
        };
        Ok(total)
    }
    same!(run; (1), (5));
}

#[test]
fn join_all_keeps_the_order() {
    #[workflow]
    async fn run(n: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut found = Vec::new();
        for (i, given) in join_all((0..n).map(|i| add(i, 10)))
            .await
            .into_iter()
            .enumerate()
        {
            found.push(given? + give(i as i64).await?);
        }
        Ok(found)
    }
    gives!(
        run(2),
        "(\"add\", 0, 10) (\"add\", 1, 10) (\"give\", 0) (\"give\", 1)",
        Ok(vec![10, 12])
    );
    same!(run; (0), (3));
}

#[test]
fn select_goes_on_in_its_arm() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let mut turns = 0;
        let found = loop {
            turns += 1;
            select! {
                given = give(x + turns) => {
                    if given? > 5 {
                        break give(turns).await?;
                    }
                    continue;
                }
                slept = ctx.sleep(Duration::from_secs(1)) => slept?,
                y = ctx.wait_for_signal::<i64>("s", Duration::MAX) => {
                    let y = y?;
                    return Ok(y);
                }
            }
        };
        Ok(found * 100 + turns)
    }
    same!(run with []; (1), (4), (9));
}

#[test]
fn select_of_what_is_under_way() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let mut works = vec![ctx.start(give(x)), ctx.start(give(x + 1))];
        let mut last = works.pop().unwrap();
        let first = select! {
            first = &mut works[0] => first?,
            last = &mut last => last? * 100,
        };
        note(first);
        let after = select! {
            last = &mut last => last?,
            slept = ctx.sleep(Duration::from_secs(1)) => { slept?; 0 }
        };
        Ok(first + after)
    }
    same!(run with []; (1), (4));
}

#[test]
fn select_in_the_order_of_the_source() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let mut seen = x;
        for _ in 0..3 {
            seen += select! {
                biased;
                a = ctx.wait_for_signal::<i64>("a", Duration::from_secs(1)) => a.unwrap_or(50),
                b = ctx.wait_for_signal::<i64>("b", Duration::from_secs(1)) => { b? * 10 }
            };
        }
        Ok(seen)
    }
    same!(run with [("a", 1), ("a", 2), ("a", 3), ("b", 5)]; (1), (5));
}

#[test]
fn what_is_started_is_awaited_later() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let sum = ctx.start(add(x, give(x).await?));
        let mut handles = Vec::new();
        for i in 0..3 {
            handles.push(ctx.start(give(i)));
        }
        let middle = give(100).await?;
        note(("middle", middle));
        let (all, sum) = (join_all(handles).await, sum.await?);
        let mut total = middle + sum;
        for one in all {
            total += one?;
        }
        Ok(total)
    }
    gives!(
        run with [] (2),
        "(\"give\", 2) (\"give\", 100) (\"middle\", 100) (\"give\", 0) (\"give\", 1) (\"give\", 2) (\"add\", 2, 2)",
        Ok(107)
    );
}

#[workflow]
async fn doubled(x: i64) -> Result<i64, WorkflowError> {
    let once = give(x).await?;
    let twice = check(once * 2).await?;
    Ok(twice)
}

#[workflow]
async fn reviewed(ctx: &mut Context, x: i64) -> Result<i64, MyError> {
    let said = ctx.wait_for_signal::<i64>("said", Duration::MAX).await?;
    if said < 0 {
        return Err(MyError(said));
    }
    Ok(give(said + x).await?)
}

#[derive(Debug)]
pub struct MyError(i64);

impl std::fmt::Display for MyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "said {}", self.0)
    }
}

impl std::error::Error for MyError {}

impl From<WorkflowError> for MyError {
    fn from(_: WorkflowError) -> Self {
        Self(0)
    }
}

impl From<ActivityError> for MyError {
    fn from(_: ActivityError) -> Self {
        Self(1)
    }
}

#[test]
fn a_call_without_the_context_is_a_child() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let kept = x * 10;
        let two = doubled(x).await?;
        let failed = doubled(-x).await;
        note(failed.is_err());
        let (a, b) = join!(doubled(two), give(kept));
        Ok(a? + b? + two)
    }
    same!(run; (1), (4), (0), (-2));
}

#[test]
fn a_call_with_the_context_runs_inline() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let kept = x * 10;
        let first = reviewed(ctx, x).await;
        // The error is the workflow's own, not a copy of its text.
        let first = match first {
            Ok(first) => first,
            Err(MyError(said)) => said * 1000,
        };
        let second = reviewed(&mut *ctx, x + 1).await?;
        let third: i64 = ctx.wait_for_signal("said", Duration::MAX).await?;
        Ok(first + second + third + kept)
    }
    same!(run with [("said", 1), ("said", 2), ("said", 3)]; (1), (4));
    same!(run with [("said", -1), ("said", 2), ("said", 3)]; (1), (4));
    same!(run with [("said", 1), ("said", -2)]; (1));
}

#[workflow]
async fn factorial(ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
    if n <= 1 {
        return Ok(1);
    }
    let m = give(n).await?;
    let rest = factorial(ctx, m - 1).await?;
    Ok(m * give(rest).await?)
}

#[workflow]
async fn even(ctx: &mut Context, n: i64) -> Result<bool, WorkflowError> {
    if n == 0 {
        return Ok(true);
    }
    let n = give(n).await?;
    odd(ctx, n - 1).await
}

#[workflow]
async fn odd(ctx: &mut Context, n: i64) -> Result<bool, WorkflowError> {
    if n == 0 {
        return Ok(false);
    }
    let rest = even(ctx, n - 1).await?;
    Ok(rest)
}

#[workflow]
async fn countdown(n: i64) -> Result<i64, WorkflowError> {
    if n == 0 {
        return Ok(0);
    }
    Ok(1 + countdown(give(n - 1).await?).await?)
}

#[test]
fn workflows_call_themselves_and_each_other() {
    same!(factorial with []; (0), (1), (5));
    same!(even with []; (0), (7), (8));
    same!(countdown; (0), (4));
}

#[workflow]
async fn kept<T, const N: usize>(ctx: &mut Context, value: T) -> Result<Vec<T>, WorkflowError>
where
    T: ToString + Clone,
{
    let mut all = vec![value.clone()];
    for i in 0..N {
        give(i as i64).await?;
        note(value.to_string());
        all.push(value.clone());
    }
    ctx.sleep(Duration::from_secs(1)).await?;
    Ok(all)
}

#[workflow]
async fn named<S: Strategy>(x: i64) -> Result<i64, WorkflowError> {
    let x = give(x).await?;
    Ok(S::apply(give(x).await?))
}

pub trait Strategy {
    fn apply(x: i64) -> i64;
}

pub struct Negate;

impl Strategy for Negate {
    fn apply(x: i64) -> i64 {
        -x
    }
}

#[test]
fn generic_workflows_are_named_by_their_types() {
    type Kept = kept<String, 2>;
    assert_eq!(<Kept as Workflow>::name(), "kept<String, 2>");
    assert_eq!(<named<Negate> as Workflow>::name(), "named<Negate>");
    let plain = crate::driver::plain(Kept::plain(&mut Context::plain(), "x".to_owned()));
    let call = kept::<String, 2>("x".to_owned());
    assert_eq!(plain, crate::driver::compiled(call, &[]));
    let plain = crate::driver::plain(named::<Negate>::plain(4));
    assert_eq!(plain, crate::driver::compiled(named::<Negate>(4), &[]));
    let state: KeptState<String> = KeptState::Start {
        value: "x".to_owned(),
    };
    assert_eq!(format!("{state:?}"), r#"Start {"value":"x"}"#);
}

#[test]
fn the_state_of_an_inline_workflow_is_a_field() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let kept = x + 1;
        let said = reviewed(ctx, x).await?;
        Ok(said + kept)
    }
    let state = RunState::Reviewed {
        kept: serde_json::from_str("2").unwrap(),
        reviewed: Box::new(ReviewedState::Said { x: 1 }),
    };
    assert_eq!(
        serde_json::to_string(&state).unwrap(),
        r#"{"Reviewed":{"kept":2,"reviewed":{"Said":{"x":1}}}}"#
    );
    let _ = run;
}

#[test]
fn generic_workflows_are_called() {
    #[workflow]
    async fn children(x: i64) -> Result<String, WorkflowError> {
        let one = named::<Negate>(x).await?;
        let outcome = named::<Negate>(one).await;
        let mut all = kept::<String, 2>(greet("you").await?).await?;
        all.push(give(one + outcome?).await?.to_string());
        Ok(all.join(" "))
    }
    same!(children; (1), (4));
    #[workflow]
    async fn inline(ctx: &mut Context, x: i64) -> Result<String, WorkflowError> {
        use self::kept as again;
        let mut all = kept::<i64, 1>(ctx, x).await?;
        all.extend(again::<_, 3>(ctx, x).await?);
        let outcome = kept::<i64, 0>(ctx, 5).await;
        let held = kept::<i64, 2>;
        all.extend(held(ctx, x + 1).await?);
        all.push(give(outcome?[0]).await?);
        Ok(format!("{all:?}"))
    }
    same!(inline with []; (1), (4));
}

#[test]
fn a_name_like_the_context_s() {
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let mut sum = factorial(ctx, x).await?;
        for ctx in 0..2 {
            sum += give(ctx).await?;
        }
        if let Some(ctx) = Some(sum) {
            sum += give(ctx).await?;
        } else {
            sum += factorial(ctx, 2).await?;
        }
        sum += match sum {
            ctx if ctx > 5 => give(ctx).await?,
            _ => factorial(ctx, 3).await?,
        };
        let ctx = sum;
        Ok(give(ctx).await?)
    }
    same!(run with []; (1), (4));
}

#[workflow]
async fn two_at_once(ctx: &mut Context) -> Result<(i64, i64), WorkflowError> {
    let mut work = ctx.start(give(1));
    let said = select! {
        work = &mut work => work?,
        said = ctx.wait_for_signal::<i64>("s", Duration::MAX) => said?,
    };
    Ok((said, work.await?))
}

#[test]
fn what_is_under_way_may_end_when_another_arm_was_first() {
    let machine = Machine::of::<two_at_once>().unwrap();
    let facts = Facts {
        workflow_id: "w".into(),
        run_id: "r".into(),
        now: std::time::UNIX_EPOCH,
    };
    let mut run = Run::start(&machine, Vec::new(), 0).unwrap();
    run.step(&machine, &facts).unwrap();
    let op = run.under_way().next().unwrap().op;
    run.absorb(Event::SignalReceived {
        name: "s".to_owned(),
        payload: Sealed::seal(&5i64).unwrap(),
    });
    run.absorb(Event::ActivityCompleted {
        op,
        output: Sealed::seal(&7i64).unwrap(),
    });
    assert_eq!(run.step(&machine, &facts).unwrap(), []);
    let commands = run.step(&machine, &facts).unwrap();
    let Some(Command::Complete { output }) = commands.last() else {
        panic!("{commands:?}");
    };
    assert_eq!(output.open::<(i64, i64)>().unwrap(), (5, 7));

    // A cancel interrupts the arm that comes first, and the rest goes on.
    let mut run = Run::start(&machine, Vec::new(), 0).unwrap();
    run.step(&machine, &facts).unwrap();
    let canceled = run.absorb(Event::CancelRequested);
    assert!(
        matches!(&canceled[..], [Command::CancelOperation { op: first, .. }] if *first == op),
        "{canceled:?}"
    );
}

#[test]
fn calls_of_children_are_values() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let call = crate::driver::child_sum(n);
        let x = give(1).await?;
        let y = call.await?;
        let calls: Vec<_> = (0..n).map(crate::driver::child_sum).collect();
        give(2).await?;
        let mut sum = x + y;
        for call in calls {
            sum += call.await?;
        }
        Ok(sum)
    }
    same!(run; (0), (3));
}
