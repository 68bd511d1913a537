//! Expressions with operands: what stands before an await must have been evaluated before it.
//!
//! Of the operands before the last one that awaits, one that does something is evaluated into a
//! temporary. A place stays where it is, so that a `String` under `==` or a receiver is not moved,
//! unless what follows changes it: `x + { x += 1; f(x).await? }` reads `x` first.

use quote::{ToTokens, quote};
use syn::{Expr, ExprMacro, Stmt, UnOp, parse_quote};

use super::super::awaits::Awaits;
use super::super::macros::{Kind, StdMacro};
use super::super::mark::{self, mentions};
use super::access::{is_mutable_access, must_be_collection};
use super::order::goes_through;
use super::place::{changed_in, indexed, is_comparison, is_compound, is_constant, is_place};
use super::{Dest, Lowering};
use crate::code;

/// How an operand is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
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
            Kind::Format { .. } | Kind::Json | Kind::Values | Kind::Matches => usize::MAX,
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
        // It looks at each value before it evaluates the next.
        let is_changed = |(at, value): (usize, &Expr)| {
            let before = parsed.values().take(at).flat_map(mentions);
            let changed = changed_in(value).all();
            before
                .into_iter()
                .any(|id| changed.contains(&id) && self.flow.may_change(id))
        };
        if parsed.kind == Kind::Json
            && parsed.values().any(Awaits::awaits)
            && parsed.values().enumerate().any(is_changed)
        {
            self.report.error_on(
                code::AWAIT_IN_MACRO,
                &expr.mac.path,
                "an `.await` in `json!`, beside code that changes what another value is made of\n\
                 the other values would be looked at after the await\n\
                 help: bind it first: `let value = ….await?;`, and use `value` in the macro",
            );
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
}
