//! The function as written is the oracle of the machine made of it.
//!
//! Every body here is run twice: as the plain `async fn`, its activities called directly; and as
//! the machine, the run written and read at every await. Both must call the same activities with
//! the same arguments in the same order, and give the same result.

// The bodies are odd on purpose.
#![allow(
    dead_code,
    unused_assignments,
    for_loops_over_fallibles,
    clippy::double_ended_iterator_last,
    clippy::needless_late_init,
    clippy::needless_range_loop,
    clippy::needless_return,
    clippy::never_loop,
    clippy::ptr_arg,
    clippy::single_match,
    clippy::toplevel_ref_arg
)]

#[path = "lowering/arranged.rs"]
mod arranged;
#[path = "lowering/driver.rs"]
mod driver;

#[path = "lowering/agent.rs"]
mod agent;
#[path = "lowering/algorithms.rs"]
mod algorithms;
#[path = "lowering/bindings.rs"]
mod bindings;
#[path = "lowering/branches.rs"]
mod branches;
#[path = "lowering/choice.rs"]
mod choice;
#[path = "lowering/collected.rs"]
mod collected;
#[path = "lowering/everyday.rs"]
mod everyday;
#[path = "lowering/generics.rs"]
mod generics;
#[path = "lowering/held.rs"]
mod held;
#[path = "lowering/iteration.rs"]
mod iteration;
#[path = "lowering/json.rs"]
mod json;
#[path = "lowering/keys.rs"]
mod keys;
#[path = "lowering/leaving.rs"]
mod leaving;
#[path = "lowering/let_else.rs"]
mod let_else;
#[path = "lowering/looking.rs"]
mod looking;
#[path = "lowering/lookups.rs"]
mod lookups;
#[path = "lowering/loops.rs"]
mod loops;
#[path = "lowering/moved.rs"]
mod moved;
#[path = "lowering/operands.rs"]
mod operands;
#[path = "lowering/order.rs"]
mod order;
#[path = "lowering/parts.rs"]
mod parts;
#[path = "lowering/realistic.rs"]
mod realistic;
#[path = "lowering/references.rs"]
mod references;
#[path = "lowering/refs.rs"]
mod refs;
#[path = "lowering/shapes.rs"]
mod shapes;
#[path = "lowering/texts.rs"]
mod texts;
#[path = "lowering/together.rs"]
mod together;
