//! Bindings across awaits.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::{gives, same};

#[test]
fn straight_line() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let a = give(x).await?;
        let b = give(a + 1).await?;
        let _unused = give(0).await?;
        Ok(a + b)
    }
    gives!(
        run(1),
        r#"("give", 1) ("give", 2) ("give", 0)"#,
        Ok::<_, &str>(3)
    );
}

#[test]
fn shadowing_one_after_the_other() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let x = x + 1;
        let x = give(x).await?;
        let x = add(x, x).await?;
        Ok(x)
    }
    same!(run; (1));
}

#[test]
fn shadowing_with_both_alive() {
    #[workflow]
    async fn run(x: i64) -> Result<(i64, i64, String), WorkflowError> {
        let y = {
            let x = give(x + 1).await?;
            let y = add(x, 1).await?;
            {
                let x = x * 10;
                add(x, y).await? + x
            }
        };
        let text = format!("{x} {y}");
        Ok((x, give(x).await? + y, text))
    }
    same!(run; (1));
}

#[test]
fn shadowing_in_loops() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut total = 0;
        let n = x;
        for x in 0..n {
            let n = give(x).await?;
            let total_before = total;
            {
                let total = n + total_before;
                give(total).await?;
            }
            total += n * x;
        }
        total += give(n).await?;
        Ok(total * 100 + x)
    }
    same!(run; (4));
}

#[test]
fn a_shadow_that_is_assigned_later() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut y = x;
        {
            let y = give(2).await?;
            give(y).await?;
        }
        y = 5;
        Ok(give(y).await? + y)
    }
    same!(run; (1));
}

#[test]
fn shadowing_its_own_scrutinee() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let x = match x {
            1 => give(x).await?,
            x if x > 5 => give(x + 1).await?,
            _ => 0,
        };
        let x = if x > 3 { add(x, x).await? } else { x };
        let x = Some(x);
        let Some(x) = x else {
            return Ok(0);
        };
        Ok(x)
    }
    same!(run; (1), (2), (9));
}

#[test]
fn deferred_initialisation() {
    #[workflow]
    async fn run(c: i64) -> Result<u64, WorkflowError> {
        let x;
        let y: u64;
        if c > 1 {
            x = give(c).await?;
            y = 5_000_000_000;
        } else {
            x = 1;
            give(x).await?;
            y = 5_000_000_000 + 1;
        }
        let z;
        give(0).await?;
        if x > 1 {
            z = 1;
        } else {
            z = 2;
        }
        give(z).await?;
        Ok(y + z as u64)
    }
    same!(run; (1), (2));
}

#[test]
fn mutation_between_awaits() {
    #[workflow]
    async fn run(mut x: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut all = Vec::new();
        all.push(x);
        x = add(x, 1).await?;
        all.push(x);
        let last = all.last_mut().unwrap();
        *last += 1;
        give(all[1]).await?;
        all.reverse();
        Ok(all)
    }
    same!(run; (1));
}

#[test]
fn moved_in_one_branch() {
    #[workflow]
    async fn run(x: i64, name: String) -> Result<String, WorkflowError> {
        let mut name = name;
        if even(x).await? {
            let taken = name;
            give(x).await?;
            name = taken + "!";
        } else if x > 1 {
            drop(name);
            return Ok("gone".to_owned());
        }
        give(2).await?;
        Ok(name)
    }
    same!(run; (1, "a".to_owned()), (2, "b".to_owned()), (3, "c".to_owned()));
}

#[test]
fn closures_capture_what_lives() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<i64>, WorkflowError> {
        let factor = give(x).await?;
        let all = list(4).await?;
        let scaled: Vec<i64> = all.iter().map(|x| x * factor).collect();
        give(scaled[1]).await?;
        let mut sum = 0;
        let mut count = |n: i64| {
            sum += n;
            return sum;
        };
        count(1);
        count(factor);
        give(sum).await?;
        Ok(scaled.into_iter().filter(|n| *n > x).collect())
    }
    same!(run; (3));
}

#[test]
fn format_captures_keep_alive() {
    #[workflow]
    async fn run(topic: String) -> Result<String, WorkflowError> {
        let width = give(9).await? as usize;
        greet("x").await?;
        let text = format!("{topic:>width$}");
        let topic = greet(&topic).await?;
        {
            let topic = give(1).await?;
            greet(&format!("{topic}")).await?;
            #[workflow::allow(nondeterminism, reason = "it may be printed again")]
            println!("{topic}");
        }
        Ok(format!("{text} {topic}"))
    }
    same!(run; ("t".to_owned()));
}

mod other {
    macro_rules! own {
        ($($token:tt)*) => { format!($($token)*) };
    }
    pub(crate) use own;
}

#[test]
fn captures_in_other_macros_keep_alive() {
    #[workflow]
    async fn run(topic: String) -> Result<String, WorkflowError> {
        let n = give(9).await?;
        greet("x").await?;
        Ok(other::own!("{topic} {}", n.pow(2)))
    }
    same!(run; ("t".to_owned()));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i64,
    y: i64,
}

#[test]
fn patterns() {
    #[workflow]
    async fn run((a, b): (i64, i64), point: Point) -> Result<i64, WorkflowError> {
        let Point { x, y: mut z } = point;
        z += give(x).await?;
        let (p, [q, .., r]) = (give(a).await?, [b, 5, give(6).await?]);
        let n @ 0..=100 = give(7).await? else {
            return Ok(-1);
        };
        let point = Point { x, y: z };
        Ok(p + q * 10 + r * 100 + n * 1000 + add(point.x, point.y).await?)
    }
    same!(run; ((1, 2), Point { x: 3, y: 4 }));
}

#[test]
fn let_else_awaits() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let Some(n) = half(x).await? else {
            return Ok(0);
        };
        let Some(m) = half(n).await? else {
            let lost = add(n, 1).await?;
            return Ok(lost);
        };
        let Some(l) = (m > 1).then_some(m) else {
            give(9).await?;
            return Err(WorkflowError::new("small"));
        };
        Ok(add(n, m).await? + l)
    }
    same!(run; (1), (2), (4), (8));
}

#[test]
fn items_in_the_body() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        use std::collections::HashMap;
        const FACTOR: i64 = 3;
        #[derive(Serialize, Deserialize)]
        struct Pair {
            a: i64,
            b: i64,
        }
        fn scale(n: i64) -> i64 {
            n * FACTOR
        }
        let pair: Pair = Pair {
            a: scale(x),
            b: give(x).await?,
        };
        let mut known: HashMap<i64, i64> = HashMap::new();
        known.insert(pair.a, pair.b);
        give(scale(pair.a)).await?;
        Ok(pair.a + pair.b + known[&pair.a])
    }
    same!(run; (3));
}

#[test]
fn types_are_inferred_across_awaits() {
    #[workflow]
    async fn run(x: i64) -> Result<(Vec<u8>, Option<u16>, u64), WorkflowError> {
        let mut bytes = Vec::new();
        let mut found = None;
        let mut sum = 0;
        for i in 0..3 {
            give(x).await?;
            if i == 2 {
                found = Some(7);
            }
            sum += 4_000_000_000;
            bytes.push(i);
        }
        Ok((bytes, found, sum))
    }
    same!(run; (3));
}

#[test]
fn results_kept_and_asked_later() {
    #[workflow]
    async fn run(x: i64) -> Result<String, WorkflowError> {
        let first = check(x).await;
        let second = check(x - 5).await;
        give(1).await?;
        Ok(match (first, second) {
            (Ok(a), Ok(b)) => format!("{a} {b}"),
            (Ok(a), Err(error)) => format!("{a} {error}"),
            (Err(error), _) => return Err(error.into()),
        })
    }
    same!(run; (7), (2), (-1));
}

#[test]
fn temporaries_and_blocks() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let y = {
            let a = give(x).await?;
            let b = noted(a);
            a + b
        };
        {
            let y = y + 1;
            give(y).await?;
        }
        let z = 'found: {
            if even(y).await? {
                break 'found 1;
            }
            if y > 5 {
                break 'found give(2).await?;
            }
            3
        };
        Ok(y + z)
    }
    same!(run; (1), (2), (3), (7));
}

#[test]
fn a_type_stated_for_a_value_of_branches() {
    #[workflow]
    async fn run(x: i64) -> Result<u64, WorkflowError> {
        let mut y: u64 = if x > 1 {
            give(x).await? as u64
        } else {
            5_000_000_000
        };
        y += match half(x).await? {
            Some(n) => n as u64,
            None => return Ok(y),
        };
        let (a, mut b): (u8, u64) = (1, y);
        b += give(1).await? as u64;
        Ok(b * 1000 + u64::from(a))
    }
    same!(run; (1), (2), (3));
}

#[test]
fn parts_of_values() {
    #[workflow]
    async fn run(point: Point, pair: (String, i64)) -> Result<(i64, String), WorkflowError> {
        let x = point.x;
        let (name, mut n) = pair;
        give(point.y).await?;
        n += point.x;
        let point = Point { x: n, ..point };
        let moved = Point {
            y: give(point.x).await?,
            ..point
        };
        let Point { x: left, y: right } = moved;
        Ok((x + left + right + n, name + &greet("x").await?))
    }
    same!(run; (Point { x: 1, y: 2 }, ("a".into(), 3)));
}

#[test]
fn names_that_the_machine_uses_too() {
    #[workflow]
    async fn run(awaited: i64, step: i64) -> Result<i64, WorkflowError> {
        let remaining = give(awaited).await?;
        let x_field = give(step).await?;
        let mut block = 0;
        for awaited in 0..remaining {
            let operand = add(give(awaited).await?, give(step).await?).await?;
            let value = if operand > 1 {
                give(operand).await?
            } else {
                x_field
            };
            block += value;
        }
        Ok(block + awaited + step + x_field)
    }
    same!(run; (3, 4));
}

#[test]
fn awaits_alike_are_told_apart() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        give(x).await?;
        give(x).await?;
        let y = give(x).await? + give(x).await?;
        Ok(y)
    }
    same!(run; (3));
    let machine = workflow::contract::Machine::of::<run>().unwrap();
    let states = &machine.definition().states;
    let all: std::collections::BTreeSet<u64> = states.iter().map(|s| s.fingerprint).collect();
    assert_eq!(all.len(), states.len());
}

#[test]
fn a_jump_out_of_code_that_shadows() {
    #[workflow]
    async fn run(b: i64) -> Result<i64, WorkflowError> {
        let mut n = 0;
        let v = 'l: loop {
            n += 1;
            if n > 3 {
                break give(b).await?;
            }
            for i in 0..3i64 {
                let b = n + i;
                if b > 3 {
                    break 'l i;
                }
            }
            give(1).await?;
        };
        Ok(v * 100 + b)
    }
    same!(run; (1), (7));
}

mod outer {
    /// A type that a workflow's body implements a trait for.
    pub struct Count(pub i64);
}

#[test]
fn items_of_a_body_exist_once() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        use serde::{Deserialize, Serialize};

        const STEP: i64 = 2;
        static NAME: &str = "once";
        #[derive(Debug, Serialize, Deserialize, PartialEq)]
        struct Tally {
            total: i64,
        }
        impl Tally {
            fn add(&mut self, n: i64) {
                self.total += n + STEP;
            }
        }
        impl From<&outer::Count> for Tally {
            fn from(count: &outer::Count) -> Self {
                Self { total: count.0 }
            }
        }
        #[allow(non_local_definitions)]
        impl Drop for outer::Count {
            fn drop(&mut self) {}
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        enum Kind {
            #[default]
            Small,
            Big,
        }
        fn kind(n: i64) -> Kind {
            if n > 3 { Kind::Big } else { Kind::default() }
        }

        let mut tally = Tally { total: n };
        tally.add(give(n).await?);
        let kind = kind(give(n).await?);
        let other: Tally = Tally { total: STEP };
        greet(NAME).await?;
        note((&tally, &kind));
        Ok(tally.total + other.total)
    }
    same!(run; (1), (5));
}

/// A workflow whose names are partly the macro's and partly those of its caller.
macro_rules! halved {
    ($name:ident, $found:pat => $value:expr) => {
        #[workflow]
        async fn $name(n: i64) -> Result<i64, WorkflowError> {
            let kept = give(n).await?;
            let $found = half(kept).await? else {
                return Ok(kept);
            };
            give($value).await?;
            Ok($value + kept)
        }
    };
}

#[test]
fn names_of_a_macro_and_of_its_caller() {
    halved!(run, Some(found) => found * 2);
    same!(run; (1), (4));
}

fn price(n: i64) -> i64 {
    n * 2
}

#[test]
fn a_function_of_the_name_in_an_if() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let price: i64 = if n > 0 { price(give(n).await?) } else { 0 };
        give(price).await?;
        Ok(price)
    }
    same!(run; (0), (2));
}

#[test]
fn a_function_of_the_name_in_a_match() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let price = match n {
            0 => give(1).await?,
            m => price(m),
        };
        give(price).await?;
        Ok(price)
    }
    same!(run; (0), (2));
}

#[test]
fn a_function_of_the_name_in_a_loop() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let price = loop {
            let x = give(n).await?;
            if x > 0 {
                break price(x);
            }
            give(1).await?;
            break 0;
        };
        Ok(price)
    }
    same!(run; (0), (2));
}

#[test]
fn an_activity_of_the_name() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let half = if n > 0 { half(n).await? } else { None };
        let mut sum = 0;
        for i in 0..n {
            let price = if i > 1 {
                price(i) + add(i, price(n)).await?
            } else {
                i
            };
            sum += price;
        }
        give(sum).await?;
        Ok(half.unwrap_or(0))
    }
    same!(run; (0), (2), (5));
}

#[test]
fn names_of_activities_all_over() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let give = if n > 0 {
            let give = give(n).await?;
            give + 1
        } else {
            0
        };
        let add = match give {
            0 => 1,
            _ => {
                let add = add(give, 1).await?;
                add + 1
            }
        };
        note(give);
        Ok(add)
    }
    same!(run; (0), (2), (5));
}
