//! The user's code with its [marks](super::super::mark) turned into Rust.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::super::flow::{BlockId, Code, LocalId};
use super::super::mark::{self, Mark};
use super::super::moved;
use super::{Emitter, local};
use crate::code;

/// What is known of the place of a piece of code.
pub(super) struct Around<'a> {
    /// What is saved or handed over later.
    kept: &'a BTreeSet<LocalId>,
    /// What it declares and has not come to yet.
    declares: RefCell<BTreeSet<LocalId>>,
}

impl<'a> Around<'a> {
    pub(super) fn of(code: &Code, kept: &'a BTreeSet<LocalId>) -> Self {
        let declares = code.declares.iter().copied().collect();
        Self {
            kept,
            declares: RefCell::new(declares),
        }
    }

    /// For code that takes no parts, and declares what the source declares elsewhere.
    pub(super) fn nothing() -> Around<'static> {
        static NOTHING: BTreeSet<LocalId> = BTreeSet::new();
        Around {
            kept: &NOTHING,
            declares: RefCell::default(),
        }
    }
}

/// The fields that follow a binding: `.customer.name`, but no method.
fn fields(tokens: &mut proc_macro2::token_stream::IntoIter) -> TokenStream {
    let mut path = TokenStream::new();
    loop {
        let mut ahead = tokens.clone();
        let (dot, field) = (ahead.next(), ahead.next());
        let is_method = match ahead.clone().next() {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            Some(TokenTree::Punct(punct)) => punct.as_char() == ':',
            _ => false,
        };
        match (dot, field) {
            (
                Some(TokenTree::Punct(dot)),
                Some(field @ (TokenTree::Ident(_) | TokenTree::Literal(_))),
            ) if dot.as_char() == '.' && !is_method => {
                path.extend([TokenTree::Punct(dot), field]);
                *tokens = ahead;
            }
            _ => return path,
        }
    }
}

/// A part, with something left in its place. It begins and ends where the source's expression does,
/// so that what is wrong with its type is said once.
///
/// ```text
/// Taken(match part(&order.items).copied() {
///     Ok(copied) => copied,
///     Err(moved) => { moved.go_on(); rest(&mut order.items).take() }
/// }).value()
/// ```
fn part(name: &Ident, path: TokenStream) -> TokenStream {
    let end = path.clone().into_iter().last();
    let end = end.map_or(name.span(), |last| last.span());
    let rest = quote_spanned!(name.span()=> ::workflow::__private::rest(&mut #name #path));
    taken(
        [name.span(), end],
        &quote!(&#name #path),
        &TokenStream::new(),
        &rest,
    )
}

/// What is looked at, copied; or moved out of the rest, as some code gives that.
fn taken(
    [begin, end]: [Span; 2],
    looked_at: &TokenStream,
    code: &TokenStream,
    rest: &TokenStream,
) -> TokenStream {
    let mut call = Group::new(Delimiter::Parenthesis, TokenStream::new());
    call.set_span(end);
    let (copied, moved) = (local("copied"), local("moved"));
    quote_spanned! {begin=>
        ::workflow::__private::Taken(match ::workflow::__private::part(#looked_at).copied() {
            ::std::result::Result::Ok(#copied) => #copied,
            ::std::result::Result::Err(#moved) => {
                #moved.go_on();
                #code
                #rest.take #call
            }
        }).value #call
    }
}

impl Emitter<'_> {
    /// The name of a binding, at an occurrence of it.
    pub(super) fn ident(&self, id: LocalId, span: Span) -> Ident {
        let known = self.plan.flow.local(id);
        let mut ident = self.plan.idents.get(&id).unwrap_or(&known.ident).clone();
        if known.awaited.is_some() {
            // A span of the macro's would be another place.
            return format_ident!("__{ident}", span = span);
        }
        ident.set_span(if known.temporary {
            Span::mixed_site().located_at(span)
        } else {
            span
        });
        ident
    }

    /// The name of a binding, where the compiler mentions it.
    pub(super) fn name(&self, id: LocalId) -> Ident {
        self.ident(id, self.plan.flow.local(id).ident.span())
    }

    /// Code as Rust.
    pub(super) fn code(&self, tokens: &TokenStream, around: &Around<'_>) -> TokenStream {
        let mut out = TokenStream::new();
        let mut tokens = tokens.clone().into_iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) => match mark::mark_of(&ident) {
                    None => out.extend([TokenTree::Ident(ident)]),
                    Some(Mark::Local(id)) => {
                        // What a part is taken out of must be mutable; its pattern comes first.
                        if around.declares.borrow_mut().remove(&id)
                            && self.plan.parted.contains(&id)
                            && !self.plan.flow.local(id).mutable
                        {
                            out.extend(quote!(mut));
                        }
                        out.extend([TokenTree::Ident(self.ident(id, ident.span()))]);
                    }
                    Some(mark @ (Mark::Part(id) | Mark::Wrapped(id))) => {
                        let name = self.ident(id, ident.span());
                        let path = fields(&mut tokens);
                        out.extend(if !around.kept.contains(&id) {
                            quote!(#name #path)
                        } else if matches!(mark, Mark::Part(_)) {
                            part(&name, path)
                        } else {
                            let place = quote!(&#name #path);
                            let wrapper = quote_spanned!(ident.span()=> ::workflow::__private::wrapper(#place););
                            let part = part(&name, path);
                            quote!({ #wrapper #part })
                        });
                    }
                    Some(Mark::Taken(id)) => {
                        let name = self.ident(id, ident.span());
                        let by = match self.plan.taken.contains(&id) {
                            true => quote!(ref),
                            false if self.plan.is_mutable(id) => quote!(mut),
                            false => TokenStream::new(),
                        };
                        around.declares.borrow_mut().remove(&id);
                        out.extend(quote!(#by #name));
                    }
                    Some(Mark::Guarded(id)) => {
                        let name = self.ident(id, ident.span());
                        out.extend(match self.plan.taken.contains(&id) {
                            true => quote!((*#name)),
                            false => quote!(#name),
                        });
                    }
                    Some(Mark::Take) => {
                        // The mark's `!`, and a `;` after it.
                        tokens.next();
                        if let Some(TokenTree::Group(group)) = tokens.next() {
                            out.extend(self.take(group.stream(), around));
                        }
                        let mut ahead = tokens.clone();
                        if matches!(ahead.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == ';')
                        {
                            tokens = ahead;
                        }
                    }
                    Some(Mark::Named(id)) => {
                        self.refuse_renamed(id, ident.span());
                        out.extend([TokenTree::Ident(self.ident(id, ident.span()))]);
                    }
                    Some(Mark::Start(number)) => {
                        let point = self.start_ident(number);
                        out.extend(quote_spanned!(ident.span()=> #point.started));
                    }
                    Some(mark) => {
                        // The mark's `!` and its braces.
                        tokens.next();
                        let inner = match tokens.next() {
                            Some(TokenTree::Group(group)) => group.stream(),
                            _ => TokenStream::new(),
                        };
                        out.extend(self.leave(&mark, inner, around));
                    }
                },
                TokenTree::Group(group) => {
                    let mut inner =
                        Group::new(group.delimiter(), self.code(&group.stream(), around));
                    inner.set_span(group.span());
                    out.extend([TokenTree::Group(inner)]);
                }
                other => out.extend([other]),
            }
        }
        out
    }

    fn leave(&self, mark: &Mark, inner: TokenStream, around: &Around<'_>) -> TokenStream {
        match mark {
            Mark::Jump => {
                let Some((target, value)) = mark::read_jump(inner) else {
                    return TokenStream::new();
                };
                let value = value.map(|(local, value)| {
                    let local = self.code(&local.into_token_stream(), around);
                    let value = self.code(&value, around);
                    quote!(#local = #value;)
                });
                let jump = self.jump(target);
                quote!({ #value #jump })
            }
            // It has told what is used.
            Mark::Uses => {
                self.code(&inner, around);
                TokenStream::new()
            }
            Mark::Local(_)
            | Mark::Named(_)
            | Mark::Part(_)
            | Mark::Wrapped(_)
            | Mark::Taken(_)
            | Mark::Guarded(_)
            | Mark::Take
            | Mark::Start(_) => TokenStream::new(),
        }
    }

    /// What a pattern has found, taken.
    ///
    /// ```text
    /// let reason = Taken(match part(reason).copied() {
    ///     Ok(copied) => copied,
    ///     Err(moved) => {
    ///         moved.go_on();
    ///         let Kind::Refund(ref mut reason) = request.kind else { unreachable!() };
    ///         rest(reason).take()
    ///     }
    /// }).value();
    /// ```
    fn take(&self, inner: TokenStream, around: &Around<'_>) -> TokenStream {
        let Some(moved::Take { id, pattern, place }) = moved::read(inner) else {
            return TokenStream::new();
        };
        if !self.plan.taken.contains(&id) {
            return TokenStream::new();
        }
        let (name, declared) = (self.name(id), self.declared(id));
        let (pattern, place) = (self.code(&pattern, around), self.code(&place, around));
        let again = quote_spanned! {name.span()=>
            let (#pattern) = #place else { ::std::unreachable!() };
        };
        let rest = quote_spanned!(name.span()=> ::workflow::__private::rest(#name));
        let taken = taken([name.span(); 2], &name.to_token_stream(), &again, &rest);
        quote_spanned!(name.span()=> let #declared = #taken;)
    }

    /// Goes on in another arm.
    ///
    /// ```text
    /// total_slot = ::std::option::Option::Some(total);
    /// block = &__research_workflow_Block::Loop;
    /// continue 'dispatch;
    /// ```
    pub(super) fn jump(&self, target: BlockId) -> TokenStream {
        let target = self.plan.flow.target(target);
        let Some(arm) = self.plan.arm(target) else {
            return quote!(::std::unreachable!());
        };
        let entry = &self.plan.live.entry[target.0];
        let handed = self.plan.flow.kept(entry).map(|id| {
            let (slot, name) = (self.slot(id), self.name(id));
            quote!(#slot = ::std::option::Option::Some(#name);)
        });
        let (block, blocks) = (local("block"), &self.blocks);
        let dispatch = syn::Lifetime::new("'dispatch", Span::mixed_site());
        quote!(#(#handed)* #block = &#blocks::#arm; continue #dispatch;)
    }

    /// What a binding is handed over in.
    pub(super) fn slot(&self, id: LocalId) -> Ident {
        let span = self.plan.flow.local(id).ident.span();
        let name = self.plan.slots.get(&id).map_or("slot", String::as_str);
        Ident::new(name, Span::mixed_site().located_at(span))
    }

    fn refuse_renamed(&self, id: LocalId, span: Span) {
        if self.plan.idents.contains_key(&id) {
            let name = &self.plan.flow.local(id).ident;
            self.report.error_at(
                code::NAME,
                span,
                format!(
                    "`{name}` in this macro is one of several bindings of that name\n\
                     the workflow gives one of them another name where both are in use, and cannot do so inside a macro that is not of the standard library\n\
                     help: rename one of the two"
                ),
            );
        }
    }
}
