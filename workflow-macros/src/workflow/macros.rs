//! The macros of the standard library whose arguments are expressions, so that awaits may stand in
//! them and bindings in them can be told apart; and `serde_json`'s `json!`, which is as well known.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit::Visit;
use syn::{Block, Expr, ExprLit, Lit, Macro, Pat, Token};

use super::mark;

/// How a macro takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `format!`, `println!`, `write!`, `panic!`: a format string after so many other arguments;
    /// what is formatted is only looked at.
    Format { text_at: usize },
    /// `assert!`: its message is made only when the condition is false.
    Assert,
    /// `assert_eq!`, `assert_ne!`: two values to look at, then a message.
    Compare,
    /// `debug_assert!` and its like: evaluated in debug builds only.
    Debug { text_at: usize },
    /// `vec!`, `dbg!`: values.
    Values,
    /// `matches!`.
    Matches,
    /// `json!`: values that are only looked at.
    Json,
}

/// A macro of the standard library with its arguments as expressions.
pub(super) struct StdMacro {
    pub(super) kind: Kind,
    pub(super) arguments: Vec<Argument>,
    tail: Tail,
}

/// One argument, `name = value` or `value`.
pub(super) struct Argument {
    pub(super) name: Option<Ident>,
    pub(super) value: Expr,
}

/// What stands beside a list of arguments.
pub(super) enum Tail {
    None,
    /// `vec![value; length]`.
    Length(Box<Expr>),
    /// `matches!(value, pattern if guard)`.
    Pattern(Box<Pat>, Option<Box<Expr>>),
    /// What the arguments stand in: `{ "name": name, "tags": ["a", tag] }`.
    Json(Vec<Json>),
}

/// A piece of what `json!` takes.
pub(super) enum Json {
    /// The next argument.
    Value,
    /// What stands there as it is.
    Token(TokenTree),
    /// An object or a list.
    Nested(Delimiter, Vec<Json>),
}

/// The kind of a macro, when it is one of the standard library's.
pub(super) fn kind(mac: &Macro) -> Option<Kind> {
    let segments = &mac.path.segments;
    let mut names = segments.iter().rev().map(|segment| &segment.ident);
    if names.next()? == "json" && names.next().is_none_or(|of| of == "serde_json") {
        return Some(Kind::Json);
    }
    let from_std = match segments.len() {
        1 => true,
        2 => ["std", "core", "alloc"]
            .iter()
            .any(|name| segments[0].ident == name),
        _ => false,
    };
    if !from_std {
        return None;
    }
    Some(match &*segments.last()?.ident.to_string() {
        "format" | "print" | "println" | "eprint" | "eprintln" | "format_args" | "panic"
        | "todo" | "unimplemented" | "unreachable" => Kind::Format { text_at: 0 },
        "write" | "writeln" => Kind::Format { text_at: 1 },
        "assert" => Kind::Assert,
        "assert_eq" | "assert_ne" => Kind::Compare,
        "debug_assert" => Kind::Debug { text_at: 1 },
        "debug_assert_eq" | "debug_assert_ne" => Kind::Debug { text_at: 2 },
        "vec" | "dbg" => Kind::Values,
        "matches" => Kind::Matches,
        _ => return None,
    })
}

/// Changes the arguments of a macro of the standard library; leaves another as it is.
pub(super) fn change_arguments(mac: &mut Macro, mut change: impl FnMut(Kind, &mut Expr)) {
    let Some(mut parsed) = StdMacro::parse(mac) else {
        return;
    };
    let kind = parsed.kind;
    for argument in &mut parsed.arguments {
        change(kind, &mut argument.value);
    }
    if let Tail::Length(length) = &mut parsed.tail {
        change(kind, length);
    }
    mac.tokens = parsed.into_tokens();
}

/// The same, where its tokens mention one of some names.
pub(super) fn visit_arguments(mac: &mut Macro, names: &[String], mut visit: impl FnMut(&mut Expr)) {
    let mut mentions = false;
    mark::each_ident(mac.tokens.clone(), &mut |ident, _| {
        mentions |= names.iter().any(|name| ident == name);
    });
    if mentions {
        change_arguments(mac, |_, argument| visit(argument));
    }
}

/// Whether a body uses macros that are not of the standard library.
pub(super) fn has_other(body: &Block) -> bool {
    struct Finder(bool);
    impl Visit<'_> for Finder {
        fn visit_macro(&mut self, mac: &Macro) {
            match StdMacro::parse(mac) {
                Some(parsed) => {
                    for value in parsed.values() {
                        self.visit_expr(value);
                    }
                }
                None => self.0 |= !mac.path.is_ident(mark::TAKE),
            }
        }
    }
    let mut finder = Finder(false);
    finder.visit_block(body);
    finder.0
}

impl StdMacro {
    /// The arguments of a macro; `None` when it is not of the standard library or reads otherwise.
    pub(super) fn parse(mac: &Macro) -> Option<Self> {
        let kind = kind(mac)?;
        let parser = |input: ParseStream<'_>| Self::read(kind, input);
        parser.parse2(mac.tokens.clone()).ok()
    }

    /// What it evaluates, in this order: also the length of a list and the guard of a pattern.
    pub(super) fn values(&self) -> impl Iterator<Item = &Expr> {
        let other = match &self.tail {
            Tail::None | Tail::Json(_) => None,
            Tail::Length(length) => Some(&**length),
            Tail::Pattern(_, guard) => guard.as_deref(),
        };
        self.arguments
            .iter()
            .map(|argument| &argument.value)
            .chain(other)
    }

    fn read(kind: Kind, input: ParseStream<'_>) -> syn::Result<Self> {
        if kind == Kind::Json {
            let (mut arguments, mut pieces) = (Vec::new(), Vec::new());
            let tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
            read_json(&tokens, &mut arguments, &mut pieces)?;
            return Ok(Self {
                kind,
                arguments,
                tail: Tail::Json(pieces),
            });
        }
        if kind == Kind::Matches {
            let value = Argument::parse(input)?;
            input.parse::<Token![,]>()?;
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            let guard = match input.parse::<Option<Token![if]>>()? {
                Some(_) => Some(Box::new(input.parse()?)),
                None => None,
            };
            input.parse::<Option<Token![,]>>()?;
            return Ok(Self {
                kind,
                arguments: vec![value],
                tail: Tail::Pattern(Box::new(pattern), guard),
            });
        }
        let mut arguments = Vec::new();
        let mut tail = Tail::None;
        while !input.is_empty() {
            arguments.push(Argument::parse(input)?);
            if input.peek(Token![;]) && kind == Kind::Values {
                input.parse::<Token![;]>()?;
                tail = Tail::Length(input.parse()?);
                break;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self {
            kind,
            arguments,
            tail,
        })
    }

    /// What stands beside the arguments.
    pub(super) fn tail_mut(&mut self) -> &mut Tail {
        &mut self.tail
    }

    /// The place of the format string among the arguments.
    fn text_at(&self) -> Option<usize> {
        match self.kind {
            Kind::Format { text_at } | Kind::Debug { text_at } => Some(text_at),
            Kind::Assert => Some(1),
            Kind::Compare => Some(2),
            Kind::Values | Kind::Matches | Kind::Json => None,
        }
    }

    /// The names that the format string captures: `topic` of `"on {topic:?}"`.
    pub(super) fn captures(&self) -> Vec<Ident> {
        let Some(Argument {
            value:
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }),
            ..
        }) = self.text_at().and_then(|i| self.arguments.get(i))
        else {
            return Vec::new();
        };
        let mut names = captures(&text.value(), text.span());
        names.retain(|name| {
            let given = |argument: &Argument| argument.name.as_ref() == Some(name);
            !self.arguments.iter().any(given)
        });
        names
    }

    /// Writes the arguments back.
    pub(super) fn into_tokens(self) -> TokenStream {
        let arguments = self.arguments.iter();
        match self.tail {
            Tail::None => quote!(#(#arguments),*),
            Tail::Length(length) => quote!(#(#arguments),* ; #length),
            Tail::Pattern(pattern, None) => quote!(#(#arguments),*, #pattern),
            Tail::Pattern(pattern, Some(guard)) => quote!(#(#arguments),*, #pattern if #guard),
            Tail::Json(pieces) => {
                write_json(pieces, &mut arguments.map(|argument| &argument.value))
            }
        }
    }
}

/// Reads a value that `json!` takes.
fn read_json(
    tokens: &[TokenTree],
    arguments: &mut Vec<Argument>,
    pieces: &mut Vec<Json>,
) -> syn::Result<()> {
    let is_word = |word: &Ident| ["null", "true", "false"].iter().any(|known| word == known);
    match tokens {
        [TokenTree::Ident(word)] if is_word(word) => {
            pieces.push(Json::Token(tokens[0].clone()));
        }
        [TokenTree::Group(group)] if group.delimiter() != Delimiter::Parenthesis => {
            let is_object = group.delimiter() == Delimiter::Brace;
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut nested = Vec::new();
            for entry in inside.split_inclusive(|token| is_punct(token, ',')) {
                let (entry, comma) = match entry.split_last() {
                    Some((last, entry)) if is_punct(last, ',') => (entry, Some(last)),
                    _ => (entry, None),
                };
                let value = match (is_object, entry) {
                    (true, [TokenTree::Literal(_), colon, value @ ..]) if is_punct(colon, ':') => {
                        nested.extend(entry[..2].iter().cloned().map(Json::Token));
                        value
                    }
                    (true, _) => {
                        return Err(syn::Error::new(group.span(), "a key that is no literal"));
                    }
                    (false, value) => value,
                };
                read_json(value, arguments, &mut nested)?;
                nested.extend(comma.cloned().map(Json::Token));
            }
            pieces.push(Json::Nested(group.delimiter(), nested));
        }
        value => {
            let value = syn::parse2(value.iter().cloned().collect())?;
            arguments.push(Argument { name: None, value });
            pieces.push(Json::Value);
        }
    }
    Ok(())
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn write_json(pieces: Vec<Json>, values: &mut dyn Iterator<Item = &Expr>) -> TokenStream {
    let mut tokens = TokenStream::new();
    for piece in pieces {
        match piece {
            Json::Value => values.next().to_tokens(&mut tokens),
            Json::Token(token) => tokens.extend([token]),
            Json::Nested(delimiter, pieces) => {
                let nested = Group::new(delimiter, write_json(pieces, values));
                tokens.extend([TokenTree::Group(nested)]);
            }
        }
    }
    tokens
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named = input.peek(syn::Ident)
            && input.peek2(Token![=])
            && !input.peek2(Token![==])
            && !input.peek2(Token![=>]);
        let name = if named {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let value = &self.value;
        tokens.extend(match &self.name {
            Some(name) => quote!(#name = #value),
            None => quote!(#value),
        });
    }
}

/// The names that a format string captures, each once: of `"{a:>w$} {{no}} {0} {b.c}"` it is `a`
/// and `w`.
pub(super) fn captures(text: &str, span: Span) -> Vec<Ident> {
    let mut names: Vec<Ident> = Vec::new();
    let mut add = |name: &str| {
        let starts = |c: char| c == '_' || c.is_alphabetic();
        if name.starts_with(starts)
            && let Ok(mut name) = syn::parse_str::<Ident>(name)
            && !names.contains(&name)
        {
            name.set_span(span);
            names.push(name);
        }
    };
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let (name, spec) = rest[..close]
            .split_once(':')
            .unwrap_or((&rest[..close], ""));
        add(name.trim());
        // The width and the precision: `{:>width$.precision$}`.
        for part in spec
            .split_inclusive('$')
            .filter_map(|part| part.strip_suffix('$'))
        {
            let begin = part
                .rfind(|c: char| c != '_' && !c.is_alphanumeric())
                .map_or(0, |at| {
                    at + part[at..].chars().next().map_or(1, char::len_utf8)
                });
            // `0` before a width is a flag.
            add(part[begin..].trim_start_matches('0'));
        }
        rest = &rest[close + 1..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_capture_names() {
        for (text, expected) in [
            ("on {topic}", "topic"),
            ("{a:>w$} {{no}} {0} {b:.p$} {:?}", "a w b p"),
            ("{a}{a}", "a"),
            ("{{{x}}}", "x"),
            ("{broken", ""),
        ] {
            let names = captures(text, Span::call_site());
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn arguments_come_back_as_they_were() {
        for text in [
            "format ! (\"{} {x}\" , a == b , x = y + 1)",
            "vec ! [a ; 3]",
            "matches ! (a , Some (_) if b)",
            "json ! ({ \"a\" : [null , -1 , f (x) , { \"b\" : c . d , }] , \"e\" : {} })",
        ] {
            let mac: Macro = syn::parse_str(text).unwrap();
            let tokens = StdMacro::parse(&mac).unwrap().into_tokens();
            assert_eq!(tokens.to_string(), mac.tokens.to_string());
        }
    }
}
