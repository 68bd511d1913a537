//! The tokens of an activity.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::time::Duration;
use syn::spanned::Spanned;
use syn::{ItemFn, Type};

use super::options::Options;
use super::signature::Signature;

/// The call and the type of the function's name.
///
/// ```text
/// pub fn research(topic: String) -> ::workflow::Call<research> { … }
/// pub enum research {}
/// ```
fn call(signature: &Signature, body: &TokenStream) -> TokenStream {
    let Signature {
        docs, vis, ident, ..
    } = signature;
    let idents = signature
        .parameters
        .iter()
        .map(|parameter| &parameter.ident);
    let types = signature.parameters.iter().map(|parameter| &parameter.ty);
    let about = format!("The activity [`{ident}()`], as a type.");
    quote! {
        #(#docs)*
        #[allow(dead_code, unused_variables, private_interfaces, clippy::needless_pass_by_value, clippy::too_many_arguments, clippy::ptr_arg)]
        #vis fn #ident(#(#idents: #types),*) -> ::workflow::Call<#ident> {
            #body
        }

        #[doc = #about]
        #[allow(non_camel_case_types, missing_debug_implementations, dead_code)]
        #vis enum #ident {}
    }
}

/// ```text
/// struct __research_Type<const N: usize>;
/// impl ::workflow::__private::Stated for __research_Type<0> {
///     type Type = String;
/// }
/// impl ::workflow::Activity for research {
///     type Output = <Result<String, ActivityError> as ::workflow::Returns>::Ok;
///     …
///     fn run(arguments: Vec<Sealed>, context: ActivityContext) -> ActivityFuture {
///         Box::pin(async move {
///             let mut arguments = ::workflow::__private::Arguments::new(arguments);
///             let topic = arguments.next::<__research_Type<0>>()?;
///             ::workflow::__private::returned::<Self, _>(research::research(topic).await)
///         })
///     }
/// }
/// ```
pub(super) fn activity(options: &Options, signature: &Signature, function: &ItemFn) -> TokenStream {
    let Signature {
        attrs,
        ident,
        output,
        ..
    } = signature;
    let stated = stated(signature);
    let statements: Vec<_> = (signature.parameters.iter().enumerate())
        .map(|(index, parameter)| {
            let span = parameter.owned.span();
            let mut stated = stated.clone();
            stated.set_span(span);
            quote_spanned!(span=> #stated<#index>)
        })
        .collect();
    let arguments = signature
        .parameters
        .iter()
        .zip(&statements)
        .map(|(parameter, statement)| {
            let (ident, owned) = (&parameter.ident, &parameter.owned);
            let span = owned.span();
            match (parameter.by_reference, &parameter.ty) {
                (false, _) => {
                    quote_spanned!(span=> ::workflow::__private::seal::<#statement>(&#ident))
                }
                // A text or a slice is not what it is saved as.
                (true, Type::Reference(ty)) if *ty.elem != *owned => {
                    quote!(::workflow::codec::Sealed::seal_as::<#owned, _>(#ident))
                }
                (true, _) => {
                    quote_spanned!(span=> ::workflow::__private::seal::<#statement>(#ident))
                }
            }
        });
    let body = quote!(::workflow::Call::new(::workflow::__private::arguments([#(#arguments),*])));
    let call = call(signature, &body);
    let inputs = &function.sig.inputs;
    let block = &function.block;
    let name = options.name.clone().unwrap_or_else(|| {
        let name = ident.to_string();
        name.strip_prefix("r#").unwrap_or(&name).to_owned()
    });
    let options = self::options(options);
    let idents: Vec<_> = signature.parameters.iter().map(|p| &p.ident).collect();
    let passed = signature.parameters.iter().map(|parameter| {
        let ident = &parameter.ident;
        let reference = parameter.by_reference.then(|| quote!(&));
        quote!(#reference #ident)
    });
    let context = mixed("context");
    let arguments = mixed("arguments");
    let value = mixed("value");
    // At the place of the types, so that what is wrong with one is said once.
    let types_of = statements.iter().map(|statement| {
        let span = statement.span();
        quote_spanned!(span=> ::workflow::__private::type_definition::<#statement>())
    });
    let taken = statements.iter().map(|statement| {
        let span = statement.span();
        quote_spanned!(span=> #arguments.next::<#statement>())
    });
    let given = signature.context.map(|by_reference| {
        let reference = by_reference.then(|| quote!(&));
        quote!(#reference #context,)
    });
    let span = output.span();
    let returns = quote_spanned!(span=> <#output as ::workflow::Returns>);
    let returned = quote_spanned! {span=>
        ::workflow::__private::returned::<Self, _>(#returns::into_result(#value))
    };
    let associated = quote_spanned! {span=>
        type Output = <::workflow::__private::Is<#returns::Ok> as ::workflow::__private::Keeps>::Type;
    };
    let statements_of_types = signature.parameters.iter().zip(&statements).map(|(parameter, statement)| {
        let owned = &parameter.owned;
        let span = owned.span();
        quote_spanned! {span=>
            #[automatically_derived]
            impl ::workflow::__private::Stated for #statement {
                type Type = <::workflow::__private::Is<#owned> as ::workflow::__private::Keeps>::Type;
            }
        }
    });
    quote! {
        #call

        #[allow(non_camel_case_types, dead_code)]
        struct #stated<const N: usize>;
        #(#statements_of_types)*

        impl #ident {
            #(#attrs)*
            #[allow(private_interfaces)]
            async fn #ident(#inputs) -> #output #block
        }

        #[automatically_derived]
        impl ::workflow::__private::Called for #ident {
            #associated
            type Error = ::workflow::ActivityError;
            type State = ::workflow::Saved;
        }

        #[automatically_derived]
        impl ::workflow::Activity for #ident {
            #associated

            fn name() -> ::workflow::contract::ActivityName {
                ::workflow::contract::ActivityName {
                    name: #name.into(),
                    module: ::std::module_path!().into(),
                }
            }

            #[allow(clippy::field_reassign_with_default)]
            fn options() -> ::workflow::ActivityOptions {
                #options
            }

            fn parameters() -> ::std::vec::Vec<::workflow::contract::TypeDefinition> {
                ::std::vec![#(#types_of),*]
            }

            #[allow(unused_variables, unused_mut)]
            fn run(
                #arguments: ::std::vec::Vec<::workflow::codec::Sealed>,
                #context: ::workflow::ActivityContext,
            ) -> ::workflow::ActivityFuture {
                ::std::boxed::Box::pin(async move {
                    let mut #arguments = ::workflow::__private::Arguments::new(#arguments);
                    #(let #idents = #taken?;)*
                    let #value = #ident::#ident(#given #(#passed),*).await;
                    #returned
                })
            }
        }
    }
}

/// What stands in for an activity when something is wrong with it.
pub(super) fn stub(signature: &Signature) -> TokenStream {
    let call = call(signature, &quote!(::std::unreachable!()));
    let ident = &signature.ident;
    quote! {
        #call

        #[automatically_derived]
        impl ::workflow::__private::Called for #ident {
            type Output = ();
            type Error = ::workflow::ActivityError;
            type State = ::workflow::Saved;
        }

        #[automatically_derived]
        impl ::workflow::Activity for #ident {
            type Output = ();

            fn name() -> ::workflow::contract::ActivityName {
                ::std::unreachable!()
            }

            fn options() -> ::workflow::ActivityOptions {
                ::std::unreachable!()
            }

            fn parameters() -> ::std::vec::Vec<::workflow::contract::TypeDefinition> {
                ::std::unreachable!()
            }

            fn run(
                _: ::std::vec::Vec<::workflow::codec::Sealed>,
                _: ::workflow::ActivityContext,
            ) -> ::workflow::ActivityFuture {
                ::std::unreachable!()
            }
        }
    }
}

/// The name of the type that states those of the parameters, by their number.
fn stated(signature: &Signature) -> Ident {
    let ident = signature.ident.to_string();
    format_ident!("__{}_Type", ident.trim_start_matches("r#"))
}

fn mixed(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// ```text
/// let mut options = ::workflow::ActivityOptions::default();
/// options.start_to_close = Some(Duration::new(600, 0));
/// options.retry.max_attempts = 3;
/// options
/// ```
fn options(given: &Options) -> TokenStream {
    let options = mixed("options");
    let limit = |limit: Option<Duration>| {
        let limit = duration(limit?);
        Some(quote!(::std::option::Option::Some(#limit)))
    };
    let settings = [
        (quote!(start_to_close), limit(given.timeout)),
        (quote!(schedule_to_close), limit(given.schedule_to_close)),
        (
            quote!(retry.max_attempts),
            given.max_attempts.map(ToTokens::into_token_stream),
        ),
        (
            quote!(retry.initial_interval),
            given.initial_interval.map(duration),
        ),
        (
            quote!(retry.backoff_coefficient),
            given.backoff_coefficient.map(ToTokens::into_token_stream),
        ),
        (quote!(retry.max_interval), given.max_interval.map(duration)),
    ];
    let settings: Vec<_> = settings
        .into_iter()
        .filter_map(|(setting, value)| {
            let value = value?;
            Some(quote!(#options.#setting = #value;))
        })
        .collect();
    if settings.is_empty() {
        return quote!(::workflow::ActivityOptions::default());
    }
    quote! {
        let mut #options = ::workflow::ActivityOptions::default();
        #(#settings)*
        #options
    }
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::std::time::Duration::new(#seconds, #nanoseconds))
}
