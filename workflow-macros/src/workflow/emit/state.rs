//! The state enum.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::super::flow::LocalId;
use super::super::mark;
use super::super::spell::Spelling;
use super::Emitter;

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
            Some(Spelling::Called { function, tried }) => {
                let index = self.called().iter().position(|known| *known == function);
                let alias = self.alias(index.unwrap_or_default());
                let output = quote!(<#alias as ::workflow::__private::Called>::Output);
                if *tried {
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
                let stated = self.signature.stated();
                let index = self.statements().position(|known| known == id)?;
                Some(quote!(#stated<#index>))
            }
            Spelling::Called { function, tried } => {
                let index = self.called().iter().position(|known| *known == function);
                let alias = self.alias(index.unwrap_or_default());
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
            quote! {
                #[automatically_derived]
                impl ::workflow::__private::Stated for #stated<#index> {
                    type Type = #ty;
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
    ///     Start {
    ///         #[serde(with = "Kept::<__research_workflow_Type<0>>")]
    ///         topic: String,
    ///     },
    ///     Research {},
    ///     Approval {
    ///         #[serde(with = "Kept::<Output<__research_workflow_0>>")]
    ///         findings: <__research_workflow_0 as Called>::Output,
    ///     },
    /// }
    /// ```
    pub(super) fn state_enum(&self) -> TokenStream {
        let vis = &self.signature.vis;
        let ident = self.signature.state_enum();
        let about = format!("Where a run of [`{}()`] stands.", self.signature.ident);
        let variants = self.variants().into_iter().map(|(name, saved)| {
            let fields = saved.into_iter().map(|id| {
                let field = self.field(id);
                let ty = self.spelled(id);
                let with = self.statement(id).map(|statement| {
                    let with = format!("::workflow::__private::Kept::<{statement}>");
                    quote!(#[serde(with = #with)])
                });
                quote!(#with #field: #ty)
            });
            quote!(#name { #(#fields),* })
        });
        quote! {
            #[doc = #about]
            #[derive(::workflow::__private::serde::Serialize, ::workflow::__private::serde::Deserialize)]
            #[serde(crate = "::workflow::__private::serde")]
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
        }
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
        let arms = variants
            .into_iter()
            .enumerate()
            .map(|(index, (name, saved))| {
                let fields = saved.iter().map(|id| self.field(*id));
                let values = saved.iter().enumerate().map(|(place, id)| {
                    let place = Literal::usize_unsuffixed(place);
                    match self.statement(*id) {
                        Some(statement) => quote!(saved.field::<#statement>(#place)?),
                        None => quote!(saved.opaque(#place)?),
                    }
                });
                let index = if index == last {
                    quote!(_)
                } else {
                    Literal::usize_unsuffixed(index).into_token_stream()
                };
                quote!(#index => #ident::#name { #(#fields: #values),* })
            });
        quote!(::std::result::Result::Ok(match saved.index() { #(#arms,)* }))
    }
}
