//! Names of states, after what is awaited. The rules stand in the documentation of `#[workflow]`.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Expr, Lit};

use super::{inline, mark};
use crate::name::upper_camel;

/// What an await awaits, as far as the syntax tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Awaited {
    /// A call of a function, by the words of its path.
    Call(Vec<String>),
    /// A signal, by its literal name or its constant's.
    Signal(String, Option<SignalName>),
    Sleep,
    /// A local that a call was kept in.
    Local(String),
    /// Several operations, until all have ended.
    Join,
    /// Several operations, until one has.
    Select,
    Other,
}

/// How a signal's name is spelled in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SignalName {
    Literal,
    /// The constant's path, as text.
    Constant(String),
}

impl Awaited {
    pub(super) fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Paren(paren) => Self::of(&paren.expr),
            Expr::Group(group) => Self::of(&group.expr),
            _ if let Some((_, call)) = inline::called(expr) => Self::of(call),
            Expr::Call(call) => match &*call.func {
                Expr::Path(function) if function.qself.is_none() => {
                    let words = function.path.segments.iter();
                    let words: Vec<_> = words.map(|s| mark::plain(&s.ident)).collect();
                    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                        ["workflow", "Join", "new"] => Self::Join,
                        ["workflow", "Select", "new"] => Self::Select,
                        _ => Self::Call(words),
                    }
                }
                _ => Self::Other,
            },
            Expr::MethodCall(call) if call.method == "sleep" => Self::Sleep,
            Expr::MethodCall(call) if call.method == "wait_for_signal" => match call.args.first() {
                Some(Expr::Lit(literal)) if let Lit::Str(text) = &literal.lit => {
                    Self::Signal(text.value(), Some(SignalName::Literal))
                }
                Some(Expr::Path(path)) if let Some(last) = path.path.segments.last() => {
                    let name = mark::plain(&last.ident);
                    if name.chars().any(char::is_lowercase) {
                        Self::Signal("Signal".to_owned(), None)
                    } else {
                        let path = path.to_token_stream().to_string();
                        Self::Signal(name, Some(SignalName::Constant(path)))
                    }
                }
                _ => Self::Signal("Signal".to_owned(), None),
            },
            Expr::Path(path) if let Some(ident) = path.path.get_ident() => {
                Self::Local(mark::plain(ident))
            }
            _ => Self::Other,
        }
    }

    /// The name that it gives by itself.
    pub(super) fn base(&self) -> String {
        let base = match self {
            Self::Call(words) => words.last().map(|word| upper_camel(word)),
            Self::Signal(name, _) => Some(upper_camel(name)),
            Self::Local(name) => Some(upper_camel(name)),
            Self::Sleep => Some("Sleep".to_owned()),
            Self::Join => Some("Join".to_owned()),
            Self::Select => Some("Select".to_owned()),
            Self::Other => Some("Await".to_owned()),
        };
        let begins = |base: &String| base.starts_with(|c: char| c.is_alphabetic());
        base.filter(begins)
            .unwrap_or_else(|| self.kind().to_owned())
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "Activity",
            Self::Signal(..) => "Signal",
            Self::Sleep => "Timer",
            Self::Local(_) => "Local",
            Self::Join | Self::Select => "Operations",
            Self::Other => "Await",
        }
    }

    /// The name where the one it gives by itself is another's too: functions by the word of their
    /// path before the name, everything else by its kind.
    fn longer(&self, others: &BTreeSet<&Self>) -> String {
        let base = self.base();
        match self {
            Self::Call(words) => {
                let beside_calls = others
                    .iter()
                    .any(|other| *other != self && matches!(other, Self::Call(_)));
                match words.len().checked_sub(2) {
                    Some(before) if beside_calls => upper_camel(&words[before]) + &base,
                    _ => base,
                }
            }
            _ => base + self.kind(),
        }
    }
}

/// The name of a state, and what it is without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StateName {
    pub(super) name: String,
    pub(super) base: String,
}

/// The names of all awaits, in their order.
pub(super) fn names(awaits: &[&Awaited]) -> Vec<StateName> {
    let mut things: BTreeMap<String, BTreeSet<&Awaited>> = BTreeMap::new();
    for awaited in awaits {
        things.entry(awaited.base()).or_default().insert(awaited);
    }
    let mut taken = BTreeSet::from(["Start".to_owned()]);
    awaits
        .iter()
        .map(|awaited| {
            let mut base = awaited.base();
            let alike = &things[&base];
            if base == "Start" || base == "Self" {
                base += awaited.kind();
            } else if alike.len() > 1 {
                base = awaited.longer(alike);
            }
            let mut name = base.clone();
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{base}{number}");
                number += 1;
            }
            StateName { name, base }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(awaits: &[&str], expected: &str) {
        let awaits: Vec<Awaited> = awaits
            .iter()
            .map(|text| Awaited::of(&syn::parse_str(text).unwrap()))
            .collect();
        let names = names(&awaits.iter().collect::<Vec<_>>());
        let names: Vec<_> = names.into_iter().map(|name| name.name).collect();
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn states_are_named_after_what_is_awaited() {
        check(
            &[
                "research(topic)",
                r#"ctx.wait_for_signal::<bool>("approval", day)"#,
                "ctx.wait_for_signal::<bool>(signals::MANAGER_SAID, day)",
                "ctx.wait_for_signal::<bool>(format!(\"{x}\"), day)",
                "ctx.sleep(day)",
                "call",
                "calls[0]",
                "r#type()",
            ],
            "Research Approval ManagerSaid Signal Sleep Call Await Type",
        );
    }

    #[test]
    fn repeats_are_numbered() {
        check(&["f(1)", "g()", "f(2)", "f(3)"], "F G F2 F3");
        check(&["f(1)", "f2()", "f(2)"], "F F2 F3");
    }

    #[test]
    fn clashes_are_settled() {
        check(&["start()", "start()"], "StartActivity StartActivity2");
        check(
            &[
                "approval()",
                r#"ctx.wait_for_signal::<bool>("approval", d)"#,
            ],
            "Approval ApprovalSignal",
        );
        check(&["left::fetch()", "right::fetch()"], "LeftFetch RightFetch");
        check(&["fetch()", "right::fetch()"], "Fetch RightFetch");
        check(&[r#"ctx.wait_for_signal::<bool>("1", d)"#], "Signal");
    }
}
