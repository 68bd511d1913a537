//! When a state's locals are saved.
//!
//! They are saved as the await begins, unless the last code before it that mentions one may move it:
//! of `give(x).await?; x` it is right if `x` can be copied, and otherwise a mistake, which rustc finds
//! in the function as written. So `x` is saved before that code, or rustc would find it twice.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::flow::{Block, Code, End, Flow, LocalId};
use super::mark;

/// The locals that are saved earlier than at the await that a block ends by, and the place of the
/// code before which each is: the number of the block's codes is that of the operand.
pub(super) fn early(flow: &Flow, block: &Block, saved: &[LocalId]) -> BTreeMap<LocalId, usize> {
    let End::Await { operand, .. } = &block.end else {
        return BTreeMap::new();
    };
    let mut early = BTreeMap::new();
    for id in saved {
        let mut codes: Vec<&Code> = block.code.iter().collect();
        codes.push(operand);
        for (place, code) in codes.into_iter().enumerate().rev() {
            // What leaves may come to another await.
            if flow.other_macros || !code.jumps.is_empty() {
                break;
            }
            let mentions = mentions(&code.tokens, *id);
            if mentions.all > 0 {
                if mentions.all == 1 && mentions.alone == 1 && !changes(code, *id) {
                    early.insert(*id, place);
                }
                break;
            }
        }
    }
    early
}

fn changes(code: &Code, id: LocalId) -> bool {
    // By a `ref mut` it can be changed afterwards, without a mention of it.
    let mut refers = false;
    mark::each_ident(code.tokens.clone(), &mut |ident, _| {
        refers |= ident == "ref"
    });
    refers || code.assigns.contains(&id) || code.declares.contains(&id)
}

#[derive(Default)]
struct Mentions {
    all: usize,
    /// As a whole argument, element, field or value: `f(x)`, `[x]`, `S { a: x }`, `let y = x;`.
    alone: usize,
}

fn mentions(tokens: &TokenStream, id: LocalId) -> Mentions {
    let mut found = Mentions::default();
    let mut before: Option<TokenTree> = None;
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(ident) if mark::local_of(ident) == Some(id) => {
                found.all += 1;
                let begins = before.as_ref().is_none_or(|token| is_one_of(token, ",=:"));
                let ends = tokens.peek().is_none_or(|token| is_one_of(token, ",;"));
                found.alone += usize::from(begins && ends);
            }
            TokenTree::Group(group) => {
                let inner = mentions(&group.stream(), id);
                found.all += inner.all;
                // `(x).change()` and `write!(x, …)` are about `x` itself.
                let in_macro = before.as_ref().is_some_and(|token| is_one_of(token, "!"));
                let called = before.as_ref().is_some_and(is_callee);
                if !in_macro && (called || !is_parenthesized(group)) {
                    found.alone += inner.alone;
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        before = Some(token);
    }
    found
}

fn is_one_of(token: &TokenTree, puncts: &str) -> bool {
    matches!(token, TokenTree::Punct(punct) if puncts.contains(punct.as_char()))
}

/// Whether a group is nothing but parentheses around one name, unless these are a call's.
fn is_parenthesized(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis && group.stream().into_iter().count() == 1
}

fn is_callee(token: &TokenTree) -> bool {
    const KEYWORDS: [&str; 8] = [
        "else", "if", "in", "match", "move", "mut", "return", "while",
    ];
    match token {
        TokenTree::Ident(ident) => !KEYWORDS.iter().any(|keyword| ident == keyword),
        TokenTree::Group(_) => true,
        token => is_one_of(token, ">"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_move_a_local() {
        for (code, alone) in [
            ("f(__local0__x)", true),
            ("f(1, __local0__x, 2)", true),
            ("a.f::<T>(__local0__x)", true),
            ("let y = __local0__x;", true),
            ("S { a: __local0__x }", true),
            ("[__local0__x]", true),
            ("(__local0__x).f()", false),
            ("write!(__local0__x, \"\")", false),
            ("match (__local0__x) {}", false),
            ("__local0__x.f()", false),
            ("f(&__local0__x)", false),
            ("f(&mut __local0__x)", false),
            ("__local0__x += 1", false),
            ("f(__local0__x + 1)", false),
        ] {
            let found = mentions(&code.parse().unwrap(), LocalId(0));
            assert_eq!((found.all, found.alone == 1), (1, alone), "{code}");
        }
    }
}
