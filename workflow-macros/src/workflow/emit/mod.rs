//! The tokens.

mod code;
mod state;
mod step;

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Block, GenericParam, Stmt};

use super::diagram::{self, Edge};
use super::flow::LocalId;
use super::number::{Await, SignalArgument};
use super::plan::Plan;
use super::signature::Signature;
use super::{generics, mark};
use crate::report::Report;

/// ```text
/// pub fn research_workflow(topic: String) -> ::workflow::WorkflowCall<research_workflow> { … }
/// pub enum research_workflow {}
/// ```
fn call(signature: &Signature, body: &TokenStream) -> TokenStream {
    let Signature {
        docs, vis, ident, ..
    } = signature;
    let parameters = signature.call_parameters();
    let about = format!("The workflow [`{ident}()`], as a type.");
    let (impls, types, bounds) = signature.generics.split_for_impl();
    let phantom: Vec<_> = signature
        .generics
        .type_params()
        .map(|ty| &ty.ident)
        .collect();
    let bare = signature
        .generics
        .params
        .iter()
        .map(|parameter| match parameter {
            GenericParam::Const(constant) => {
                let (ident, ty) = (&constant.ident, &constant.ty);
                quote!(const #ident: #ty = { <#ty as ::workflow::__private::Constant>::ANY })
            }
            other => {
                let ident = generics::name(other);
                quote!(#ident = ::workflow::__private::Unstated)
            }
        });
    // A type parameter must occur in a type that has it. The defaults are for a mention of the
    // workflow by its name alone: see `called`.
    let ty = if signature.generics.params.is_empty() {
        quote!(#vis enum #ident {})
    } else {
        quote! {
            #vis struct #ident<#(#bare),*> {
                never: ::std::convert::Infallible,
                of: ::std::marker::PhantomData<fn() -> (#(#phantom,)*)>,
            }
        }
    };
    quote! {
        #(#docs)*
        #[allow(dead_code, unused_variables, private_interfaces, clippy::too_many_arguments)]
        #vis fn #ident #impls(#parameters) -> ::workflow::WorkflowCall<#ident #types> #bounds {
            #body
        }

        #[doc = #about]
        #[allow(non_camel_case_types, missing_debug_implementations, dead_code)]
        #ty
    }
}

/// The call, the machine, and the function as written. The items of its body, which both use, stand
/// around both.
///
/// ```text
/// pub fn research_workflow(topic: String) -> ::workflow::WorkflowCall<research_workflow> { … }
/// pub enum ResearchWorkflowState { … }
/// const _: () = {
///     struct Finding { … }
///     impl research_workflow { pub async fn plain(…) { … } }
///     impl research_workflow { async fn machine(…) { … } }
///     impl ::workflow::Workflow for research_workflow { … }
/// };
/// ```
pub(super) fn workflow(signature: &Signature, body: &Block, machine: &Machine) -> TokenStream {
    let arguments = signature
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let ident = &parameter.ident;
            let span = parameter.typed.ty.span();
            let ty = &parameter.typed.ty;
            let stated = signature.stated_type(index, &quote!(#ty), span);
            quote_spanned!(span=> ::workflow::__private::seal::<#stated>(&#ident))
        });
    let call_body =
        quote!(::workflow::WorkflowCall::new(::workflow::__private::arguments([#(#arguments),*])));
    let call = call(signature, &call_body);
    let (items, body) = split(body);
    let plain = plain(signature, &body);
    let Machine { view, code } = machine;
    let code = within(signature, &items, &quote!(#plain #code));
    quote!(#call #view #code)
}

/// Code with the items of the body around it.
fn within(signature: &Signature, items: &[Stmt], code: &TokenStream) -> TokenStream {
    if items.is_empty() {
        return code.clone();
    }
    let lints = signature.attrs.iter().filter(|attr| is_lint(attr));
    quote! {
        #(#lints)*
        const _: () = {
            #(#items)*
            #code
        };
    }
}

/// The items of a body, and all else of it.
fn split(body: &Block) -> (Vec<Stmt>, Block) {
    let stmts = body.stmts.iter().cloned();
    let (items, stmts) = stmts.partition(|stmt| matches!(stmt, Stmt::Item(_)));
    let body = Block {
        brace_token: body.brace_token,
        stmts,
    };
    (items, body)
}

fn is_lint(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"]
        .iter()
        .any(|level| attr.path().is_ident(level))
}

/// The function as written: it says once, in rustc's words, what is wrong with names, types and
/// borrows, and tests compare the machine with it.
///
/// ```text
/// impl research_workflow {
///     pub async fn plain(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> { … }
/// }
/// ```
fn plain(signature: &Signature, body: &Block) -> TokenStream {
    let Signature {
        attrs,
        ident,
        output,
        context,
        parameters,
        ..
    } = signature;
    let context = context.iter().map(|(typed, _)| typed);
    let parameters = context.chain(parameters.iter().map(|parameter| &parameter.typed));
    let (impls, types, bounds) = signature.generics.split_for_impl();
    quote! {
        impl #impls #ident #types #bounds {
            #(#attrs)*
            #[doc(hidden)]
            #[allow(dead_code, private_interfaces, unreachable_pub)]
            pub async fn plain(#(#parameters),*) -> #output #body
        }
    }
}

/// What stands in for the machine when something is wrong. Where it is with the body, that is there
/// as written, so that names in it are used and editors know their types.
///
/// Callers see what it gives where the signature `is_sound`.
pub(super) fn stub(signature: &Signature, is_sound: bool, body: Option<&Block>) -> TokenStream {
    let Signature {
        vis,
        ident,
        durable_name,
        ..
    } = signature;
    let (output, error) = if is_sound {
        let output = &signature.output;
        (
            kept_output(signature),
            quote_spanned!(output.span()=> type Error = <#output as ::workflow::Returns>::Error;),
        )
    } else {
        (
            quote!(
                type Output = ();
            ),
            quote!(
                type Error = ::workflow::WorkflowError;
            ),
        )
    };
    let call = call(signature, &quote!(::std::unreachable!()));
    let state_enum = signature.state_enum();
    let plain = body.map(|body| {
        let (items, body) = split(body);
        within(signature, &items, &plain(signature, &body))
    });
    let called = called(signature, &output, &state_enum.to_token_stream());
    let (impls, types, bounds) = signature.generics.split_for_impl();
    quote! {
        #call
        #plain

        #[derive(::std::fmt::Debug, ::workflow::__private::serde::Serialize, ::workflow::__private::serde::Deserialize)]
        #[serde(crate = "::workflow::__private::serde")]
        #[allow(missing_docs)]
        #vis enum #state_enum {}

        #[automatically_derived]
        impl ::workflow::__private::StateEnum for #state_enum {
            const VARIANTS: &'static [&'static str] = &[];
            fn read(_: &mut ::workflow::__private::ReadState<'_>) -> ::std::option::Option<Self> {
                ::std::option::Option::None
            }
        }

        #called

        #[automatically_derived]
        impl #impls ::workflow::Workflow for #ident #types #bounds {
            #output
            #error
            type State = #state_enum;

            fn name() -> &'static str {
                #durable_name
            }

            fn step(
                _: &mut ::workflow::contract::Step<'_>,
                _: &mut ::workflow::Context,
            ) -> ::std::result::Result<::workflow::contract::Stepped, Self::Error> {
                ::std::unreachable!()
            }

            fn diagram() -> ::workflow::Diagram {
                ::std::unreachable!()
            }

            fn run_plain(
                _: ::std::vec::Vec<::workflow::codec::Sealed>,
                _: ::workflow::Context,
            ) -> ::workflow::__private::Plain<Self> {
                ::std::unreachable!()
            }
        }
    }
}

/// ```text
/// type Output = <Is<<Result<String, WorkflowError> as ::workflow::Returns>::Ok> as Keeps>::Type;
/// ```
fn kept_output(signature: &Signature) -> TokenStream {
    let output = &signature.output;
    let span = output.span();
    let returns = quote_spanned!(span=> <#output as ::workflow::Returns>);
    quote_spanned! {span=>
        type Output = <::workflow::__private::Is<#returns::Ok> as ::workflow::__private::Keeps>::Type;
    }
}

/// What awaiting a call of the workflow gives, for workflows that do so. These name the function
/// alone, which does not tell the types that a generic one gives.
///
/// ```text
/// impl ::workflow::__private::Called for research_workflow {
///     type Output = String;
///     type Error = ::workflow::WorkflowError;
///     type State = ResearchWorkflowState;
///     fn state(saved: &SavedState<'_>) -> Result<Box<Self::State>, CodecError> { saved.inline::<Self>() }
/// }
/// ```
fn called(signature: &Signature, output: &TokenStream, state: &TokenStream) -> TokenStream {
    let ident = &signature.ident;
    if !signature.generics.params.is_empty() {
        return quote! {
            #[automatically_derived]
            impl ::workflow::__private::Called for #ident {
                type Output = ::workflow::Saved;
                type Error = ::workflow::WorkflowError;
                type State = ::workflow::Saved;
            }
        };
    }
    let saved = local("saved");
    quote! {
        #[automatically_derived]
        impl ::workflow::__private::Called for #ident {
            #output
            type Error = ::workflow::WorkflowError;
            type State = #state;

            fn state(
                #saved: &::workflow::contract::SavedState<'_>,
            ) -> ::std::result::Result<::std::boxed::Box<Self::State>, ::workflow::codec::CodecError> {
                #saved.inline::<Self>()
            }
        }
    }
}

/// What the function was compiled to.
#[derive(Default)]
pub(super) struct Machine {
    /// The state enum.
    view: TokenStream,
    /// The implementation of `Workflow`.
    code: TokenStream,
}

/// The state enum and the implementation of `Workflow`.
///
/// The machine is an `async fn` with the return type and the place of the function as written, and
/// its code has the places of the user's code: so what rustc says of both it says in the same words
/// of the same places, and shows it once. It never waits: where a step ends it is dropped.
///
/// ```text
/// impl research_workflow {
///     async fn machine(step: &mut Step<'_>, ctx: &mut Context) -> Result<String, WorkflowError> {
///         'stop: { … }
///         ::workflow::__private::stop().await
///     }
/// }
/// impl ::workflow::Workflow for research_workflow {
///     fn step(step: &mut Step<'_>, ctx: &mut Context) -> Result<Stepped, Self::Error> {
///         match ::workflow::__private::poll(Self::machine(step, ctx)) {
///             Some(returned) => step.finish::<Self, _>(returned),
///             None => Ok(step.stopped()),
///         }
///     }
/// }
/// ```
pub(super) fn machine(
    report: &Report,
    signature: &Signature,
    plan: &Plan<'_>,
    awaits: &[Await],
    starts: &[Option<SignalArgument>],
    parameters: &[LocalId],
) -> Machine {
    let emitter = Emitter {
        report,
        signature,
        plan,
        awaits,
        starts,
        parameters,
        blocks: format_ident!("__{}_Block", mark::plain(&signature.ident)),
    };
    let Signature {
        ident,
        durable_name,
        output,
        context,
        ..
    } = signature;
    let aliases = emitter.aliases();
    let stated = emitter.stated();
    let state_enum = emitter.state_enum();
    let enum_ident = signature.state_enum();
    let step = local("step");
    let ctx = match context {
        Some((_, Some(name))) => name.clone(),
        _ => local("_ctx"),
    };
    let step_body = emitter.step();
    let span = output.span();
    let returns = quote_spanned!(span=> <#output as ::workflow::Returns>);
    let error = quote_spanned!(span=> #returns::Error);
    let output = kept_output(signature);
    let (impls, types, bounds) = signature.generics.split_for_impl();
    let name = if signature.generics.params.is_empty() {
        quote!(#durable_name)
    } else {
        quote!(::workflow::__private::instance_name::<Self>(#durable_name))
    };
    let state_types = emitter.state_generics();
    let (_, state_types, _) = state_types.split_for_impl();
    let run_plain = emitter.run_plain();
    let diagram = emitter.diagram();
    let state = quote!(#enum_ident #state_types);
    let called = called(signature, &output, &state);
    let returned = &signature.output;
    let returned_value = local("returned");
    let finish = quote_spanned!(span=> #step.finish::<Self, _>(#returned_value));
    let mut body = Group::new(Delimiter::Brace, step_body);
    body.set_span(signature.body);
    let code = quote! {
        #called

        impl #impls #ident #types #bounds {
            // What is wrong with the code is said of the function as written.
            #[doc(hidden)]
            #[allow(warnings, unused, unused_qualifications, unused_results, trivial_casts, trivial_numeric_casts, let_underscore_drop, nonstandard_style, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
            async fn machine(
                #step: &mut ::workflow::contract::Step<'_>,
                #ctx: &mut ::workflow::Context,
            ) -> #returned #body
        }

        #[automatically_derived]
        impl #impls ::workflow::Workflow for #ident #types #bounds {
            #output
            type Error = #error;
            type State = #state;

            fn name() -> &'static str {
                #name
            }

            fn step(
                #step: &mut ::workflow::contract::Step<'_>,
                #ctx: &mut ::workflow::Context,
            ) -> ::std::result::Result<::workflow::contract::Stepped, Self::Error> {
                match ::workflow::__private::poll(Self::machine(#step, #ctx)) {
                    ::std::option::Option::Some(#returned_value) => #finish,
                    ::std::option::Option::None => ::std::result::Result::Ok(#step.stopped()),
                }
            }

            fn diagram() -> ::workflow::Diagram {
                #diagram
            }

            #run_plain
        }
    };
    Machine {
        view: quote!(#aliases #stated #state_enum),
        code,
    }
}

impl Emitter<'_> {
    /// ```text
    /// ::workflow::Diagram::new(
    ///     "research_workflow",
    ///     &["Start", "Research", "Approval", "WriteReport"],
    ///     &[(0, 1, ""), (1, 2, ""), (2, 0, "!approved"), (2, 3, "approved"), (3, 0, "")],
    /// )
    /// ```
    fn diagram(&self) -> TokenStream {
        let name = mark::plain(&self.signature.ident);
        let states = self.plan.states.iter().map(|state| &state.name.name);
        let edges = diagram::edges(self.plan).into_iter().map(|edge| {
            let Edge {
                from,
                to,
                condition,
            } = edge;
            let (from, to) = (
                Literal::usize_unsuffixed(from),
                Literal::usize_unsuffixed(to),
            );
            quote!((#from, #to, #condition))
        });
        quote!(::workflow::Diagram::new(#name, &["Start" #(, #states)*], &[#(#edges),*]))
    }
}

struct Emitter<'a> {
    report: &'a Report,
    signature: &'a Signature,
    plan: &'a Plan<'a>,
    awaits: &'a [Await],
    starts: &'a [Option<SignalArgument>],
    parameters: &'a [LocalId],
    /// The enum of the step function's arms.
    blocks: Ident,
}

impl Emitter<'_> {
    /// ```text
    /// fn run_plain(arguments: Vec<Sealed>, ctx: Context) -> Plain<Self> {
    ///     let mut arguments = Arguments::new(arguments);
    ///     let argument1 = arguments.next::<__research_workflow_Type<0>>().unwrap();
    ///     as_written::<Self, _>(ctx, move |ctx| Box::pin(Self::plain(ctx, argument1)))
    /// }
    /// ```
    fn run_plain(&self) -> TokenStream {
        let Signature {
            context,
            parameters,
            output,
            ..
        } = self.signature;
        let (ctx, arguments) = (local("ctx"), local("arguments"));
        let idents: Vec<_> = (1..=parameters.len())
            .map(|number| local(&format!("argument{number}")))
            .collect();
        let taken = parameters.iter().enumerate().map(|(index, parameter)| {
            let ty = &parameter.typed.ty;
            let span = ty.span();
            let stated = self.signature.stated_type(index, &quote!(#ty), span);
            quote_spanned!(span=> #arguments.next::<#stated>().unwrap())
        });
        let given = context.iter().map(|_| &ctx).chain(&idents);
        let span = output.span();
        let result = quote_spanned!(span=> ::workflow::__private::Plain<Self>);
        let call = quote_spanned! {span=>
            ::workflow::__private::as_written::<Self, #output>(
                #ctx,
                move |#ctx| ::std::boxed::Box::pin(Self::plain(#(#given),*)),
            )
        };
        quote! {
            #[allow(unused_mut, unused_variables)]
            fn run_plain(
                #arguments: ::std::vec::Vec<::workflow::codec::Sealed>,
                #ctx: ::workflow::Context,
            ) -> #result {
                let mut #arguments = ::workflow::__private::Arguments::new(#arguments);
                #(let #idents = #taken;)*
                #call
            }
        }
    }
}

/// A local of the generated code, which no name of the user's can mean.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
