//! `#[activity]`: a function with side effects, which workflows call.

mod emit;
mod options;
mod signature;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use self::options::Options;
use self::signature::Signature;
use crate::depth;
use crate::report::{self, Report};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let report = Report::new();
    depth::check(&report, &item);
    if let Err(error) = report.check() {
        let error = error.into_compile_error();
        return quote!(#error #item);
    }
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return report::not_a_function("activity", item, &error),
    };
    let report = Report::new();
    let signature = Signature::parse(&report, &function);
    let is_sound = report.is_clean();
    let options = Options::parse(&report, options);
    if function.sig.receiver().is_some() {
        // A method stands where no type of its name may stand, and callers see what they expect.
        let errors = report
            .check()
            .err()
            .map(|errors| errors.into_compile_error());
        return quote!(#errors #function);
    }
    match report.check() {
        Ok(()) => emit::activity(&options, &signature, &function),
        Err(errors) => {
            let errors = errors.into_compile_error();
            // Callers see what it gives, whatever is wrong with its options.
            let item = match is_sound {
                true => emit::activity(&options, &signature, &function),
                false => emit::stub(&signature),
            };
            quote!(#errors #item)
        }
    }
}
