//! References to the workflow's own places, used after an await.

use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Customer {
    name: String,
    email: Option<String>,
    scores: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum Decision {
    Approve { by: Customer, times: i64 },
    Reject(String),
    Wait,
}

fn customer(n: i64) -> Customer {
    Customer {
        name: format!(" c{n} "),
        email: (n % 2 == 0).then(|| format!("c{n}@x")),
        scores: (0..n).collect(),
    }
}

#[test]
fn a_reference_to_a_place() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let mut order = (customer(n), n);
        order.1 += 1;
        let name = &order.0.name;
        let again = &name;
        let fixed = customer(n);
        let scores = &fixed.scores[1..];
        let one: &i64 = &scores[0];
        let Customer { email, .. } = &order.0;
        let x = give(n).await?;
        note((name, again, scores, one, email));
        let order = order.1;
        greet(name).await?;
        note((order, name));
        if even(n).await? {
            give(*one).await?;
        }
        Ok(format!("{name} {order} {x} {email:?}"))
    }
    same!(run; (2), (3));
}

#[test]
fn a_mutable_reference_to_a_place() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut order = (customer(n), n);
        let total = &mut order.1;
        *total += give(1).await?;
        *total *= 2;
        give(*total).await?;
        *total += 3;
        let scores = &mut order.0.scores;
        for i in 0..n {
            scores.push(give(i).await?);
        }
        note(&order);
        Ok(order.1)
    }
    same!(run; (2), (3));
}

#[test]
fn a_change_by_a_binding_that_refers() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut pair = (greet("you").await?, n);
        let (_, ref mut count) = pair;
        *count += 2;
        greet(&pair.0).await?;
        let ref mut all = pair.1;
        *all *= 2;
        Ok(give(*all).await? + pair.1)
    }
    same!(run; (1), (4));
}

#[test]
fn references_through_loops_and_joins() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let customers = vec![customer(n), customer(n + 1)];
        let first = &customers[0];
        let mut total = 0;
        for i in 0..2 {
            let each = &customers[i];
            if even(n).await? {
                give(each.scores.len() as i64).await?;
            } else {
                total += 1;
            }
            note((each, first));
            total += each.scores.len() as i64;
        }
        let shadowed = customer(n);
        let shadowed = &shadowed.name;
        give(total).await?;
        note((first, shadowed));
        Ok(total)
    }
    same!(run; (1), (2));
}

#[test]
fn bindings_of_patterns_that_look_in() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let decision = match n {
            0 => Decision::Wait,
            1 => Decision::Reject("no".into()),
            n => Decision::Approve {
                by: customer(n),
                times: n,
            },
        };
        let text = match &decision {
            Decision::Approve { by, times } if *times > 2 => {
                greet(&by.name).await?;
                give(*times).await?;
                format!("{} {times}", by.name)
            }
            Decision::Approve {
                by: Customer { name, .. },
                ..
            }
            | Decision::Reject(name) => {
                greet(name).await?;
                name.clone()
            }
            other => {
                give(n).await?;
                format!("{other:?}")
            }
        };
        let user = customer(n);
        if let Some(email) = &user.email {
            greet(email).await?;
            greet(email).await?;
        }
        if let Some(email) = user.email.as_deref()
            && even(n).await?
        {
            greet(email).await?;
            note(email);
        }
        while let Some(email) = &user.email {
            give(2).await?;
            note(email);
            break;
        }
        note(&decision);
        Ok(text)
    }
    same!(run; (0), (1), (2), (3), (4));
}

#[test]
fn accessors_of_what_never_changes() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let user = customer(n);
        let name = user.name.trim();
        let email = user.email.as_deref();
        let scores = user.scores.as_slice();
        greet(name).await?;
        note((name, email, scores));
        greet(email.unwrap_or(name)).await?;
        Ok(scores.len() as i64)
    }
    same!(run; (0), (1), (2));
}

#[test]
fn what_is_bound_beside_a_reference() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let one = customer(n);
        let Customer { name, email, .. } = &one;
        note(email);
        let email = n * 7;
        let other = customer(n + 1);
        let Some(mail) = &other.email else {
            return Ok(give(email).await?);
        };
        let x = add(one.name.as_str().len() as i64, give(email).await?).await?;
        let pair = (n, Some(n + 1));
        let sum = match &pair {
            (a, Some(b)) if *b > 2 => {
                give(*a).await?;
                give(*b).await?;
                a + b
            }
            (a, _) => *a,
        };
        note((name, email, mail, greet(name.trim()).await?));
        Ok(greet(other.name.trim()).await?.len() as i64 + x + sum)
    }
    same!(run; (1), (2), (3));
}

#[test]
fn loops_over_references() {
    use std::collections::{BTreeMap, VecDeque};

    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let all: Vec<Customer> = (0..n).map(customer).collect();
        let mut map = BTreeMap::new();
        let mut queue = VecDeque::from([1, 2, 3]);
        let mut total = 0;
        for one in &all {
            if one.scores.len() == 1 {
                continue;
            }
            greet(&one.name).await?;
            for (i, score) in one.scores.iter().enumerate() {
                total += add(*score, i as i64).await?;
                note((one, score));
                if total > 20 {
                    break;
                }
            }
            map.insert(one.name.clone(), one.scores.len() as i64);
        }
        for (name, count) in &map {
            greet(name).await?;
            total += give(*count).await? + name.len() as i64;
        }
        for item in &mut queue {
            *item += give(*item).await?;
        }
        for &x in queue.iter().rev() {
            give(x).await?;
            note(x);
        }
        let map = map;
        for name in map.keys() {
            greet(name).await?;
            note(name);
        }
        let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
        for mut count in queue.iter().copied().skip(1) {
            count += give(count).await?;
            total += count;
            count = 0;
            give(count).await?;
        }
        for (region, count) in &[("eu", 1), ("us", 2)] {
            give(*count).await?;
            greet(region).await?;
        }
        let words = "a b c".to_string();
        for word in words.split_whitespace() {
            greet(word).await?;
            note(word);
        }
        let emails = &all;
        for one in emails {
            if let Some(email) = &one.email {
                for c in email.chars() {
                    give(c as i64).await?;
                    note((c, email));
                }
            }
        }
        'outer: for a in &names {
            for b in &names {
                if a == b {
                    continue 'outer;
                }
                greet(a).await?;
                greet(b).await?;
            }
        }
        let reached = loop {
            for one in &all {
                if even(one.scores.len() as i64).await? {
                    break;
                }
                note(one);
            }
            break give(total).await?;
        };
        note((all, map, queue));
        Ok(reached)
    }
    same!(run; (0), (1), (2), (4));
}

#[test]
fn closures_over_what_does_not_change_are_made_again() {
    #[workflow]
    async fn run(rate: i64, name: String) -> Result<String, WorkflowError> {
        let scale = |n| n * rate;
        let limit = rate + 1;
        let capped = move |n: i64| if n > limit { limit } else { n };
        let label = |n: i64, suffix: &str| format!("{name}-{n}{suffix}");
        let mut parts = Vec::new();
        for i in 0..3 {
            let base = give(i).await?;
            parts.push(label(scale(base), "!"));
            if capped(base) > 1 {
                give(capped(base + 10)).await?;
                parts.push(label(capped(100), "?"));
            }
        }
        give(1).await?;
        let twice = |n: i64| scale(n) * 2;
        give(2).await?;
        parts.push(label(twice(3), ""));
        Ok(parts.join(" ") + &name)
    }
    same!(run; (2, "a".to_owned()), (0, String::new()));
}

#[test]
fn lookups_are_made_again() {
    use std::collections::BTreeMap;
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let map = BTreeMap::from([(1, vec![x]), (2, vec![])]);
        let mut total = 0;
        match map.get(&1) {
            Some(list) if !list.is_empty() => {
                total += give(1).await?;
                total += list[0];
            }
            Some(_) | None => {}
        }
        if let Some(list) = map.get(&2) {
            total += give(2).await?;
            total += list.len() as i64;
        }
        let mut map = map;
        match map.get_mut(&2) {
            Some(list) => {
                list.push(give(3).await?);
                list.push(4);
            }
            None => {}
        }
        let mut list = vec![1, 2, 3];
        while let Some(last) = list.last_mut() {
            *last -= give(1).await?;
            if *last <= 0 {
                list.pop();
            }
        }
        while let Some(next) = list.pop() {
            total += give(next).await?;
        }
        note(&map);
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn an_index_behind_a_mutable_reference() {
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let items = vec![10, 20, 30, 40];
        let mut places = vec![0usize, 1];
        let mut total = 0;
        for place in &mut places {
            let kept = items[*place];
            *place += 1;
            total += add(kept, x).await?;
            total += kept + items[*place];
        }
        note(&places);
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn references_into_what_changes_later() {
    use std::collections::BTreeMap;
    #[workflow]
    async fn run(x: i64) -> Result<i64, WorkflowError> {
        let mut map = BTreeMap::from([(1, vec![x]), (2, vec![])]);
        let mut names = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let mut total = 0;
        let mut i = 0;
        while i < names.len() {
            let name = &names[i];
            total += greet(name).await?.len() as i64;
            note(name);
            i += 1;
        }
        i = 0;
        while let Some(name) = names.get(i) {
            let short = &name[..1];
            total += greet(short).await?.len() as i64;
            note((name, short));
            i += 1;
            total += give(i as i64).await?;
        }
        for key in 1..4 {
            if let Some(list) = map.get(&key) {
                total += give(list.len() as i64).await?;
                note(list);
            } else {
                map.insert(key, vec![give(key).await?]);
            }
            match map.get(&key) {
                Some(list) if list.is_empty() => {
                    total += give(1).await?;
                    note(list);
                    map.remove(&key);
                }
                Some(list) => note((list, give(2).await?)),
                None => note(0),
            }
        }
        let Some(first) = names.first() else {
            return Ok(total);
        };
        total += greet(first).await?.len() as i64;
        note(first);
        names.push("d".to_owned());
        let last = names.last();
        total += give(3).await?;
        note(last);
        names.clear();
        note((&map, &names));
        Ok(total)
    }
    same!(run; (1), (4));
}

#[test]
fn bindings_by_ref() {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    struct User {
        name: Option<String>,
        age: i64,
        tags: Vec<String>,
    }
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let name = (n % 2 == 0).then(|| format!("u{n}"));
        let tags = vec![format!("t{n}")];
        let mut user = User { name, age: n, tags };
        match user {
            User {
                ref tags,
                age: copied,
                ..
            } if copied > 3 => {
                give(copied).await?;
                note((tags, copied));
            }
            User {
                ref name, ref tags, ..
            } => {
                give(1).await?;
                note((tags, name));
            }
        }
        let ref tags = user.tags;
        greet(&tags[0]).await?;
        note(tags);
        while let Some(ref mut name) = user.name {
            let got = give(7).await?;
            name.pop();
            if name.is_empty() {
                user.name = None;
            } else {
                note((got, name));
            }
        }
        let User {
            ref mut age,
            ref mut tags,
            ..
        } = user;
        *age += give(5).await?;
        tags.push(age.to_string());
        let users = vec![user.clone(), user];
        let at = users.len() - 1;
        if let Some(ref name) = users[at].name {
            give(9).await?;
            note(name);
        }
        let User { ref age, .. } = users[at];
        give(9).await?;
        note(age);
        Ok(users[at].age)
    }
    same!(run; (0), (3), (4));
}

#[test]
fn what_the_page_on_references_says() {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    struct Node {
        id: i64,
        next: Option<Box<Node>>,
    }
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    struct User {
        name: String,
    }
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    struct Order {
        customer: User,
        email: Option<String>,
    }
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let order = Order {
            customer: User { name: "x".into() },
            email: None,
        };
        let user: Option<User> = None;
        let sku = 3;
        let prices = std::collections::BTreeMap::from([(3, 4)]);
        let name = &order.customer.name;
        let email = order.email.as_deref().unwrap_or("none");
        let who = match &user {
            Some(user) => user.name.as_str(),
            None => "nobody",
        };
        let price = prices
            .get(&sku)
            .ok_or(WorkflowError::new("no such thing"))?;
        give(1).await?;
        note((name, email, who, price));
        let mut next = Some(Box::new(Node {
            id: 1,
            next: Some(Box::new(Node { id: 2, next: None })),
        }));
        while let Some(node) = next {
            give(node.id).await?;
            next = node.next;
        }
        let nodes = vec![(1, Some(1)), (2, None)];
        let mut at = 0;
        while let Some(next) = nodes[at].1 {
            give(nodes[at].0).await?;
            at = next;
        }
        let words = vec!["a".to_string(), "bb".into()];
        let mut longest = String::new();
        for word in &words {
            give(1).await?;
            if word.len() > longest.len() {
                longest = word.to_owned();
            }
        }
        let text = "a b c".to_string();
        let mut at = 0;
        while at < text.len() {
            greet(&text[at..]).await?;
            at += 2;
        }
        let mut best = None;
        for (i, w) in words.iter().enumerate() {
            give(w.len() as i64).await?;
            best = Some(i);
        }
        note(best);
        let mut lines = text
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter();
        let first = lines.next();
        give(1).await?;
        note((first, lines.next()));
        Ok(n)
    }
    same!(run; (0), (3));
}
