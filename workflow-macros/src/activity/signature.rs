//! The function's signature.

use proc_macro2::Ident;
use quote::format_ident;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, ItemFn, Pat, PatType, ReturnType, Safety, Type, Visibility, parse_quote,
    parse_quote_spanned,
};

use crate::code;
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
    /// Whether it takes its context, and whether by reference.
    pub(super) context: Option<bool>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) output: Type,
}

pub(super) struct Parameter {
    /// What it is called outside the function as written.
    pub(super) ident: Ident,
    /// Its type as written.
    pub(super) ty: Type,
    /// The type that it is saved as.
    pub(super) owned: Type,
    pub(super) by_reference: bool,
}

impl Signature {
    pub(super) fn parse(report: &Report, function: &ItemFn) -> Self {
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
            ident: function.sig.ident.clone(),
            context: None,
            parameters: Vec::new(),
            output: match &function.sig.output {
                ReturnType::Type(_, ty) => (**ty).clone(),
                ReturnType::Default => parse_quote_spanned!(function.sig.ident.span()=> ()),
            },
        };
        let mut index = 0;
        for input in &function.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => report.error_on(
                    code::RECEIVER,
                    receiver,
                    "an activity cannot take `self`\n\
                     it may run in another process than its caller\n\
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
        if let Some(by_reference) = context(&typed.ty) {
            if index > 0 {
                report.error_on(
                    code::CONTEXT,
                    typed,
                    "the context is the first parameter of an activity\n\
                     the parameters after it are those of the call\n\
                     help: move it to the front",
                );
            }
            self.context = Some(by_reference);
            return;
        }
        let (owned, by_reference) = match &*typed.ty {
            Type::Reference(ty) if ty.mutability.is_some() => {
                report.error_on(
                    code::PARAMETER,
                    ty,
                    "an activity cannot change what its caller holds\n\
                     it may run in another process\n\
                     help: take it by value, and return it",
                );
                ((*ty.elem).clone(), true)
            }
            Type::Reference(ty) => match &*ty.elem {
                Type::Path(path) if path.path.is_ident("str") => {
                    (parse_quote!(::std::string::String), true)
                }
                Type::Slice(slice) => {
                    let item = &slice.elem;
                    (parse_quote!(::std::vec::Vec<#item>), true)
                }
                other => (other.clone(), true),
            },
            Type::ImplTrait(ty) => {
                report.error_on(
                    code::PARAMETER,
                    ty,
                    "an activity cannot take an `impl Trait`\n\
                     its arguments are saved, and the type to read them back must be known\n\
                     help: write the type itself",
                );
                (parse_quote!(()), false)
            }
            other => (other.clone(), false),
        };
        if let Some(inner) = reference::in_type(&owned) {
            report.error_on(
                code::PARAMETER,
                inner,
                "a reference within the type of an activity's parameter\n\
                 an argument is saved, and read back where the activity runs: only a reference to the whole can be made of it then\n\
                 help: take what is owned: `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`",
            );
        }
        let ident = match &*typed.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.clone(),
            pattern => {
                let number = self.parameters.len() + 1;
                format_ident!("argument{number}", span = pattern.span())
            }
        };
        self.parameters.push(Parameter {
            ident,
            ty: (*typed.ty).clone(),
            owned,
            by_reference,
        });
    }
}

/// Whether a type is that of the context, and whether by reference.
fn context(ty: &Type) -> Option<bool> {
    let (ty, by_reference) = match ty {
        Type::Reference(ty) if ty.mutability.is_none() => (&*ty.elem, true),
        ty => (ty, false),
    };
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    (last.ident == "ActivityContext" && last.arguments.is_none()).then_some(by_reference)
}

fn check(report: &Report, function: &ItemFn) {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        report.error_on(
            code::FUNCTION,
            sig.fn_token,
            "an activity is an `async fn`\n\
             an engine awaits it\n\
             help: write `async fn`; what blocks goes into `tokio::task::spawn_blocking(…).await`",
        );
    }
    if let Some(constness) = &sig.constness {
        report.error_on(
            code::FUNCTION,
            constness,
            "an activity cannot be `const`\n\
             it has side effects, and what is `const` is computed by the compiler\n\
             help: remove `const`",
        );
    }
    if !matches!(sig.safety, Safety::Default) {
        report.error_on(
            code::FUNCTION,
            &sig.safety,
            "an activity cannot be `unsafe`\n\
             an engine runs it, which cannot keep a promise of its caller\n\
             help: remove `unsafe`",
        );
    }
    if let Some(abi) = &sig.abi {
        report.error_on(
            code::FUNCTION,
            abi,
            "an activity cannot be `extern`\n\
             an engine calls it, and not another language\n\
             help: remove the ABI",
        );
    }
    if let Some(variadic) = &sig.variadic {
        report.error_on(
            code::FUNCTION,
            variadic,
            "an activity cannot be variadic\n\
             its arguments are saved, each for its parameter\n\
             help: take a `Vec`",
        );
    }
    if !sig.generics.params.is_empty() {
        report.error_on(
            code::GENERICS,
            &sig.generics,
            "an activity cannot be generic\n\
             an engine finds it by its name, which says nothing of type parameters\n\
             help: write an activity of concrete types for each instance, and share the code between them in a generic function",
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        report.error_on(
            code::GENERICS,
            clause,
            "an activity cannot have a `where` clause\n\
             it has no type parameters that one could be about\n\
             help: remove it",
        );
    }
    output::check(report, sig, "activity", "ActivityError");
}
