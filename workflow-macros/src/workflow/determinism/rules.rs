//! What is refused by its name.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Path;

use crate::code::{self, Code};

/// A kind of thing that is refused.
pub(super) struct Rule {
    pub(super) code: Code,
    pub(super) does: &'static str,
    pub(super) why: &'static str,
    pub(super) instead: &'static str,
    /// The last two words of paths; `*` is any.
    paths: &'static [(&'static str, &'static str)],
    /// Methods without arguments.
    methods: &'static [&'static str],
    /// Macros of the standard library.
    macros: &'static [&'static str],
}

const ANOTHER_WAY: &str =
    "a step that is taken again after a crash would go another way than the first time";

const CLOCK: Rule = Rule {
    code: code::CLOCK,
    does: "reads a clock",
    why: ANOTHER_WAY,
    instead: "`ctx.now()`",
    paths: &[
        ("Instant", "now"),
        ("SystemTime", "now"),
        ("Utc", "now"),
        ("Local", "now"),
        ("OffsetDateTime", "now_utc"),
        ("OffsetDateTime", "now_local"),
    ],
    methods: &["elapsed"],
    macros: &[],
};

const RANDOMNESS: Rule = Rule {
    code: code::RANDOMNESS,
    does: "is random",
    why: ANOTHER_WAY,
    instead: "`ctx.random()`",
    paths: &[
        ("rand", "*"),
        ("fastrand", "*"),
        ("getrandom", "*"),
        ("RandomState", "new"),
    ],
    methods: &[],
    macros: &[],
};

const ID: Rule = Rule {
    code: code::ID,
    does: "makes a new id each time",
    why: ANOTHER_WAY,
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
    methods: &[],
    macros: &[],
};

const TASK: Rule = Rule {
    code: code::TASK,
    does: "runs beside the workflow",
    why: ANOTHER_WAY,
    instead: "an `#[activity]`, or `ctx.sleep(…)` to wait,",
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
    methods: &[],
    macros: &[],
};

const IO: Rule = Rule {
    code: code::IO,
    does: "reaches out of the workflow",
    why: ANOTHER_WAY,
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
        ("process", "id"),
        ("process", "exit"),
        ("process", "abort"),
        ("TcpStream", "connect"),
        ("TcpListener", "bind"),
        ("UdpSocket", "bind"),
        ("reqwest", "*"),
    ],
    methods: &[],
    macros: &[],
};

const OUTPUT: Rule = Rule {
    code: code::PRINT,
    does: "prints",
    why: "a step may be taken again after a crash, and would print again",
    instead: "a macro of `tracing`, or an `#[activity]`,",
    paths: &[("io", "stdout"), ("io", "stderr")],
    methods: &[],
    macros: &["print", "println", "eprint", "eprintln", "dbg"],
};

pub(super) const STATE: Rule = Rule {
    code: code::STATE,
    does: "may read or change what is not saved with the run",
    why: ANOTHER_WAY,
    instead: "a parameter, a local or an `#[activity]`",
    paths: &[
        ("Ordering", "Relaxed"),
        ("Ordering", "Acquire"),
        ("Ordering", "Release"),
        ("Ordering", "AcqRel"),
        ("Ordering", "SeqCst"),
    ],
    methods: &["lock", "try_lock"],
    macros: &["thread_local"],
};

const RULES: [&Rule; 7] = [&CLOCK, &RANDOMNESS, &ID, &TASK, &IO, &OUTPUT, &STATE];

/// The rule that a path's last two words match.
pub(super) fn of_path(words: &[String]) -> Option<&'static Rule> {
    let [.., before, last] = words else {
        return None;
    };
    let is = |pattern: &str, word: &str| pattern == "*" || pattern == word;
    RULES.into_iter().find(|rule| {
        let mut paths = rule.paths.iter();
        paths.any(|(first, second)| is(first, before) && is(second, last))
    })
}

/// The rule that a method without arguments matches.
pub(super) fn of_method(name: &Ident) -> Option<&'static Rule> {
    (RULES.into_iter()).find(|rule| rule.methods.iter().any(|method| name == method))
}

/// The rule that a macro of the standard library matches.
pub(super) fn of_macro(path: &Path) -> Option<&'static Rule> {
    let from_std = path.segments.len() == 1 || path.segments[0].ident == "std";
    let name = &path.segments.last()?.ident;
    (RULES.into_iter())
        .find(|rule| rule.macros.iter().any(|known| name == known))
        .filter(|_| from_std)
}

/// Whether a type can change behind a shared reference.
pub(super) fn names_a_cell(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(name) => {
            let name = name.to_string();
            let kinds = ["Atomic", "Cell", "Lock", "Mutex"];
            kinds.iter().any(|kind| name.contains(kind))
        }
        TokenTree::Group(group) => names_a_cell(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
