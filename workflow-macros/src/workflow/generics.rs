//! The type parameters of a workflow.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{
    GenericParam, Generics, Token, Type, TypeParamBound, TypePath, WhereClause, WherePredicate,
    parse_quote,
};

use super::mark;

/// The type parameters with what a saved run needs of them: that they last, and can be kept where the
/// parameters or the result are of them.
pub(super) fn bounded(sig: &syn::Signature) -> Generics {
    let mut generics = sig.generics.clone();
    // Lifetimes are refused.
    let parameters = std::mem::take(&mut generics.params).into_iter();
    let kept = parameters.filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    generics.params = kept.collect();
    let (inputs, output) = (&sig.inputs, &sig.output);
    let mut clause = generics.where_clause.take();
    for ty in generics.type_params_mut() {
        let mut kept = Kept(&ty.ident, false);
        inputs.iter().for_each(|input| kept.visit_fn_arg(input));
        kept.visit_return_type(output);
        let bound: TypeParamBound = if kept.1 {
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

/// Whether values of a type parameter are kept, and not only such as it names: `T`, but not of `T::Item`.
struct Kept<'a>(&'a Ident, bool);

impl Visit<'_> for Kept<'_> {
    fn visit_type_path(&mut self, ty: &TypePath) {
        self.1 |= ty.path.is_ident(self.0);
        // `<T as Trait>::Item` looks into `T`, too.
        self.visit_path(&ty.path);
    }
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

/// The type parameters that types mention, with the bounds that are about these alone.
pub(super) fn mentioned(generics: &Generics, types: &TokenStream) -> Generics {
    let mentions = |tokens: TokenStream, name: &Ident| {
        let mut found = false;
        mark::each_ident(tokens, &mut |ident, _| found |= ident == name);
        found
    };
    let (mentioned, others): (Vec<_>, Vec<_>) =
        (generics.params.iter()).partition(|parameter| mentions(types.clone(), &name(parameter)));
    let others: Vec<_> = others.into_iter().map(name).collect();
    let alone = |tokens: TokenStream| !others.iter().any(|other| mentions(tokens.clone(), other));
    let mut generics = Generics {
        params: mentioned.into_iter().cloned().collect(),
        ..generics.clone()
    };
    for ty in generics.type_params_mut() {
        let bounds = std::mem::take(&mut ty.bounds).into_iter();
        ty.bounds = bounds
            .filter(|bound| alone(bound.to_token_stream()))
            .collect();
    }
    if let Some(clause) = &mut generics.where_clause {
        let mut predicates = std::mem::take(&mut clause.predicates);
        for predicate in &mut predicates {
            if let WherePredicate::Type(about) = predicate {
                let bounds = std::mem::take(&mut about.bounds).into_iter();
                about.bounds = bounds
                    .filter(|bound| alone(bound.to_token_stream()))
                    .collect();
            }
        }
        let predicates = predicates.into_iter();
        let about = predicates.filter(|predicate| alone(predicate.to_token_stream()));
        clause.predicates = about.collect();
    }
    generics
}

pub(super) fn name(parameter: &GenericParam) -> Ident {
    match parameter {
        GenericParam::Type(ty) => ty.ident.clone(),
        GenericParam::Const(constant) => constant.ident.clone(),
        GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.clone(),
    }
}
