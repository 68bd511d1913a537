//! The function's signature and the macro's options.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Generics, ItemFn, LitStr, Pat, PatType, ReturnType, Safety,
    Token, Type, TypeParamBound, Visibility, WhereClause, WherePredicate, parse_quote,
    parse_quote_spanned,
};

use super::mark;
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
            generics: bounded(sig),
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
                 help: take an owned type: `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`",
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
        let generics = self.generics_in(ty);
        if generics.params.is_empty() {
            return quote_spanned!(span=> #stated<#index>);
        }
        let parameters = generics.params.iter().map(|parameter| match parameter {
            GenericParam::Const(constant) => {
                let ident = &constant.ident;
                quote_spanned!(span=> [(); #ident])
            }
            other => name(other).into_token_stream(),
        });
        quote_spanned!(span=> #stated<#index, (#(#parameters,)*)>)
    }

    /// The type parameters that types mention, with the bounds that are about these alone.
    pub(super) fn generics_in(&self, types: &TokenStream) -> Generics {
        let mentions = |tokens: TokenStream, name: &Ident| {
            let mut found = false;
            mark::each_ident(tokens, &mut |ident, _| found |= ident == name);
            found
        };
        let (mentioned, others): (Vec<_>, Vec<_>) = (self.generics.params.iter())
            .partition(|parameter| mentions(types.clone(), &name(parameter)));
        let others: Vec<_> = others.into_iter().map(name).collect();
        let alone =
            |tokens: TokenStream| !others.iter().any(|other| mentions(tokens.clone(), other));
        let mut generics = Generics {
            params: mentioned.into_iter().cloned().collect(),
            ..self.generics.clone()
        };
        for ty in generics.type_params_mut() {
            let bounds = std::mem::take(&mut ty.bounds).into_iter();
            ty.bounds = bounds
                .filter(|bound| alone(bound.to_token_stream()))
                .collect();
        }
        if let Some(clause) = &mut generics.where_clause {
            let predicates = std::mem::take(&mut clause.predicates).into_iter();
            let about = predicates.filter(|predicate| alone(predicate.to_token_stream()));
            clause.predicates = about.collect();
        }
        generics
    }

    /// The function's parameters as the call takes them: `topic: String`.
    pub(super) fn call_parameters(&self) -> TokenStream {
        let idents = self.parameters.iter().map(|parameter| &parameter.ident);
        let types = self.parameters.iter().map(|parameter| &parameter.typed.ty);
        quote!(#(#idents: #types),*)
    }
}

fn name(parameter: &GenericParam) -> Ident {
    match parameter {
        GenericParam::Type(ty) => ty.ident.clone(),
        GenericParam::Const(constant) => constant.ident.clone(),
        GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.clone(),
    }
}

/// The type parameters with what a saved run needs of them: that they last, and can be kept where the
/// parameters or the result are of them.
fn bounded(sig: &syn::Signature) -> Generics {
    let mut generics = sig.generics.clone();
    // Lifetimes are refused.
    let parameters = std::mem::take(&mut generics.params).into_iter();
    let kept = parameters.filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    generics.params = kept.collect();
    let (inputs, output) = (&sig.inputs, &sig.output);
    let mut clause = generics.where_clause.take();
    for ty in generics.type_params_mut() {
        let mut is_kept = false;
        mark::each_ident(quote!(#inputs #output), &mut |ident, _| {
            is_kept |= *ident == ty.ident
        });
        let bound: TypeParamBound = if is_kept {
            parse_quote!(::workflow::__private::Parameter)
        } else {
            parse_quote!('static)
        };
        // Beside the other bounds, for clippy wants them in one place.
        match clause
            .as_mut()
            .and_then(|clause| bounds_of(clause, &ty.ident))
        {
            Some(bounds) if ty.bounds.is_empty() => bounds.push(bound),
            _ => ty.bounds.push(bound),
        }
        ty.default = None;
    }
    generics.where_clause = clause;
    generics
}

type Bounds = Punctuated<TypeParamBound, Token![+]>;

fn bounds_of<'a>(clause: &'a mut WhereClause, name: &Ident) -> Option<&'a mut Bounds> {
    clause
        .predicates
        .iter_mut()
        .find_map(|predicate| match predicate {
            WherePredicate::Type(predicate) => match &predicate.bounded_ty {
                Type::Path(path) if path.path.is_ident(name) => Some(&mut predicate.bounds),
                _ => None,
            },
            _ => None,
        })
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
