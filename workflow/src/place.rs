//! `place += value`, whose value awaits: of numbers the place is looked up after the value, as rustc
//! does it, and of everything else before.

use std::fmt;
use std::marker::PhantomData;

/// A place, given by what looks it up.
pub struct Place<F, T: ?Sized> {
    look: F,
    of: PhantomData<fn() -> *const T>,
}

/// A place of such a type.
pub fn place<'a, T: ?Sized + 'a, F: Fn() -> &'a T>(look: F) -> Place<F, T> {
    Place {
        look,
        of: PhantomData,
    }
}

/// A number or a `bool`: nothing is looked up yet.
pub trait LookLater {
    /// Does nothing.
    fn look(&self) {}
}

/// Anything else.
pub trait LookFirst {
    /// Looks it up, which panics where it is not there.
    fn look(&self);
}

impl<'a, T: ?Sized + 'a, F: Fn() -> &'a T> LookFirst for &Place<F, T> {
    fn look(&self) {
        (self.look)();
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl<F> LookLater for Place<F, $number> {}
    )*};
}

numbers!(bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

impl<F, T: ?Sized> fmt::Debug for Place<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}
