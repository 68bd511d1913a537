//! The runtime of whoever opens an executor, which it then lives on.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::executor::OpenError;

/// The runtime that this is called on.
///
/// # Errors
/// When there is none, or it has no timers.
pub(crate) fn current() -> Result<Handle, OpenError> {
    let runtime = Handle::try_current().map_err(|_| {
        OpenError::Config("an executor needs a tokio runtime: open it inside one".to_owned())
    })?;
    // tokio panics where timers are not enabled.
    if catch_unwind(|| tokio::time::sleep(Duration::ZERO)).is_err() {
        return Err(OpenError::Config(
            "an executor needs timers: build the tokio runtime with `enable_time()` or `enable_all()`"
                .to_owned(),
        ));
    }
    Ok(runtime)
}
