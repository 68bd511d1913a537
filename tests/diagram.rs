//! The diagram that a workflow's definition exports.

use tests::research::{research, write_report};
use workflow::Diagram;
use workflow::prelude::*;

#[workflow]
async fn research_workflow(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> {
    let findings = research(topic).await?;
    let approved = ctx
        .wait_for_signal::<bool>("approval", Duration::from_hours(24))
        .await?;
    if !approved {
        return Ok("Workflow rejected by reviewer.".into());
    }
    let report = write_report(findings).await?;
    Ok(report)
}

#[test]
fn the_readme_shows_the_tutorials() {
    let readme = include_str!("../README.md");
    let (_, block) = readme.split_once("```mermaid\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert_eq!(block, Diagram::of::<research_workflow>().to_mermaid());
}

#[workflow]
async fn branches(ctx: &mut Context, topics: Vec<String>) -> Result<u32, WorkflowError> {
    let mut reports = 0;
    for topic in topics {
        if topic.is_empty() {
            continue;
        }
        let findings = match research(topic).await {
            Ok(findings) if findings.len() > 100 => findings,
            Ok(_) => {
                ctx.sleep(Duration::from_secs(1)).await?;
                continue;
            }
            Err(error) if error.is_timed_out() => break,
            Err(error) => return Err(error.into()),
        };
        let Some(first) = findings.split(' ').next().map(String::from) else {
            return Ok(reports);
        };
        if reports > 3 || write_report(first).await?.is_empty() {
            reports += 1;
        }
    }
    loop {
        if ctx
            .wait_for_signal::<bool>("say \"stop\"", Duration::MAX)
            .await?
        {
            return Ok(reports);
        }
    }
}

#[test]
fn branches_and_loops() {
    assert_eq!(
        Diagram::of::<branches>().to_dot(),
        r#"digraph branches {
    node [shape=box]
    Start [shape=oval]
    "Research"
    "Sleep"
    "WriteReport"
    "SayStop"
    "End" [shape=oval, label="End"]
    "Start" -> "Research" [label="for topic"]
    "Start" -> "SayStop"
    "Research" -> "End"
    "Research" -> "Research"
    "Research" -> "Sleep" [label="Ok(_)"]
    "Research" -> "WriteReport"
    "Research" -> "SayStop"
    "Sleep" -> "Research" [label="for topic"]
    "Sleep" -> "SayStop"
    "WriteReport" -> "Research"
    "WriteReport" -> "SayStop"
    "SayStop" -> "End"
    "SayStop" -> "SayStop"
}
"#
    );
}
