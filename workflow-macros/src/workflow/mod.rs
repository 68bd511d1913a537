//! `#[workflow]`: an `async fn`, compiled into a state machine.
//!
//! The stages, in their order:
//!
//! - [`signature`]: the function's signature and the macro's options;
//! - [`together`]: `join!` and `select!`, as awaits of one value;
//! - [`inline`]: calls that hand on the context;
//! - [`check`]: awaits that stand where they cannot be taken out;
//! - [`number`]: the awaits in the order of the source, with what is awaited and a fingerprint;
//! - [`starts`]: what is begun and awaited later;
//! - [`resolve`]: a name of its own for every binding;
//! - [`parts`]: where a field is taken out of a binding, and [`moved`], where a pattern does that;
//! - [`lower`]: the body as a graph of blocks, [`flow`], taken apart at its awaits;
//! - [`live`]: what has a value that is wanted, where;
//! - [`plan`]: the states and what they save, the arms of the step function, the names in it;
//!   [`save`], when they save it;
//! - [`diagram`]: which state comes after which;
//! - [`emit`]: the tokens.
//!
//! On the function as written look [`held`], for references that are made again, [`guards`], for values whose drop the source puts after an await
//! that ends them, and [`determinism`], for code that would go another way when a step is taken
//! again.
//!
//! Beside them: [`mark`], what the stages write into the code for each other; [`awaits`], whether
//! code awaits; [`macros`], the macros that awaits may stand in; [`source`], code for readers; [`spell`], types that the state
//! enum can spell; [`state_name`], the names of states.
//!
//! A stage that finds something wrong says so in the [`Report`] and goes on as far as that makes
//! sense. The next stages run only where nothing is wrong; instead, stubs are emitted, so that one
//! mistake gives no second message elsewhere.

mod awaits;
mod check;
mod determinism;
mod diagram;
mod emit;
mod flow;
mod generics;
#[cfg(test)]
mod graph;
mod guards;
mod held;
mod inline;
mod live;
mod lower;
mod macros;
mod mark;
mod moved;
mod number;
mod parts;
mod plan;
mod resolve;
mod save;
mod signature;
#[cfg(test)]
mod snapshot;
mod source;
mod spell;
mod spread;
#[cfg(test)]
mod stages;
mod starts;
mod state_name;
mod together;
#[cfg(test)]
mod typed;

pub(crate) use self::determinism::allow_elsewhere;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Block, ItemFn, parse_quote};

use self::emit::Machine;
use self::flow::{Flow, LocalId};
use self::number::{Await, SignalArgument};
use self::plan::Plan;
use self::resolve::Resolver;
use self::signature::Signature;
use crate::code;
use crate::depth;
use crate::report::{self, Report};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let report = Report::new();
    depth::check(&report, &item);
    if let Err(error) = report.check() {
        let error = error.into_compile_error();
        return quote!(#error #item);
    }
    let mut function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return report::not_a_function("workflow", item, &error),
    };
    let report = Report::new();
    let signature = Signature::parse(&report, options, &function);
    let is_sound = report.is_clean();
    if function.sig.receiver().is_some() {
        // A method stands where no type of its name may stand, and callers see what they expect.
        let errors = report
            .check()
            .err()
            .map(|errors| errors.into_compile_error());
        return quote!(#errors #function);
    }
    let context = signature
        .context
        .as_ref()
        .and_then(|(_, name)| name.as_ref());
    together::rewrite(&report, context, &mut function.block);
    if let Some(context) = context {
        inline::rewrite(context, &mut function.block);
    }
    check::check(&report, &function.block);
    let is_whole = report.is_clean();
    let written = function.block.clone();
    determinism::strip(&mut function.block);
    let machine = if is_whole {
        machine(&report, &signature, &mut function.block)
    } else {
        Machine::default()
    };
    // As a plain function these are wrong too, and rustc would say so in other words.
    let is_function =
        is_sound && !report.has(code::AWAIT_WITHIN) && !report.has(code::AWAIT_TOGETHER);
    guards::check(&report, &written);
    determinism::check(&report, &function.sig, &written);
    match report.check() {
        Ok(()) => emit::workflow(&signature, &function.block, &machine),
        Err(errors) => {
            let errors = errors.into_compile_error();
            let stub = emit::stub(&signature, is_sound, is_function.then_some(&function.block));
            quote!(#errors #stub)
        }
    }
}

/// Runs the stages from the numbering of awaits on.
fn machine(report: &Report, signature: &Signature, body: &mut Block) -> Machine {
    let lowered = lowered(report, signature, body);
    if !report.is_clean() {
        return Machine::default();
    }
    let Lowered {
        flow,
        awaits,
        starts,
        parameters,
        sites,
    } = &lowered;
    let plan: Plan<'_> = plan::plan(report, flow, awaits, parameters);
    held::hold(body, sites, &plan.held(), &flow.locals);
    emit::machine(report, signature, &plan, awaits, starts, parameters)
}

/// A body as a graph, with what was found on the way.
struct Lowered {
    flow: Flow,
    awaits: Vec<Await>,
    starts: Vec<Option<SignalArgument>>,
    parameters: Vec<LocalId>,
    /// See [`held::sites`].
    sites: Vec<Vec<LocalId>>,
}

fn lowered(report: &Report, signature: &Signature, body: &Block) -> Lowered {
    let context = signature.context.as_ref();
    let context = context.and_then(|(_, name)| name.as_ref());
    let inner = spell::Inner::of(body, context);
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
    let mut starts = Vec::new();
    if let Some(context) = context {
        starts = starts::mark(context, &mut body);
        resolver.untouched(context);
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
    let made = signature
        .parameters
        .iter()
        .filter(|parameter| parameter.pattern.is_some());
    let sites = held::sites(&mut body).split_off(made.count());
    parts::mark(&mut body);
    let parts = moved::mark(&mut body, &resolver.locals);
    let flow = lower::lower(
        report,
        inner,
        lower::Bindings {
            locals: resolver.locals,
            parts,
            parameters: &parameters,
            can_hold: sites.iter().flatten().copied().collect(),
        },
        awaits.len(),
        &signature.output,
        body,
    );
    Lowered {
        flow,
        awaits,
        starts,
        parameters,
        sites,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Whatever the body, the macro gives an item or an error, and never panics.
    fn expands(body: &str) -> String {
        let text = format!(
            "async fn run(ctx: &mut Context, x: i64, (a, b): (u8, u8)) -> Result<i64, E> {{ {body} }}"
        );
        let tokens = text.parse().unwrap();
        let expanded = expand(TokenStream::new(), tokens).to_string();
        syn::parse_str::<syn::File>(&expanded)
            .unwrap_or_else(|error| panic!("{error}: {expanded}"));
        expanded
    }

    #[test]
    fn odd_bodies_give_an_item_or_an_error() {
        for body in [
            "",
            "f().await",
            "return; f().await",
            "break; continue; f().await",
            "'a: loop { break 'b; f().await; }",
            "loop { f().await }",
            "f().await = g().await",
            "f().await.await.await",
            "(|| f().await)().await",
            "async { f().await }.await",
            "let x; let y; x = f().await; y = x; y",
            "let (x, x) = f().await;",
            "let [a, .., b @ ..] = &mut f().await else { return g().await };",
            "match f().await {}",
            "match f().await { _ if g().await => {} }",
            "if let A | B = f().await || g().await {}",
            "while let Some(_) = f().await && g().await || h().await {}",
            "for (a, b) in f().await { for a in b { break a; } }",
            "format!(\"{x:?} {x:>a$} {0}\", f().await, x = g().await,)",
            "format!(f().await)",
            "vec![f().await; g().await]",
            "assert!()",
            "assert!(f().await)",
            "matches!(f().await, x if g().await)",
            "println!(\"{} {{{x}}}\", x.await, )",
            "own!(x.await); own! { x } own![\"{x}\"]",
            "#[cfg(a)] f().await; #[cfg(b)] let y = 1; g().await; y",
            "f(#[cfg(a)] x, g().await)",
            "return return f().await",
            "f(return g().await, h().await)",
            "x += { x = f().await; x }",
            "x[f().await] += g().await",
            "-f().await as u8 as u16..=g().await",
            "unsafe { f().await } const { g().await } try { h().await }",
            "'a: { break 'a f().await }",
            "let x = 'a: { if x { break 'a 1 } f().await };",
            "struct S; fn g() { h().await } impl S {} use a::*; f().await",
            "macro_rules! m { () => { x } } f().await",
            "let r#type = f().await; g(r#type).await; r#type",
            "let __local0__x = f().await; __return!{} __jump!{}",
            "S { x, y: f().await, ..g().await }",
            "yield f().await",
            "&&raw const f().await",
            "let _ = f().await; let _ = (f().await, _);",
            "ctx.wait_for_signal::<T>(\"\", d).await; ctx.wait_for_signal::<T>(\"9 a\", d).await; start().await; self_().await",
            "if x { f().await } else if y { g().await }",
            "loop { loop { continue; } f().await; }",
            "let x = loop { if x { break f().await } else { break loop { break 1 } } };",
        ] {
            expands(body);
        }
    }

    #[test]
    fn mistakes_in_the_signature_give_stubs() {
        for item in [
            "fn run() {}",
            "async fn run<T>(self, x: impl A, &y: &T, ctx: Context, ...) where T: B {}",
            "const async unsafe extern \"C\" fn run() -> impl A {}",
            "async fn r#fn(r#type: u8, mut b: u8, ref c: u8, (d, e): F) -> G { f().await; r#type }",
        ] {
            let expanded = expand(TokenStream::new(), item.parse().unwrap());
            syn::parse2::<syn::File>(expanded).unwrap();
        }
        expand(
            "name = 5".parse().unwrap(),
            "async fn f() {}".parse().unwrap(),
        );
        expand("nam".parse().unwrap(), "struct S;".parse().unwrap());
    }

    #[test]
    fn a_thousand_lines_expand() {
        let mut body = String::from("let mut total = 0;");
        for i in 0..200 {
            body += &format!(
                "let v{i} = f(total, {i}).await?;\n\
                 if v{i} > {i} {{ total += g(v{i}).len(); }}\n\
                 total += v{i};\n\
                 println!(\"{{total}}\");\n\
                 {}\n",
                match i % 10 {
                    3 => "for k in 0..total { h(k, total).await?; }",
                    7 => "if total > 3 { total = h(1, 2).await?; } else { total -= 1; }",
                    _ => "drop(total);",
                }
            );
        }
        let begun = Instant::now();
        expands(&(body + "Ok(total)"));
        let took = begun.elapsed();
        println!("expanded in {took:?}");
    }
}
