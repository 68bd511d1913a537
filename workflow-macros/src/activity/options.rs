//! `#[activity(timeout = "10m", retry(max_attempts = 3))]`

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Error, Lit, LitInt, LitStr, Result};

use crate::code;
use crate::report::Report;

#[derive(Default)]
pub(super) struct Options {
    pub(super) name: Option<String>,
    /// Of one attempt.
    pub(super) timeout: Option<Duration>,
    /// Of all attempts together.
    pub(super) schedule_to_close: Option<Duration>,
    pub(super) max_attempts: Option<u32>,
    pub(super) initial_interval: Option<Duration>,
    pub(super) backoff_coefficient: Option<f64>,
    pub(super) max_interval: Option<Duration>,
}

impl Options {
    pub(super) fn parse(report: &Report, tokens: TokenStream) -> Self {
        let mut options = Self::default();
        let parser = syn::meta::parser(|meta| options.option(report, &meta));
        if let Err(error) = parser.parse2(tokens) {
            report.parse_error(code::OPTION, error);
        }
        options
    }

    fn option(&mut self, report: &Report, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.path.is_ident("timeout") {
            self.timeout = duration(report, meta)?;
        } else if meta.path.is_ident("schedule_to_close") {
            self.schedule_to_close = duration(report, meta)?;
        } else if meta.path.is_ident("retry") {
            meta.parse_nested_meta(|meta| self.retry(report, &meta))?;
        } else {
            return Err(meta.error(
                "unknown option of `#[activity]`\n\
                 help: the options are `timeout` (of one attempt: start-to-close), `schedule_to_close` (of all attempts), `retry(…)` and `name`",
            ));
        }
        Ok(())
    }

    fn retry(&mut self, report: &Report, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("max_attempts") {
            let literal = meta.value()?.parse::<LitInt>()?;
            let attempts = literal.base10_parse()?;
            if attempts == 0 {
                report.error_on(
                    code::OPTION,
                    literal,
                    "an activity is tried at least once\n\
                     help: `max_attempts = 1` is a single attempt",
                );
            }
            self.max_attempts = Some(attempts);
        } else if meta.path.is_ident("initial_interval") {
            self.initial_interval = duration(report, meta)?;
        } else if meta.path.is_ident("max_interval") {
            self.max_interval = duration(report, meta)?;
        } else if meta.path.is_ident("backoff_coefficient") {
            let literal = meta.value()?.parse::<Lit>()?;
            let coefficient = match &literal {
                Lit::Int(number) => number.base10_parse::<f64>()?,
                Lit::Float(number) => number.base10_parse::<f64>()?,
                other => return Err(Error::new_spanned(other, "expected a number")),
            };
            if coefficient < 1.0 {
                report.error_on(
                    code::OPTION,
                    literal,
                    "the wait between attempts cannot shrink\n\
                     help: `backoff_coefficient = 1.0` keeps it as it is",
                );
            }
            self.backoff_coefficient = Some(coefficient);
        } else {
            return Err(meta.error(
                "unknown option of `retry`\n\
                 help: the options are `max_attempts`, `initial_interval`, `backoff_coefficient` and `max_interval`",
            ));
        }
        Ok(())
    }
}

fn duration(report: &Report, meta: &ParseNestedMeta<'_>) -> Result<Option<Duration>> {
    let literal: LitStr = meta.value()?.parse()?;
    match humantime::parse_duration(&literal.value()) {
        Ok(duration) => Ok(Some(duration)),
        Err(error) => {
            report.error_on(
                code::OPTION,
                literal,
                format!(
                    "not a duration: {error}\n\
                     help: write it with its units, as `\"10m\"`, `\"1h 30m\"` or `\"500ms\"`"
                ),
            );
            Ok(None)
        }
    }
}
