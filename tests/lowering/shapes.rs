//! What the state enum looks like.

use workflow::codec::Sealed;
use workflow::contract::{Facts, Machine, Run, SavedState};
use workflow::prelude::*;

use crate::driver::*;

fn states<W: Workflow>() -> Vec<String> {
    let machine = Machine::of::<W>().unwrap();
    let states = machine.definition().states.iter();
    states
        .map(|state| {
            let fields: Vec<_> = state.fields.iter().map(|field| field.name).collect();
            format!("{}({})", state.name, fields.join(", "))
        })
        .collect()
}

mod left {
    use super::*;
    #[activity]
    pub async fn fetch() -> Result<i64, ActivityError> {
        Ok(1)
    }
}
mod right {
    use super::*;
    #[activity]
    pub async fn fetch() -> Result<i64, ActivityError> {
        Ok(2)
    }
}

#[test]
fn names_of_states_and_fields() {
    #[workflow]
    async fn run(ctx: &mut Context, topic: String, _unused: bool) -> Result<i64, WorkflowError> {
        let day = Duration::from_hours(24);
        let a = left::fetch().await?;
        let b = right::fetch().await?;
        let ok: bool = ctx.wait_for_signal("is it ok", day).await?;
        ctx.sleep(day).await?;
        let later = greet(&topic);
        let x = a;
        {
            let x = give(b).await?;
            let sum = x + give(x).await?;
            give(sum + x).await?;
        }
        later.await?;
        for i in 0..b {
            add(give(i).await?, give(x).await?).await?;
        }
        Ok(if ok { 1 } else { 0 })
    }
    assert_eq!(
        states::<run>(),
        [
            "Start(topic, _unused)",
            "LeftFetch(topic, day)",
            "RightFetch(topic, day, a)",
            "IsItOk(topic, day, a, b)",
            "Sleep(topic, a, b, ok)",
            "Give(b, ok, later, x)",
            "Give2(b, ok, later, x, x_2)",
            "Give3(b, ok, later, x)",
            "Later(b, ok, x)",
            "Give4(ok, x, remaining_i)",
            "Give5(ok, x, remaining_i, operand)",
            "Add(ok, x, remaining_i)",
        ]
    );
}

#[test]
fn typed_and_untyped_fields() {
    #[workflow]
    async fn run(topic: String) -> Result<i64, WorkflowError> {
        let found = half(4).await?;
        let failed = check(-1).await;
        let plan = topic.chars().count();
        let count = 5u8;
        give(1).await?;
        Ok(found.unwrap_or(0) + i64::from(failed.is_ok()) + plan as i64 + i64::from(count))
    }
    let machine = Machine::of::<run>().unwrap();
    let facts = Facts {
        workflow_id: "w".into(),
        run_id: "r".into(),
        now: std::time::UNIX_EPOCH,
    };
    let mut run_ = Run::start(&machine, run("topic".into()).into_arguments().unwrap(), 1).unwrap();
    run_.step(&machine, &facts).unwrap();
    run_.absorb(workflow::contract::Event::ActivityCompleted {
        op: 1,
        output: Sealed::seal(&Some(2i64)).unwrap(),
    });
    run_.step(&machine, &facts).unwrap();
    run_.absorb(workflow::contract::Event::ActivityFailed {
        op: 2,
        failure: ActivityError::new("no").failure().clone(),
    });
    run_.step(&machine, &facts).unwrap();
    let saved = SavedState::new(&machine, &run_.frames).unwrap();
    let RunState::Give {
        found,
        failed,
        plan,
        count,
    } = saved.read().unwrap()
    else {
        panic!();
    };
    let typed: (Option<i64>, Result<i64, ActivityError>, u8) = (found, failed, count);
    assert_eq!(
        (typed.0, typed.1.unwrap_err().to_string(), typed.2),
        (Some(2), "no".to_owned(), 5)
    );
    assert_eq!(plan.get::<usize>().unwrap(), 5);
    assert_eq!(plan.json(), &serde_json::json!(5));
}

#[test]
fn a_function_that_gives_a_call() {
    fn helper(n: i64) -> workflow::Call<half> {
        half(n)
    }
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let found = helper(n).await?;
        give(1).await?;
        Ok(found.unwrap_or(0))
    }
    crate::same!(run; (4), (3));
    assert_eq!(states::<run>(), ["Start(n)", "Helper()", "Give(found)"]);
}

pub mod public {
    //! Names of other modules are found, and private types do not hinder a public workflow.
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Private(i64);

    #[activity(name = "wrap it")]
    async fn wrap(n: i64) -> Result<Private, ActivityError> {
        Ok(Private(n))
    }

    /// A workflow.
    #[workflow]
    pub async fn wrapped(n: i64) -> Result<i64, WorkflowError> {
        let private = wrap(n).await?;
        self::super::give(1).await?;
        Ok(private.0)
    }
}

#[test]
fn workflows_in_modules() {
    use public::{WrappedState, wrapped};
    crate::same!(wrapped; (4));
    let machine = Machine::of::<wrapped>().unwrap();
    assert_eq!(machine.definition().activities[0].name.name, "wrap it");
    assert!(matches!(WrappedState::Wrap {}, WrappedState::Wrap {}));
}

#[activity(
    timeout = "10m",
    schedule_to_close = "1h 30m",
    retry(
        max_attempts = 7,
        initial_interval = "5s",
        backoff_coefficient = 3,
        max_interval = "1m"
    )
)]
async fn configured(
    ctx: &ActivityContext,
    mut text: String,
    (a, b): (i64, i64),
    slice: &[i64],
    reference: &Option<String>,
) -> Result<String, ActivityError> {
    text.push_str(ctx.workflow_id());
    Ok(format!("{text}{a}{b}{slice:?}{reference:?}"))
}

#[test]
fn options_and_parameters_of_activities() {
    let options = configured::options();
    assert_eq!(options.start_to_close, Some(Duration::from_mins(10)));
    assert_eq!(options.schedule_to_close, Some(Duration::from_mins(90)));
    assert_eq!(
        options.retry,
        RetryPolicy {
            max_attempts: 7,
            initial_interval: Duration::from_secs(5),
            backoff_coefficient: 3.0,
            max_interval: Duration::from_mins(1),
        }
    );
    let text = ready(IntoFuture::into_future(configured(
        "x".into(),
        (1, 2),
        &[3, 4],
        &Some("y".into()),
    )));
    assert_eq!(text.unwrap(), r#"xdirect12[3, 4]Some("y")"#);
}
