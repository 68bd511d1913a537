//! Awaits inside of expressions.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use workflow::prelude::*;

use crate::driver::*;
use crate::{gives, same};

#[test]
fn arguments_are_evaluated_in_their_order() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        Ok(add(give(x).await?, give(x + 1).await?).await?)
    }
    gives!(
        run(1),
        r#"("give", 1) ("give", 2) ("add", 1, 2)"#,
        Ok::<_, &str>(3)
    );
}

#[test]
fn a_failing_first_argument_ends_it() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        Ok(add(check(x).await?, give(x + 1).await?).await?)
    }
    gives!(run(-1), r#"("check", -1)"#, Err::<i64, _>("-1 is negative"));
    same!(run; (1));
}

#[test]
fn an_operand_is_read_before_what_follows_changes_it() {
    #[workflow]
    async fn run(mut x: i64) -> Result<i64, WorkflowError> {
        let sum = x + {
            x += 10;
            give(x).await?
        };
        Ok(sum * 1000 + x)
    }
    gives!(run(5), r#"("give", 15)"#, Ok::<_, &str>(20015));
}

#[test]
fn an_argument_is_read_before_what_follows_changes_it() {
    fn three(a: i64, b: i64, c: i64) -> i64 {
        a * 10000 + b * 100 + c
    }
    #[workflow]
    async fn run(mut x: i64) -> Result<i64, WorkflowError> {
        Ok(three(
            x,
            {
                x += 1;
                give(x).await?
            },
            {
                x += 1;
                x
            },
        ))
    }
    same!(run; (1), (7));
}

#[test]
fn impure_operands_come_first() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<i64>, WorkflowError> {
        let all = vec![
            noted(x),
            give(noted(x + 1)).await?,
            noted(x + 2),
            give(x).await?,
            noted(9),
        ];
        let tuple = (noted(1), give(2).await?, noted(3));
        let array = [noted(4), give(5).await?, noted(6)];
        Ok(all
            .into_iter()
            .chain([tuple.0, tuple.1, tuple.2])
            .chain(array)
            .collect())
    }
    same!(run; (1));
}

#[test]
fn a_string_under_a_comparison_is_not_moved() {
    #[workflow]
    async fn run(name: String) -> Result<String, WorkflowError> {
        if name == greet("x").await? {
            return Ok("same".to_owned());
        }
        let longer = greet("y").await? > name;
        Ok(format!("{name} {longer}"))
    }
    same!(run; ("hello x".to_owned()), ("a".to_owned()));
}

#[test]
fn receivers_stay_in_place() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut all = Vec::new();
        all.push(give(x).await?);
        all.push(add(all[0], give(x + 1).await?).await?);
        all.insert(0, give(7).await?);
        let mut nested = vec![all];
        nested[0].push(give(8).await?);
        nested[give(0).await? as usize].push(give(9).await?);
        nested[noted(0)].push(give(10).await?);
        Ok(nested.swap_remove(0))
    }
    same!(run; (1));
}

#[test]
fn a_copied_receiver_is_read_first() {
    trait Plus {
        fn plus(self, other: i64) -> i64;
    }
    impl Plus for i64 {
        fn plus(self, other: i64) -> i64 {
            self + other
        }
    }
    #[workflow]
    async fn run(mut x: i64) -> Result<i64, WorkflowError> {
        Ok(x.plus({
            x += 100;
            give(x).await?
        }))
    }
    same!(run; (1));
}

#[test]
fn an_index_out_of_bounds_panics_before_what_follows() {
    #[workflow]
    async fn run(i: usize) -> Result<bool, WorkflowError> {
        let all = vec![1, 2];
        Ok(all[i] == give(2).await? && all[i] < give(3).await?)
    }
    same!(run; (0), (1), (2));
}

#[test]
fn compound_assignment_awaits_first() {
    #[workflow]
    async fn run(x: i64) -> Result<(i64, String, Vec<i64>), WorkflowError> {
        let mut total = x;
        total += give(x).await?;
        total -= add(total, give(2).await?).await?;
        let mut text = String::from("a");
        text += &greet("b").await?;
        let mut all = vec![1, 2];
        all[1] *= give(5).await?;
        let i = 0;
        all[i] += give(6).await?;
        Ok((total, text, all))
    }
    same!(run; (3));
}

#[test]
fn assignment_to_places() {
    #[workflow]
    async fn run(x: i64) -> Result<(i64, Vec<i64>, (i64, i64)), WorkflowError> {
        let mut y = 0;
        let mut all = vec![0, 0];
        let mut pair = (0, 0);
        y = give(x + y).await?;
        all[give(1).await? as usize] = give(y).await?;
        all[noted(0)] = give(4).await?;
        pair.1 = give(5).await?;
        (pair.0, y) = (give(6).await?, y + 1);
        Ok((y, all, pair))
    }
    same!(run; (3));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: i64,
    name: String,
    count: i64,
}

#[test]
fn struct_literals() {
    #[workflow]
    async fn run(id: i64) -> Result<Order, WorkflowError> {
        let name = "n".to_owned();
        let order = Order {
            id,
            count: give(3).await?,
            name,
        };
        let other = Order {
            id: give(order.id + 1).await?,
            ..order.clone()
        };
        Ok(Order {
            name: greet(&other.name).await?,
            count: noted(1),
            ..other
        })
    }
    same!(run; (3));
}

#[test]
fn lazy_operators() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<bool>, WorkflowError> {
        let a = x > 1 && even(x).await?;
        let b = even(x).await? || even(x + 1).await?;
        let c = (x > 2 && even(x).await?) || (x < 2 && !even(x).await?);
        let d = !(x == 2 || even(x + 3).await?);
        let e = even(x).await? && x > 1;
        let f = x > 1 && give(x).await? == 2 && even(x).await? || noted(x) == 3;
        Ok(vec![a, b, c, d, e, f, even(1).await? | even(2).await?])
    }
    same!(run; (1), (2), (3), (4));
}

#[test]
fn macros_of_the_standard_library() {
    use std::fmt::Write;
    #[workflow]
    async fn run(x: i64, name: String) -> Result<String, WorkflowError> {
        let width = 8usize;
        let mut text = format!(
            "{name:>width$}|{}|{x}|{y}",
            give(x).await?,
            y = give(2).await?
        );
        write!(text, "{} {name}", greet(&name).await?)?;
        writeln!(text, "{:?}", vec![give(1).await?; 2])?;
        assert!(even(2).await?, "never made: {}", noted(1));
        assert_eq!(give(1).await?, 1, "{name}");
        assert_ne!(give(1).await?, x + 1);
        if matches!(half(x).await?, Some(n) if n > x / 4) {
            text.push_str("half");
        }
        #[workflow::allow(nondeterminism, reason = "it may be printed again")]
        let n = dbg!(give(3).await?);
        #[workflow::allow(nondeterminism, reason = "it may be printed again")]
        println!("{n} {}", give(4).await?);
        Ok(std::format!("{text} {n} {}", name.len()))
    }
    same!(run; (1, "joe".to_owned()), (4, "jane".to_owned()));
}

#[test]
fn a_condition_asserted_makes_its_message_only_then() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        assert!(even(x).await?, "{} is odd", noted(x));
        Ok(x)
    }
    same!(run; (2), (1));
}

#[test]
fn awaits_in_return_and_question_mark() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        if x == 1 {
            return Ok(give(x).await?);
        }
        if x == 2 {
            return Err(WorkflowError::new(greet("two").await?));
        }
        let n: i64 = greet("x").await?.len() as i64 + "12".parse::<i64>()?;
        let m: i64 = format!("{}{}", if x == 3 { 1 } else { 2 }, give(n).await?).parse()?;
        Ok(m)
    }
    same!(run; (1), (2), (3), (4));
}

#[test]
fn a_call_kept_as_a_value() {
    #[workflow]
    async fn run(mut x: i64) -> Result<i64, WorkflowError> {
        let call = add(x, 1);
        x += 100;
        let other = if x > 103 {
            give(x)
        } else {
            check(x - 200).await?;
            give(0)
        };
        let first = give(x).await?;
        Ok(first + call.await? + other.await?)
    }
    same!(run; (1), (5));
}

#[test]
fn method_chains() {
    #[workflow]
    async fn run(x: i64) -> Result<String, WorkflowError> {
        let text = greet("joe")
            .await?
            .trim()
            .to_uppercase()
            .replace('J', &give(x).await?.to_string());
        Ok(half(x)
            .await?
            .map(|n| n + 1)
            .unwrap_or_else(|| x - 1)
            .to_string()
            + &text)
    }
    same!(run; (1), (2));
}

#[test]
fn earlier_awaits_survive_later_ones() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        Ok(give(1).await? * give(2).await? + give(x).await? * (give(4).await? - give(5).await?))
    }
    same!(run; (3));
}

#[test]
fn ranges_and_indices() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<i64>, WorkflowError> {
        let all = list(10).await?;
        let some = all[give(1).await? as usize..give(x).await? as usize].to_vec();
        let one = all[give(x).await? as usize];
        let more = [one, -give(3).await?];
        Ok(some.into_iter().chain(more).collect())
    }
    same!(run; (3));
}

#[test]
fn a_reference_to_a_value_made_before() {
    fn both(a: &str, b: &str) -> String {
        format!("{a} {b}")
    }
    #[workflow]
    async fn run(name: String) -> Result<String, WorkflowError> {
        let one = both(&name, &greet(&name).await?);
        let two = both(&noted(name.clone()), &greet("b").await?);
        let three = both(&greet("c").await?, &greet("d").await?);
        Ok(one + &two + &three)
    }
    same!(run; ("a".to_owned()));
}

#[test]
fn an_assertion_of_a_comparison() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        assert!(give(n).await? == n, "wrong amount");
        assert!(give(n).await? < n + 1 || n == 3, "odd {}", n);
        assert!(!even(n).await? || n % 2 == 0);
        Ok(1)
    }
    same!(run; (0), (1), (4), (-3));
}

#[test]
fn a_false_assertion_says_what_was_written() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        assert!(give(n).await? == n + 1);
        Ok(1)
    }
    let (_, ended) = compiled(run(1), &[]);
    assert_eq!(
        ended.unwrap_err(),
        "panicked: assertion failed: give(n).await? == n + 1"
    );
}

#[test]
fn a_range_as_an_index_before_an_await() {
    #[workflow]
    async fn run(n: usize) -> Result<String, WorkflowError> {
        let text = "abcdef".to_string();
        Ok(format!("{}{}", &text[n..], give(1).await?))
    }
    same!(run; (1), (4));
}

#[test]
fn what_is_looked_up_to_be_changed() {
    use std::collections::BTreeMap;
    #[workflow]
    async fn run(
        x: i64,
        key: String,
    ) -> Result<(BTreeMap<String, Vec<i64>>, BTreeMap<i64, i64>), WorkflowError> {
        let mut lists: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for i in 0..3 {
            lists.entry(key.clone()).or_default().push(give(i).await?);
            *counts.entry(i % 2).or_insert(0) += give(x).await?;
        }
        lists.get_mut(&key).unwrap().push(give(9).await?);
        if let Some(list) = lists.get_mut(&key) {
            list.push(give(10).await?);
            list.push(11);
        }
        for i in 0..2 {
            lists
                .entry(format!("k{i}"))
                .or_default()
                .push(match check(i - 1).await {
                    Ok(checked) => checked,
                    Err(_) => continue,
                });
        }
        let mut last = Some(x);
        if let Some(last) = last.as_mut() {
            *last += give(1).await?;
            *last += 1;
        }
        counts.insert(99, last.unwrap_or(0));
        let more = lists.entry(key).or_default();
        more.push(7);
        Ok((lists, counts))
    }
    same!(run; (1, "a".to_owned()), (4, String::new()));
}

#[test]
fn what_a_mutable_reference_refers_to_is_read_in_its_turn() {
    #[workflow]
    async fn run(x: i64) -> Result<Vec<i64>, WorkflowError> {
        let mut items = vec![x, x + 1];
        for item in &mut items {
            *item = *item + {
                *item += 1;
                give(*item).await?
            };
        }
        if let Some(first) = items.first_mut() {
            *first = add(*first, {
                *first *= 3;
                give(2).await?
            })
            .await?;
        }
        let last = &mut items[1];
        note((*last == give(4).await?, *last));
        let same = *last == {
            *last -= 1;
            give(x).await?
        };
        note(same);
        Ok(items)
    }
    same!(run; (1), (4));
}

#[test]
fn what_changes_behind_an_index_or_a_pattern() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut board = vec![3, 1, 2];
        let best = board[0].max({
            board[..].sort();
            give(1).await?
        });
        let mut grid = vec![vec![n, 2]];
        let less = grid[0][0] < {
            grid[0].insert(0, 90);
            give(50).await?
        };
        let mut x = n;
        let same = x < {
            let ref mut y = x;
            *y += 10;
            give(5).await?
        };
        let mut pair = (7, n);
        let first = pair.0.max({
            if let (ref mut y @ 1..=9, _) = pair {
                *y = 100;
            }
            give(5).await?
        });
        note((less, same, first, &board, &grid, pair));
        let mut words = BTreeMap::new();
        let mut rows = vec![vec![n], vec![2, 3]];
        let mut total = best;
        for row in &rows {
            for x in row.iter().enumerate() {
                total += add(*x.1, x.0 as i64).await?;
            }
        }
        for row in rows.iter_mut() {
            for x in row.iter_mut() {
                *x += give(*x).await?;
            }
        }
        for (i, row) in rows.into_iter().enumerate() {
            words.insert(i, row);
        }
        note(&words);
        Ok(total)
    }
    same!(run; (1), (60));
}

#[test]
fn what_a_reference_shows_is_read_before_it_changes() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut x = n;
        let r = &x;
        let sum = add(*r, {
            x += 5;
            give(x).await?
        })
        .await?;
        let mut pair = (n, String::from("a"));
        let (first, text) = &pair;
        let both = (*first, text.len(), {
            pair = (7, String::from("bcd"));
            give(pair.0).await?
        });
        note(both);
        Ok(sum + x)
    }
    same!(run; (1), (4));
}
