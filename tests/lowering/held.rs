//! References that are found by what changes once they are not used any more.

use serde::{Deserialize, Serialize};
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    Open,
    Closed,
}

impl Stage {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ticket {
    id: i64,
    stage: Stage,
    title: String,
}

fn tickets() -> Vec<Ticket> {
    let ticket = |id| Ticket {
        id,
        stage: Stage::Open,
        title: format!("t{id}"),
    };
    (0..4).map(ticket).collect()
}

#[test]
fn an_index_that_goes_on() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let words: Vec<String> = (0..n + 3).map(|i| format!("w{i}")).collect();
        let mut i = 0;
        while i < 3 {
            let word = &words[i];
            give(1).await?;
            note(word);
            i += 1;
            if let Some(word) = words.get(i) {
                give(3).await?;
                note(word);
            }
            match words.get(i + 1) {
                Some(word) if word.len() > 1 => {
                    give(4).await?;
                    note(word);
                }
                _ => {}
            }
        }
        let text = format!("{}!", {
            let word = &words[i - 1];
            give(1).await?;
            let text = word.to_owned();
            i += 1;
            text
        });
        note(text);
        let by = &mut i;
        *by += 1;
        let word: &str = &words[*by % 3];
        give(1).await?;
        note(word);
        let mut state = (0usize, 2);
        let word = &words[state.0];
        state.1 += 1;
        give(1).await?;
        note(word);
        state.0 += 1;
        note((state, i));
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn a_method_that_need_not_borrow() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut ticket = tickets().remove(0);
        for _ in 0..n {
            let stage = ticket.stage.as_str();
            give(2).await?;
            note(stage);
            ticket.stage = match ticket.stage {
                Stage::Open => Stage::Closed,
                Stage::Closed => Stage::Open,
            };
        }
        let mut all = tickets();
        let stage = all.get_mut(0).map(|ticket| ticket.stage.as_str()).unwrap();
        all[0].stage = Stage::Closed;
        give(1).await?;
        note(stage);
        let found = all.iter_mut().find(|ticket| ticket.id == 2);
        let stage = found.map(|ticket| ticket.stage.as_str()).unwrap();
        all[2].stage = Stage::Closed;
        give(1).await?;
        note(stage);
        note(&all);
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn a_search_in_what_grows_later() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut offers = Vec::new();
        for k in 0..n + 2 {
            offers.push(give(k).await?);
        }
        let mut by = 3;
        let best = offers.iter().max_by_key(|offer| **offer % by).unwrap();
        give(*best).await?;
        note(best);
        by += 1;
        let total = |more: i64| offers.iter().sum::<i64>() + more + by;
        give(total(1)).await?;
        note(total(2));
        offers.push(by);
        by += 1;
        note((&offers, by));
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn what_is_changed_at_an_index_that_goes_on() {
    #[workflow]
    async fn run(more: i64) -> Result<i64, WorkflowError> {
        let mut all = tickets();
        let mut count = 0;
        while count < 3 {
            let ticket = &mut all[count];
            ticket.id += give(more).await?;
            give(ticket.id).await?;
            ticket.title.push('x');
            count += 1;
            let last = all.len() - 1;
            let ticket = &mut all[last];
            give(ticket.id).await?;
            ticket.id += 1;
            let ticket = all.last_mut().unwrap();
            match ticket {
                Ticket {
                    stage: Stage::Open,
                    title,
                    ..
                } => {
                    give(1).await?;
                    title.push('l');
                    ticket.stage = Stage::Closed;
                }
                Ticket { title, .. } => {
                    title.push('c');
                    ticket.id -= 1;
                }
            }
        }
        note(&all);
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn references_found_by_references() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let all = tickets();
        let mut numbers = vec![1usize, 2];
        let number = &numbers[0];
        let found = all.iter().rev().nth(*number).unwrap();
        give(n).await?;
        note(&found.title);
        for ticket in all.iter().skip(*number) {
            numbers[0] = 0;
            give(ticket.id).await?;
            note(&ticket.title);
        }
        let lists = vec![vec![n], vec![n, 2]];
        let number = &numbers[1];
        for one in &lists[*number - 1] {
            numbers[1] = 0;
            give(*one).await?;
        }
        let mut at = 0;
        for (one, other) in lists[at].iter().zip(lists[at + 1].iter()) {
            at = 1;
            give(*one).await?;
            note(other);
        }
        note((numbers, at));
        let mut at = 0;
        while at < 3 {
            if let Some(ticket) = all.get(at)
                && let Some(same) = all.iter().find(|same| same.title == ticket.title)
                && give(ticket.id).await? >= 0
            {
                note(&same.title);
                give(1).await?;
                note((&ticket.title, &same.title));
            }
            at += 1;
        }
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn texts_for_ever_that_are_replaced() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = vec![vec!["a ", "b "], vec!["c ", "d "]];
        for names in all.iter_mut() {
            let first = names.first().unwrap();
            give(n).await?;
            note(first);
            names[0] = "z";
        }
        for names in &mut all {
            let second = names[1].trim();
            give(n).await?;
            note(second);
            names[1] = "y";
        }
        note(&all);
        let mut tickets = tickets();
        for ticket in &tickets {
            for letter in ticket.title.chars() {
                give(i64::from(letter as u32)).await?;
            }
        }
        let ticket = &tickets[0];
        let stage = Some(n).map(|_| ticket.stage.as_str()).unwrap_or("none");
        tickets[0].stage = Stage::Closed;
        give(1).await?;
        note(stage);
        let said: Option<&'static str> = (n > 0).then_some("said");
        let pair: (i64, &'static str) = (n, "pair");
        give(2).await?;
        note((said, pair));
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn parts_of_a_slice_that_change() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut all = tickets();
        match all.as_slice() {
            [
                first,
                ..,
                last @ Ticket {
                    stage: Stage::Open, ..
                },
            ] if first.id < last.id => {
                give(first.id).await?;
                note((first, last));
            }
            _ => {}
        }
        match all.as_mut_slice() {
            [first, .., last] => {
                give(first.id).await?;
                first.id += n;
                give(last.id).await?;
                last.title.push('x');
            }
            _ => {}
        }
        if let [first, second, rest @ ..] = &mut all[..] {
            first.id = 9;
            give(second.id).await?;
            second.id = 8;
            give(rest[1].id).await?;
            rest[1].id = 7;
        }
        note(&all);
        Ok(0)
    }
    same!(run; (0), (3));
}

fn show(word: &str, n: i64) -> String {
    format!("{word} {n}")
}

#[test]
fn an_index_that_goes_on_while_the_reference_is_used() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let words: Vec<String> = (0..n + 3).map(|i| format!("w{i}")).collect();
        let mut i = 0;
        while let Some(word) = words.get(i) {
            i += 1;
            give(1).await?;
            note(word);
        }
        i = 0;
        loop {
            match words.get(i) {
                Some(word) if word.len() == 9 => note(word),
                Some(word) => {
                    i += 1;
                    give(i as i64).await?;
                    note(word);
                }
                None => break,
            }
        }
        i = 0;
        let word = &words[i];
        let text = (*word).as_str();
        note(format!("{} {}", word, {
            i += 1;
            give(i as i64).await?
        }));
        note(show(word, {
            i += 1;
            give(i as i64).await?
        }));
        note(text);
        let names = vec!["long name ", "name "];
        let mut at = 0;
        let name = &names[at];
        let text: &str = name;
        let trimmed = name.trim();
        let longer = |by: usize| name.len() + by;
        at += 1;
        give(at as i64).await?;
        note((text, trimmed, longer(2)));
        at = 0;
        let name = &names[at];
        for letter in name.chars() {
            at = 1;
            give(i64::from(letter as u32)).await?;
        }
        Ok(at as i64)
    }
    same!(run; (0), (3));
}

#[test]
fn a_search_by_what_goes_on() {
    #[workflow]
    async fn run(more: i64) -> Result<i64, WorkflowError> {
        let mut all = tickets();
        let mut at = 0;
        while at < all.len() {
            let wanted = &all[at];
            let found = all.iter().find(|ticket| ticket.id == wanted.id).unwrap();
            at += 1;
            give(at as i64).await?;
            note(&found.title);
        }
        let mut id = 1;
        let found = all.iter().find(|ticket| ticket.id == id).unwrap();
        id += 1;
        give(id).await?;
        note(&found.title);
        let names = vec!["name", "n"];
        at = 0;
        let name = &names[at];
        for ticket in all.iter().filter(|ticket| ticket.title.len() < name.len()) {
            at = 1;
            give(ticket.id).await?;
        }
        at = 0;
        let ticket = &mut all[at];
        ticket.id += more;
        at += 1;
        give(ticket.id).await?;
        ticket.id += 1;
        note(&all[at]);
        note(&all);
        Ok(0)
    }
    same!(run; (0), (3));
}

#[test]
fn a_text_of_the_program_is_saved() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut st = if n > 1 { Stage::Open } else { Stage::Closed };
        let stage: &'static str = st.as_str();
        let label: &'static str = if n > 2 { st.as_str() } else { "no" };
        st = Stage::Closed;
        give(1).await?;
        note((stage, label, st));
        Ok(0)
    }
    same!(run; (0), (2), (4));
}
