//! What some bodies look like as graphs of blocks, with what is alive at the beginning of each.

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ItemFn;

use super::flow::{Code, End, Flow};
use super::signature::Signature;
use super::{live, mark, source};
use crate::report::Report;

fn drawn(function: &str) -> String {
    let function: ItemFn = syn::parse_str(function).unwrap();
    let report = Report::new();
    let signature = Signature::parse(&report, TokenStream::new(), &function);
    let lowered = super::lowered(&report, &signature, &function.block);
    report.check().unwrap();
    let flow = &lowered.flow;
    let live = live::analyze(flow, &lowered.parameters);
    let mut text = String::new();
    for id in &live.reached {
        let block = flow.block(*id);
        let wanted = live.entry[id.0]
            .iter()
            .map(|local| flow.local(*local).ident.to_string());
        let wanted: Vec<_> = wanted.collect();
        let _ = writeln!(text, "{} {:?} ({})", id.0, block.kind, wanted.join(", "));
        for code in &block.code {
            let _ = writeln!(text, "    {}", written(code));
        }
        let _ = writeln!(text, "    {}", ended(flow, &block.end));
    }
    text
}

/// Code without its marks.
fn written(code: &Code) -> String {
    source::text(mark::source(&code.tokens).parse::<TokenStream>().unwrap())
}

fn ended(flow: &Flow, end: &End) -> String {
    let to = |block| flow.target(block).0;
    match end {
        End::Open => "open".to_owned(),
        End::Goto(block) => format!("-> {}", to(*block)),
        End::Branch {
            condition,
            then,
            otherwise,
            ..
        } => format!(
            "if {} -> {}, else -> {}",
            written(condition),
            to(*then),
            to(*otherwise)
        ),
        End::Match { scrutinee, arms } => {
            let arms = arms.iter().map(|arm| {
                let attrs = arm
                    .attrs
                    .iter()
                    .map(|attr| attr.to_token_stream().to_string());
                let attrs: String = attrs.collect();
                format!("{attrs}{} -> {}", written(&arm.pattern), to(arm.block))
            });
            let arms: Vec<_> = arms.collect();
            format!("match {}: {}", written(scrutinee), arms.join(", "))
        }
        End::Await {
            number,
            operand,
            resume,
        } => format!("await {number}: {} -> {}", written(operand), to(*resume)),
        End::Return(value) => format!("return {}", written(value)),
    }
}

#[test]
fn awaits_in_a_row() {
    insta::assert_snapshot!(drawn(
        "async fn run(x: i64) -> Result<i64, E> {
            let a = give(x).await?;
            let b = a + give(a).await? * give(2).await?;
            Ok(b)
        }"
    ));
}

#[test]
fn branches_and_early_exits() {
    insta::assert_snapshot!(drawn(
        "async fn run(x: i64, name: String) -> Result<i64, E> {
            let mut total = 0;
            if x > 3 && ready(x).await? {
                total += give(x).await?;
            } else if x == 0 {
                return Ok(0);
            }
            let Some(found) = find(&name).await? else { return Ok(total) };
            match found {
                Found::One(one) if one > 2 => total += give(one).await?,
                Found::One(one) | Found::Other(one) => total += one,
                Found::None => {}
            }
            Ok(total)
        }"
    ));
}

#[test]
fn loops_with_labels() {
    insta::assert_snapshot!(drawn(
        "async fn run(items: Vec<i64>) -> Result<i64, E> {
            let mut total = 0;
            'outer: for item in items {
                let found = loop {
                    let next = give(item).await?;
                    if next > 10 { break next; }
                    if next < 0 { continue 'outer; }
                    for n in 0..3 { if n == next { break 'outer; } }
                };
                total += found;
            }
            Ok(total)
        }"
    ));
}

#[test]
fn references_and_shadowing() {
    insta::assert_snapshot!(drawn(
        "async fn run(order: Order) -> Result<i64, E> {
            let name = &order.name;
            let x = give(1).await?;
            let x = { let x = x + 1; give(x).await? } + x;
            for item in &order.items { note(item, name).await?; }
            Ok(x)
        }"
    ));
}
