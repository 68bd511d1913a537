//! What a program with workflows needs: `use workflow::prelude::*;`.

pub use std::time::Duration;

pub use crate::{
    Activity, ActivityContext, ActivityError, Config, Context, Diagram, Executor, FailureKind,
    IdPolicy, Persist, RetryPolicy, RunError, RunFilter, Saved, Status, Workflow, WorkflowError,
    WorkflowHandle, join, join_all, select,
};
pub use workflow_macros::{activity, workflow};
