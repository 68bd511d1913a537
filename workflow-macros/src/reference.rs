//! References within types.

use syn::visit::{self, Visit};
use syn::{Type, TypeReference};

/// The first reference in a type, be it the type itself.
pub(crate) fn in_type(ty: &Type) -> Option<&TypeReference> {
    struct Finder<'a>(Option<&'a TypeReference>);
    impl<'a> Visit<'a> for Finder<'a> {
        fn visit_type_reference(&mut self, ty: &'a TypeReference) {
            self.0 = self.0.or(Some(ty));
        }
        fn visit_type(&mut self, ty: &'a Type) {
            if self.0.is_none() {
                visit::visit_type(self, ty);
            }
        }
    }
    let mut finder = Finder(None);
    finder.visit_type(ty);
    finder.0
}
