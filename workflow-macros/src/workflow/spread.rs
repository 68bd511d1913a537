//! Types of values, spread over the bindings of the patterns that take them apart.

use syn::{Pat, Type};

use super::flow::{LocalId, bound};
use super::mark;
use super::spell::{Part, Spelling};

/// Spreads a type over the bindings of a pattern: `(a, b): (A, B)`.
pub(super) fn annotate(pattern: &Pat, ty: &Type, found: &mut impl FnMut(LocalId, &Type)) {
    match (pattern, ty) {
        (Pat::Ident(pattern), _) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            if let Some(id) = mark::local_of(&pattern.ident) {
                found(id, ty);
            }
        }
        (Pat::Paren(pattern), _) => annotate(&pattern.pat, ty, found),
        (Pat::Tuple(pattern), Type::Tuple(ty))
            if pattern.elems.len() == ty.elems.len()
                && !pattern.elems.iter().any(|p| matches!(p, Pat::Rest(_))) =>
        {
            for (pattern, ty) in pattern.elems.iter().zip(&ty.elems) {
                annotate(pattern, ty, found);
            }
        }
        _ => {}
    }
}

/// What the library's `Tuple` is implemented for.
const LONGEST_TUPLE: usize = 6;

/// Spreads the type of a value over the bindings of a pattern.
pub(super) fn spread(
    pattern: &Pat,
    spelling: &Spelling,
    found: &mut impl FnMut(LocalId, Spelling),
) {
    match (pattern, spelling) {
        (Pat::Guard(guarded), _) => spread(&guarded.pat, spelling, found),
        (Pat::TupleStruct(payload), _) if payload.elems.len() == 1 => {
            let variant = payload.path.segments.last();
            let variant = variant.map(|last| last.ident.to_string());
            if let Some(spelling) = variant.and_then(|variant| spelling.payload(&variant)) {
                spread(&payload.elems[0], &spelling, found);
            }
        }
        (Pat::Ident(_), Spelling::Called { .. }) => {
            if let Some(id) = plain_binding(pattern) {
                found(id, spelling.clone());
            }
        }
        (_, Spelling::Type(ty)) => annotate(pattern, ty, &mut |id, ty| {
            found(id, Spelling::Type(ty.clone()));
        }),
        (
            Pat::Tuple(pattern),
            Spelling::Called {
                function,
                part: Part::Output,
            },
        ) if pattern.elems.len() <= LONGEST_TUPLE
            && !pattern.elems.iter().any(|p| matches!(p, Pat::Rest(_))) =>
        {
            for (index, pattern) in pattern.elems.iter().enumerate() {
                if let Some(id) = plain_binding(pattern) {
                    let element = Spelling::Called {
                        function: function.clone(),
                        part: Part::Element(index),
                    };
                    found(id, element);
                }
            }
        }
        _ => {}
    }
}

/// The one binding of a pattern that is nothing but it.
pub(super) fn plain_binding(pattern: &Pat) -> Option<LocalId> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
            bound(pattern).first().copied()
        }
        Pat::Paren(pattern) => plain_binding(&pattern.pat),
        Pat::Type(pattern) => plain_binding(&pattern.pat),
        _ => None,
    }
}
