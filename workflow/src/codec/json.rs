//! JSON for other programs to read and write: only where it gives the value back.

use super::guard::{Guarded, Rules};
use super::{CodecError, Persist, Sealed, local, same, shape, write_bincode};

/// A value as JSON text, where reading that gives the value back; `None` where JSON has no form
/// for it, or loses something, as of `Some(None)` or an infinite number.
///
/// # Errors
///
/// As [`Sealed::open`].
pub fn to_faithful_json<T: Persist>(sealed: &Sealed) -> Result<Option<Vec<u8>>, CodecError> {
    let value: T = sealed.open()?;
    let Ok(json) = serde_json::to_vec(&value) else {
        return Ok(None);
    };
    let compared = |value: &T| {
        let rules = Rules::Compared;
        write_bincode(&Guarded { value, rules })
    };
    let comes_back = serde_json::from_slice::<T>(&json).is_ok_and(|again| {
        matches!((compared(&value), compared(&again)), (Ok(value), Ok(again)) if same(&value, &again))
    });
    Ok(comes_back.then_some(json))
}

/// Reads JSON text as a `T`, and seals it as one.
///
/// # Errors
///
/// [`CodecError::Sent`] if it is not a `T`.
pub fn from_json<T: Persist>(json: &[u8]) -> Result<Sealed, CodecError> {
    let value: T = serde_json::from_slice(json).map_err(|error| CodecError::Sent {
        type_name: local::name::<T>(),
        reason: error.to_string(),
        expected: shape::<T>().name(),
    })?;
    Sealed::seal(&value)
}
