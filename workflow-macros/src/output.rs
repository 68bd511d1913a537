//! What a workflow or an activity returns.

use syn::{ReturnType, Signature, Type};

use crate::code;
use crate::reference;
use crate::report::Report;

/// Refuses a return type that is surely no `Result`. What may be an alias of one, rustc judges.
pub(crate) fn check(report: &Report, sig: &Signature, what: &str, error: &str) {
    let article = if what.starts_with('a') { "an" } else { "a" };
    let message = |ty: &str| {
        format!(
            "{article} {what} returns a `Result`\n\
             it can time out or be canceled\n\
             help: write `-> Result<{ty}, {error}>`"
        )
    };
    match &sig.output {
        ReturnType::Default => report.error_on(code::OUTPUT, &sig.ident, message("()")),
        ReturnType::Type(_, ty) => match &**ty {
            Type::ImplTrait(ty) => report.error_on(
                code::OUTPUT,
                ty,
                format!(
                    "{article} {what} cannot return an `impl Trait`\n\
                     its result is saved, and the type to read it back must be known\n\
                     help: write `Result<T, {error}>`"
                ),
            ),
            ty if is_no_result(ty) => {
                let text = quote::quote!(#ty).to_string().replace(" <", "<");
                report.error_on(
                    code::OUTPUT,
                    ty,
                    message(&text.replace("< ", "<").replace(" >", ">")),
                );
            }
            ty => {
                if let Some(inner) = reference::in_type(ty) {
                    report.error_on(
                        code::OUTPUT,
                        inner,
                        format!(
                            "{article} {what} returns what it owns\n\
                             its result is saved, and a reference cannot be saved\n\
                             help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`"
                        ),
                    );
                }
            }
        },
    }
}

fn is_no_result(ty: &Type) -> bool {
    const OTHERS: [&str; 22] = [
        "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128",
        "u16", "u32", "u64", "u8", "usize", "Box", "HashMap", "Option", "String", "Vec",
    ];
    match ty {
        Type::Array(_) | Type::Never(_) | Type::Ptr(_) | Type::Reference(_) | Type::Tuple(_) => {
            true
        }
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| OTHERS.iter().any(|name| last.ident == name))
        }
        _ => false,
    }
}
