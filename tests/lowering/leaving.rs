//! Loops that change what they went over when they leave it, and parts that are not like their clones.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[test]
fn a_number_after_the_items_are_gone() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut queue = vec![10, 20, n];
        for (at, job) in queue.iter().enumerate() {
            if *job == 20 {
                queue.clear();
                give(1).await?;
                return Ok(at as i64);
            }
            give(n).await?;
        }
        Ok(9)
    }
    same!(run; (3));
}

#[test]
fn a_copy_of_what_has_changed() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut w = vec![10, 20, n];
        for k in w.iter().copied() {
            if k == 20 {
                w[1] = 100;
                give(1).await?;
                note(k);
                break;
            }
            give(k).await?;
        }
        Ok(9)
    }
    same!(run; (3));
}

#[test]
fn a_copied_item_after_the_items_are_gone() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut w = vec![10, 20, n];
        for &k in w.iter() {
            if k == 20 {
                w.clear();
                give(1).await?;
                return Ok(k);
            }
            give(n).await?;
        }
        Ok(9)
    }
    same!(run; (3));
}

#[test]
fn a_char_of_a_text_that_is_gone() {
    #[workflow]
    async fn run(mut text: String) -> Result<i64, WorkflowError> {
        for c in text.chars() {
            if c == 'x' {
                text.clear();
                give(1).await?;
                note(c);
                break;
            }
            give(2).await?;
        }
        Ok(9)
    }
    same!(run; ("abxc".to_string()));
}

#[test]
fn a_number_of_what_was_lent() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut v = vec![10, 20, n];
        for (i, x) in v.iter_mut().enumerate().filter(|(_, x)| **x > 5) {
            if *x == 20 {
                v.clear();
                give(1).await?;
                return Ok(i as i64);
            }
            give(n).await?;
            *x += 1;
        }
        Ok(9)
    }
    same!(run; (3));
}

#[test]
fn a_number_from_the_back() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut v = vec![Some(1), None, Some(n)];
        let mut sum = 0;
        for (i, x) in v.iter().enumerate().rev() {
            if let Some(y) = x {
                sum += give(*y).await? * i as i64;
            } else {
                v.push(None);
                give(v.len() as i64).await?;
                note(i);
                break;
            }
        }
        Ok(sum)
    }
    same!(run; (3));
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Token {
    uses: i64,
}

impl Clone for Token {
    fn clone(&self) -> Token {
        Token { uses: 0 }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    tok: Token,
    name: String,
}

#[test]
fn a_part_that_is_unlike_its_clone() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let order = Order {
            tok: Token { uses: n },
            name: "x".into(),
        };
        let t = order.tok;
        give(1).await?;
        note(&order.name);
        Ok(t.uses)
    }
    same!(run; (3));
}
