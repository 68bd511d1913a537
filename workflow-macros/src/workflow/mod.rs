//! `#[workflow]`: an `async fn`, compiled into a state machine.
//!
//! The stages, in their order:
//!
//! - [`signature`]: the function's signature and the macro's options;
//! - [`check`]: awaits that stand where they cannot be taken out;
//! - [`number`]: the awaits in the order of the source, with what is awaited and a fingerprint;
//! - [`resolve`]: a name of its own for every binding;
//! - [`lower`]: the body as a graph of blocks, [`flow`], taken apart at its awaits;
//! - [`live`]: what has a value that is wanted, where;
//! - [`plan`]: the states and what they save, the arms of the step function, the names in it;
//! - [`emit`]: the tokens.
//!
//! Beside them: [`mark`], what the stages write into the code for each other; [`awaits`], whether
//! code awaits; [`macros`], the macros that awaits may stand in; [`spell`], types that the state
//! enum can spell; [`state_name`], the names of states.
//!
//! A stage that finds something wrong says so in the [`Report`] and goes on as far as that makes
//! sense. The next stages run only where nothing is wrong; instead, stubs are emitted, so that one
//! mistake gives no second message elsewhere.

mod awaits;
mod check;
mod emit;
mod flow;
mod live;
mod lower;
mod macros;
mod mark;
mod number;
mod plan;
mod resolve;
mod signature;
mod spell;
mod state_name;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Block, ItemFn, parse_quote};

use self::plan::Plan;
use self::resolve::Resolver;
use self::signature::Signature;
use crate::report::Report;

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => return error.into_compile_error(),
    };
    let report = Report::new();
    let signature = Signature::parse(&report, options, &function);
    check::check(&report, &function.block);
    let machine = if report.is_clean() {
        machine(&report, &signature, &function.block)
    } else {
        emit::stub(&signature)
    };
    match report.check() {
        Ok(()) => {
            let plain = emit::plain(&signature, &function.block);
            quote!(#plain #machine)
        }
        Err(errors) => {
            let errors = errors.into_compile_error();
            let stub = emit::stub(&signature);
            quote!(#errors #stub)
        }
    }
}

/// Runs the stages from the numbering of awaits on.
fn machine(report: &Report, signature: &Signature, body: &Block) -> TokenStream {
    let inner = spell::Inner::of(body);
    let mut body = body.clone();
    for (index, parameter) in signature.parameters.iter().enumerate().rev() {
        if let Some(pattern) = &parameter.pattern {
            let (ident, ty) = (&signature.parameters[index].ident, &parameter.typed.ty);
            body.stmts
                .insert(0, parse_quote!(let #pattern: #ty = #ident;));
        }
    }
    let awaits = number::number(&mut body);
    let mut resolver = Resolver::new();
    if let Some((_, Some(name))) = &signature.context {
        resolver.untouched(name);
    }
    let mut parameters = Vec::new();
    for parameter in &signature.parameters {
        let id = resolver.parameter(&parameter.ident, parameter.mutable);
        let local = &mut resolver.locals[id.0];
        local.spelling = Some(spell::Spelling::Type((*parameter.typed.ty).clone()));
        local.temporary = parameter.pattern.is_some();
        parameters.push(id);
    }
    resolver.body(&mut body);
    let flow = lower::lower(
        report,
        inner,
        resolver.locals,
        &parameters,
        awaits.len(),
        body,
    );
    if !report.is_clean() {
        return TokenStream::new();
    }
    let plan: Plan<'_> = plan::plan(report, &flow, &awaits, &parameters);
    emit::machine(report, signature, &plan, &awaits, &parameters)
}
