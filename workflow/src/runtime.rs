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

/// The same, for an executor that talks to a server.
///
/// # Errors
/// Also when it has no I/O.
#[cfg(feature = "temporal")]
pub(crate) fn with_io() -> Result<Handle, OpenError> {
    use std::net::{Ipv4Addr, UdpSocket};

    let runtime = current()?;
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else {
        return Ok(runtime);
    };
    // tokio panics where I/O is not enabled.
    let adopt = || {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    };
    match catch_unwind(adopt) {
        Ok(_) => Ok(runtime),
        Err(_) => Err(OpenError::Config(
            "an executor on a server needs I/O: build the tokio runtime with `enable_io()` or `enable_all()`"
                .to_owned(),
        )),
    }
}
