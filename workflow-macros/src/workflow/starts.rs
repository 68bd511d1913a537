//! `ctx.start(operation)`: an operation that begins here and is awaited elsewhere, perhaps never.
//! Its argument is marked, so that what it starts can be described without running it.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMethodCall, Item, Macro, parse_quote_spanned};

use super::number::{self, SignalArgument};
use super::{macros, mark};

/// Marks the starts of a body; gives for each the name of the signal that it waits for.
pub(super) fn mark(context: &Ident, body: &mut Block) -> Vec<Option<SignalArgument>> {
    let mut marker = Marker {
        context,
        starts: Vec::new(),
    };
    marker.visit_block_mut(body);
    marker.starts
}

struct Marker<'a> {
    context: &'a Ident,
    starts: Vec<Option<SignalArgument>>,
}

impl VisitMut for Marker<'_> {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        let is_context = matches!(&*call.receiver, Expr::Path(path) if path.path.get_ident().is_some_and(|ident| mark::plain(ident) == mark::plain(self.context)));
        if is_context
            && call.method == "start"
            && let Some(operation) = call.args.first_mut()
        {
            let start = mark::start(self.starts.len(), operation.span());
            self.starts.push(number::signal(operation));
            let span = operation.span();
            *operation = parse_quote_spanned!(span=> #start(#operation));
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let names = [mark::plain(self.context)];
        macros::visit_arguments(mac, &names, |argument| self.visit_expr_mut(argument));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
