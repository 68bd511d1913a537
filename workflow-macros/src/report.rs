//! The errors found so far.

use std::cell::RefCell;

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// Collects errors, so that all are shown at once. It must be [checked](Self::check): dropping it
/// otherwise is a bug of the macro, as it would lose errors.
pub(crate) struct Report {
    errors: RefCell<Option<Vec<Error>>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    /// An error on tokens.
    pub(crate) fn error_on(&self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// An error on a span.
    pub(crate) fn error_at(&self, span: Span, message: impl std::fmt::Display) {
        self.push(Error::new(span, message));
    }

    pub(crate) fn push(&self, error: Error) {
        if let Some(errors) = &mut *self.errors.borrow_mut() {
            errors.push(error);
        }
    }

    /// Whether anything is wrong so far: a stage that needs sound input asks before it begins.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// The end: all errors as one.
    pub(crate) fn check(self) -> Result<(), Error> {
        let mut errors = self.errors.take().unwrap_or_default().into_iter();
        let Some(mut all) = errors.next() else {
            return Ok(());
        };
        all.extend(errors);
        Err(all)
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.errors.borrow().is_some() {
            panic!("a report was dropped unchecked");
        }
    }
}
