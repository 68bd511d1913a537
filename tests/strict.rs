//! A crate that denies every lint it can: generated code brings no warning into it.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    unused,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unnameable_types,
    unused_results,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    redundant_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    let_underscore_drop,
    variant_size_differences
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

use workflow::prelude::*;

type Result<T, E = WorkflowError> = std::result::Result<T, E>;

/// An activity.
///
/// # Errors
/// Never.
#[activity(timeout = "1m")]
pub async fn sum(text: &str, items: &[u8], n: &u64) -> Result<u64, ActivityError> {
    Ok(n + items.len() as u64 + text.len() as u64)
}

/// A workflow.
///
/// # Errors
/// Never.
#[workflow]
pub async fn flow(ctx: &mut Context, name: String, count: u64) -> Result<u64> {
    let mut total = 0;
    for i in 0..count {
        total += sum(&name, &[1, 2], &i).await?;
        if total > 100 {
            break;
        }
    }
    let in_time = ctx
        .wait_for_signal::<bool>("approval", Duration::from_millis(1))
        .await
        .is_ok();
    let label = if in_time { name.clone() } else { String::new() };
    ctx.sleep(Duration::from_millis(1)).await?;
    Ok(total + label.len() as u64)
}

#[tokio::test]
async fn it_runs() {
    let data = tempfile::tempdir().expect("a directory");
    let executor = tests::open::<flow>(data.path()).await;
    let result = executor.execute(flow("ab".to_owned(), 3)).await;
    assert_eq!(result.expect("it completes"), 15);
}
