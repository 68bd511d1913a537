//! References that branches choose.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: Option<String>,
    age: i64,
    tags: Vec<String>,
}
fn user(n: i64) -> User {
    User {
        name: (n % 2 == 0).then(|| format!("u{n}")),
        age: n,
        tags: vec![format!("t{n}")],
    }
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    A,
    B(String),
}
#[test]
fn literals_and_references() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let name = user(n).name;
        let who = match &name {
            Some(n) if !n.is_empty() => n.as_str(),
            _ => "nobody",
        };
        greet(who).await?;
        note(who);
        let who = if let Some(n) = &name { n } else { "me" };
        greet(who).await?;
        note(who);
        let a = "a".repeat(n as usize);
        let b = String::from("bb");
        let longer = if a.len() > b.len() { &a } else { &b };
        give(1).await?;
        note(longer);
        Ok(n)
    }
    same!(run; (0), (1), (4));
}
#[test]
fn of_what_changes_later() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut u = user(n);
        let mut kind = if n > 2 { Kind::B("k".into()) } else { Kind::A };
        let tag = match kind {
            Kind::A => &u.tags[0],
            Kind::B(_) => match &u.name {
                Some(name) => name,
                None => return Ok(77),
            },
        };
        greet(tag).await?;
        note(tag);
        u.age += 1;
        give(u.age).await?;
        note(tag);
        kind = Kind::A;
        u.tags.push("new".into());
        let mut limit = 1;
        let first = if u.tags.len() > limit && u.age > 3 {
            u.tags.last()
        } else {
            None
        };
        give(3).await?;
        note(first);
        limit += 1;
        let text = match kind {
            Kind::B(ref s) => s.as_str(),
            Kind::A => panic!("never {limit}"),
        };
        give(3).await?;
        note(text);
        Ok(u.age)
    }
    same!(run; (0), (1), (4));
}
#[test]
fn in_loops() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let users: Vec<User> = (0..n).map(user).collect();
        for u in &users {
            let label = if u.age > 2 {
                u.tags[0].as_str()
            } else if let Some(name) = &u.name {
                name
            } else {
                continue;
            };
            greet(label).await?;
            note(label);
            let oldest = match users.iter().max_by_key(|u| u.age) {
                Some(o) if o.age > 1 => o,
                _ => u,
            };
            give(oldest.age).await?;
            note(&oldest.tags);
        }
        Ok(0)
    }
    same!(run; (0), (1), (4), (5));
}
#[test]
fn of_parts() {
    #[workflow]
    async fn run(name: String, names: Vec<String>) -> Result<i64, WorkflowError> {
        let label = if name.is_empty() {
            "none"
        } else {
            name.as_str()
        };
        greet(label).await?;
        note(label);
        let label: &str = if name.is_empty() { "none" } else { &name };
        greet(label).await?;
        note(label);
        let label = match names.first() {
            Some(n) => n.as_str(),
            None => "none",
        };
        greet(label).await?;
        note(label);
        let label = if let Some(n) = &names.last() {
            n.trim()
        } else {
            "none"
        };
        greet(label).await?;
        note(label);
        let label = match names.as_slice() {
            [] => "no",
            [one] => one,
            [first, .., last] if first < last => last,
            [first, ..] => first,
        };
        greet(label).await?;
        note(label);
        let upper: Vec<&String> = names.iter().filter(|n| n.as_str() > label).collect();
        give(upper.len() as i64).await?;
        let first = upper.first().map(|s| s.as_str()).unwrap_or("zero");
        give(1).await?;
        note(first);
        let parts: Vec<_> = name.split('-').collect();
        let (head, tail) = name.split_once('-').unwrap_or((&name, ""));
        greet(head).await?;
        note((tail, &parts));
        let kind = match parts[..] {
            ["a", rest] => rest,
            [one] => one,
            _ => "many",
        };
        greet(kind).await?;
        note(kind);
        Ok(1)
    }
    same!(run; ("x".to_owned(), vec![]), ("a-b".to_owned(), vec!["q".to_owned()]), ("".to_owned(), vec!["a".to_owned(), " b".to_owned(), "c".to_owned()]));
}
