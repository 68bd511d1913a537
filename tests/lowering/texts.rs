//! Texts that are literals, kept in locals.

use workflow::contract::Machine;
use workflow::prelude::*;

use crate::driver::*;
use crate::{gives, same};

fn size(n: i64) -> &'static str {
    if n > 9 { "big" } else { "small" }
}

#[test]
fn a_literal_in_a_local() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let url = "https://x";
        let one = greet(url).await?;
        let annotated: &str = "plain";
        let lasting: &'static str = size(n);
        let other = greet(url).await?;
        Ok(format!("{one} {other} {url} {annotated} {lasting}"))
    }
    gives!(
        run(1),
        r#"("greet", "https://x") ("greet", "https://x")"#,
        Ok("hello https://x hello https://x https://x plain small")
    );
}

#[test]
fn one_of_several_literals() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let tier = if n > 5 { "gold" } else { "plain" };
        let level = match n {
            0 => "none",
            1 => {
                note(n);
                "one"
            }
            i64::MIN..0 => return Err(WorkflowError::new("negative")),
            _ => "many",
        };
        let mut late = "early";
        let size = size(n);
        if even(n).await? {
            late = "late";
        }
        let chosen = if even(n + 1).await? {
            greet(tier).await?;
            tier
        } else {
            level
        };
        give(n).await?;
        Ok(format!("{tier} {level} {late} {size} {chosen}"))
    }
    same!(run; (0), (1), (6), (10), (-1));
    let machine = Machine::of::<run>().unwrap();
    let states = &machine.definition().states;
    let last = states.last().unwrap();
    let types: Vec<_> = last.fields.iter().map(|f| &*f.ty.shape.text).collect();
    assert_eq!(
        types,
        ["i64", "String", "String", "String", "String", "String"][1..]
    );
    // The state enum spells what is surely a text.
    let state = RunState::Give {
        tier: String::new(),
        level: String::new(),
        late: String::new(),
        size: serde_json::from_str("1").unwrap(),
        chosen: String::new(),
    };
    drop(state);
}

#[test]
fn loops_over_literals() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let mut out = String::new();
        for region in ["eu", "us"] {
            out += &greet(region).await?;
            give(n).await?;
            out += region;
        }
        for (name, count) in [("a", 1), ("b", n)] {
            give(count).await?;
            out += name;
        }
        let names = vec!["x", "y"];
        let maybe = (n > 0).then_some("some");
        give(n).await?;
        for name in names {
            give(n).await?;
            out += name;
        }
        Ok(out + maybe.unwrap_or_default())
    }
    same!(run; (0), (2));
}

#[activity]
async fn both(n: i64) -> Result<(i64, String), ActivityError> {
    note(("both", n));
    Ok((n, n.to_string()))
}

#[test]
fn what_is_taken_apart_is_spelled() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let (n, mut name) = both(n).await?;
        let (small, pair): (u8, (bool, char)) = (1, (true, 'x'));
        let text = "text".to_string();
        let (plain, other) = (n, 2);
        give(n).await?;
        name += &text;
        Ok(format!("{n} {name} {small} {pair:?} {plain} {other}"))
    }
    same!(run; (1));
    let state: RunState = serde_json::from_str(
        r#"{"Give": {"n": 1, "name": "x", "small": 1, "pair": [true, "x"], "text": "", "plain": 1, "other": 2}}"#,
    )
    .unwrap();
    let RunState::Give {
        n,
        name,
        small,
        pair,
        text,
        ..
    } = state
    else {
        unreachable!()
    };
    let _: (i64, String, u8, (bool, char), String) = (n, name, small, pair, text);
}

#[test]
fn values_made_of_what_is_known_are_spelled() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let pair = ("a", n);
        let some = Some("x");
        let nested = (Some((n, "t")), u32::MAX, (), (n,));
        let mut best = u8::MIN;
        let wide = i64::from(best) + n.max(3).pow(2);
        let clamped = n.clamp(0, 2);
        let f = f64::MAX.min(2.0);
        let who = if n > 2 { Some("a") } else { Some("b") };
        let (a, b) = (n + 1, "lit");
        give(1).await?;
        best += 1;
        note((pair, some, nested, best, wide, clamped, f, who, a, b));
        Ok(n)
    }
    same!(run; (0), (3));
    // It compiles only where each type is spelled.
    let _ = RunState::Give {
        pair: (String::new(), 3),
        some: Some(String::new()),
        nested: (Some((1, String::new())), 2, (), (1,)),
        best: 1,
        wide: 3,
        clamped: 3,
        f: 1.0,
        n: 1,
        who: None,
        a: 3,
        b: String::new(),
    };
}
