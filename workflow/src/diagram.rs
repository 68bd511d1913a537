//! The diagram of a workflow's states.

use std::fmt::Write;

use crate::compiled::Workflow;

/// Which state of a workflow comes after which.
///
/// The macro takes it from the graph that it compiles the function into, so it shows what the code
/// does: each `.await` is a state, and an edge carries the condition on which it is taken, as the
/// source has it, where that is short. What ends a run from anywhere is not shown: an error that `?`
/// hands on, a timeout, a cancellation.
///
/// ```
/// use workflow::Diagram;
/// use workflow::prelude::*;
///
/// #[activity]
/// async fn pay(amount: i64) -> Result<i64, ActivityError> {
///     Ok(amount)
/// }
///
/// #[workflow]
/// async fn order(ctx: &mut Context, amount: i64) -> Result<i64, WorkflowError> {
///     if amount > 100 {
///         ctx.sleep(Duration::from_hours(24)).await?;
///     }
///     Ok(pay(amount).await?)
/// }
///
/// let diagram = Diagram::of::<order>();
/// assert_eq!(diagram.states(), ["Start", "Sleep", "Pay"]);
/// assert_eq!(
///     diagram.to_mermaid(),
///     r#"flowchart TD
///     Start([Start])
///     Sleep[Sleep]
///     Pay[Pay]
///     End([End])
///     Start -->|"amount > 100"| Sleep
///     Start -->|"!(amount > 100)"| Pay
///     Sleep --> Pay
///     Pay --> End
/// "#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    workflow: &'static str,
    states: &'static [&'static str],
    edges: Vec<Edge>,
}

/// A way from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The state that it begins at.
    pub from: &'static str,
    /// The state that it leads to; `None` is the end of the run.
    pub to: Option<&'static str>,
    /// On which condition, as the source has it; `None` where there is none, or none that is short.
    pub condition: Option<&'static str>,
}

impl Diagram {
    /// The diagram of a workflow.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        W::diagram()
    }

    /// For generated code: states by their place, and 0 as what an edge leads to is the end.
    #[doc(hidden)]
    #[must_use]
    pub fn new(
        workflow: &'static str,
        states: &'static [&'static str],
        edges: &[(usize, usize, &'static str)],
    ) -> Self {
        let edges = edges.iter().map(|&(from, to, condition)| Edge {
            from: states[from],
            to: (to > 0).then(|| states[to]),
            condition: (!condition.is_empty()).then_some(condition),
        });
        Self {
            workflow,
            states,
            edges: edges.collect(),
        }
    }

    /// The states in the order of the source, `Start` first. They are the variants of the state enum.
    #[must_use]
    pub fn states(&self) -> &[&'static str] {
        self.states
    }

    /// The ways between them, in the order of the states that they begin at.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// As a flowchart of [Mermaid](https://mermaid.js.org), which many places show that show Markdown.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n    Start([Start])\n");
        for state in &self.states[1..] {
            line(&mut text, format_args!("{state}[{state}]"));
        }
        line(&mut text, format_args!("{}([End])", self.end()));
        for edge in &self.edges {
            let to = edge.to.unwrap_or(self.end());
            let label = edge.condition.map_or_else(String::new, |condition| {
                // What would end the text, or begin an entity or a tag in it.
                let condition = condition.replace('#', "#35;").replace('"', "#quot;");
                let condition = condition.replace('<', "#lt;");
                format!("|\"{condition}\"|")
            });
            line(&mut text, format_args!("{} -->{label} {to}", edge.from));
        }
        text
    }

    /// In the language of [Graphviz](https://graphviz.org).
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = format!("digraph {} {{\n", self.workflow);
        line(&mut text, format_args!("node [shape=box]"));
        line(&mut text, format_args!("Start [shape=oval]"));
        for state in &self.states[1..] {
            line(&mut text, format_args!("{state:?}"));
        }
        let end = self.end();
        line(
            &mut text,
            format_args!("{end:?} [shape=oval, label=\"End\"]"),
        );
        for edge in &self.edges {
            let to = edge.to.unwrap_or(end);
            let label = edge.condition.map_or_else(String::new, |condition| {
                let condition = condition.replace('\\', "\\\\").replace('"', "\\\"");
                format!(" [label=\"{condition}\"]")
            });
            line(&mut text, format_args!("{:?} -> {to:?}{label}", edge.from));
        }
        text.push_str("}\n");
        text
    }

    /// What the end is called in the text: a state may be called `End`.
    fn end(&self) -> &'static str {
        match self.states.contains(&"End") {
            true => "TheEnd",
            false => "End",
        }
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = writeln!(text, "    {line}");
}
