//! One step of a run through its frames: a workflow, and those that run inline in it.

use std::borrow::Cow;

use crate::__private::HIDDEN_AWAIT;
use crate::codec::Sealed;
use crate::context::Context;
use crate::failure::Failure;

use super::step::{End, Step};
use super::{Arrived, Fault, Machine, Request, Snapshot};

/// How deep workflows may call each other inline.
const INLINE_DEPTH_MAX: usize = 1000;

/// Where a step has led.
pub(super) enum Reached {
    /// To an await, of this many of the frames that were there and of new ones above them.
    Await {
        kept: usize,
        above: Vec<Snapshot>,
        request: Request,
    },
    /// To the end.
    Finished(Sealed),
    /// To an error that the workflow returned.
    Failed(Failure),
}

/// Runs the code from where the frames stand to the next await that is to be waited for.
pub(super) fn run(
    machine: &Machine,
    frames: &[Snapshot],
    mut arrived: Arrived,
    ctx: &mut Context,
) -> Result<Reached, Fault> {
    let (mut kept, mut above) = (frames.len() - 1, Vec::new());
    let mut frame = Cow::Borrowed(&frames[kept]);
    loop {
        let depth = kept + above.len();
        let code = match depth {
            0 => machine,
            _ => machine.inlined(&frame.workflow)?,
        };
        match take(code, &frame, depth > 0, arrived, ctx)? {
            End::Suspended {
                state,
                request:
                    Request::Inline {
                        workflow,
                        arguments,
                    },
            } => {
                if depth >= INLINE_DEPTH_MAX {
                    return Err(Fault::TooDeep {
                        depth_max: INLINE_DEPTH_MAX,
                    });
                }
                above.push(state);
                let called = machine.inlined(workflow)?.definition();
                frame = Cow::Owned(called.start(arguments)?);
                arrived = Arrived::default();
            }
            End::Suspended { state, request } => {
                above.push(state);
                return Ok(Reached::Await {
                    kept,
                    above,
                    request,
                });
            }
            End::Returned(value) => {
                frame = match above.pop() {
                    Some(caller) => Cow::Owned(caller),
                    None => {
                        kept -= 1;
                        Cow::Borrowed(&frames[kept])
                    }
                };
                arrived = Arrived::returned(value);
            }
            End::Finished(output) => return Ok(Reached::Finished(output)),
            End::Failed(failure) => return Ok(Reached::Failed(failure)),
            End::Fault(fault) => return Err(fault),
        }
    }
}

/// One frame's step.
fn take(
    code: &Machine,
    frame: &Snapshot,
    is_inline: bool,
    arrived: Arrived,
    ctx: &mut Context,
) -> Result<End, Fault> {
    let definition = code.definition();
    let entry = definition.locate(frame)?;
    let mut step = Step::run(definition, entry, frame, is_inline, arrived);
    let returned = code
        .call(&mut step, ctx)
        .map_err(|message| Fault::Panicked {
            state: frame.name.clone(),
            message,
        })?;
    Ok(match (returned, step.end) {
        (_, Some(End::Fault(fault))) => End::Fault(fault),
        (Err(failure), _) => End::Failed(failure),
        (Ok(_), Some(end)) => end,
        // Something else than an operation, which is not ready.
        (Ok(_), None) => End::Fault(Fault::Panicked {
            state: frame.name.clone(),
            message: HIDDEN_AWAIT.to_owned(),
        }),
    })
}
