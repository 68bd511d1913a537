//! What a caught panic says.

use std::any::Any;

/// The text of a panic, as far as it has one.
pub(crate) fn of(panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    // A payload may panic when it is dropped; a leaked one does not.
    std::mem::forget(panic);
    text
}
