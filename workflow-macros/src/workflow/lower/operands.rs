//! Expressions with operands: what stands before an await must have been evaluated before it.
//!
//! Of the operands before the last one that awaits, one that does something is evaluated into a
//! temporary. A place stays where it is, so that a `String` under `==` or a receiver is not moved,
//! unless what follows changes it: `x + { x += 1; f(x).await? }` reads `x` first.

use proc_macro2::Ident;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMacro, ExprMethodCall, Stmt, UnOp, parse_quote};

use super::super::awaits::Awaits;
use super::super::flow::LocalId;
use super::super::held::steps;
use super::super::macros::{Kind, StdMacro};
use super::super::mark::{self, mentions};
use super::access::{is_entry, is_mutable_access, is_steady, is_steady_key, must_be_collection};
use super::place::{
    changed_in, indexed, is_comparison, is_compound, is_constant, is_in, is_place, jumps, reads,
};
use super::{Dest, Lowering};
use crate::code;

/// How an operand is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Moved or copied.
    Value,
    /// Only looked at, or a receiver: it stays where it is.
    Place,
    /// Indexed: what comes before the index is looked at after it.
    Base,
}

impl Lowering<'_> {
    /// The rest of an expression, once its awaits have been taken out.
    pub(super) fn value(&mut self, mut expr: Expr) -> Expr {
        if self.is_exploded(&expr) {
            return self.joined(expr);
        }
        if !expr.awaits() {
            self.opaque(&mut expr);
            return expr;
        }
        match expr {
            Expr::Await(expr) => {
                let Some((number, operand)) = mark::numbered(&expr) else {
                    return self.unknown(&Expr::Await(expr));
                };
                let operand = self.value(operand.clone());
                self.await_operand(number, &expr, &operand)
            }
            Expr::Try(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Try(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Paren(expr)
            }
            Expr::Group(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Group(expr)
            }
            Expr::Unary(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Unary(expr)
            }
            Expr::Cast(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Cast(expr)
            }
            Expr::Field(mut expr) => {
                *expr.base = self.value(*expr.base);
                Expr::Field(expr)
            }
            Expr::Reference(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Reference(expr)
            }
            Expr::Repeat(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                Expr::Repeat(expr)
            }
            Expr::If(expr) => self.value_of_if(expr),
            Expr::Match(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                let mut expr = Expr::Match(expr);
                self.opaque(&mut expr);
                expr
            }
            Expr::ForLoop(mut expr) => {
                *expr.expr = self.value(*expr.expr);
                let mut expr = Expr::ForLoop(expr);
                self.opaque(&mut expr);
                expr
            }
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => {
                self.into(expr, Dest::Discard);
                parse_quote!(::std::unreachable!())
            }
            Expr::Macro(expr) => self.macro_value(expr),
            Expr::Assign(mut expr) => {
                // The right side comes first.
                *expr.right = self.value(*expr.right);
                if expr.left.awaits() {
                    *expr.right = self.spill(&expr.right);
                    *expr.left = self.value(*expr.left);
                }
                Expr::Assign(expr)
            }
            Expr::Binary(mut expr) if is_compound(&expr.op) => {
                self.check_compound(&expr.left, &expr.right);
                self.look_first(&expr.left, &expr.right);
                *expr.right = self.value(*expr.right);
                Expr::Binary(expr)
            }
            Expr::Binary(mut expr) => {
                let taken = if is_comparison(&expr.op) {
                    Taken::Place
                } else {
                    Taken::Value
                };
                self.operands(vec![(&mut expr.left, taken), (&mut expr.right, taken)]);
                Expr::Binary(expr)
            }
            Expr::Call(mut expr) => {
                let mut operands = vec![(&mut *expr.func, Taken::Place)];
                operands.extend(expr.args.iter_mut().map(|arg| (arg, Taken::Value)));
                self.operands(operands);
                Expr::Call(expr)
            }
            Expr::MethodCall(mut expr) => {
                let mut operands = vec![(&mut *expr.receiver, Taken::Place)];
                operands.extend(expr.args.iter_mut().map(|arg| (arg, Taken::Value)));
                self.operands(operands);
                Expr::MethodCall(expr)
            }
            Expr::Index(mut expr) => {
                self.operands(vec![
                    (&mut expr.expr, Taken::Base),
                    (&mut expr.index, Taken::Value),
                ]);
                Expr::Index(expr)
            }
            Expr::Tuple(mut expr) => {
                self.operands(expr.elems.iter_mut().map(|e| (e, Taken::Value)).collect());
                Expr::Tuple(expr)
            }
            Expr::Array(mut expr) => {
                self.operands(expr.elems.iter_mut().map(|e| (e, Taken::Value)).collect());
                Expr::Array(expr)
            }
            Expr::Struct(mut expr) => {
                let fields = expr.fields.iter_mut().map(|field| &mut field.expr);
                let operands = fields.chain(expr.rest.as_deref_mut());
                self.operands(operands.map(|e| (e, Taken::Value)).collect());
                Expr::Struct(expr)
            }
            Expr::Range(mut expr) => {
                let bounds = [expr.start.as_deref_mut(), expr.end.as_deref_mut()];
                let operands = bounds.into_iter().flatten();
                self.operands(operands.map(|e| (e, Taken::Value)).collect());
                Expr::Range(expr)
            }
            other => self.unknown(&other),
        }
    }

    /// An expression that the compiler does not know how to take apart.
    fn unknown(&self, expr: &Expr) -> Expr {
        self.report.error_on(
            code::AWAIT_IN_EXPRESSION,
            expr,
            "an `.await` in this kind of expression is not supported in a workflow\n\
             it would have to be taken apart into what comes before and after the await\n\
             help: bind what is awaited first: `let value = ….await?;`, and use `value` here",
        );
        parse_quote!(::std::unreachable!())
    }

    fn operands(&mut self, mut operands: Vec<(&mut Expr, Taken)>) {
        let Some(last) = operands.iter().rposition(|(operand, _)| operand.awaits()) else {
            return;
        };
        for i in 0..=last {
            let mut expr = std::mem::replace(operands[i].0, Expr::PLACEHOLDER);
            let taken = operands[i].1;
            let later: Vec<&Expr> = operands[i + 1..=last].iter().map(|(e, _)| &**e).collect();
            let rest = if i == last {
                self.value(expr)
            } else {
                let awaits = expr.awaits();
                let stays = !awaits && self.stays(&expr, taken, &later);
                // An index that changes is kept by itself.
                let changes = taken == Taken::Place && self.is_changed(indexed(&expr), &later);
                let holds = self.leave(&expr, &later);
                if awaits {
                    expr = self.value(expr);
                } else {
                    self.opaque(&mut expr);
                }
                self.holds = holds;
                let kept = match (stays, changes) {
                    (true, _) => expr,
                    // It is a copy that is compared, or that a method is called on.
                    (false, true) => self.spill(&expr),
                    (false, false) => self.keep(expr, taken),
                };
                self.holds = false;
                kept
            };
            *operands[i].0 = rest;
        }
        for (operand, _) in &mut operands[last + 1..] {
            self.opaque(operand);
        }
    }

    /// Evaluates an operand before an await that follows it.
    fn keep(&mut self, expr: Expr, taken: Taken) -> Expr {
        match expr {
            // What is referred to is kept, not the reference; but not what a reference refers to that
            // is another by then.
            Expr::Reference(expr)
                if expr.mutability.is_none() && goes_through(&expr.expr) && !self.holds =>
            {
                self.spill(&Expr::Reference(expr))
            }
            Expr::Reference(mut expr) => {
                *expr.expr = self.keep_place(*expr.expr);
                Expr::Reference(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.keep(*expr.expr, taken);
                Expr::Paren(expr)
            }
            expr if taken != Taken::Value => self.keep_place(expr),
            expr => self.spill(&expr),
        }
    }

    /// Evaluates what a place consists of, and checks that it is there, for it is looked at only
    /// after the await.
    fn keep_place(&mut self, expr: Expr) -> Expr {
        match expr {
            Expr::Field(mut expr) => {
                *expr.base = self.keep_place(*expr.base);
                Expr::Field(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.keep_place(*expr.expr);
                Expr::Paren(expr)
            }
            Expr::Unary(mut expr) if matches!(expr.op, UnOp::Deref(_)) => {
                *expr.expr = self.keep_place(*expr.expr);
                Expr::Unary(expr)
            }
            Expr::Index(mut expr) => {
                *expr.expr = self.keep_place(*expr.expr);
                if !is_constant(&expr.index) {
                    *expr.index = self.spill(&expr.index);
                }
                let (base, index) = (&expr.expr, &expr.index);
                // A range is no `Copy` type.
                let check: Stmt =
                    parse_quote!(let _ = &#base[::std::clone::Clone::clone(&#index)];);
                let place = Expr::Index(expr);
                let code = self.code(check.to_token_stream(), &[&place], Vec::new());
                self.push(code);
                place
            }
            expr if is_place(&expr) || is_constant(&expr) => expr,
            expr if is_mutable_access(&expr) => {
                let mut check = expr.clone();
                let access = self.keep_access(expr, &mut check);
                let collection = must_be_collection(&access);
                let check = quote!(#collection let _ = #check;);
                let code = self.code(check, &[&access], Vec::new());
                self.push(code);
                access
            }
            expr => self.spill(&expr),
        }
    }

    /// Evaluates what is looked up in a place, and copies it for looking it up twice: before the
    /// await, where that may panic or insert something, and after it.
    fn keep_access(&mut self, mut expr: Expr, check: &mut Expr) -> Expr {
        if let (Expr::MethodCall(call), Expr::MethodCall(check)) = (&mut expr, check) {
            let receiver = std::mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
            *call.receiver = self.keep_access(receiver, &mut check.receiver);
            for (arg, check) in call.args.iter_mut().zip(&mut check.args) {
                let key = std::mem::replace(arg, Expr::PLACEHOLDER);
                *arg = match key {
                    key if is_constant(&key) || matches!(key, Expr::Closure(_)) => key,
                    key @ Expr::Reference(_) => self.keep(key, Taken::Value),
                    key => self.spill(&key),
                };
                *check = match &*arg {
                    Expr::Path(_) if !is_constant(arg) => {
                        parse_quote!(::std::clone::Clone::clone(&#arg))
                    }
                    other => other.clone(),
                };
            }
        }
        expr
    }

    /// `place += value` awaits the value, then changes the place; so does rustc for numbers.
    fn check_compound(&self, place: &Expr, value: &Expr) {
        let mut changed = changed_in(value).all();
        changed.extend(self.handed_on(value).into_iter().map(|(id, _)| id));
        let mut index = place;
        loop {
            index = match index {
                Expr::Paren(expr) => &expr.expr,
                Expr::Field(expr) => &expr.base,
                Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => &expr.expr,
                Expr::Index(expr) => {
                    if !is_steady_key(&expr.index, &changed) {
                        self.report.error_on(
                            code::ORDER,
                            &expr.index,
                            "an index that is computed, or that the right side changes, before an `.await` on the right\n\
                             it would be evaluated after the await for numbers, and before it for other types\n\
                             help: bind it first: `let index = …;`",
                        );
                    }
                    &expr.expr
                }
                _ => break,
            };
        }
        // An entry is there or made, before the right side or after it; no panic tells which.
        let finds = match index {
            Expr::MethodCall(_) => is_entry(index) && !jumps(value) && is_steady(index, &changed),
            _ => is_place(index),
        };
        if !finds || place.awaits() {
            self.report.error_on(
                code::ORDER,
                place,
                "this place is computed before an `.await` on the right\n\
                 it would be computed again, or another one, after the await\n\
                 help: bind the awaited value first: `let value = ….await?;`, and use `value` on the right",
            );
        }
    }

    /// Where a place is not of a number, `place += value` finds it before the value.
    fn look_first(&mut self, place: &Expr, value: &Expr) {
        if !matches!(place, Expr::Index(_)) {
            return;
        }
        let span = place.span();
        let look = match value {
            // A number to which a reference is added is none for rustc.
            Expr::Reference(_) => quote_spanned!(span=> let _ = &#place;),
            _ => quote_spanned! {span=>
                {
                    use ::workflow::__private::{LookFirst as _, LookLater as _};
                    (&::workflow::__private::place(|| &#place)).look();
                }
            },
        };
        let code = self.code(look, &[place], Vec::new());
        self.push(code);
    }

    /// The macros of the standard library, whose arguments are operands.
    fn macro_value(&mut self, mut expr: ExprMacro) -> Expr {
        let Some(mut parsed) = StdMacro::parse(&expr.mac) else {
            // `check` has refused it.
            return parse_quote!(::std::unreachable!());
        };
        let lazy_from = match parsed.kind {
            Kind::Assert => 1,
            Kind::Compare => 2,
            Kind::Debug { .. } => 0,
            Kind::Format { .. } | Kind::Values | Kind::Matches => usize::MAX,
        };
        for argument in parsed.arguments.iter().skip(lazy_from) {
            if argument.value.awaits() {
                self.report.error_on(
                    code::AWAIT_IN_MACRO,
                    &argument.value,
                    "an `.await` in an argument that is not always evaluated\n\
                     the macro makes its message only when it has to\n\
                     help: bind it first: `let value = ….await?;`, and use `value` here",
                );
            }
        }
        let taken = match parsed.kind {
            Kind::Values => Taken::Value,
            _ => Taken::Place,
        };
        if parsed.kind == Kind::Assert {
            return self.assert(parsed);
        }
        let mut lazy = parsed
            .arguments
            .split_off(lazy_from.min(parsed.arguments.len()));
        let values = parsed.arguments.iter_mut().map(|a| (&mut a.value, taken));
        self.operands(values.collect());
        for argument in &mut lazy {
            self.opaque(&mut argument.value);
        }
        parsed.arguments.append(&mut lazy);
        expr.mac.tokens = parsed.into_tokens();
        Expr::Macro(expr)
    }

    /// `assert!(c, "…")` becomes `if !c { panic!("…") }`, for its message is made only then.
    fn assert(&mut self, mut parsed: StdMacro) -> Expr {
        let mut arguments = parsed.arguments.drain(..);
        let Some(condition) = arguments.next() else {
            return parse_quote!(::std::unreachable!());
        };
        let text = mark::source(&condition.value.to_token_stream());
        let message: Vec<_> = arguments.collect();
        let condition = self.value(condition.value);
        let mut panic: Expr = if message.is_empty() {
            let text = format!("assertion failed: {text}");
            parse_quote!(::std::panic!("{}", #text))
        } else {
            parse_quote!(::std::panic!(#(#message),*))
        };
        self.opaque(&mut panic);
        parse_quote!(if !(#condition) { #panic })
    }

    /// Whether an operand can be evaluated after the awaits of those that follow it.
    fn stays(&self, expr: &Expr, taken: Taken, later: &[&Expr]) -> bool {
        if is_constant(expr) {
            return true;
        }
        match expr {
            // While a reference is there, nothing else can change what it refers to; but what it was
            // found through may be another.
            Expr::Reference(reference) => {
                is_place(&reference.expr)
                    && (reference.mutability.is_some()
                        || !goes_through(&reference.expr)
                        || self.leave(expr, later))
            }
            Expr::Paren(expr) => self.stays(&expr.expr, taken, later),
            Expr::Tuple(tuple) => tuple
                .elems
                .iter()
                .all(|element| self.stays(element, Taken::Value, later)),
            Expr::Array(array) => array
                .elems
                .iter()
                .all(|element| self.stays(element, Taken::Value, later)),
            Expr::Closure(_) => {
                let mut mine = self.flow.rests_on(mentions(expr));
                mine.retain(|id| self.flow.may_change(*id));
                !later
                    .iter()
                    .any(|later| !mentions(later).is_disjoint(&mine))
            }
            _ if is_place(expr) => match taken {
                // A value that is used again later is a copy, and may differ by then.
                Taken::Value => {
                    let mut mine = self.flow.rests_on(mentions(expr));
                    mine.retain(|id| self.flow.may_change(*id));
                    !later
                        .iter()
                        .any(|later| !mentions(later).is_disjoint(&mine))
                }
                Taken::Place => !self.is_changed(expr, later),
                Taken::Base => true,
            },
            _ => false,
        }
    }

    /// The mutable references that code hands on, to what may change what they refer to.
    fn handed_on(&self, code: &Expr) -> Vec<(LocalId, Ident)> {
        struct Finder(Vec<(LocalId, Ident)>);
        impl Finder {
            /// Of what is only looked into, all but itself.
            fn looked_into(&mut self, expr: &Expr) {
                if mark::local_in(expr).is_none() {
                    self.visit_expr(expr);
                }
            }
        }
        impl Visit<'_> for Finder {
            fn visit_expr(&mut self, expr: &Expr) {
                match expr {
                    Expr::Path(path) => {
                        let ident = path.path.get_ident();
                        let local = mark::local_in(expr).zip(ident.cloned());
                        self.0.extend(local);
                    }
                    Expr::Field(expr) => self.looked_into(&expr.base),
                    Expr::Index(expr) => {
                        self.looked_into(&expr.expr);
                        self.visit_expr(&expr.index);
                    }
                    Expr::Unary(expr) => self.looked_into(&expr.expr),
                    Expr::MethodCall(call) if reads(&call.method) => {
                        self.looked_into(&call.receiver);
                        call.args.iter().for_each(|arg| self.visit_expr(arg));
                    }
                    expr => visit::visit_expr(self, expr),
                }
            }
            fn visit_macro(&mut self, mac: &syn::Macro) {
                if let Some(parsed) = StdMacro::parse(mac) {
                    parsed.values().for_each(|value| self.visit_expr(value));
                }
            }
        }
        let mut finder = Finder(Vec::new());
        finder.visit_expr(code);
        let mut handed = finder.0;
        handed.retain(|(id, _)| self.is_rebound(*id) && self.flow.may_change(*id));
        for (id, ident) in &mut handed {
            *ident = Ident::new(&mark::plain(&self.flow.local(*id).ident), ident.span());
        }
        handed
    }

    /// Whether what follows an operand changes nothing that it is made of, so that a reference among
    /// them is found again as if rustc held it.
    fn leave(&self, operand: &Expr, later: &[&Expr]) -> bool {
        let mut made_of = self.flow.rests_on(mentions(operand));
        made_of.retain(|id| self.flow.may_change(*id));
        later.iter().all(|later| {
            let mut changed = changed_in(later).all();
            // A mutable reference may be handed on without saying so.
            let rebound = mentions(later)
                .into_iter()
                .filter(|id| self.is_rebound(*id));
            changed.extend(rebound.filter(|id| self.flow.may_change(*id)));
            self.flow.rests_on(changed).is_disjoint(&made_of)
        })
    }

    /// Whether what follows a place changes it, so that what was taken before was a copy.
    fn is_changed(&self, place: &Expr, later: &[&Expr]) -> bool {
        let mut mine = self.flow.rests_on(mentions(place));
        mine.retain(|id| self.flow.may_change(*id));
        if mine.is_empty() || matches!(place, Expr::Reference(_)) {
            return false;
        }
        for later in later {
            let mut changes = changed_in(later);
            if !changes.surely.is_disjoint(&mine) {
                return true;
            }
            changes.perhaps.extend(asked_of_whole(place, later));
            changes.perhaps.extend(self.handed_on(later));
            if let Some((id, method)) = changes.perhaps.iter().find(|(id, _)| mine.contains(id)) {
                let name = &self.flow.locals[id.0].ident;
                let by = match method == name {
                    true => "what it is handed on to".to_owned(),
                    false => format!("`{method}`"),
                };
                self.report.error_on(
                    code::ORDER,
                    method,
                    format!(
                        "`{name}` is used before this in the same expression, and {by} may change it\n\
                         whether the value before or after it is meant cannot be seen across the `.await`\n\
                         help: bind the awaited value first: `let value = ….await?;`, and use `value` here"
                    ),
                );
                return true;
            }
        }
        false
    }
}

/// Whether a place is found through a reference, as the syntax may show, or in part of a text.
fn goes_through(place: &Expr) -> bool {
    match place {
        Expr::Field(expr) => goes_through(&expr.base),
        Expr::Paren(expr) => goes_through(&expr.expr),
        Expr::Index(_) => true,
        Expr::Unary(_) => true,
        _ => false,
    }
}

/// The methods that code calls on what a field belongs to: of a user's own type, which may change by
/// any of them, but for those of the standard library's traits.
fn asked_of_whole(field: &Expr, code: &Expr) -> Vec<(LocalId, Ident)> {
    const OF_TRAITS: [&str; 5] = ["clone", "cmp", "partial_cmp", "to_owned", "to_string"];
    struct Finder(Vec<String>, Vec<(LocalId, Ident)>);
    impl Visit<'_> for Finder {
        fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
            visit::visit_expr_method_call(self, call);
            let whole = steps(&call.receiver);
            let own = reads(&call.method) && !is_in(&OF_TRAITS, &call.method);
            if own && whole.len() < self.0.len() && self.0.starts_with(&whole) {
                let of = mentions(&call.receiver).into_iter();
                self.1.extend(of.map(|id| (id, call.method.clone())));
            }
        }
    }
    let mut finder = Finder(steps(field), Vec::new());
    finder.visit_expr(code);
    finder.1
}
