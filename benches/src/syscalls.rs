//! Syncs and bytes written by this process, counted at the system's door: alike for everyone,
//! also for a database in C. On Linux; elsewhere nothing is counted.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

static SYNCS: AtomicU64 = AtomicU64::new(0);

/// What this process has done so far, or between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Syscalls {
    pub(crate) syncs: u64,
    pub(crate) written_bytes: u64,
}

impl Syscalls {
    pub(crate) fn now() -> Self {
        let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
        Self {
            syncs: SYNCS.load(Ordering::Relaxed),
            written_bytes: written.and_then(|n| n.parse().ok()).unwrap_or(0),
        }
    }
}

impl Sub for Syscalls {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            syncs: self.syncs - earlier.syncs,
            written_bytes: self.written_bytes - earlier.written_bytes,
        }
    }
}

/// The C library's function under its own name: whoever calls it in this program calls this.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a symbol of the C library is counted")]
#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: libc::c_int) -> libc::c_int {
    SYNCS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the arguments of the system call are those of the function.
    unsafe { libc::syscall(libc::SYS_fdatasync, fd) as libc::c_int }
}

/// As [`fdatasync`].
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a symbol of the C library is counted")]
#[unsafe(no_mangle)]
extern "C" fn fsync(fd: libc::c_int) -> libc::c_int {
    SYNCS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the arguments of the system call are those of the function.
    unsafe { libc::syscall(libc::SYS_fsync, fd) as libc::c_int }
}
