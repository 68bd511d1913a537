//! What several tests need, and activities and workflows of another crate.

pub mod provider;
pub mod random;
pub mod travel;

use workflow::prelude::*;

pub use provider::{on_server, open, open_with};

/// Waits until a run stands at a state that fits.
pub async fn reach<W: Workflow>(
    run: &WorkflowHandle<W>,
    fits: impl Fn(&W::State) -> bool,
) -> W::State {
    let state = run.wait_for(fits).await.expect("a state can be read");
    state.expect("the run has ended before it came there")
}

/// The tutorial's activities, as a library of activities would have them.
pub mod research {
    use workflow::prelude::*;

    #[activity(timeout = "10m", retry(max_attempts = 3, initial_interval = "5ms"))]
    pub async fn research(topic: String) -> Result<String, ActivityError> {
        Ok(format!("findings on {topic}"))
    }

    #[activity(timeout = "5m")]
    pub async fn write_report(findings: String) -> Result<String, ActivityError> {
        Ok(format!("report: {findings}"))
    }
}

/// A workflow of another crate.
#[workflow]
pub async fn shout(text: String) -> Result<String, WorkflowError> {
    let loud = upper(&text).await?;
    Ok(format!("{loud}!"))
}

/// An activity of another crate that takes a reference.
#[activity]
pub async fn upper(text: &str) -> Result<String, ActivityError> {
    Ok(text.to_uppercase())
}
