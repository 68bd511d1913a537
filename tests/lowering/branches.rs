//! Branches that await.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[test]
fn if_else_chains() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        if x == 1 {
            total += give(10).await?;
        } else if even(x).await? {
            total += give(20).await?;
            if x > 2 {
                total += give(30).await?;
            }
        } else if x > 6 {
            return Ok(give(7).await?);
        } else {
            total = 5;
        }
        total += give(total).await?;
        Ok(total)
    }
    same!(run; (1), (2), (3), (4), (7));
}

#[test]
fn if_as_a_value() {
    #[workflow]
    async fn run(x: i64) -> Result<String, WorkflowError> {
        let a = if even(x).await? { "even" } else { "odd" };
        let a = a.to_owned();
        let b = if x > 2 {
            greet("big").await?
        } else {
            "small".to_owned()
        };
        let c = add(
            if x > 3 { give(1).await? } else { 2 },
            if x > 1 { 3 } else { give(4).await? },
        )
        .await?;
        Ok(format!(
            "{a} {b} {c} {}",
            if x == 2 {
                greet("two").await?
            } else {
                String::new()
            }
        ))
    }
    same!(run; (1), (2), (3), (4));
}

#[test]
fn if_let_and_chains() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        if let Some(n) = half(x).await? {
            if let Some(n) = half(n).await?
                && n > 1
                && even(n).await?
            {
                return Ok(give(n).await? + n);
            } else {
                give(n).await?;
            }
        } else if let Ok(n) = check(x - 3).await
            && let m = n + 1
            && m > 2
        {
            return Ok(n + give(m).await?);
        }
        let text: Result<i64, _> = "5".parse();
        if let Ok(n) = text
            && x > 1
            && let Some(m) = half(x).await?
        {
            give(n + m).await?;
        }
        Ok(x)
    }
    same!(run; (1), (2), (3), (4), (5), (8), (16));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Decision {
    Approve { by: String, limit: i64 },
    Reject(String),
    Ask(i64),
    Wait,
}

#[test]
fn match_with_bindings_across_awaits() {
    #[workflow]
    async fn run(decision: Decision) -> Result<String, WorkflowError> {
        let text = match decision {
            Decision::Approve { by, limit } if limit > 100 => {
                let extra = greet(&by).await?;
                give(limit).await?;
                format!("{by} {limit} {extra}")
            }
            Decision::Approve { by, .. } => by,
            Decision::Reject(reason) => {
                give(0).await?;
                return Ok(reason);
            }
            Decision::Ask(n @ 1..=3) | Decision::Ask(n @ 7) => {
                let n = give(n).await?;
                format!("{n}")
            }
            Decision::Ask(_) | Decision::Wait => panic_free().await?,
        };
        Ok(text + &greet("end").await?)
    }
    #[activity]
    async fn panic_free() -> Result<String, ActivityError> {
        note("panic_free");
        Ok("free".to_owned())
    }
    same!(run;
        (Decision::Approve { by: "a".into(), limit: 500 }),
        (Decision::Approve { by: "b".into(), limit: 5 }),
        (Decision::Reject("no".into())),
        (Decision::Ask(2)), (Decision::Ask(7)), (Decision::Ask(9)),
        (Decision::Wait),
    );
}

#[test]
fn match_on_what_is_awaited() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let a = match half(x).await? {
            Some(n) if n > 5 => return Ok(n),
            Some(n) => n,
            None => 0,
        };
        let b = match check(x - 3).await {
            Ok(n) => add(n, a).await?,
            Err(error) if x == 1 => return Err(error.into()),
            Err(_) => {
                let undone = give(-1).await?;
                undone - 1
            }
        };
        match (a, give(b).await?) {
            (0, 0) => {}
            (_, n) if n > 2 => drop(give(n).await?),
            _ => return Ok(-5),
        }
        Ok(a * 100 + b)
    }
    same!(run; (1), (2), (3), (4), (6), (20));
}

#[test]
fn early_return_in_a_match_arm() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let n = match x {
            0 => return Ok(give(0).await?),
            1 => {
                give(1).await?;
                return Err(WorkflowError::new("one"));
            }
            n => n,
        };
        let m = match n {
            2 => return Ok(2),
            _ => n + give(n).await?,
        };
        Ok(n + m)
    }
    same!(run; (0), (1), (2), (3));
}

#[test]
fn values_moved_in_one_arm_only() {
    #[workflow]
    async fn run(x: Option<String>, y: String) -> Result<String, WorkflowError> {
        let z = match x {
            Some(text) => {
                give(1).await?;
                text + &y
            }
            None => y.clone(),
        };
        Ok(z + &greet(&y).await?)
    }
    same!(run; (Some("a".into()), "b".into()), (None, "c".into()));
}

#[test]
fn diverging_arms() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let n = match x {
            1 => give(1).await?,
            2 => unreachable!("two"),
            _ => panic!("{}", greet("x").await?),
        };
        if n != 1 {
            give(n).await?;
            todo!()
        }
        Ok(n)
    }
    same!(run; (1));
}

#[test]
fn conversions_by_question_mark() {
    #[derive(Debug)]
    enum Mine {
        Activity(String),
        Number(std::num::ParseIntError),
        Workflow(String),
    }
    impl std::fmt::Display for Mine {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{self:?}")
        }
    }
    impl std::error::Error for Mine {}
    impl From<ActivityError> for Mine {
        fn from(error: ActivityError) -> Self {
            Self::Activity(error.to_string())
        }
    }
    impl From<WorkflowError> for Mine {
        fn from(error: WorkflowError) -> Self {
            Self::Workflow(error.to_string())
        }
    }
    impl From<std::num::ParseIntError> for Mine {
        fn from(error: std::num::ParseIntError) -> Self {
            Self::Number(error)
        }
    }
    type Done<T> = Result<T, Mine>;

    #[workflow]
    async fn run(ctx: &mut Context, text: String) -> Done<i64> {
        let n: i64 = text.parse()?;
        let n = check(n).await?;
        ctx.sleep(Duration::from_secs(n as u64)).await?;
        let m: i64 = if n > 5 { "y".parse()? } else { give(n).await? };
        if n == 3 {
            return Err(Mine::Workflow(format!("{m}")));
        }
        Ok(m)
    }
    same!(run with []; ("x".into()), ("-4".into()), ("9".into()), ("3".into()), ("2".into()));
}

#[test]
fn signals_and_sleeps() {
    const NEXT: &str = "next";
    #[workflow]
    async fn run(ctx: &mut Context, x: i64) -> Result<i64, WorkflowError> {
        let first: i64 = ctx.wait_for_signal("first", Duration::from_secs(1)).await?;
        let day = Duration::from_hours(24);
        ctx.sleep(day).await?;
        let second = match ctx.wait_for_signal::<i64>(NEXT, day).await {
            Ok(n) => n,
            Err(error) if error.is_timed_out() => -1,
            Err(error) => return Err(error),
        };
        let third = ctx
            .wait_for_signal::<i64>(format!("s{x}"), day)
            .await
            .unwrap_or(0);
        note(ctx.now());
        Ok(first + second * 10 + third * 100 + x)
    }
    same!(run with [("first", 1)]; (1));
    same!(run with [("first", 1), ("next", 2)]; (1));
    same!(run with [("first", 1), ("s1", 2)]; (1), (2));
    same!(run with []; (1));
}

#[test]
fn attributes_and_names_of_parameters() {
    /// Documented.
    #[workflow(name = "renamed")]
    #[allow(unused_variables)]
    async fn run(
        step: i64,
        block: i64,
        r#type: i64,
        _unused: String,
    ) -> Result<i64, WorkflowError> {
        let operand = give(step).await?;
        let awaited = give(block).await? + operand;
        let value = if awaited > 1 {
            give(r#type).await?
        } else {
            r#type
        };
        Ok(operand + awaited + value + step + block + r#type)
    }
    assert_eq!(<run as Workflow>::name(), "renamed");
    same!(run; (1, 2, 3, String::new()));
}

#[test]
fn nothing_to_await() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        if x > 1 {
            return Err(WorkflowError::new("big"));
        }
        Ok(x)
    }
    same!(run; (1), (2));
    #[workflow]
    pub(crate) async fn unit() -> Result<(), WorkflowError> {
        give(1).await?;
        Ok(())
    }
    same!(unit; ());
}

#[test]
fn what_is_allowed_to_differ() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        #[workflow::allow(nondeterminism, reason = "it is not looked at")]
        let now = std::time::SystemTime::now();
        let _ = now;
        #[workflow::allow(nondeterminism, reason = "it is not looked at")]
        drop(std::env::var("HOME"));
        Ok(give(x).await?)
    }
    same!(run; (1));
}

#[test]
fn arms_that_leave_in_braces() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        for i in 0..n {
            let r = match i {
                1 => {
                    continue;
                }
                5 => break,
                _ => give(i).await?,
            };
            let q;
            match i {
                0 => {
                    q = 1;
                }
                3 => {
                    continue;
                }
                _ => {
                    q = give(i).await?;
                }
            }
            total += r + q;
        }
        Ok(total)
    }
    same!(run; (1), (3), (7));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    name: String,
    n: i64,
}

#[test]
fn guards_that_look_into_a_part() {
    #[workflow]
    async fn run(x: Option<Named>) -> Result<i64, WorkflowError> {
        match &x {
            Some(x) if let Some(h) = x.name.strip_prefix("n") => {
                greet(h).await?;
                note(h);
            }
            Some(x)
                if let n @ 3..5 = x.n
                    && n > 3 =>
            {
                give(n).await?;
                give(n).await?;
            }
            _ => {
                give(1).await?;
            }
        }
        Ok(1)
    }
    same!(run; (None), (Some(Named { name: "nx".into(), n: 1 })), (Some(Named { name: "x".into(), n: 4 })), (Some(Named { name: "x".into(), n: 9 })));
}

#[test]
fn guards_that_bind_what_they_make() {
    #[workflow]
    async fn run(x: Option<String>, n: i64) -> Result<i64, WorkflowError> {
        let y = match x {
            Some(text) if let Ok(k) = text.parse::<i64>() => {
                give(k).await?;
                greet(&text).await?;
                k
            }
            Some(text)
                if let Some(first) = text.chars().next()
                    && n > 2 =>
            {
                greet(&text).await?;
                note(first);
                3
            }
            _ => 0,
        };
        give(y).await?;
        Ok(y)
    }
    same!(run; (None, 1), (Some("12".into()), 1), (Some("ab".into()), 1), (Some("ab".into()), 3), (Some("".into()), 3));
}

#[test]
fn a_guard_that_looks_at_what_changes() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut last = None;
        for i in 0..n {
            match i % 3 {
                k if let Some(l) = last
                    && k > 0 =>
                {
                    last = Some(give(k + l).await?);
                    note(l);
                }
                k => {
                    last = Some(k);
                    give(k).await?;
                }
            }
        }
        Ok(last.unwrap_or(0))
    }
    same!(run; (0), (5), (8));
}
