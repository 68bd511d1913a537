//! The state enum.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Generics;
use syn::spanned::Spanned;

use super::super::flow::LocalId;
use super::super::spell::{Part, Spelling};
use super::super::{generics, mark};
use super::{Emitter, local};

impl Emitter<'_> {
    /// The names of what is called: a function of an activity's name is beside a type of the same
    /// name, which knows its output; any other function's name is a stand-in, from the module.
    ///
    /// ```text
    /// mod __research_workflow_called {
    ///     pub enum __research_workflow_0 {}
    ///     impl ::workflow::__private::Called for __research_workflow_0 {
    ///         type Output = ::workflow::Saved;
    ///         …
    ///     }
    /// }
    /// use __research_workflow_called::*;
    /// use research as __research_workflow_0;
    /// ```
    pub(super) fn aliases(&self) -> TokenStream {
        let functions = self.called();
        if functions.is_empty() {
            return TokenStream::new();
        }
        let module = format_ident!("__{}_called", mark::plain(&self.signature.ident));
        let aliases: Vec<Ident> = (0..functions.len()).map(|i| self.alias(i)).collect();
        let outside = functions.iter().zip(&aliases);
        let (outside, of_outside): (Vec<_>, Vec<_>) = outside
            .filter(|(function, _)| self.is_outside(function))
            .map(|(function, alias)| (without_arguments(function), alias))
            .unzip();
        quote! {
            #[allow(non_camel_case_types, missing_docs, dead_code, unreachable_pub)]
            mod #module {
                #(
                    pub enum #aliases {}
                    impl ::workflow::__private::Called for #aliases {
                        type Output = ::workflow::Saved;
                        type Error = ::workflow::ActivityError;
                        type State = ::workflow::Saved;
                    }
                )*
            }
            #[allow(unused_imports)]
            use #module::*;
            #(
                #[allow(unused_imports, non_camel_case_types)]
                use #outside as #of_outside;
            )*
        }
    }

    /// Whether what is called can be imported.
    fn is_outside(&self, function: &syn::Path) -> bool {
        self.plan.states.iter().all(|state| {
            let runs = self.awaits[state.number].inline.as_ref() == Some(function);
            let point = self.plan.flow.points[state.number].as_ref();
            !runs || point.is_some_and(|point| point.is_outside)
        })
    }

    fn alias(&self, index: usize) -> Ident {
        format_ident!("__{}_{index}", mark::plain(&self.signature.ident))
    }

    fn alias_of(&self, function: &syn::Path) -> Ident {
        let index = self.called().iter().position(|known| *known == function);
        self.alias(index.unwrap_or_default())
    }

    /// The workflow that runs inline at a state.
    fn inline(&self, state: usize) -> Option<&syn::Path> {
        self.awaits[self.plan.states[state].number].inline.as_ref()
    }

    /// The field that shows the state of the workflow that runs inline at a state: of its name.
    pub(super) fn inline_field(&self, state: usize) -> Option<Ident> {
        let name = &self.inline(state)?.segments.last()?.ident;
        let saved = &self.plan.states[state].saved;
        let is_free = |free: &str| saved.iter().all(|id| self.plan.fields[id] != free);
        let mut free = mark::plain(name);
        while !is_free(&free) {
            free += "_state";
        }
        let ident = syn::parse_str::<Ident>(&free);
        Some(ident.unwrap_or_else(|_| Ident::new_raw(&free, name.span())))
    }

    /// The functions whose outputs some state saves, and the workflows that run inline, each once.
    fn called(&self) -> Vec<&syn::Path> {
        let mut functions: Vec<&syn::Path> = Vec::new();
        for state in &self.plan.states {
            if let Some(workflow) = &self.awaits[state.number].inline
                && !functions.contains(&workflow)
            {
                functions.push(workflow);
            }
            for id in &state.saved {
                if let Some(Spelling::Called { function, .. }) = &self.plan.flow.local(*id).spelling
                    && !functions.contains(&function)
                {
                    functions.push(function);
                }
            }
        }
        functions
    }

    fn spelled(&self, id: LocalId) -> TokenStream {
        match &self.plan.flow.local(id).spelling {
            None => quote!(::workflow::Saved),
            Some(Spelling::Type(ty)) => ty.to_token_stream(),
            Some(Spelling::Called { function, part }) => {
                let alias = self.alias_of(function);
                let called = quote!(<#alias as ::workflow::__private::Called>);
                match part {
                    Part::Outcome => {
                        quote!(::std::result::Result<#called::Output, #called::Error>)
                    }
                    Part::Output => quote!(#called::Output),
                    Part::Outputs => quote!(::std::vec::Vec<#called::Output>),
                    Part::Error => quote!(#called::Error),
                    Part::Element(element) => {
                        quote!(<#called::Output as ::workflow::__private::Tuple<#element>>::Element)
                    }
                }
            }
        }
    }

    /// Where the type of a field is stated, when it is spelled.
    pub(super) fn statement(&self, id: LocalId) -> Option<TokenStream> {
        match self.plan.flow.local(id).spelling.as_ref()? {
            Spelling::Type(_) => {
                let index = self.statements().position(|known| known == id)?;
                let ty = self.spelled(id);
                Some(self.signature.stated_type(index, &ty, ty.span()))
            }
            Spelling::Called { function, part } => {
                let alias = self.alias_of(function);
                let stated = match part {
                    Part::Outcome => quote!(Outcome<#alias>),
                    Part::Output => quote!(Output<#alias>),
                    Part::Outputs => quote!(Outputs<#alias>),
                    Part::Error => quote!(Failed<#alias>),
                    Part::Element(element) => quote!(Element<#alias, #element>),
                };
                Some(quote!(::workflow::__private::#stated))
            }
        }
    }

    /// Whether the type as spelled is also that in the step function, by the user's own statement.
    pub(super) fn is_exact(&self, id: LocalId) -> bool {
        let annotation = &self.plan.flow.local(id).annotation;
        self.parameters.contains(&id)
            || (annotation.as_ref()).is_some_and(|ty| !matches!(ty, syn::Type::Reference(_)))
    }

    /// The fields whose types are written out: the parameters, then those of all other states.
    fn statements(&self) -> impl Iterator<Item = LocalId> {
        let saved = self.plan.fields.keys().copied();
        let others = saved.filter(|id| {
            let spelling = &self.plan.flow.local(*id).spelling;
            !self.parameters.contains(id) && matches!(spelling, Some(Spelling::Type(_)))
        });
        self.parameters.iter().copied().chain(others)
    }

    /// Each type that is written out, stated once: see [`Stated`](::workflow::__private::Stated).
    ///
    /// ```text
    /// struct __research_workflow_Type<const N: usize>;
    /// impl ::workflow::__private::Stated for __research_workflow_Type<0> {
    ///     type Type = String;
    /// }
    /// ```
    pub(super) fn stated(&self) -> TokenStream {
        let stated = self.signature.stated();
        let statements = self.statements().enumerate().map(|(index, id)| {
            let ty = self.spelled(id);
            let span = ty.span();
            let one = self.signature.stated_type(index, &ty, span);
            let generics = generics::mentioned(&self.signature.generics, &ty);
            let (impls, _, bounds) = generics.split_for_impl();
            let ty = quote_spanned!(span=> type Type = <::workflow::__private::Is<#ty> as ::workflow::__private::Keeps>::Type;);
            quote_spanned! {span=>
                #[automatically_derived]
                impl #impls ::workflow::__private::Stated for #one #bounds {
                    #ty
                }
            }
        });
        quote! {
            #[allow(non_camel_case_types, dead_code)]
            struct #stated<const N: usize, Of = ()>(::std::marker::PhantomData<fn() -> Of>);
            #(#statements)*
        }
    }

    /// The variants: their names and what each shows.
    fn variants(&self) -> Vec<Variant> {
        let start = Variant {
            name: format_ident!("Start"),
            fields: self.fields_of(self.parameters),
        };
        let states = self.plan.states.iter().enumerate().map(|(index, state)| {
            let mut fields = self.fields_of(&state.saved);
            if let (Some(workflow), Some(name)) = (self.inline(index), self.inline_field(index)) {
                let alias = self.alias_of(workflow);
                let (from, text) = (local("from"), mark::plain(&name));
                fields.push(VariantField {
                    name,
                    ty: quote!(::std::boxed::Box<<#alias as ::workflow::__private::Called>::State>),
                    stated: quote!(::workflow::__private::InlineState<#alias>),
                    read: quote!(#from.inline::<#alias>(#text)?),
                });
            }
            Variant {
                name: format_ident!("{}", state.name.name),
                fields,
            }
        });
        std::iter::once(start).chain(states).collect()
    }

    fn fields_of(&self, saved: &[LocalId]) -> Vec<VariantField> {
        let from = local("from");
        let fields = saved.iter().map(|id| {
            let name = self.field(*id);
            let stated = self.statement(*id);
            let stated = stated.unwrap_or_else(|| quote!(::workflow::Saved));
            let (span, text) = (stated.span(), mark::plain(&name));
            VariantField {
                name,
                ty: self.spelled(*id),
                read: quote_spanned!(span=> #from.field::<#stated>(#text)?),
                stated,
            }
        });
        fields.collect()
    }

    /// The workflow's type parameters that the state enum mentions.
    pub(super) fn state_generics(&self) -> Generics {
        let variants = self.variants();
        let fields = variants.iter().flat_map(|variant| &variant.fields);
        let types: TokenStream = fields.map(|field| field.ty.clone()).collect();
        generics::mentioned(&self.signature.generics, &types)
    }

    fn field(&self, id: LocalId) -> Ident {
        let name = &self.plan.fields[&id];
        let span = self.plan.flow.local(id).ident.span();
        syn::parse_str::<Ident>(name)
            .map(|mut ident| {
                ident.set_span(span);
                ident
            })
            .unwrap_or_else(|_| Ident::new_raw(name, span))
    }

    /// ```text
    /// pub enum ResearchWorkflowState {
    ///     Start { topic: String },
    ///     Research {},
    ///     Approval { findings: <__research_workflow_0 as Called>::Output },
    /// }
    /// impl Serialize for ResearchWorkflowState { … }
    /// impl StateEnum for ResearchWorkflowState { … }
    /// impl<'de> Deserialize<'de> for ResearchWorkflowState { … }
    /// ```
    pub(super) fn state_enum(&self) -> TokenStream {
        let vis = &self.signature.vis;
        let ident = self.signature.state_enum();
        let about = format!("Where a run of [`{}()`] stands.", self.signature.ident);
        let generics = self.state_generics();
        let (impls, types, bounds) = generics.split_for_impl();
        let variants = self.variants().into_iter().map(|Variant { name, fields }| {
            let (names, types) = (fields.iter().map(|f| &f.name), fields.iter().map(|f| &f.ty));
            quote!(#name { #(#names: #types),* })
        });
        let (serialize, read) = (self.serialize(&generics), self.read(&generics));
        quote! {
            #[doc = #about]
            #[allow(missing_docs, private_interfaces, dead_code, clippy::large_enum_variant)]
            #vis enum #ident #impls #bounds {
                #(#variants,)*
            }

            #[automatically_derived]
            impl #impls ::std::fmt::Debug for #ident #types #bounds {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    ::workflow::__private::debug(self, f)
                }
            }

            #serialize
            #read
        }
    }

    /// ```text
    /// match self {
    ///     Self::Start { topic: __0 } => {
    ///         WriteVariant::begin(serializer, "ResearchWorkflowState", (0, "Start"), 1)
    ///             .field::<__research_workflow_Type<0>>("topic", __0)
    ///             .end()
    ///     }
    /// }
    /// ```
    fn serialize(&self, generics: &Generics) -> TokenStream {
        let ident = self.signature.state_enum();
        let text = ident.to_string();
        let (impls, types, bounds) = generics.split_for_impl();
        let arms = (0u32..)
            .zip(self.variants())
            .map(|(index, Variant { name, fields })| {
                let (name_text, count) = (name.to_string(), fields.len());
                let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
                // As the statement has it, so that what is wrong with the type is said once.
                let places = fields.iter().enumerate();
                let values: Vec<_> = places
                    .map(|(place, field)| format_ident!("__{place}", span = field.stated.span()))
                    .collect();
                let writes = fields.iter().zip(&values).map(|(field, value)| {
                    let (stated, span) = (&field.stated, field.stated.span());
                    let name = mark::plain(&field.name);
                    quote_spanned!(span=> .field::<#stated>(#name, #value))
                });
                quote! {
                    Self::#name { #(#names: #values),* } => {
                        ::workflow::__private::WriteVariant::begin(
                            serializer, #text, (#index, #name_text), #count,
                        )
                        #(#writes)*
                        .end()
                    }
                }
            });
        quote! {
            #[automatically_derived]
            impl #impls ::workflow::__private::serde::Serialize for #ident #types #bounds {
                fn serialize<__S: ::workflow::__private::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::std::result::Result<__S::Ok, __S::Error> {
                    match self { #(#arms)* }
                }
            }
        }
    }

    /// ```text
    /// impl StateEnum for ResearchWorkflowState {
    ///     const VARIANTS: &[&str] = &["Start", "Research", "Approval"];
    ///     fn read(from: &mut ReadState<'_>) -> Option<Self> {
    ///         Some(match from.variant() {
    ///             0 => Self::Start { topic: from.field::<__research_workflow_Type<0>>("topic")? },
    ///             1 => Self::Research {},
    ///             2 => Self::Approval { findings: from.field::<Output<…>>("findings")? },
    ///             _ => return None,
    ///         })
    ///     }
    /// }
    /// ```
    fn read(&self, generics: &Generics) -> TokenStream {
        let ident = self.signature.state_enum();
        let from = local("from");
        let (impls, types, bounds) = generics.split_for_impl();
        let variants = self.variants();
        let names = variants.iter().map(|variant| variant.name.to_string());
        let arms = variants.iter().enumerate().map(|(index, variant)| {
            let Variant { name, fields } = variant;
            let names = fields.iter().map(|field| &field.name);
            let values = fields.iter().map(|field| &field.read);
            let index = Literal::usize_unsuffixed(index);
            quote!(#index => Self::#name { #(#names: #values),* })
        });
        let parameters = &generics.params;
        quote! {
            #[automatically_derived]
            impl #impls ::workflow::__private::StateEnum for #ident #types #bounds {
                const VARIANTS: &'static [&'static str] = &[#(#names),*];
                fn read(
                    #from: &mut ::workflow::__private::ReadState<'_>,
                ) -> ::std::option::Option<Self> {
                    ::std::option::Option::Some(match #from.variant() {
                        #(#arms,)*
                        _ => return ::std::option::Option::None,
                    })
                }
            }

            #[automatically_derived]
            impl<'de, #parameters> ::workflow::__private::serde::Deserialize<'de> for #ident #types #bounds {
                fn deserialize<__D: ::workflow::__private::serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::std::result::Result<Self, __D::Error> {
                    ::workflow::__private::ReadState::deserialize(deserializer)
                }
            }
        }
    }
}

/// A path as it is imported: `process` of `process::<Order>`.
fn without_arguments(path: &syn::Path) -> syn::Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        segment.arguments = syn::PathArguments::None;
    }
    path
}

/// A variant of the state enum.
struct Variant {
    name: Ident,
    fields: Vec<VariantField>,
}

struct VariantField {
    name: Ident,
    ty: TokenStream,
    /// Where the type is stated.
    stated: TokenStream,
    /// What reads the field.
    read: TokenStream,
}
