//! Tables of what single stages make of code.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Block, ItemFn};

use super::resolve::Resolver;
use super::signature::Signature;
use super::spell::{Part, Spelling};
use super::{check, determinism, guards, parts, plan, source, together};
use crate::report::Report;

fn function(parameters: &str, body: &str) -> ItemFn {
    let text = format!("async fn run({parameters}) -> Result<i64, E> {{ {body} }}");
    syn::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text(block: &Block) -> String {
    let block = source::text(block.to_token_stream());
    block[1..block.len() - 1].trim().to_owned()
}

/// Each body, and the codes of what a stage refuses in it.
fn refuses(stage: impl Fn(&Report, &ItemFn), table: &[(&str, &str)]) {
    for (body, refused) in table {
        let report = Report::new();
        stage(
            &report,
            &function("ctx: &mut Context, x: i64, name: String", body),
        );
        let errors = report.check().err().into_iter().flatten();
        let codes = errors.map(|error| error.to_string()[..6].to_owned());
        assert_eq!(codes.collect::<Vec<_>>().join(" "), *refused, "{body}");
    }
}

#[test]
fn bindings_get_names_of_their_own() {
    for (body, resolved) in [
        (
            "let x = x + 1; f(x)",
            "let __local1__x = __local0__x + 1; f(__local1__x)",
        ),
        ("{ let x = 2; } x", "{ let __local1__x = 2; } __local0__x"),
        (
            "if let Some(x) = x { x } else { x }",
            "if let Some(__local1__x) = __local0__x { __local1__x } else { __local0__x }",
        ),
        ("|x| x + y", "|__local1__x| __local1__x + y"),
        ("f(x.x, S { x })", "f(__local0__x.x, S { x:__local0__x })"),
        (
            "for x in x { x }",
            "for __local1__x in __local0__x { __local1__x }",
        ),
        (
            "match x { x @ 1 | x @ 2 if x > 1 => x, None => x }",
            "match __local0__x { __local1__x @ 1 | __local1__x @ 2 if __local1__x > 1 => __local1__x, None => __local0__x }",
        ),
        ("x::y(); crate::x", "x::y(); crate::x"),
    ] {
        let mut block = *function("x: i64", body).block;
        let mut resolver = Resolver::new();
        resolver.parameter(&quote::format_ident!("x"), false);
        resolver.body(&mut block);
        assert_eq!(text(&block), resolved, "{body}");
    }
}

#[test]
fn parts_that_are_taken_are_marked() {
    for (body, takes) in [
        ("let a = x.a;", 1),
        ("f(x.a, x.b.c)", 2),
        ("let a = &x.a;", 0),
        ("x.a.len();", 0),
        ("x.a.into_iter()", 1),
        ("x.a == x.b", 0),
        ("x.a + x.b", 2),
        ("x.a = x.b;", 1),
        ("return x.a;", 1),
        ("if y { x.a } else { x.b }", 2),
        ("|| x.a", 0),
        ("for a in x.a {}", 1),
    ] {
        let mut block = *function("x: i64", body).block;
        let mut resolver = Resolver::new();
        resolver.parameter(&quote::format_ident!("x"), false);
        resolver.body(&mut block);
        let before = text(&block).matches("__local").count();
        parts::mark(&mut block);
        let marked = before - text(&block).matches("__local").count();
        assert_eq!(marked, takes, "{body}");
    }
}

#[test]
fn states_save_what_is_used_later() {
    for (body, states) in [
        ("f(x).await?; Ok(1)", "F()"),
        ("f(1).await?; Ok(x)", "F(x)"),
        ("let y = f(x).await?; g().await?; Ok(y)", "F() G(y)"),
        (
            "let y = f(1).await?; let x = g(x).await?; Ok(x + y)",
            "F(x) G(y)",
        ),
        ("let mut y = 1; if x > 1 { y = f(1).await?; } Ok(y)", "F()"),
        ("let y = x; loop { f(1).await?; g(y).await?; }", "F(y) G(y)"),
        ("Ok(x + f(1).await?)", "F(x)"),
        ("Ok({ x + 1 } + f(1).await?)", "F(operand)"),
        (
            "for i in 0..x { f(i).await?; } Ok(name.len())",
            "F(name, remaining_i)",
        ),
        ("let y = &name; f(1).await?; Ok(y.len())", "F(name)"),
        ("return Ok(1); f(x).await?;", ""),
    ] {
        let report = Report::new();
        let function = function("ctx: &mut Context, x: i64, name: String", body);
        let signature = Signature::parse(&report, TokenStream::new(), &function);
        let lowered = super::lowered(&report, &signature, &function.block);
        let plan = plan::plan(&report, &lowered.flow, &lowered.awaits, &lowered.parameters);
        let saved = plan.states.iter().map(|state| {
            let fields = state.saved.iter().map(|id| plan.fields[id].as_str());
            format!(
                "{}({})",
                state.name.name,
                fields.collect::<Vec<_>>().join(", ")
            )
        });
        assert_eq!(saved.collect::<Vec<_>>().join(" "), states, "{body}");
        report.check().unwrap();
    }
}

#[test]
fn types_are_spelled_where_the_syntax_tells() {
    for (body, ty) in [
        ("let y: Vec<u8> = f();", "Vec < u8 >"),
        ("let y = f(x).await?;", "f output"),
        ("let y = f(x).await;", "f outcome"),
        ("let y = name.clone();", "String"),
        ("let y = \"text\".to_owned();", ":: std :: string :: String"),
        ("let y = vec![x];", ":: std :: vec :: Vec < i64 >"),
        ("let y = vec![x, 1];", ":: std :: vec :: Vec < i64 >"),
        ("let y = vec![1];", "-"),
        ("let y = !(x > 1);", "bool"),
        ("let y = true;", "bool"),
        ("let y = x;", "i64"),
        ("let y = call(x);", "-"),
    ] {
        let report = Report::new();
        let body = format!("{body} wait().await?; g(y)");
        let function = function("x: i64, name: String", &body);
        let signature = Signature::parse(&report, TokenStream::new(), &function);
        let flow = super::lowered(&report, &signature, &function.block).flow;
        report.check().unwrap();
        let y = flow.locals.iter().find(|local| local.ident == "y").unwrap();
        let spelled = match &y.spelling {
            None => "-".to_owned(),
            Some(Spelling::Type(ty)) => ty.to_token_stream().to_string(),
            Some(Spelling::Called { function, part }) => {
                let part = match part {
                    Part::Output => "output",
                    Part::Outcome => "outcome",
                    Part::Error => "error",
                    Part::Element(_) => "element",
                    Part::Outputs => "outputs",
                };
                format!("{} {part}", function.to_token_stream())
            }
        };
        assert_eq!(spelled, ty, "{body}");
    }
}

#[test]
fn awaits_that_cannot_be_taken_out_are_refused() {
    refuses(
        |report, f| check::check(report, &f.block),
        &[
            ("f(|| g().await)", "WF0021"),
            ("async { g().await };", "WF0021"),
            ("match x { 1 if g().await => 1, _ => 2 }", "WF0022"),
            ("unsafe { g().await }", "WF0021"),
            ("other!(g().await)", "WF0023"),
            ("format!(\"{}\", g().await)", ""),
        ],
    );
}

#[test]
fn guards_that_live_across_an_await_are_refused() {
    refuses(
        |report, f| guards::check(report, &f.block),
        &[
            ("let _guard = span.enter(); f().await", "WF0043"),
            ("let guard = span.enter(); drop(guard); f().await", ""),
            ("{ let _guard = span.enter(); } f().await", ""),
        ],
    );
}

#[test]
fn code_that_goes_another_way_again_is_refused() {
    refuses(
        |report, f| determinism::check(report, &f.sig, &f.block),
        &[
            ("Instant::now()", "WF0101"),
            ("let now = SystemTime::now();", "WF0101"),
            ("use std::time::Instant as I; I::now()", "WF0101"),
            ("let n: u8 = rand::random();", "WF0102"),
            ("Uuid::new_v4()", "WF0103"),
            ("tokio::spawn(f())", "WF0104"),
            ("ctx.now()", ""),
            ("tokio::time::Instant::now()", "WF0101"),
        ],
    );
}

#[test]
fn what_is_awaited_together_is_one_await() {
    for (body, rewritten) in [
        ("let (a, b) = join!(f(), g());", true),
        ("let a = select! { a = f() => a, b = g() => b };", true),
        ("let v = vec![f(), g()];", false),
    ] {
        let report = Report::new();
        let mut block = *function("x: i64", body).block;
        let before = text(&block);
        together::rewrite(&report, None, &mut block);
        report.check().unwrap();
        let after = text(&block);
        assert_eq!(after != before, rewritten, "{after}");
        assert_eq!(
            after.matches(".await").count(),
            usize::from(rewritten),
            "{after}"
        );
    }
}
