//! The function's signature and the macro's options.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Generics, ItemFn, LitStr, Pat, PatType, ReturnType, Safety,
    Type, Visibility, parse_quote_spanned,
};

use super::{generics, mark};
use crate::code;
use crate::name::upper_camel;
use crate::output;
use crate::reference;
use crate::report::Report;

pub(super) struct Signature {
    /// Documentation, for what callers see.
    pub(super) docs: Vec<Attribute>,
    /// All other attributes, for the function as written.
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) ident: Ident,
    /// The name that runs are saved under.
    pub(super) durable_name: String,
    /// The whole parameter `ctx: &mut Context`, and its name if it has one.
    pub(super) context: Option<(PatType, Option<Ident>)>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) output: Type,
    /// Whether the state enum must spell the types of all locals.
    pub(super) typed: bool,
    /// The place of the body.
    pub(super) body: Span,
    /// The type parameters, with the bounds that a saved run needs.
    pub(super) generics: Generics,
}

pub(super) struct Parameter {
    /// As written.
    pub(super) typed: PatType,
    /// The name of its field: its own, or `argument1` where it is a pattern.
    pub(super) ident: Ident,
    pub(super) mutable: bool,
    /// The pattern, where it is one.
    pub(super) pattern: Option<Pat>,
}

impl Signature {
    pub(super) fn parse(report: &Report, options: TokenStream, function: &ItemFn) -> Self {
        let sig = &function.sig;
        let mut durable_name = mark::plain(&sig.ident);
        let mut typed = false;
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("name") {
                durable_name = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            }
            if meta.path.is_ident("typed") {
                typed = true;
                return Ok(());
            }
            Err(meta.error(
                "unknown option of `#[workflow]`\nhelp: the options are `name = \"…\"` and `typed`",
            ))
        });
        if let Err(error) = parser.parse2(options) {
            report.parse_error(code::OPTION, error);
        }
        check(report, function);
        let (docs, attrs) = function
            .attrs
            .iter()
            .cloned()
            .partition(|attr| attr.path().is_ident("doc"));
        let mut signature = Self {
            docs,
            attrs,
            vis: function.vis.clone(),
            ident: sig.ident.clone(),
            durable_name,
            typed,
            context: None,
            parameters: Vec::new(),
            output: match &sig.output {
                ReturnType::Type(_, ty) => (**ty).clone(),
                ReturnType::Default => parse_quote_spanned!(sig.ident.span()=> ()),
            },
            body: function.block.brace_token.span.join(),
            generics: generics::bounded(sig),
        };
        let mut index = 0;
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => report.error_on(
                    code::RECEIVER,
                    receiver,
                    "a workflow cannot take `self`\n\
                     a run outlives the process, and the value it was called on\n\
                     help: make it a free function, and take what it needs as parameters",
                ),
                FnArg::Typed(typed) => {
                    signature.parameter(report, index, typed);
                    index += 1;
                }
            }
        }
        signature
    }

    fn parameter(&mut self, report: &Report, index: usize, typed: &PatType) {
        if is_context(&typed.ty) {
            if index > 0 {
                report.error_on(
                    code::CONTEXT,
                    typed,
                    "the context is the first parameter of a workflow\n\
                     the parameters after it are those of the call\n\
                     help: move `ctx: &mut Context` to the front",
                );
            }
            if !matches!(&*typed.ty, Type::Reference(ty) if ty.mutability.is_some()) {
                report.error_on(
                    code::CONTEXT,
                    &typed.ty,
                    "a workflow borrows its context\n\
                     the engine lends it for one step after another\n\
                     help: write `ctx: &mut Context`",
                );
            }
            let name = match &*typed.pat {
                Pat::Ident(pattern) => Some(pattern.ident.clone()),
                _ => None,
            };
            self.context = Some((typed.clone(), name));
            return;
        }
        if let Type::ImplTrait(ty) = &*typed.ty {
            report.error_on(
                code::PARAMETER,
                ty,
                "a workflow cannot take an `impl Trait`\n\
                 its parameters are saved, and the type to read them back must be known\n\
                 help: write the type itself",
            );
        } else if let Some(ty) = reference::in_type(&typed.ty) {
            report.error_on(
                code::PARAMETER,
                ty,
                "a workflow takes its parameters by value\n\
                 a run outlives the process that started it, and with it what it borrowed\n\
                 help: take an owned type: `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`; for `&mut T` take `T`, and return it",
            );
        }
        let (ident, mutable, pattern) = match &*typed.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
                (pattern.ident.clone(), pattern.mutability.is_some(), None)
            }
            pattern => {
                let number = self.parameters.len() + 1;
                let ident = format_ident!("argument{number}", span = pattern.span());
                (ident, false, Some(pattern.clone()))
            }
        };
        self.parameters.push(Parameter {
            typed: typed.clone(),
            ident,
            mutable,
            pattern,
        });
    }

    /// The state enum's name.
    pub(super) fn state_enum(&self) -> Ident {
        let name = upper_camel(&mark::plain(&self.ident));
        format_ident!("{name}State", span = self.ident.span())
    }

    /// The name of the type that [states](super::emit) types by their number.
    pub(super) fn stated(&self) -> Ident {
        format_ident!("__{}_Type", mark::plain(&self.ident))
    }

    /// The type that states the one of that number: `__process_Type<0, (T,)>`, with the type
    /// parameters that it mentions.
    pub(super) fn stated_type(&self, index: usize, ty: &TokenStream, span: Span) -> TokenStream {
        let mut stated = self.stated();
        stated.set_span(span);
        let generics = generics::mentioned(&self.generics, ty);
        if generics.params.is_empty() {
            return quote_spanned!(span=> #stated<#index>);
        }
        let parameters = generics.params.iter().map(|parameter| match parameter {
            GenericParam::Const(constant) => {
                let ident = &constant.ident;
                quote_spanned!(span=> [(); #ident])
            }
            other => generics::name(other).into_token_stream(),
        });
        quote_spanned!(span=> #stated<#index, (#(#parameters,)*)>)
    }

    /// The function's parameters as the call takes them: `topic: String`.
    pub(super) fn call_parameters(&self) -> TokenStream {
        let idents = self.parameters.iter().map(|parameter| &parameter.ident);
        let types = self.parameters.iter().map(|parameter| &parameter.typed.ty);
        quote!(#(#idents: #types),*)
    }
}

fn is_context(ty: &Type) -> bool {
    let ty = match ty {
        Type::Reference(ty) => &*ty.elem,
        ty => ty,
    };
    let Type::Path(path) = ty else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "Context" && last.arguments.is_none())
}

fn check(report: &Report, function: &ItemFn) {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        report.error_on(
            code::FUNCTION,
            sig.fn_token,
            "a workflow is an `async fn`\n\
             it is saved at every `.await`\n\
             help: write `async fn`",
        );
    }
    if let Some(constness) = &sig.constness {
        report.error_on(
            code::FUNCTION,
            constness,
            "a workflow cannot be `const`\n\
             it awaits, and what is `const` is computed by the compiler\n\
             help: remove `const`",
        );
    }
    if !matches!(sig.safety, Safety::Default) {
        report.error_on(
            code::FUNCTION,
            &sig.safety,
            "a workflow cannot be `unsafe`\n\
             an engine runs it, which cannot keep a promise of its caller\n\
             help: remove `unsafe`",
        );
    }
    if let Some(abi) = &sig.abi {
        report.error_on(
            code::FUNCTION,
            abi,
            "a workflow cannot be `extern`\n\
             an engine calls it, and not another language\n\
             help: remove the ABI",
        );
    }
    if let Some(variadic) = &sig.variadic {
        report.error_on(
            code::FUNCTION,
            variadic,
            "a workflow cannot be variadic\n\
             its parameters are saved by their names\n\
             help: take a `Vec`",
        );
    }
    for lifetime in sig.generics.lifetimes() {
        report.error_on(
            code::GENERICS,
            lifetime,
            "a workflow cannot have a lifetime parameter\n\
             a run outlives the process that started it, and with it what it borrowed\n\
             help: remove it, and take owned types",
        );
    }
    output::check(report, sig, "workflow", "WorkflowError");
}
