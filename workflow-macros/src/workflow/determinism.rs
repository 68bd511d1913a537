//! Code that would do another thing when a step is taken again after a crash.
//!
//! What the syntax shows is refused: a path is known by its last two words. What stands behind
//! other functions, or behind a `use` that shortens or renames, cannot be seen here.

use syn::visit::{self, Visit};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Block, ExprPath, Item, LitStr, Stmt};

use super::mark;
use crate::code::{self, Code};
use crate::report::Report;

/// A kind of thing that is refused.
struct Rule {
    code: Code,
    what: &'static str,
    instead: &'static str,
    /// The last two words of paths; `*` is any.
    paths: &'static [(&'static str, &'static str)],
}

const RULES: [Rule; 5] = [
    Rule {
        code: code::CLOCK,
        what: "reads a clock",
        instead: "`ctx.now()`",
        paths: &[
            ("Instant", "now"),
            ("SystemTime", "now"),
            ("Utc", "now"),
            ("Local", "now"),
            ("OffsetDateTime", "now_utc"),
            ("OffsetDateTime", "now_local"),
        ],
    },
    Rule {
        code: code::RANDOMNESS,
        what: "is random",
        instead: "`ctx.random()`",
        paths: &[
            ("rand", "*"),
            ("fastrand", "*"),
            ("getrandom", "*"),
            ("RandomState", "new"),
        ],
    },
    Rule {
        code: code::ID,
        what: "makes a new id each time",
        instead: "`ctx.uuid()`",
        paths: &[
            ("Uuid", "new_v1"),
            ("Uuid", "new_v4"),
            ("Uuid", "new_v6"),
            ("Uuid", "new_v7"),
            ("Uuid", "now_v1"),
            ("Uuid", "now_v6"),
            ("Uuid", "now_v7"),
            ("Ulid", "new"),
        ],
    },
    Rule {
        code: code::TASK,
        what: "runs beside the workflow",
        instead: "an `#[activity]`, or `ctx.sleep(…)` to wait",
        paths: &[
            ("thread", "spawn"),
            ("thread", "sleep"),
            ("thread", "scope"),
            ("tokio", "spawn"),
            ("task", "spawn"),
            ("task", "spawn_blocking"),
            ("time", "sleep"),
            ("time", "timeout"),
        ],
    },
    Rule {
        code: code::IO,
        what: "reaches out of the workflow",
        instead: "an `#[activity]`",
        paths: &[
            ("fs", "*"),
            ("env", "var"),
            ("env", "vars"),
            ("env", "args"),
            ("File", "open"),
            ("File", "create"),
            ("Command", "new"),
            ("io", "stdin"),
            ("io", "stdout"),
            ("io", "stderr"),
            ("TcpStream", "connect"),
            ("TcpListener", "bind"),
            ("UdpSocket", "bind"),
            ("reqwest", "*"),
        ],
    },
];

/// The attribute that lets a statement be.
const ALLOW: &str = "allow_nondeterminism";

pub(super) fn check(report: &Report, body: &Block) {
    Checker { report }.visit_block(body);
}

/// Takes the attributes that are ours out of the body.
pub(super) fn strip(body: &mut Block) {
    struct Stripper;
    impl VisitMut for Stripper {
        fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
            attrs.retain(|attr| !is_ours(attr));
        }
        fn visit_item_mut(&mut self, _: &mut Item) {}
    }
    Stripper.visit_block_mut(body);
}

fn is_ours(attr: &Attribute) -> bool {
    attr.path().is_ident(ALLOW)
}

struct Checker<'a> {
    report: &'a Report,
}

impl Checker<'_> {
    /// Whether a statement is let be; it must say why.
    fn is_allowed(&self, stmt: &Stmt) -> bool {
        struct Finder<'a>(Option<&'a Attribute>);
        impl<'a> Visit<'a> for Finder<'a> {
            fn visit_attribute(&mut self, attr: &'a Attribute) {
                if is_ours(attr) {
                    self.0 = self.0.or(Some(attr));
                }
            }
            fn visit_block(&mut self, _: &'a Block) {}
        }
        let mut finder = Finder(None);
        finder.visit_stmt(stmt);
        let Some(attr) = finder.0 else { return false };
        let mut reason = None;
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("reason") {
                reason = Some(meta.value()?.parse::<LitStr>()?.value());
                return Ok(());
            }
            Err(meta.error("expected `reason = \"…\"`"))
        });
        if parsed.is_err() || reason.is_none_or(|reason| reason.trim().is_empty()) {
            self.report.error_on(
                code::ALLOW,
                attr,
                "why may this differ when the step is taken again?\n\
                 help: write `#[allow_nondeterminism(reason = \"…\")]`",
            );
        }
        true
    }
}

impl Visit<'_> for Checker<'_> {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        if !self.is_allowed(stmt) {
            visit::visit_stmt(self, stmt);
        }
    }

    fn visit_expr_path(&mut self, expr: &ExprPath) {
        let words: Vec<String> = expr
            .path
            .segments
            .iter()
            .map(|segment| mark::plain(&segment.ident))
            .collect();
        let [.., before, last] = &words[..] else {
            return;
        };
        let is = |pattern: &str, word: &str| pattern == "*" || pattern == word;
        for rule in &RULES {
            let found = rule
                .paths
                .iter()
                .any(|(first, second)| is(first, before) && is(second, last));
            if found {
                self.report.error_on(
                    rule.code,
                    expr,
                    format!(
                        "`{before}::{last}` in a workflow: it {}\n\
                         a step that is taken again after a crash would go another way than the first time\n\
                         help: use {} instead; where it surely does no harm, put `#[allow_nondeterminism(reason = \"…\")]` on the statement",
                        rule.what, rule.instead
                    ),
                );
            }
        }
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        if let Some(parsed) = super::macros::StdMacro::parse(mac) {
            for argument in &parsed.arguments {
                self.visit_expr(&argument.value);
            }
        }
    }

    // What an item of the body does is its own.
    fn visit_item(&mut self, _: &Item) {}
}
