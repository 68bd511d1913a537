//! What the stages write into the user's code for each other, as tokens that no user writes.
//!
//! Code travels through the stages as syntax trees and token streams, also inside macros' tokens
//! where there is no tree to hang facts on. So facts are written into the code itself:
//!
//! - a binding is `__local3__topic`, wherever it occurs, so that scopes are settled once
//!   ([`resolve`](super::resolve)); inside the tokens of a macro that is not known it is
//!   `__named3__topic` and cannot be given another name in the end;
//! - a binding that a part is taken out of by value is `__part3__topic`, or `__wrapped3__topic` where
//!   the part must be an `Option` or the like ([`parts`](super::parts));
//! - a pattern's binding that takes a part is `__taken3__name`, `__guarded3__name` where the pattern's
//!   guard uses it, and `__take! { … }` stands where it has been taken ([`moved`](super::moved));
//! - an await is `__await2(operand).await`, the third of the source ([`number`](super::number));
//! - what is started to be awaited later is `ctx.start(__start0(operation))`
//!   ([`starts`](super::starts));
//! - `__jump! { 4 … }` is a `break` or `continue` of a loop that was taken apart, inside code that
//!   was not ([`lower`](super::lower));
//! - `__uses! { … }` names the bindings that a macro's string literals capture.
//!
//! [`emit`](super::emit) turns all of them into Rust.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned;
use syn::{Expr, ExprAwait, ExprPath, parse_quote_spanned};

use super::flow::{BlockId, LocalId};
use super::source;

/// The occurrence of a binding.
pub(super) fn local(id: LocalId, source: &Ident) -> Ident {
    format_ident!("__local{}__{}", id.0, plain(source), span = source.span())
}

/// The occurrence of a binding whose name cannot be changed.
pub(super) fn named(id: LocalId, source: &Ident) -> Ident {
    format_ident!("__named{}__{}", id.0, plain(source), span = source.span())
}

/// The occurrence of a binding that a part is taken out of.
pub(super) fn part(occurrence: &Ident) -> Ident {
    instead(occurrence, "part")
}

/// The same of a part that must be an `Option` or the like.
pub(super) fn wrapped(occurrence: &Ident) -> Ident {
    instead(occurrence, "wrapped")
}

/// A binding that takes a part, in its pattern.
pub(super) fn taken(occurrence: &Ident) -> Ident {
    instead(occurrence, "taken")
}

/// The same in the pattern's guard.
pub(super) fn guarded(occurrence: &Ident) -> Ident {
    instead(occurrence, "guarded")
}

fn instead(occurrence: &Ident, mark: &str) -> Ident {
    let text = occurrence.to_string();
    match text.strip_prefix("__local") {
        Some(rest) => format_ident!("__{mark}{rest}", span = occurrence.span()),
        None => occurrence.clone(),
    }
}

/// A binding's name as text, without `r#`.
pub(super) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    match text.strip_prefix("r#") {
        Some(plain) => plain.to_owned(),
        None => text,
    }
}

/// What an identifier stands for.
pub(super) enum Mark {
    Local(LocalId),
    Named(LocalId),
    Part(LocalId),
    Wrapped(LocalId),
    Taken(LocalId),
    Guarded(LocalId),
    Take,
    Jump,
    Uses,
    Start(usize),
}

pub(super) const TAKE: &str = "__take";
pub(super) const JUMP: &str = "__jump";
pub(super) const USES: &str = "__uses";
const AWAIT: &str = "__await";
const START: &str = "__start";

/// The mark that an identifier is, if it is one.
pub(super) fn mark_of(ident: &Ident) -> Option<Mark> {
    let text = ident.to_string();
    let rest = text.strip_prefix("__")?;
    if let Some(rest) = rest.strip_prefix("local") {
        return Some(Mark::Local(id(rest)?));
    }
    if let Some(rest) = rest.strip_prefix("named") {
        return Some(Mark::Named(id(rest)?));
    }
    if let Some(rest) = rest.strip_prefix("part") {
        return Some(Mark::Part(id(rest)?));
    }
    if let Some(rest) = rest.strip_prefix("wrapped") {
        return Some(Mark::Wrapped(id(rest)?));
    }
    if let Some(rest) = rest.strip_prefix("taken") {
        return Some(Mark::Taken(id(rest)?));
    }
    if let Some(rest) = rest.strip_prefix("guarded") {
        return Some(Mark::Guarded(id(rest)?));
    }
    if let Some(Ok(number)) = text.strip_prefix(START).map(str::parse) {
        return Some(Mark::Start(number));
    }
    match &*text {
        TAKE => Some(Mark::Take),
        JUMP => Some(Mark::Jump),
        USES => Some(Mark::Uses),
        _ => None,
    }
}

fn id(rest: &str) -> Option<LocalId> {
    let (number, _) = rest.split_once("__")?;
    number.parse().ok().map(LocalId)
}

/// The binding that an identifier is an occurrence of.
pub(super) fn local_of(ident: &Ident) -> Option<LocalId> {
    match mark_of(ident)? {
        Mark::Local(id)
        | Mark::Named(id)
        | Mark::Part(id)
        | Mark::Wrapped(id)
        | Mark::Taken(id)
        | Mark::Guarded(id) => Some(id),
        Mark::Take | Mark::Jump | Mark::Uses | Mark::Start(_) => None,
    }
}

/// The binding that an expression is, when it is one and nothing else.
pub(super) fn local_in(expr: &Expr) -> Option<LocalId> {
    match expr {
        Expr::Path(ExprPath {
            qself: None, path, ..
        }) => local_of(path.get_ident()?),
        Expr::Paren(paren) => local_in(&paren.expr),
        Expr::Group(group) => local_in(&group.expr),
        _ => None,
    }
}

/// Numbers an await.
pub(super) fn number_await(expr: &mut ExprAwait, number: usize) {
    let base = std::mem::replace(&mut *expr.base, Expr::PLACEHOLDER);
    let span = base.span();
    let mark = format_ident!("{AWAIT}{number}", span = span);
    *expr.base = parse_quote_spanned!(span=> #mark(#base));
}

/// What marks an operation that is started: `ctx.start(__start0(operation))`.
pub(super) fn start(number: usize, span: Span) -> Ident {
    format_ident!("{START}{number}", span = span)
}

/// The number of an await, and what it awaits.
pub(super) fn numbered(expr: &ExprAwait) -> Option<(usize, &Expr)> {
    let Expr::Call(call) = &*expr.base else {
        return None;
    };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let mark = function.path.get_ident()?.to_string();
    let number = mark.strip_prefix(AWAIT)?.parse().ok()?;
    Some((number, call.args.first()?))
}

/// The target of a `__jump!`, and what follows it: nothing, or the binding that the loop's value
/// goes to, and the value.
pub(super) fn read_jump(tokens: TokenStream) -> Option<(BlockId, Option<(Ident, TokenStream)>)> {
    let mut tokens = tokens.into_iter();
    let TokenTree::Literal(target) = tokens.next()? else {
        return None;
    };
    let target = BlockId(target.to_string().parse().ok()?);
    let value = match tokens.next() {
        Some(TokenTree::Ident(local)) => Some((local, tokens.collect())),
        _ => None,
    };
    Some((target, value))
}

/// Calls back for every identifier in a stream, with what follows it there.
pub(super) fn each_ident(tokens: TokenStream, found: &mut impl FnMut(&Ident, Option<&TokenTree>)) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => found(&ident, tokens.peek()),
            TokenTree::Group(group) => each_ident(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The bindings that occur in code.
pub(super) fn mentions(code: &impl ToTokens) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    each_ident(code.to_token_stream(), &mut |ident, _| {
        found.extend(local_of(ident));
    });
    found
}

/// The text of tokens as the user wrote them, in one normal form of spaces.
pub(super) fn text(tokens: &impl ToTokens) -> String {
    fn append(tokens: TokenStream, text: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        proc_macro2::Delimiter::Parenthesis => ("( ", ") "),
                        proc_macro2::Delimiter::Brace => ("{ ", "} "),
                        proc_macro2::Delimiter::Bracket => ("[ ", "] "),
                        proc_macro2::Delimiter::None => ("", ""),
                    };
                    text.push_str(open);
                    append(group.stream(), text);
                    text.push_str(close);
                }
                // Operators of several characters come apart the same way everywhere.
                other => {
                    text.push_str(&other.to_string());
                    text.push(' ');
                }
            }
        }
    }
    let mut text = String::new();
    append(tokens.to_token_stream(), &mut text);
    text
}

/// Tokens as the user wrote them, for a message.
pub(super) fn source(tokens: &TokenStream) -> String {
    fn unmark(tokens: TokenStream) -> TokenStream {
        let mut unmarked = TokenStream::new();
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) if local_of(&ident).is_some() => {
                    let text = ident.to_string();
                    let (_, name) = text[2..].split_once("__").unwrap_or_default();
                    unmarked.extend([TokenTree::Ident(Ident::new(name, ident.span()))]);
                }
                // `__await2(operand)`: what is awaited, without the mark around it.
                TokenTree::Ident(ident) if ident.to_string().starts_with(AWAIT) => {
                    if let Some(TokenTree::Group(operand)) = tokens.next() {
                        unmarked.extend(unmark(operand.stream()));
                    }
                }
                TokenTree::Group(group) => {
                    let inside = unmark(group.stream());
                    let group = proc_macro2::Group::new(group.delimiter(), inside);
                    unmarked.extend([TokenTree::Group(group)]);
                }
                other => unmarked.extend([other]),
            }
        }
        unmarked
    }
    source::text(unmark(tokens.clone()))
}
