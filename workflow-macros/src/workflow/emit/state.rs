//! The state enum.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::flow::LocalId;
use super::super::mark;
use super::super::spell::Spelling;
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
        quote! {
            #[allow(non_camel_case_types, missing_docs, dead_code, unreachable_pub)]
            mod #module {
                #(
                    pub enum #aliases {}
                    impl ::workflow::__private::Called for #aliases {
                        type Output = ::workflow::Saved;
                    }
                )*
            }
            #[allow(unused_imports)]
            use #module::*;
            #(
                #[allow(unused_imports, non_camel_case_types)]
                use #functions as #aliases;
            )*
        }
    }

    fn alias(&self, index: usize) -> Ident {
        format_ident!("__{}_{index}", mark::plain(&self.signature.ident))
    }

    /// The functions whose outputs some state saves, each once.
    fn called(&self) -> Vec<&syn::Path> {
        let mut functions: Vec<&syn::Path> = Vec::new();
        for state in &self.plan.states {
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
            Some(Spelling::Called {
                function,
                tried,
                element,
            }) => {
                let index = self.called().iter().position(|known| *known == function);
                let alias = self.alias(index.unwrap_or_default());
                let output = quote!(<#alias as ::workflow::__private::Called>::Output);
                if let Some(element) = element {
                    quote!(<#output as ::workflow::__private::Tuple<#element>>::Element)
                } else if *tried {
                    output
                } else {
                    quote!(::std::result::Result<#output, ::workflow::ActivityError>)
                }
            }
        }
    }

    /// Where the type of a field is stated, when it is spelled.
    pub(super) fn statement(&self, id: LocalId) -> Option<TokenStream> {
        match self.plan.flow.local(id).spelling.as_ref()? {
            Spelling::Type(_) => {
                let index = self.statements().position(|known| known == id)?;
                let span = self.spelled(id).span();
                let mut stated = self.signature.stated();
                stated.set_span(span);
                Some(quote_spanned!(span=> #stated<#index>))
            }
            Spelling::Called {
                function,
                tried,
                element,
            } => {
                let index = self.called().iter().position(|known| *known == function);
                let alias = self.alias(index.unwrap_or_default());
                if let Some(element) = element {
                    return Some(quote!(::workflow::__private::Element<#alias, #element>));
                }
                let stated = format_ident!("{}", if *tried { "Output" } else { "Outcome" });
                Some(quote!(::workflow::__private::#stated<#alias>))
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
            let ty = quote_spanned!(span=> type Type = <::workflow::__private::Is<#ty> as ::workflow::__private::Keeps>::Type;);
            quote_spanned! {span=>
                #[automatically_derived]
                impl ::workflow::__private::Stated for #stated<#index> {
                    #ty
                }
            }
        });
        quote! {
            #[allow(non_camel_case_types, dead_code)]
            struct #stated<const N: usize>;
            #(#statements)*
        }
    }

    /// The variants: their names and what each saves.
    fn variants(&self) -> Vec<(Ident, Vec<LocalId>)> {
        let start = (format_ident!("Start"), self.parameters.to_vec());
        let states = self.plan.states.iter().map(|state| {
            let name = format_ident!("{}", state.name.name);
            (name, state.saved.clone())
        });
        std::iter::once(start).chain(states).collect()
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
    /// impl<'de> Deserialize<'de> for ResearchWorkflowState { … }
    /// ```
    pub(super) fn state_enum(&self) -> TokenStream {
        let vis = &self.signature.vis;
        let ident = self.signature.state_enum();
        let about = format!("Where a run of [`{}()`] stands.", self.signature.ident);
        let variants = self.variants().into_iter().map(|(name, saved)| {
            let fields = saved.into_iter().map(|id| {
                let (field, ty) = (self.field(id), self.spelled(id));
                quote!(#field: #ty)
            });
            quote!(#name { #(#fields),* })
        });
        let (serialize, deserialize) = (self.serialize(), self.deserialize());
        quote! {
            #[doc = #about]
            #[allow(missing_docs, private_interfaces, dead_code, clippy::large_enum_variant)]
            #vis enum #ident {
                #(#variants,)*
            }

            #[automatically_derived]
            impl ::std::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    ::workflow::__private::debug(self, f)
                }
            }

            #serialize
            #deserialize
        }
    }

    /// ```text
    /// match self {
    ///     Self::Start { topic: __0 } => {
    ///         let mut variant = WriteVariant::begin(serializer, "ResearchWorkflowState", (0, "Start"), 1)?;
    ///         variant.field::<__research_workflow_Type<0>>("topic", __0)?;
    ///         variant.end()
    ///     }
    /// }
    /// ```
    fn serialize(&self) -> TokenStream {
        let ident = self.signature.state_enum();
        let text = ident.to_string();
        let variant = local("variant");
        let arms = (0u32..).zip(self.variants()).map(|(index, (name, saved))| {
            let (fields, name_text, count) =
                (self.field_names(&saved), name.to_string(), saved.len());
            // As the statement has it, so that what is wrong with the type is said once.
            let values: Vec<_> = saved
                .iter()
                .enumerate()
                .map(|(place, id)| format_ident!("__{place}", span = self.stated_as(*id).1))
                .collect();
            let writes = saved
                .iter()
                .zip(&fields)
                .zip(&values)
                .map(|((id, field), value)| {
                    let (statement, span) = self.stated_as(*id);
                    let name = mark::plain(field);
                    quote_spanned!(span=> #variant.field::<#statement>(#name, #value)?;)
                });
            quote! {
                Self::#name { #(#fields: #values),* } => {
                    let mut #variant = ::workflow::__private::WriteVariant::begin(
                        serializer, #text, (#index, #name_text), #count,
                    )?;
                    #(#writes)*
                    #variant.end()
                }
            }
        });
        quote! {
            #[automatically_derived]
            impl ::workflow::__private::serde::Serialize for #ident {
                #[allow(unused_mut)]
                fn serialize<S: ::workflow::__private::serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::std::result::Result<S::Ok, S::Error> {
                    match self { #(#arms)* }
                }
            }
        }
    }

    /// ```text
    /// let mut variant = ReadVariant::read(deserializer)?;
    /// match variant.name() {
    ///     "Start" => Ok(Self::Start { topic: variant.field::<__research_workflow_Type<0>, D::Error>("topic")? }),
    ///     _ => Err(variant.unknown()),
    /// }
    /// ```
    fn deserialize(&self) -> TokenStream {
        let ident = self.signature.state_enum();
        let variant = local("variant");
        let arms = self.variants().into_iter().map(|(name, saved)| {
            let (fields, name_text) = (self.field_names(&saved), name.to_string());
            let values = saved.iter().zip(&fields).map(|(id, field)| {
                let (statement, span) = self.stated_as(*id);
                let name = mark::plain(field);
                quote_spanned!(span=> #variant.field::<#statement, D::Error>(#name)?)
            });
            quote! {
                #name_text => ::std::result::Result::Ok(Self::#name { #(#fields: #values),* }),
            }
        });
        quote! {
            #[automatically_derived]
            impl<'de> ::workflow::__private::serde::Deserialize<'de> for #ident {
                #[allow(unused_mut)]
                fn deserialize<D: ::workflow::__private::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::std::result::Result<Self, D::Error> {
                    let mut #variant = ::workflow::__private::ReadVariant::read(deserializer)?;
                    match #variant.name() {
                        #(#arms)*
                        _ => ::std::result::Result::Err(#variant.unknown()),
                    }
                }
            }
        }
    }

    fn field_names(&self, saved: &[LocalId]) -> Vec<Ident> {
        saved.iter().map(|id| self.field(*id)).collect()
    }

    /// Where the type of a field is stated, and the place of that in the source.
    fn stated_as(&self, id: LocalId) -> (TokenStream, Span) {
        let statement = self
            .statement(id)
            .unwrap_or_else(|| quote!(::workflow::Saved));
        let span = statement.span();
        (statement, span)
    }

    /// ```text
    /// ::std::result::Result::Ok(match saved.index() {
    ///     0 => ResearchWorkflowState::Start { topic: saved.field::<__research_workflow_Type<0>>(0)? },
    ///     1 => ResearchWorkflowState::Research {},
    ///     _ => ResearchWorkflowState::Approval { findings: saved.field::<Output<…>>(0)? },
    /// })
    /// ```
    pub(super) fn state(&self) -> TokenStream {
        let ident = self.signature.state_enum();
        let variants = self.variants();
        let last = variants.len() - 1;
        let from = local("saved");
        let arms = variants
            .into_iter()
            .enumerate()
            .map(|(index, (name, saved))| {
                let fields = saved.iter().map(|id| self.field(*id));
                let values = saved.iter().enumerate().map(|(place, id)| {
                    let place = Literal::usize_unsuffixed(place);
                    match self.statement(*id) {
                        Some(statement) => {
                            let span = statement.span();
                            quote_spanned!(span=> #from.field::<#statement>(#place)?)
                        }
                        None => quote!(#from.opaque(#place)?),
                    }
                });
                let index = if index == last {
                    quote!(_)
                } else {
                    Literal::usize_unsuffixed(index).into_token_stream()
                };
                quote!(#index => #ident::#name { #(#fields: #values),* })
            });
        quote!(::std::result::Result::Ok(match #from.index() { #(#arms,)* }))
    }
}
