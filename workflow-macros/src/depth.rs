//! How deep code is nested: the macro's stack is rustc's, and must not overflow.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::code;
use crate::report::Report;

/// As deep as groups may stand in groups.
const GROUPS: usize = 60;

/// As many operators as may stand in one expression, where each is nested in the next.
const OPERATORS: usize = 250;

/// Refuses code that is nested too deep.
pub(crate) fn check(report: &Report, tokens: &TokenStream) {
    if let Some(span) = too_deep(tokens) {
        report.error_at(
            code::DEPTH,
            span,
            format!(
                "this is nested too deep\n\
                 the code is taken apart from the outside to the inside, {GROUPS} groups and {OPERATORS} operators deep at most\n\
                 help: bind a part of it before: `let part = …;`, or put it into a function"
            ),
        );
    }
}

fn too_deep(tokens: &TokenStream) -> Option<Span> {
    struct Level {
        tokens: proc_macro2::token_stream::IntoIter,
        operators: usize,
        /// Whether a block stands before: what follows is another statement or arm, or its `else`.
        after_block: bool,
    }
    let level = |tokens: TokenStream| Level {
        tokens: tokens.into_iter(),
        operators: 0,
        after_block: false,
    };
    let mut open = vec![level(tokens.clone())];
    while let Some(last) = open.last_mut() {
        let Some(token) = last.tokens.next() else {
            open.pop();
            continue;
        };
        let after_block = std::mem::take(&mut last.after_block);
        match token {
            TokenTree::Group(group) => {
                last.after_block = group.delimiter() == Delimiter::Brace;
                if open.len() > GROUPS {
                    return Some(group.span_open());
                }
                open.push(level(group.stream()));
                continue;
            }
            TokenTree::Punct(ref punct) if matches!(punct.as_char(), ',' | ';') => {
                last.operators = 0
            }
            TokenTree::Punct(_) => last.operators += 1,
            TokenTree::Ident(ref ident) => {
                if after_block && ident != "else" {
                    last.operators = 0;
                }
                // `return return x`, `if a {} else if b {} …`.
                const NESTING: [&str; 5] = ["await", "break", "else", "move", "return"];
                last.operators += usize::from(NESTING.iter().any(|word| ident == word));
            }
            TokenTree::Literal(_) => {}
        }
        if last.operators > OPERATORS {
            return Some(token.span());
        }
    }
    None
}
