//! The tokens of an activity.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use std::time::Duration;
use syn::ItemFn;
use syn::spanned::Spanned;

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
/// impl ::workflow::Activity for research {
///     type Output = <Result<String, ActivityError> as ::workflow::Returns>::Ok;
///     …
///     fn run(arguments: Vec<Sealed>, context: ActivityContext) -> ActivityFuture {
///         Box::pin(async move {
///             let mut arguments = ::workflow::__private::Arguments::new(arguments);
///             let topic: String = arguments.next()?;
///             ::workflow::__private::returned(research::research(topic).await)
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
    let arguments = signature.parameters.iter().map(|parameter| {
        let (ident, owned) = (&parameter.ident, &parameter.owned);
        let reference = (!parameter.by_reference).then(|| quote!(&));
        quote!(::workflow::codec::Sealed::seal_as::<#owned, _>(#reference #ident))
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
    let owned: Vec<_> = signature.parameters.iter().map(|p| &p.owned).collect();
    let passed = signature.parameters.iter().map(|parameter| {
        let ident = &parameter.ident;
        let reference = parameter.by_reference.then(|| quote!(&));
        quote!(#reference #ident)
    });
    let context = mixed("context");
    let arguments = mixed("arguments");
    let given = signature.context.map(|by_reference| {
        let reference = by_reference.then(|| quote!(&));
        quote!(#reference #context,)
    });
    let span = output.span();
    let returns = quote_spanned!(span=> <#output as ::workflow::Returns>);
    let (ok, into_result) = (
        quote_spanned!(span=> #returns::Ok),
        quote_spanned!(span=> #returns::into_result),
    );
    quote! {
        #call

        impl #ident {
            #(#attrs)*
            #[allow(private_interfaces)]
            async fn #ident(#inputs) -> #output #block
        }

        #[automatically_derived]
        impl ::workflow::Activity for #ident {
            type Output = #ok;

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

            fn parameters() -> ::std::vec::Vec<&'static ::workflow::codec::Shape> {
                ::std::vec![#(::workflow::codec::shape::<#owned>()),*]
            }

            #[allow(unused_variables, unused_mut)]
            fn run(
                #arguments: ::std::vec::Vec<::workflow::codec::Sealed>,
                #context: ::workflow::ActivityContext,
            ) -> ::workflow::ActivityFuture {
                ::std::boxed::Box::pin(async move {
                    let mut #arguments = ::workflow::__private::Arguments::new(#arguments);
                    #(let #idents: #owned = #arguments.next()?;)*
                    let returned = #ident::#ident(#given #(#passed),*).await;
                    ::workflow::__private::returned(#into_result(returned))
                })
            }
        }

        #[automatically_derived]
        impl ::workflow::__private::Called for #ident {
            type Output = #ok;
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
        impl ::workflow::Activity for #ident {
            type Output = ();

            fn name() -> ::workflow::contract::ActivityName {
                ::std::unreachable!()
            }

            fn options() -> ::workflow::ActivityOptions {
                ::std::unreachable!()
            }

            fn parameters() -> ::std::vec::Vec<&'static ::workflow::codec::Shape> {
                ::std::unreachable!()
            }

            fn run(
                _: ::std::vec::Vec<::workflow::codec::Sealed>,
                _: ::workflow::ActivityContext,
            ) -> ::workflow::ActivityFuture {
                ::std::unreachable!()
            }
        }

        #[automatically_derived]
        impl ::workflow::__private::Called for #ident {
            type Output = ();
        }
    }
}

fn mixed(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, proc_macro2::Span::mixed_site())
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
