//! Types that the state enum can spell, found in the syntax.
//!
//! A field of another local is a `Saved`. So nothing here guesses: what is spelled is what rustc
//! would infer.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::{
    BinOp, Block, Expr, GenericArgument, Item, Lit, Path, PathArguments, Stmt, Type, UnOp, UseTree,
    parse_quote,
};

use super::flow::Local;
use super::macros::{self, StdMacro};
use super::mark;

/// A type, as the state enum spells it.
#[derive(Clone)]
pub(super) enum Spelling {
    Type(Type),
    /// What awaiting a call of a function gives.
    Called {
        function: Path,
        part: Part,
    },
}

/// What of the outcome of a call a binding is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole `Result`.
    Outcome,
    /// What `?` leaves of it, or `Ok` binds.
    Output,
    /// What `Err` binds.
    Error,
    /// An element of an output that is a tuple.
    Element(usize),
    /// A `Vec` of what `?` leaves.
    Outputs,
}

/// The names that the body declares: a type that mentions one cannot be spelled outside of it.
pub(super) struct Inner {
    names: BTreeSet<String>,
    /// A `use …::*` may declare anything.
    glob: bool,
    /// What the context is called.
    context: Option<Ident>,
}

/// Whether a binding is surely a number, a `bool` or a `char`, which are copied.
pub(super) fn is_scalar(local: &Local) -> bool {
    const SCALARS: [&str; 16] = [
        "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16",
        "u32", "u64", "u8", "usize",
    ];
    match &local.spelling {
        Some(Spelling::Type(Type::Path(path))) => {
            SCALARS.iter().any(|scalar| path.path.is_ident(scalar))
        }
        _ => false,
    }
}

impl Inner {
    pub(super) fn of(body: &Block, context: Option<&Ident>) -> Self {
        let mut inner = Self {
            names: BTreeSet::new(),
            glob: false,
            context: context.cloned(),
        };
        inner.visit_block(body);
        inner
    }

    fn is_context(&self, expr: &Expr) -> bool {
        let context = self.context.as_ref();
        matches!(expr, Expr::Path(path) if context.is_some_and(|name| path.path.is_ident(name)))
    }

    fn use_tree(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.use_tree(&path.tree),
            UseTree::Name(name) => drop(self.names.insert(mark::plain(&name.ident))),
            UseTree::Rename(rename) => drop(self.names.insert(mark::plain(&rename.rename))),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree)),
            UseTree::Glob(_) => self.glob = true,
        }
    }

    /// Whether tokens mean the same outside the body.
    fn allows(&self, tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let allowed = match token {
                TokenTree::Ident(ident) => {
                    let name = mark::plain(&ident);
                    !self.names.contains(&name)
                        && !["_", "impl", "dyn", "Self", "self"].contains(&&*name)
                }
                TokenTree::Group(group) => self.allows(group.stream()),
                TokenTree::Punct(punct) => match punct.as_char() {
                    // A lifetime but `'static`; a reference, which cannot be read back; a macro.
                    '\'' => {
                        matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "static")
                    }
                    '&' | '!' => false,
                    _ => true,
                },
                TokenTree::Literal(_) => true,
            };
            if !allowed {
                return false;
            }
        }
        true
    }

    /// The type as a spelling, when it means the same outside.
    pub(super) fn spell(&self, ty: &Type) -> Option<Spelling> {
        if is_lasting_text(ty) {
            return Some(Spelling::Type(text()));
        }
        let known = !self.glob && self.allows(ty.to_token_stream());
        known.then(|| Spelling::Type(ty.clone()))
    }

    /// Whether a function has the same name outside of the body.
    pub(super) fn is_outside(&self, function: &Path) -> bool {
        let is_function = function.segments.iter().all(|segment| {
            mark::local_of(&segment.ident).is_none()
                && mark::plain(&segment.ident).starts_with(char::is_lowercase)
        });
        let first = function.segments.first();
        let inner = first.is_some_and(|first| self.names.contains(&mark::plain(&first.ident)));
        is_function && !inner && !self.glob
    }

    fn spell_call(&self, function: &Path, tried: bool) -> Option<Spelling> {
        // It is no activity, so nothing of its name knows what it gives.
        let is_library = function.segments.last()?.ident == "join_all";
        (self.is_outside(function) && !is_library).then(|| Spelling::Called {
            function: function.clone(),
            part: if tried { Part::Output } else { Part::Outcome },
        })
    }

    /// The type of a value.
    pub(super) fn value(&self, expr: &Expr, locals: &[Local]) -> Option<Spelling> {
        let fixed = |ty: Type| Some(Spelling::Type(ty));
        match expr {
            Expr::Paren(expr) => self.value(&expr.expr, locals),
            Expr::Group(expr) => self.value(&expr.expr, locals),
            Expr::Lit(literal) => match &literal.lit {
                Lit::Bool(_) => fixed(parse_quote!(bool)),
                Lit::Char(_) => fixed(parse_quote!(char)),
                Lit::Int(number) => suffix(number.suffix()),
                Lit::Float(number) => suffix(number.suffix()),
                Lit::Str(_) => fixed(text()),
                _ => None,
            },
            Expr::If(_) | Expr::Match(_) | Expr::Block(_) if is_text(expr) => fixed(text()),
            Expr::If(_) | Expr::Match(_) | Expr::Block(_) => self.agreed(expr, locals),
            Expr::Cast(cast) => self.spell(&cast.ty),
            Expr::Unary(unary) => match unary.op {
                UnOp::Neg(_) => match &*unary.expr {
                    Expr::Lit(_) => self.value(&unary.expr, locals),
                    _ => None,
                },
                UnOp::Not(_) => {
                    let known = self.value(&unary.expr, locals)?;
                    matches!(&known, Spelling::Type(Type::Path(ty)) if ty.path.is_ident("bool"))
                        .then_some(known)
                }
                _ => None,
            },
            Expr::Binary(binary) => match binary.op {
                BinOp::Eq(_)
                | BinOp::Ne(_)
                | BinOp::Lt(_)
                | BinOp::Le(_)
                | BinOp::Gt(_)
                | BinOp::Ge(_)
                | BinOp::And(_)
                | BinOp::Or(_) => fixed(parse_quote!(bool)),
                BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_) => {
                    self.number(&binary.left, &binary.right, locals)
                }
                _ => None,
            },
            Expr::Macro(expr) if macros::kind(&expr.mac).is_some() => {
                match &*expr.mac.path.segments.last()?.ident.to_string() {
                    "format" => fixed(parse_quote!(::std::string::String)),
                    "matches" => fixed(parse_quote!(bool)),
                    "vec" => self.list(&StdMacro::parse(&expr.mac)?, locals),
                    _ => None,
                }
            }
            Expr::Tuple(tuple) => {
                let types = tuple.elems.iter().map(|value| self.known(value, locals));
                let types: Vec<Type> = types.collect::<Option<_>>()?;
                fixed(parse_quote!((#(#types,)*)))
            }
            Expr::Call(call) => {
                let Expr::Path(function) = &*call.func else {
                    return None;
                };
                if function.path.is_ident("Some")
                    && let Some(value) = call.args.first()
                {
                    let ty = self.known(value, locals)?;
                    return fixed(parse_quote!(::std::option::Option<#ty>));
                }
                let words: Vec<_> = function.path.segments.iter().collect();
                let [ty, constructor] = words[..] else {
                    return None;
                };
                let string = ty.ident == "String"
                    && (constructor.ident == "from" || constructor.ident == "new");
                let duration =
                    ty.ident == "Duration" && constructor.ident.to_string().starts_with("from_");
                let number = constructor.ident == "from" && is_number(&parse_quote!(#ty));
                if !(string || duration || number) || !ty.arguments.is_none() {
                    return None;
                }
                self.spell(&parse_quote!(#ty))
            }
            Expr::Path(path) => match mark::local_in(expr) {
                Some(id) => locals[id.0].spelling.clone(),
                // `u32::MAX`
                None => {
                    let words: Vec<_> = path.path.segments.iter().collect();
                    let ([ty, limit], None) = (&words[..], &path.qself) else {
                        return None;
                    };
                    let is_limit = limit.ident == "MAX" || limit.ident == "MIN";
                    let ty: Type = parse_quote!(#ty);
                    (is_limit && is_number(&ty)).then_some(Spelling::Type(ty))
                }
            },
            Expr::Field(_) => self.awaited_before(expr, locals),
            Expr::MethodCall(call) if call.args.is_empty() && call.method == "len" => {
                let Spelling::Type(ty) = self.value(&call.receiver, locals)? else {
                    return None;
                };
                let counts = [
                    "String", "Vec", "VecDeque", "BTreeMap", "BTreeSet", "HashMap",
                ];
                counts.contains(&&*named(&ty)?.0).then(Spelling::count)
            }
            Expr::MethodCall(call)
                if matches!(&*call.receiver, Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)))
                    && ["repeat", "to_owned", "to_string"]
                        .iter()
                        .any(|name| call.method == name) =>
            {
                fixed(parse_quote!(::std::string::String))
            }
            // These names mean the same wherever they are; a `char`'s cannot be saved.
            Expr::MethodCall(call)
                if call.args.is_empty()
                    && ["to_lowercase", "to_string", "to_uppercase"]
                        .iter()
                        .any(|name| call.method == name) =>
            {
                fixed(parse_quote!(::std::string::String))
            }
            Expr::MethodCall(call) if self.is_context(&call.receiver) => {
                match &*call.method.to_string() {
                    "now" => fixed(parse_quote!(::std::time::SystemTime)),
                    "random" => fixed(parse_quote!(u64)),
                    _ => None,
                }
            }
            Expr::MethodCall(call) if call.args.is_empty() && is_question(&call.method) => {
                fixed(parse_quote!(bool))
            }
            Expr::MethodCall(call) if keeps_number(&call.method) => {
                let ty = self.known(&call.receiver, locals)?;
                is_number(&ty).then_some(Spelling::Type(ty))
            }
            // `clone` of a local that is not a reference: those are never spelled.
            Expr::MethodCall(call) if call.method == "clone" && call.args.is_empty() => {
                locals[mark::local_in(&call.receiver)?.0].spelling.clone()
            }
            Expr::Try(tried) => match &*tried.expr {
                Expr::Await(expr) => self.awaited(mark::numbered(expr)?.1, true),
                outcome => self.awaited_before(outcome, locals)?.payload("Ok"),
            },
            Expr::Await(expr) => self.awaited(mark::numbered(expr)?.1, false),
            _ => None,
        }
    }

    /// The type that all branches of a value are of.
    fn agreed(&self, expr: &Expr, locals: &[Local]) -> Option<Spelling> {
        let mut types = ends(expr)?.into_iter().map(|end| self.known(end, locals));
        let ty = types.next()??;
        types
            .all(|other| other.as_ref() == Some(&ty))
            .then_some(Spelling::Type(ty))
    }

    fn known(&self, expr: &Expr, locals: &[Local]) -> Option<Type> {
        match self.value(expr, locals)? {
            Spelling::Type(ty) => Some(ty),
            Spelling::Called { .. } => None,
        }
    }

    /// What an await gave that was taken out of the expression.
    fn awaited_before(&self, expr: &Expr, locals: &[Local]) -> Option<Spelling> {
        let Expr::Field(field) = expr else {
            return None;
        };
        let local = &locals[mark::local_in(&field.base)?.0];
        local.awaited.as_ref()?;
        local.spelling.clone()
    }

    /// The type of a list whose items say what they are: `vec![n, 1]`.
    fn list(&self, list: &StdMacro, locals: &[Local]) -> Option<Spelling> {
        let items = list.arguments.iter().map(|item| &item.value);
        let open = |item: &Expr| self.value(item, locals).is_none() && is_open_number(item);
        let mut known = items
            .filter(|item| !open(item))
            .map(|item| self.value(item, locals));
        let Spelling::Type(ty) = known.next()?? else {
            return None;
        };
        let same = |other| matches!(other, Some(Spelling::Type(other)) if other == ty);
        let is_open = list.arguments.iter().any(|item| open(&item.value));
        (known.all(same) && (!is_open || is_number(&ty))).then_some(())?;
        Spelling::Type(ty).list()
    }

    /// The type of an operation on two numbers, which is that of both.
    fn number(&self, left: &Expr, right: &Expr, locals: &[Local]) -> Option<Spelling> {
        let known = |expr| self.known(expr, locals).filter(is_number);
        let ty = match (known(left), known(right)) {
            (Some(ty), Some(other)) if ty == other => ty,
            (Some(ty), None) if is_open_number(right) => ty,
            (None, Some(ty)) if is_open_number(left) => ty,
            _ => return None,
        };
        Some(Spelling::Type(ty))
    }

    /// What awaiting an operand gives.
    fn awaited(&self, operand: &Expr, tried: bool) -> Option<Spelling> {
        match operand {
            Expr::Paren(expr) => self.awaited(&expr.expr, tried),
            Expr::Group(expr) => self.awaited(&expr.expr, tried),
            Expr::Call(call) => match &*call.func {
                Expr::Path(function) if function.qself.is_none() => {
                    self.spell_call(&function.path, tried)
                }
                _ => None,
            },
            Expr::MethodCall(call) if call.method == "wait_for_signal" => {
                let [GenericArgument::Type(ty)] =
                    &call.turbofish.as_ref()?.args.iter().collect::<Vec<_>>()[..]
                else {
                    return None;
                };
                let Spelling::Type(ty) = self.spell(ty)? else {
                    return None;
                };
                Some(Spelling::Type(if tried {
                    ty
                } else {
                    parse_quote!(::std::result::Result<#ty, ::workflow::WorkflowError>)
                }))
            }
            Expr::MethodCall(call) if call.method == "sleep" => Some(Spelling::Type(if tried {
                parse_quote!(())
            } else {
                parse_quote!(::std::result::Result<(), ::workflow::WorkflowError>)
            })),
            _ => None,
        }
    }

    /// The type of what a loop over a value binds.
    pub(super) fn item(&self, iterable: &Expr, locals: &[Local]) -> Option<Spelling> {
        match iterable {
            Expr::Paren(expr) => self.item(&expr.expr, locals),
            Expr::Range(range) => [&range.start, &range.end]
                .into_iter()
                .flatten()
                .find_map(|bound| self.value(bound, locals)),
            Expr::Array(array) => texts(&array.elems).then(|| Spelling::Type(text())),
            Expr::MethodCall(call) if call.args.is_empty() => match &*call.method.to_string() {
                "into_iter" | "rev" => self.item(&call.receiver, locals),
                "enumerate" => match self.item(&call.receiver, locals)? {
                    Spelling::Type(ty) => Some(Spelling::Type(parse_quote!((usize, #ty)))),
                    Spelling::Called { .. } => None,
                },
                "clone" => self.item(&call.receiver, locals),
                _ => None,
            },
            Expr::Macro(expr) if expr.mac.path.is_ident("vec") => {
                let values = StdMacro::parse(&expr.mac)?.arguments;
                texts(values.iter().map(|value| &value.value)).then(|| Spelling::Type(text()))
            }
            _ => match self.value(iterable, locals)? {
                Spelling::Type(ty) => item_of(&ty).map(Spelling::Type),
                Spelling::Called { .. } => None,
            },
        }
    }
}

impl Visit<'_> for Inner {
    fn visit_item(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Mod(item) => &item.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Use(item) => return self.use_tree(&item.tree),
            // What a macro declares is not known.
            Item::Macro(_) => {
                self.glob = true;
                return;
            }
            _ => return,
        };
        self.names.insert(mark::plain(name));
    }

    fn visit_block(&mut self, block: &Block) {
        visit::visit_block(self, block);
    }
}

/// Whether a method of a number gives another of its type.
fn keeps_number(method: &Ident) -> bool {
    [
        "abs",
        "clamp",
        "max",
        "min",
        "pow",
        "rem_euclid",
        "saturating_add",
        "saturating_mul",
        "saturating_sub",
    ]
    .iter()
    .any(|name| method == name)
}

fn is_question(method: &Ident) -> bool {
    ["is_empty", "is_err", "is_none", "is_ok", "is_some"]
        .iter()
        .any(|name| method == name)
}

/// What a text is spelled as in the state enum, also one that is a `&'static str`.
fn text() -> Type {
    parse_quote!(::std::string::String)
}

pub(super) fn is_lasting_text(ty: &Type) -> bool {
    let Type::Reference(ty) = ty else {
        return false;
    };
    let lasts = ty
        .lifetime
        .as_ref()
        .is_some_and(|lifetime| lifetime.ident == "static");
    lasts && matches!(&*ty.elem, Type::Path(path) if path.path.is_ident("str"))
}

/// Whether a value is one of several literal texts.
fn is_text(expr: &Expr) -> bool {
    let is_literal =
        |end: &&Expr| matches!(end, Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)));
    ends(expr).is_some_and(|ends| !ends.is_empty() && ends.iter().all(is_literal))
}

/// What the branches of a value give; an arm that leaves gives nothing. `None` where the syntax does not
/// show it.
fn ends(expr: &Expr) -> Option<Vec<&Expr>> {
    fn tail(block: &Block) -> Option<&Expr> {
        match block.stmts.last() {
            Some(Stmt::Expr(tail, None)) => Some(tail),
            _ => None,
        }
    }
    Some(match expr {
        Expr::Paren(expr) => ends(&expr.expr)?,
        Expr::Group(expr) => ends(&expr.expr)?,
        Expr::Block(expr) if expr.label.is_none() => ends(tail(&expr.block)?)?,
        Expr::If(expr) => {
            let mut all = ends(tail(&expr.then_branch)?)?;
            all.extend(ends(&expr.else_branch.as_ref()?.1)?);
            all
        }
        Expr::Match(expr) => {
            let arms = expr.arms.iter().map(|arm| ends(&arm.body));
            arms.collect::<Option<Vec<_>>>()?.concat()
        }
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => Vec::new(),
        // A `break` gives its value.
        Expr::Block(_) => return None,
        end => vec![end],
    })
}

fn texts<'a>(values: impl IntoIterator<Item = &'a Expr>) -> bool {
    let mut values = values.into_iter().peekable();
    values.peek().is_some() && values.all(is_text)
}

fn suffix(suffix: &str) -> Option<Spelling> {
    (!suffix.is_empty()).then(|| {
        let ident = proc_macro2::Ident::new(suffix, proc_macro2::Span::call_site());
        Spelling::Type(parse_quote!(#ident))
    })
}

/// The last word of a type's path, and the arguments of that.
pub(super) fn named(ty: &Type) -> Option<(String, &PathArguments)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    Some((mark::plain(&last.ident), &last.arguments))
}

pub(super) fn argument(ty: &Type, place: usize) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = named(ty)?.1 else {
        return None;
    };
    match arguments.args.iter().nth(place)? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The type of the items of a collection of the standard library.
fn item_of(ty: &Type) -> Option<Type> {
    if let Type::Array(array) = ty {
        return Some((*array.elem).clone());
    }
    match &*named(ty)?.0 {
        "Vec" | "VecDeque" | "BTreeSet" | "Option" => argument(ty, 0).cloned(),
        "BTreeMap" => {
            let (key, value) = (argument(ty, 0)?, argument(ty, 1)?);
            Some(parse_quote!((#key, #value)))
        }
        _ => None,
    }
}

/// Whether a type is a number of the language.
pub(super) fn is_number(ty: &Type) -> bool {
    const NUMBERS: [&str; 14] = [
        "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16", "u32", "u64",
        "u8", "usize",
    ];
    matches!(ty, Type::Path(path) if NUMBERS.iter().any(|name| path.path.is_ident(name)))
}

pub(super) fn is_open_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(literal) if match &literal.lit {
        Lit::Int(number) => number.suffix().is_empty(),
        Lit::Float(number) => number.suffix().is_empty(),
        _ => false,
    })
}

impl Spelling {
    /// What counts.
    pub(super) fn count() -> Self {
        Self::Type(parse_quote!(usize))
    }

    /// A list of such values.
    pub(super) fn list(self) -> Option<Self> {
        match self {
            Self::Type(ty) => Some(Self::Type(parse_quote!(::std::vec::Vec<#ty>))),
            Self::Called {
                function,
                part: Part::Output,
            } => Some(Self::Called {
                function,
                part: Part::Outputs,
            }),
            Self::Called { .. } => None,
        }
    }

    /// What a variant of an `Option` or a `Result` binds.
    pub(super) fn payload(&self, variant: &str) -> Option<Self> {
        match self {
            Self::Called {
                function,
                part: Part::Outcome,
            } => {
                let part = match variant {
                    "Ok" => Part::Output,
                    "Err" => Part::Error,
                    _ => return None,
                };
                let function = function.clone();
                Some(Self::Called { function, part })
            }
            Self::Called { .. } => None,
            Self::Type(ty) => {
                let place = match (&*named(ty)?.0, variant) {
                    ("Option", "Some") | ("Result", "Ok") => 0,
                    ("Result", "Err") => 1,
                    _ => return None,
                };
                Some(Self::Type(argument(ty, place)?.clone()))
            }
        }
    }
}

impl ToTokens for Spelling {
    /// A call's spelling is emitted with its alias; see [`emit`](super::emit).
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Type(ty) => ty.to_tokens(tokens),
            Self::Called { .. } => tokens.extend(quote!(::workflow::Saved)),
        }
    }
}
