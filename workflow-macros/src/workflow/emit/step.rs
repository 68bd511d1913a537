//! The step function.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Lifetime;
use syn::spanned::Spanned;

use super::super::flow::{Block, BlockId, BlockKind, Code, End, LocalId};
use super::super::mark;
use super::super::number::SignalArgument;
use super::super::plan::is_jumped_to;
use super::super::save;
use super::code::Around;
use super::{Emitter, local};

impl Emitter<'_> {
    /// ```text
    /// let topic_field = stated_field::<__research_workflow_Type<0>>("topic");
    /// let findings_field = Field::new("findings");
    /// let research_point = AwaitPoint::new();
    /// if let Some(definition) = step.describing() { … }
    /// enum Block { Start, Research, Approval }
    /// match [Block::Start, Block::Research, Block::Approval][step.entry()] { … }
    /// ```
    ///
    /// An arm ends by `break 'stop`, by a jump to another one, or by the user's `return`.
    pub(super) fn step(&self) -> TokenStream {
        let fields = self.fields();
        let points = self.points();
        let describing = self.describing();
        let dispatch = self.dispatch();
        let stop = stop_label();
        quote! {
            #stop: { #fields #points #describing #dispatch }
            ::workflow::__private::stop().await
        }
    }

    fn field_ident(&self, id: LocalId) -> Ident {
        let name = &self.plan.field_variables[&id];
        if self.is_exact(id) {
            // A span of the macro's would be another place, and the user's names are not like this.
            format_ident!("__{name}", span = self.stated_at(id))
        } else {
            Ident::new(name, self.stated_at(id))
        }
    }

    /// Where the type of a field is stated, or else the local bound: what is said of the type twice
    /// is said at one place, and so once.
    fn stated_at(&self, id: LocalId) -> Span {
        match self.statement(id) {
            Some(statement) if self.is_exact(id) => statement.span(),
            _ => Span::mixed_site().located_at(self.plan.flow.local(id).ident.span()),
        }
    }

    fn point_ident(&self, state: usize) -> Ident {
        let name = &self.plan.states[state].name.name;
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        local(&format!("{snake}_point"))
    }

    /// One `Field` for each local that is saved: the one place where its type must be `Persist`.
    fn fields(&self) -> TokenStream {
        self.plan
            .fields
            .iter()
            .map(|(id, name)| {
                let field = self.field_ident(*id);
                let span = self.stated_at(*id);
                let made = match self.statement(*id) {
                    Some(statement) if self.is_exact(*id) => {
                        quote_spanned!(span=> ::workflow::contract::stated_field::<#statement>)
                    }
                    _ => quote_spanned!(span=> ::workflow::contract::Field::new),
                };
                quote_spanned!(span=> let #field = #made(#name);)
            })
            .collect()
    }

    /// What ties the type of an operation that is started here and awaited elsewhere.
    pub(super) fn start_ident(&self, number: usize) -> Ident {
        local(&format!("start{number}_point"))
    }

    /// One `AwaitPoint` for each await, and for each start: the one place where what is awaited
    /// must be `Durable`.
    fn points(&self) -> TokenStream {
        let awaits = (0..self.plan.states.len()).map(|state| {
            let span = self.awaits[self.plan.states[state].number].span;
            (self.point_ident(state), span)
        });
        let starts =
            (0..self.starts.len()).map(|number| (self.start_ident(number), Span::call_site()));
        awaits
            .chain(starts)
            .map(|(point, span)| {
                let span = Span::mixed_site().located_at(span);
                quote_spanned!(span=> let #point = ::workflow::contract::AwaitPoint::new();)
            })
            .collect()
    }

    /// Gives the facts of the workflow, where they are asked for.
    fn describing(&self) -> TokenStream {
        let (step, definition, stop) = (local("step"), local("definition"), stop_label());
        let definition_of = |id: &LocalId| {
            let (field, span) = (self.field_ident(*id), self.stated_at(*id));
            quote_spanned!(span=> #field.definition())
        };
        let start = self.parameters.iter().map(definition_of);
        let states = self.plan.states.iter().enumerate().map(|(index, state)| {
            let (name, base) = (&state.name.name, &state.name.base);
            let (fingerprint, surroundings) = (state.fingerprint, state.surroundings);
            let fields = state.saved.iter().map(definition_of);
            let point = self.point_ident(index);
            let signals = signals(&self.awaits[state.number].signals);
            let inline = match self.inline_field(index) {
                Some(field) => {
                    let name = mark::plain(&field);
                    quote!(::std::option::Option::Some(#name))
                }
                None => quote!(::std::option::Option::None),
            };
            quote! {
                #definition.state(
                    &::workflow::contract::StateFacts { name: #name, base: #base, fingerprint: #fingerprint, surroundings: #surroundings, inline: #inline },
                    [#(#fields),*].into(),
                    ::std::option::Option::Some(#point.definition(&#signals)),
                );
            }
        });
        let starts = self.starts.iter().enumerate().map(|(number, signal)| {
            let point = self.start_ident(number);
            let signals = signals(std::slice::from_ref(signal));
            quote!(#definition.started(#point.definition(&#signals));)
        });
        quote! {
            if let ::std::option::Option::Some(#definition) = #step.describing() {
                #definition.state(
                    &::workflow::contract::StateFacts { name: "Start", base: "Start", fingerprint: 0, surroundings: 0, inline: ::std::option::Option::None },
                    [#(#start),*].into(),
                    ::std::option::Option::None,
                );
                #(#states)*
                #(#starts)*
                break #stop;
            }
        }
    }

    fn dispatch(&self) -> TokenStream {
        let blocks = &self.blocks;
        let (step, block) = (local("step"), local("block"));
        let names = self.plan.arms.iter().map(|(_, name)| name);
        let states = self
            .plan
            .states
            .iter()
            .map(|state| format_ident!("{}", state.name.name));
        let entries = quote!([#blocks::Start #(, #blocks::#states)*]);
        let arms = self.plan.arms.iter().map(|(id, name)| {
            let body = self.arm(*id);
            if self.plan.loops() && self.plan.flow.other_macros {
                // Inside a labeled block a bare `continue` that a macro hides is an error.
                let arm = Lifetime::new("'arm", Span::mixed_site());
                quote!(#blocks::#name => #arm: { #body })
            } else {
                quote!(#blocks::#name => { #body })
            }
        });
        let run = if self.plan.loops() {
            let slots = self.plan.slots.keys().map(|id| self.slot(*id));
            let dispatch = Lifetime::new("'dispatch", Span::mixed_site());
            quote! {
                #(let mut #slots = ::std::option::Option::None;)*
                let mut #block = &#entries[#step.entry()];
                #dispatch: loop {
                    match #block { #(#arms)* }
                }
            }
        } else {
            quote!(match #entries[#step.entry()] { #(#arms)* })
        };
        quote! {
            enum #blocks { #(#names),* }
            #run
        }
    }

    /// ```text
    /// let (Some(findings), Some(awaited)) = (findings_field.load(step), approval_point.outcome(step))
    ///     else { break 'stop };
    /// ```
    fn arm(&self, id: BlockId) -> TokenStream {
        let flow = self.plan.flow;
        let (step, stop) = (local("step"), stop_label());
        let mut given: BTreeSet<LocalId> = BTreeSet::new();
        let mut loads: Vec<(LocalId, TokenStream)> = Vec::new();
        let saved = match flow.block(id).kind {
            BlockKind::Start => self.parameters.to_vec(),
            BlockKind::Resume(number) => self
                .plan
                .state_of(number)
                .map(|state| self.plan.states[state].saved.clone())
                .unwrap_or_default(),
            BlockKind::Head | BlockKind::Join | BlockKind::After => Vec::new(),
        };
        for id in saved {
            let field = self.field_ident(id);
            let span = self.stated_at(id);
            loads.push((id, quote_spanned!(span=> #field.load(#step))));
        }
        if let BlockKind::Resume(number) = flow.block(id).kind
            && let Some(point) = &flow.points[number]
            && let Some(state) = self.plan.state_of(number)
        {
            let point_ident = self.point_ident(state);
            loads.push((point.awaited, quote!(#point_ident.outcome(#step))));
        }
        given.extend(loads.iter().map(|(id, _)| *id));
        let loaded = loads.iter().map(|(id, _)| self.declared(*id));
        let from = loads.iter().map(|(id, from)| {
            if flow.local(*id).awaited.is_some() {
                quote!(::workflow::__private::awaited(#from))
            } else {
                from.clone()
            }
        });
        let mut out = match loads.len() {
            0 => TokenStream::new(),
            _ => quote! {
                let (#(::std::option::Option::Some(#loaded),)*) = (#(#from,)*) else { break #stop };
            },
        };
        if is_jumped_to(flow, id) {
            for id in flow.kept(&self.plan.live.entry[id.0]) {
                let (name, slot) = (self.declared(id), self.slot(id));
                out.extend(quote!(let #name = ::workflow::__private::take(&mut #slot);));
                given.insert(id);
            }
        }
        let mut again = Pieces::default();
        for rebind in flow.remade(&self.plan.live.entry[id.0]) {
            let tokens = self.code(&rebind.tokens, &Around::nothing());
            again.push(self.closure(&rebind.binds), tokens);
            given.extend(&rebind.binds);
        }
        let mut body = Body {
            emitter: self,
            assigned: BTreeSet::new(),
            left_out: BTreeSet::new(),
        };
        let code = body.block(id);
        given.extend(&body.left_out);
        for id in body.assigned.difference(&given) {
            let name = self.declared(*id);
            let ty = flow.local(*id).annotation.as_ref();
            let ty = ty.map(|ty| quote!(: #ty));
            out.extend(quote!(let #name #ty;));
        }
        again.push(None, code);
        out.extend(again.into_tokens());
        out
    }

    /// The name of a closure that is made again wherever it is used, where that is what is bound.
    fn closure(&self, binds: &[LocalId]) -> Option<Ident> {
        let [id] = binds else { return None };
        let flow = self.plan.flow;
        let rebind = &flow.rebinds[flow.local(*id).rebind?];
        rebind.closure.then(|| self.name(*id))
    }

    /// Lets rustc name the type of a local that the state enum cannot spell, where it must.
    ///
    /// ```text
    /// ::workflow::__private::typed(&names);
    /// ```
    fn ask_for_type(&self, id: LocalId) -> Option<TokenStream> {
        let local = self.plan.flow.local(id);
        let asks = self.signature.typed && !local.temporary && local.spelling.is_none();
        asks.then(|| {
            let name = self.name(id);
            quote_spanned!(name.span()=> ::workflow::__private::typed(&#name);)
        })
    }

    /// A binding where it is declared.
    pub(super) fn declared(&self, id: LocalId) -> TokenStream {
        let name = self.name(id);
        let mutable = self.plan.is_mutable(id).then(|| quote!(mut));
        quote!(#mutable #name)
    }
}

/// Code, piece by piece. A closure that is used nowhere after it is left out: rustc would not find
/// its types.
#[derive(Default)]
struct Pieces(Vec<(Option<Ident>, TokenStream)>);

impl Pieces {
    /// Adds a piece, with the name of the closure that it makes and nothing else.
    fn push(&mut self, closure: Option<Ident>, tokens: TokenStream) {
        self.0.push((closure, tokens));
    }

    fn into_tokens(self) -> TokenStream {
        if self.0.iter().all(|(closure, _)| closure.is_none()) {
            return self.0.into_iter().map(|(_, tokens)| tokens).collect();
        }
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut kept = Vec::new();
        for (closure, tokens) in self.0.into_iter().rev() {
            if closure.is_none_or(|name| used.contains(&name.to_string())) {
                mark::each_ident(tokens.clone(), &mut |ident, _| {
                    used.insert(ident.to_string());
                });
                kept.push(tokens);
            }
        }
        kept.into_iter().rev().collect()
    }
}

/// What is left where the step ends.
fn stop_label() -> Lifetime {
    Lifetime::new("'stop", Span::mixed_site())
}

/// ```text
/// [None, Some("approval")]
/// ```
fn signals(names: &[Option<SignalArgument>]) -> TokenStream {
    let names = names.iter().map(|name| match name {
        Some(SignalArgument(name)) => quote!(::std::option::Option::Some(#name)),
        None => quote!(::std::option::Option::None),
    });
    quote!([#(#names),*])
}

/// The code of an arm, with that of the blocks that only it leads to.
struct Body<'a> {
    emitter: &'a Emitter<'a>,
    /// What is assigned or used in it and declared elsewhere.
    assigned: BTreeSet<LocalId>,
    /// What it would declare for nobody.
    left_out: BTreeSet<LocalId>,
}

impl Body<'_> {
    /// The code of a block; what it assigns is noted, what it declares is not noted any more.
    fn block(&mut self, id: BlockId) -> TokenStream {
        let emitter = self.emitter;
        let block = emitter.plan.flow.block(id);
        let kept = &emitter.plan.kept_after[id.0];
        let (step, mut declared) = (local("step"), Vec::new());
        let mut out = Pieces::default();
        let saves = self.saves(block);
        for (place, code) in block.code.iter().enumerate() {
            let saves = saves.iter().filter(|save| save.0 == place);
            out.push(None, saves.map(|save| save.1.clone()).collect());
            let tokens = self.code(code, kept, &mut declared);
            out.push(emitter.closure(&code.declares), tokens);
        }
        let end = match &block.end {
            End::Open => quote!(::std::unreachable!();),
            End::Goto(target) => self.go(*target),
            End::Branch {
                condition,
                then,
                otherwise,
                ..
            } => {
                let condition = self.code(condition, kept, &mut declared);
                let then = self.go(*then);
                let otherwise = self.go(*otherwise);
                quote!(if #condition { #then } #otherwise)
            }
            End::Match { scrutinee, arms } => {
                let scrutinee = self.code(scrutinee, kept, &mut declared);
                let arms = arms.iter().map(|arm| {
                    let attrs = &arm.attrs;
                    let pattern = self.code(&arm.pattern, kept, &mut declared);
                    let body = self.go(arm.block);
                    quote!(#(#attrs)* #pattern => { #body })
                });
                let arms: Vec<_> = arms.collect();
                quote!(match #scrutinee { #(#arms)* })
            }
            End::Await {
                number, operand, ..
            } => {
                let operand = self.code(operand, kept, &mut declared);
                match emitter.plan.state_of(*number) {
                    None => TokenStream::new(),
                    Some(state) => {
                        let point = emitter.point_ident(state);
                        let operand_at = block.code.len();
                        let before = saves.iter().filter(|save| save.0 == operand_at);
                        let before = before.map(|save| &save.1);
                        let after = saves.iter().filter(|save| save.0 > operand_at);
                        let after = after.map(|save| &save.1);
                        let stop = stop_label();
                        let index = Literal::usize_unsuffixed(state + 1);
                        quote! {
                            #(#before)*
                            #point.begin(#step, #operand);
                            #(#after)*
                            #step.suspend(#index);
                            break #stop;
                        }
                    }
                }
            }
            End::Return(value) => {
                let value = self.code(value, kept, &mut declared);
                quote!(return #value;)
            }
        };
        out.push(None, end);
        for id in declared {
            self.assigned.remove(&id);
        }
        out.into_tokens()
    }

    /// What saves the locals of the state that a block ends by, and the place of the code before
    /// which each does; after the operand it is one more than the operand's.
    fn saves(&self, block: &Block) -> Vec<(usize, TokenStream)> {
        let emitter = self.emitter;
        let End::Await { number, .. } = block.end else {
            return Vec::new();
        };
        let Some(state) = emitter.plan.state_of(number) else {
            return Vec::new();
        };
        let saved = &emitter.plan.states[state].saved;
        let early = save::early(emitter.plan.flow, block, saved);
        let step = local("step");
        // What was moved in part cannot be saved: rustc says so where it would be.
        let span = emitter.awaits[number].span;
        let saves = saved.iter().map(|id| {
            let place = early.get(id).copied().unwrap_or(block.code.len() + 1);
            let local = emitter.plan.flow.local(*id);
            // In code of a `macro_rules!` the one may be the macro's and the other its caller's.
            let at = local.ident.span().located_at(span);
            let (field, name) = (emitter.field_ident(*id), emitter.ident(*id, at));
            let asked = emitter.ask_for_type(*id);
            let value = local.awaited.as_ref();
            let value = value.map(|_| quote!(.value));
            (
                place,
                quote_spanned!(span=> #asked #field.save(#step, &#name #value);),
            )
        });
        saves.collect()
    }

    fn note(&mut self, code: &Code, declared: &mut Vec<LocalId>) {
        // What is used without a value, rustc shall find declared.
        self.assigned.extend(code.assigns.iter().chain(&code.uses));
        declared.extend(&code.declares);
    }

    fn code(
        &mut self,
        code: &Code,
        kept: &BTreeSet<LocalId>,
        declared: &mut Vec<LocalId>,
    ) -> TokenStream {
        // `let x;` is declared in every arm that assigns it.
        let is_needed = |id: &LocalId| self.emitter.plan.outlives_arms(*id);
        if code.frozen && !code.declares.iter().any(is_needed) {
            self.left_out.extend(&code.declares);
            return TokenStream::new();
        }
        if code.deferred {
            return TokenStream::new();
        }
        self.note(code, declared);
        self.emitter.code(&code.tokens, &Around::of(code, kept))
    }

    fn go(&mut self, target: BlockId) -> TokenStream {
        let target = self.emitter.plan.flow.target(target);
        if self.emitter.plan.arm(target).is_some() {
            self.emitter.jump(target)
        } else {
            self.block(target)
        }
    }
}
