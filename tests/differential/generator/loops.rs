//! Loops, and ways out of them.

use super::{Generator, Loop, Type};

impl Generator {
    pub(super) fn label(&mut self) -> (Option<String>, String) {
        if self.chance(40) {
            let label = self.fresh("'l");
            let text = format!("{label}: ");
            return (Some(label), text);
        }
        (None, String::new())
    }

    /// Makes a loop's head, or what stands in a labelled block.
    pub(super) fn behind_barrier<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.loops.push(Loop {
            label: None,
            value: None,
            barrier: true,
        });
        let made = self.scoped(make);
        self.loops.pop();
        made
    }

    pub(super) fn in_loop<T>(
        &mut self,
        label: Option<String>,
        value: Option<Type>,
        make: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.loops.push(Loop {
            label,
            value,
            barrier: false,
        });
        let made = self.scoped(make);
        self.loops.pop();
        made
    }

    pub(super) fn loop_statement(&mut self) -> String {
        let (label, prefix) = self.label();
        match self.below(5) {
            0 => {
                let fuel = self.fresh("fuel");
                let condition = self.behind_barrier(|g| g.expression(Type::Bool, 2));
                let body = self.in_loop(label, None, |g| g.statements(4));
                format!(
                    "let mut {fuel} = 0;\n{prefix}while {fuel} < 3 && ({condition}) {{\n{fuel} += 1;\n{body}}}"
                )
            }
            1 => {
                let fuel = self.fresh("fuel");
                let body = self.in_loop(label, None, |g| g.statements(4));
                format!(
                    "let mut {fuel} = 0u8;\n{prefix}loop {{\n{fuel} += 1;\nif {fuel} > 3 {{ break; }}\n{body}}}"
                )
            }
            2 => {
                let fuel = self.fresh("fuel");
                let value = self.behind_barrier(|g| g.expression(Type::Maybe, 2));
                let (name, body) = self.in_loop(label, None, |g| {
                    let name = g.name();
                    g.declare(name.clone(), Type::Int, false);
                    (name, g.statements(4))
                });
                format!(
                    "let mut {fuel} = 0;\n{prefix}while let Some({name}) = ({value}) {{\n{fuel} += 1;\nif {fuel} > 2 {{ break; }}\n{body}}}"
                )
            }
            3 => {
                let over = match self.below(6) {
                    3 => "(0..7i64).step_by(3)".to_owned(),
                    4 => format!(
                        "(0..i64::rem_euclid({}, 3)).rev()",
                        self.expression(Type::Int, 2)
                    ),
                    5 => format!(
                        "[{}, {}]",
                        self.expression(Type::Int, 2),
                        self.expression(Type::Int, 2)
                    ),
                    0 => format!("0..i64::rem_euclid({}, 4)", self.expression(Type::Int, 2)),
                    1 => "1..=2i64".to_owned(),
                    _ => "0..3".to_owned(),
                };
                self.for_loop(label, &prefix, &over)
            }
            _ => {
                let over = self.expression(Type::Ints, 2);
                match self.below(9) {
                    0 => {
                        // An iterator is no value that is kept while another operand awaits.
                        let (first, with) = (self.fresh("z"), self.fresh("z"));
                        let other = self.expression(Type::Ints, 2);
                        let over_both = format!("{first}.into_iter().zip({with})");
                        let pairs = self.for_pair(label, &prefix, &over_both, Type::Int);
                        format!("let {first} = few({over});\nlet {with} = few({other});\n{pairs}")
                    }
                    1 => {
                        let over = format!("(1..9i64).zip(few({over}).into_iter())");
                        self.for_pair(label, &prefix, &over, Type::Int)
                    }
                    2 => {
                        let over = self.expression(Type::Map, 2);
                        let over =
                            format!("{over}.into_iter().map(|(k, v)| (v, k)).collect::<Vec<_>>()");
                        self.for_pair(label, &prefix, &over, Type::Text)
                    }
                    3 => {
                        let over = self.expression(Type::Set, 2);
                        self.for_loop(label, &prefix, &over)
                    }
                    4 => {
                        let over = self.expression(Type::Deque, 2);
                        self.for_loop(label, &prefix, &over)
                    }
                    5 => {
                        let over = self.expression(Type::Maybe, 2);
                        self.for_loop(label, &prefix, &format!("({over})"))
                    }
                    6 => self.iterator_loop(label, &prefix, &over),
                    _ => self.for_loop(label, &prefix, &format!("few({over})")),
                }
            }
        }
    }

    /// Over pairs of a number and something.
    fn for_pair(
        &mut self,
        label: Option<String>,
        prefix: &str,
        over: &str,
        second: Type,
    ) -> String {
        let (left, right, body) = self.in_loop(label, None, |g| {
            let (left, right) = (g.name(), g.fresh("v"));
            g.declare(left.clone(), Type::Int, false);
            g.declare(right.clone(), second, false);
            (left, right, g.statements(4))
        });
        format!("{prefix}for ({left}, {right}) in {over} {{\n{body}}}")
    }

    pub(super) fn for_loop(&mut self, label: Option<String>, prefix: &str, over: &str) -> String {
        let (name, body) = self.in_loop(label, None, |g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            (name, g.statements(4))
        });
        format!("{prefix}for {name} in {over} {{\n{body}}}")
    }

    /// Over an iterator that the body can ask, too.
    fn iterator_loop(&mut self, label: Option<String>, prefix: &str, over: &str) -> String {
        let iterator = self.fresh("it");
        let adapted = self.pick(&["", ".rev()", ".skip(1)", ".peekable()"]);
        let (name, body) = self.in_loop(label, None, |g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            (name, g.statements(4))
        });
        let ask = match (adapted, self.below(3)) {
            (".peekable()", _) => format!("note({iterator}.next_if(|next| *next > 2));\n"),
            (_, 0) => format!("note({iterator}.next_back());\n"),
            _ => format!("note({iterator}.len());\n"),
        };
        format!(
            "let mut {iterator} = few({over}).into_iter(){adapted};\n{prefix}while let Some({name}) = {iterator}.next() {{\n{body}{ask}}}"
        )
    }

    /// A `loop` whose `break` gives a value.
    pub(super) fn loop_value(&mut self, ty: Type) -> String {
        let (label, prefix) = self.label();
        let fuel = self.fresh("fuel");
        let last = self.behind_barrier(|g| g.expression(ty, 2));
        let body = self.in_loop(label, Some(ty), |g| g.statements(3));
        let name = self.name();
        self.declare(name.clone(), ty, false);
        format!(
            "let mut {fuel} = 0;\nlet {name} = {prefix}loop {{\n{fuel} += 1;\nif {fuel} > 2 {{ break ({last}); }}\n{body}}};"
        )
    }

    /// A loop without await, which may jump out to those that have one.
    pub(super) fn native_loop(&mut self) -> String {
        self.plain += 1;
        let name = self.fresh("n");
        let body = self.in_loop(None, None, |g| {
            g.declare(name.clone(), Type::Int, false);
            g.statements(3)
        });
        self.plain -= 1;
        format!("for {name} in 0..3i64 {{\nnote({name});\n{body}}}")
    }

    /// A conditional way out.
    pub(super) fn jump(&mut self) -> String {
        let condition = self.expression(Type::Bool, 2);
        let leave = self.leave();
        format!("if ({condition}) {{ {leave} }}")
    }

    /// Something that does not come back.
    pub(super) fn leave(&mut self) -> String {
        let innermost = self.loops.len().wrapping_sub(1);
        let targets: Vec<usize> = (0..self.loops.len())
            .filter(|&i| {
                let target = &self.loops[i];
                !target.barrier && (target.label.is_some() || i == innermost)
            })
            .collect();
        if !targets.is_empty() && self.chance(75) {
            let target = self.pick(&targets);
            let target = self.loops[target].clone();
            let label = target
                .label
                .map_or_else(String::new, |label| format!(" {label}"));
            if self.chance(50) {
                return format!("continue{label};");
            }
            return match target.value {
                Some(ty) => format!("break{label} ({});", self.expression(ty, 2)),
                None => format!("break{label};"),
            };
        }
        if self.chance(50) {
            return format!("return Ok({});", self.summary());
        }
        let number = self.below(90);
        format!("return Err(WorkflowError::new(\"error {number}\"));")
    }
}
