//! Expressions with operands: what stands before an await must have been evaluated before it.
//!
//! Of the operands before the last one that awaits, one that does something is evaluated into a
//! temporary. A place stays where it is, so that a `String` under `==` or a receiver is not moved,
//! unless what follows changes it: `x + { x += 1; f(x).await? }` reads `x` first.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprMacro, Stmt, UnOp, parse_quote};

use super::super::awaits::Awaits;
use super::super::flow::{Borrow, LocalId};
use super::super::macros::{self, Kind, StdMacro};
use super::super::mark;
use super::{Dest, Lowering};

/// How an operand is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Moved or copied.
    Value,
    /// Only looked at, or a receiver: it stays where it is.
    Place,
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
                let span = syn::spanned::Spanned::span(&operand);
                self.await_operand(number, span, &operand)
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
                    (&mut expr.expr, Taken::Place),
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
            expr,
            "an `.await` in this kind of expression is not supported in a workflow\n\
             help: bind what is awaited first: `let value = ….await?;`, and use `value` here",
        );
        parse_quote!(::std::unreachable!())
    }

    fn operands(&mut self, mut operands: Vec<(&mut Expr, Taken)>) {
        let Some(last) = operands.iter().rposition(|(operand, _)| operand.awaits()) else {
            return;
        };
        for i in 0..=last {
            let expr = std::mem::replace(operands[i].0, Expr::PLACEHOLDER);
            let taken = operands[i].1;
            let later = operands[i + 1..=last].iter().map(|(operand, _)| &**operand);
            let rest = if i == last {
                self.value(expr)
            } else if expr.awaits() {
                let rest = self.value(expr);
                self.keep(rest, taken)
            } else if stays(&expr, taken, later) {
                let mut expr = expr;
                self.opaque(&mut expr);
                expr
            } else {
                let mut expr = expr;
                self.opaque(&mut expr);
                self.keep(expr, taken)
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
            // What is referred to is kept, not the reference.
            Expr::Reference(mut expr) => {
                *expr.expr = self.keep_place(*expr.expr);
                Expr::Reference(expr)
            }
            Expr::Paren(mut expr) => {
                *expr.expr = self.keep(*expr.expr, taken);
                Expr::Paren(expr)
            }
            expr if taken == Taken::Place => self.keep_place(expr),
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
                let place = Expr::Index(expr);
                let check: Stmt = parse_quote!(let _ = &#place;);
                let code = self.code(check.to_token_stream(), &[&place], Vec::new());
                self.push(code);
                place
            }
            expr if is_place(&expr) || is_constant(&expr) => expr,
            expr => self.spill(&expr),
        }
    }

    /// `place += value` awaits the value, then changes the place; so does rustc for numbers.
    fn check_compound(&self, place: &Expr, value: &Expr) {
        let changed = changed_in(value);
        let mut index = place;
        loop {
            index = match index {
                Expr::Paren(expr) => &expr.expr,
                Expr::Field(expr) => &expr.base,
                Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => &expr.expr,
                Expr::Index(expr) => {
                    let sure = is_constant(&expr.index)
                        || is_place(&expr.index) && mentions(&expr.index).is_disjoint(&changed);
                    if !sure {
                        self.report.error_on(
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
        let sure = is_place(index) && !place.awaits();
        if !sure {
            self.report.error_on(
                place,
                "this place is computed before an `.await` on the right\n\
                 help: bind the awaited value first: `let value = ….await?;`, and use `value` on the right",
            );
        }
    }

    /// The macros of the standard library, whose arguments are operands.
    fn macro_value(&mut self, mut expr: ExprMacro) -> Expr {
        self.refuse_cfg(&expr.attrs);
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
                    &argument.value,
                    "an `.await` in an argument that is not always evaluated\n\
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
        parse_quote!(if !#condition { #panic })
    }
}

/// Whether an operand can be evaluated after the awaits of those that follow it.
fn stays<'a>(expr: &Expr, taken: Taken, later: impl Iterator<Item = &'a Expr> + Clone) -> bool {
    if is_constant(expr) {
        return true;
    }
    match expr {
        // While a reference is there, nothing else can change what it refers to.
        Expr::Reference(expr) => is_place(&expr.expr),
        Expr::Paren(expr) => stays(&expr.expr, taken, later),
        Expr::Tuple(tuple) => tuple
            .elems
            .iter()
            .all(|e| stays(e, Taken::Value, later.clone())),
        Expr::Array(array) => array
            .elems
            .iter()
            .all(|e| stays(e, Taken::Value, later.clone())),
        Expr::Closure(_) => {
            let mine = mentions(expr);
            later.flat_map(mentions).all(|id| !mine.contains(&id))
        }
        _ if is_place(expr) => {
            let mine = mentions(expr);
            match taken {
                // A value that is used again later is a copy, and may differ by then.
                Taken::Value => later.flat_map(mentions).all(|id| !mine.contains(&id)),
                Taken::Place => later.flat_map(changed_in).all(|id| !mine.contains(&id)),
            }
        }
        _ => false,
    }
}

/// A place that evaluating does nothing: `x`, `x.a.b`, `*x`; also a function's path.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(expr) => is_place(&expr.base),
        Expr::Paren(expr) => is_place(&expr.expr),
        Expr::Group(expr) => is_place(&expr.expr),
        Expr::Unary(expr) => matches!(expr.op, UnOp::Deref(_)) && is_place(&expr.expr),
        _ => false,
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Paren(expr) => is_constant(&expr.expr),
        Expr::Unary(expr) => matches!(&*expr.expr, Expr::Lit(_)),
        // A constant, a variant, a function: no binding.
        Expr::Path(_) => mark::local_in(expr).is_none(),
        Expr::Reference(expr) => is_constant(&expr.expr),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant),
        Expr::Array(array) => array.elems.iter().all(is_constant),
        _ => false,
    }
}

/// The bindings that occur in an expression.
fn mentions(expr: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    mark::each_ident(expr.to_token_stream(), &mut |ident, _| {
        found.extend(mark::local_of(ident));
    });
    found
}

/// The bindings that an expression assigns or borrows mutably.
fn changed_in(expr: &Expr) -> BTreeSet<LocalId> {
    struct Changes(BTreeSet<LocalId>);
    impl Changes {
        fn place(&mut self, place: &Expr) {
            self.0.extend(mentions(place));
        }
    }
    impl Visit<'_> for Changes {
        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Assign(assign) => self.place(&assign.left),
                Expr::Binary(binary) if is_compound(&binary.op) => self.place(&binary.left),
                Expr::Reference(reference) if reference.mutability.is_some() => {
                    self.place(&reference.expr);
                }
                _ => {}
            }
            visit::visit_expr(self, expr);
        }
        fn visit_macro(&mut self, mac: &syn::Macro) {
            // What another macro does with a binding is not known.
            if macros::kind(mac).is_none() {
                mark::each_ident(mac.tokens.clone(), &mut |ident, _| {
                    self.0.extend(mark::local_of(ident));
                });
            } else if let Some(parsed) = StdMacro::parse(mac) {
                for argument in &parsed.arguments {
                    self.visit_expr(&argument.value);
                }
            }
        }
    }
    let mut changes = Changes(BTreeSet::new());
    changes.visit_expr(expr);
    changes.0
}

/// Why a value is a reference, as far as the syntax shows.
pub(super) fn borrow(expr: &Expr) -> Option<Borrow> {
    /// Methods of the standard library that give a reference into what they are called on.
    const BORROWING: [&str; 20] = [
        "as_bytes",
        "as_deref",
        "as_deref_mut",
        "as_mut",
        "as_mut_slice",
        "as_mut_str",
        "as_path",
        "as_ref",
        "as_slice",
        "as_str",
        "borrow",
        "borrow_mut",
        "bytes",
        "chars",
        "iter",
        "iter_mut",
        "lines",
        "split_whitespace",
        "trim",
        "values_mut",
    ];
    match expr {
        Expr::Reference(_) => Some(Borrow::Value),
        Expr::Closure(_) => Some(Borrow::Closure),
        Expr::Paren(expr) => borrow(&expr.expr),
        Expr::Group(expr) => borrow(&expr.expr),
        Expr::MethodCall(call) => {
            let borrows = BORROWING.iter().any(|name| call.method == name);
            borrows.then_some(Borrow::Value)
        }
        _ => None,
    }
}

fn is_comparison(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
    )
}

fn is_compound(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
