//! Tokens as a reader writes them: `!done && f(&x)? > 3`.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

pub(super) fn text(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut before = Before::Nothing;
    // The sign before, where the next one belongs to it.
    let mut joined = None;
    // Whether the parameters of a closure are open.
    let mut parameters = false;
    for token in tokens {
        let part_of = joined.take();
        let (written, after, sticks) = match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let after = match KEYWORDS.contains(&&*name) {
                    true => Before::Keyword,
                    false => Before::Operand,
                };
                (name, after, false)
            }
            TokenTree::Literal(literal) => (literal.to_string(), Before::Operand, false),
            TokenTree::Punct(punct) => {
                let sign = punct.as_char();
                let prefix = matches!(sign, '!' | '&' | '*' | '-' | '|') && !before.is_operand();
                let joint = punct.spacing() == Spacing::Joint;
                joined = joint.then_some(sign);
                let (after, sticks) = match sign {
                    '.' | ':' => (Before::Glue, before != Before::Sign),
                    '?' => (Before::Operand, true),
                    ',' | ';' => (Before::Sign, true),
                    '\'' => (Before::Glue, false),
                    '!' if before == Before::Operand && !joint => (Before::Bang, true),
                    '|' if parameters && !joint => {
                        parameters = false;
                        (Before::Sign, true)
                    }
                    '|' if prefix && !joint && part_of.is_none() => {
                        parameters = true;
                        (Before::Glue, false)
                    }
                    _ if joint || part_of == Some('.') => (Before::Glue, false),
                    _ if part_of.is_some() => (Before::Sign, false),
                    _ if prefix => (Before::Glue, false),
                    _ => (Before::Sign, false),
                };
                (sign.to_string(), after, sticks)
            }
            TokenTree::Group(group) => {
                let inner = self::text(group.stream());
                let (written, sticks) = match group.delimiter() {
                    Delimiter::Parenthesis => (format!("({inner})"), before.is_operand()),
                    Delimiter::Bracket => (format!("[{inner}]"), before.is_operand()),
                    Delimiter::Brace if inner.is_empty() => ("{}".to_owned(), false),
                    Delimiter::Brace => (format!("{{ {inner} }}"), false),
                    Delimiter::None => (inner, false),
                };
                (written, Before::Operand, sticks)
            }
        };
        let glued = matches!(before, Before::Nothing | Before::Glue);
        if !glued && !sticks {
            text.push(' ');
        }
        text += &written;
        before = after;
    }
    text
}

/// What was written last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Operand,
    Keyword,
    /// An operator, after which there is a space.
    Sign,
    /// A prefix, a `.` or a part of an operator.
    Glue,
    /// The `!` of a macro.
    Bang,
}

impl Before {
    fn is_operand(self) -> bool {
        matches!(self, Self::Operand | Self::Bang)
    }
}

const KEYWORDS: [&str; 12] = [
    "as", "break", "else", "for", "if", "in", "let", "match", "move", "mut", "ref", "return",
];

#[cfg(test)]
mod tests {
    #[test]
    fn tokens_are_spaced_as_readers_write_them() {
        for text in [
            "!approved",
            "a && !b || c == -1",
            "f(&x, &mut y)?.len() > 3",
            "give(x).await? == \"a\"",
            "let Some(x) = y[0]",
            "vec![1, 2].is_empty()",
            "matches!(x, Some(n) if n > 2)",
            "Order { id, .. }",
            "x as u8 as char != 'c'",
            "items.iter().any(|item| *item == 3)",
            "std::mem::take(&mut x)",
            "0..=n",
        ] {
            assert_eq!(super::text(text.parse().unwrap()), text);
        }
    }
}
