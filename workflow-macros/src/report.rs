//! The errors found so far.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Error;

use crate::code::{self, Code};

/// Collects errors, so that all are shown at once. It must be [checked](Self::check): dropping it
/// otherwise is a bug of the macro, as it would lose errors.
pub(crate) struct Report {
    errors: RefCell<Option<Vec<Error>>>,
    codes: RefCell<Vec<Code>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::new(Some(Vec::new())),
            codes: RefCell::default(),
        }
    }

    /// An error on tokens.
    pub(crate) fn error_on(&self, code: Code, tokens: impl ToTokens, message: impl Display) {
        self.push(
            code,
            Error::new_spanned(tokens, format!("{code}: {message}")),
        );
    }

    /// An error on a span.
    pub(crate) fn error_at(&self, code: Code, span: Span, message: impl Display) {
        self.push(code, Error::new(span, format!("{code}: {message}")));
    }

    /// What a parser found.
    pub(crate) fn parse_error(&self, code: Code, error: Error) {
        for error in error {
            self.error_at(code, error.span(), &error);
        }
    }

    fn push(&self, code: Code, error: Error) {
        self.codes.borrow_mut().push(code);
        if let Some(errors) = &mut *self.errors.borrow_mut() {
            errors.push(error);
        }
    }

    /// Whether anything is wrong so far: a stage that needs sound input asks before it begins.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// Whether something of this kind is wrong.
    pub(crate) fn has(&self, code: Code) -> bool {
        self.codes.borrow().contains(&code)
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

/// What stands under an attribute and is no function; it is left as it is, for rustc to judge.
pub(crate) fn not_a_function(attribute: &str, item: TokenStream, error: &Error) -> TokenStream {
    let message = format!(
        "{}: `#[{attribute}]` stands on an `async fn`, and this is none: {error}\n\
         it compiles a function; nothing else can be run\n\
         help: move the attribute to the function",
        code::FUNCTION
    );
    let error = Error::new(error.span(), message).into_compile_error();
    quote!(#error #item)
}

impl Drop for Report {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.errors.borrow().is_some() {
            panic!("a report was dropped unchecked");
        }
    }
}
