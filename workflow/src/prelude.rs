//! What a program with workflows needs: `use workflow::prelude::*;`.

pub use std::time::Duration;

pub use crate::{
    Activity, ActivityContext, ActivityError, Config, Context, Executor, IdPolicy, RetryPolicy,
    RunError, RunFilter, Saved, Status, Workflow, WorkflowError, WorkflowHandle,
};
pub use workflow_macros::{activity, workflow};
