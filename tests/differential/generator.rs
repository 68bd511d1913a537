//! Makes random workflow bodies that compile, out of the accepted language.
//!
//! Bodies are typed while they are made: a variable is known with its type, whether it may be
//! assigned, and whether it was moved. Loops count down, and sums are kept small, so that every
//! body ends. All effects go through the activities of the driver and `note`.

use std::fmt::Write;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Bool,
    Text,
    Ints,
    Maybe,
    Pair,
    Decision,
}

const TYPES: [Type; 7] = [
    Type::Int,
    Type::Bool,
    Type::Text,
    Type::Ints,
    Type::Maybe,
    Type::Pair,
    Type::Decision,
];

impl Type {
    fn spelled(self) -> &'static str {
        match self {
            Self::Int => "i64",
            Self::Bool => "bool",
            Self::Text => "String",
            Self::Ints => "Vec<i64>",
            Self::Maybe => "Option<i64>",
            Self::Pair => "(i64, String)",
            Self::Decision => "Decision",
        }
    }

    fn is_copy(self) -> bool {
        matches!(self, Self::Int | Self::Bool | Self::Maybe)
    }
}

#[derive(Clone)]
struct Variable {
    name: String,
    ty: Type,
    mutable: bool,
    /// How many loops were around its declaration: it may be moved only there.
    loops: usize,
    moved: bool,
}

/// Something around a statement that jumps can or cannot aim at.
#[derive(Clone)]
struct Loop {
    label: Option<String>,
    /// What `break` gives, in a `loop` that is a value.
    value: Option<Type>,
    /// The head of a loop, or a labelled block: through it, jumps need labels of loops further out.
    barrier: bool,
}

/// One body in the making.
pub struct Generator {
    random: u64,
    variables: Vec<Variable>,
    loops: Vec<Loop>,
    /// How many statements may still be made.
    budget: u32,
    names: u32,
    /// No await, no move: within a closure or a native loop.
    plain: u32,
}

/// The source of a module with one body and its test.
pub fn module(seed: u64) -> String {
    let mut generator = Generator {
        random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        variables: Vec::new(),
        loops: Vec::new(),
        budget: 24,
        names: 0,
        plain: 0,
    };
    for _ in 0..8 {
        generator.below(2);
    }
    for (name, ty) in [("a", Type::Int), ("b", Type::Int), ("s", Type::Text)] {
        generator.declare(name.to_owned(), ty, false);
    }
    let body = generator.statements(8);
    let end = generator.summary();
    format!(
        "mod body_{seed} {{
    use super::prelude::*;
    #[workflow]
    async fn body(ctx: &mut Context, a: i64, b: i64, s: String) -> Result<String, WorkflowError> {{
{body}Ok({end})
    }}
    #[test]
    fn same() {{
        crate::same!(body with [(\"s\", 4), (\"s\", 7), (\"t\", 1)];
            (3, 5, \"x\".to_owned()), (4, 0, String::new()), (0, 2, \"y\".to_owned()));
    }}
}}
"
    )
}

impl Generator {
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64);
        of[usize::try_from(index).unwrap()]
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    fn declare(&mut self, name: String, ty: Type, mutable: bool) {
        self.variables.push(Variable {
            name,
            ty,
            mutable,
            loops: self.loops.len(),
            moved: false,
        });
    }

    /// Those that their names reach, and that still have their values.
    fn visible(&self, fits: impl Fn(&Variable) -> bool) -> Vec<usize> {
        (0..self.variables.len())
            .filter(|&i| {
                let variable = &self.variables[i];
                let shadowed = self.variables[i + 1..]
                    .iter()
                    .any(|v| v.name == variable.name);
                !shadowed && !variable.moved && fits(variable)
            })
            .collect()
    }

    /// Makes something in a scope of its own.
    fn scoped<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.variables.len();
        let made = make(self);
        self.variables.truncate(outer);
        made
    }

    /// A name for a new variable: often one that is taken.
    fn name(&mut self) -> String {
        let known = self.visible(|variable| !variable.name.starts_with("fuel"));
        if !known.is_empty() && self.chance(30) {
            let index = self.pick(&known);
            return self.variables[index].name.clone();
        }
        self.fresh("v")
    }

    fn statements(&mut self, most: u64) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(most) {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            text += &self.statement();
            text.push('\n');
        }
        text
    }

    /// A block with statements that ends in a value.
    fn value_block(&mut self, ty: Type, depth: u32) -> String {
        self.scoped(|g| {
            let statements = g.statements(2);
            format!("{{ {statements}{} }}", g.expression(ty, depth))
        })
    }

    fn block(&mut self, most: u64) -> String {
        self.scoped(|g| format!("{{\n{}}}", g.statements(most)))
    }

    fn statement(&mut self) -> String {
        match self.below(if self.plain > 0 { 9 } else { 28 }) {
            0..=2 => self.declaration(),
            3 | 4 => self.assignment(),
            5 => {
                let ty = self.pick(&TYPES);
                let value = self.expression(ty, 2);
                format!("note(&{value});")
            }
            6 => {
                let condition = self.expression(Type::Bool, 2);
                let then = self.block(3);
                format!("if ({condition}) {then}")
            }
            7 => self.native_loop(),
            8 => self.jump(),
            9 | 10 => {
                let condition = self.expression(Type::Bool, 2);
                let (then, otherwise) = (self.block(3), self.block(3));
                format!("if ({condition}) {then} else {otherwise}")
            }
            11 | 12 => self.match_statement(),
            13 => {
                let value = self.expression(Type::Maybe, 2);
                let (then, otherwise) = self.scoped(|g| {
                    let name = g.name();
                    g.declare(name.clone(), Type::Int, false);
                    let then = g.block(3);
                    (
                        format!("if let Some({name}) = ({value}) {then}"),
                        String::new(),
                    )
                });
                format!("{then}{otherwise}")
            }
            14 => {
                let value = self.expression(Type::Maybe, 2);
                let leave = self.leave();
                let name = self.name();
                self.declare(name.clone(), Type::Int, false);
                format!("let Some({name}) = ({value}) else {{ {leave} }};")
            }
            15..=17 => self.loop_statement(),
            18 => self.deferred(),
            19 => {
                let ty = self.pick(&[Type::Int, Type::Text, Type::Bool]);
                self.loop_value(ty)
            }
            20 => "ctx.sleep(Duration::from_millis(1)).await?;".to_owned(),
            21 => {
                let name = self.name();
                let signal = self.pick(&["s", "t"]);
                self.declare(name.clone(), Type::Int, false);
                format!(
                    "let {name} = ctx.wait_for_signal::<i64>(\"{signal}\", Duration::from_secs(1)).await.unwrap_or(2);"
                )
            }
            22 => self.block(4),
            23 => {
                let value = self.expression(Type::Int, 2);
                let name = self.name();
                let text = format!("let {name} = give({value});\nlet {name} = {name}.await?;");
                self.declare(name, Type::Int, false);
                text
            }
            24 => self.tuple(),
            25 => {
                let (left, right) = (
                    self.expression(Type::Int, 2),
                    self.expression(Type::Bool, 2),
                );
                let operator = self.pick(&["< 0 ||", "!= 7 ||", "== 3 &&"]);
                format!("assert!(({left}) {operator} ({right}), \"asserted\");")
            }
            26 => {
                let (value, other) = (self.expression(Type::Int, 2), self.expression(Type::Int, 2));
                let leave = self.leave();
                let name = self.name();
                self.declare(name.clone(), Type::Int, false);
                format!(
                    "let {name} = match ({value}) {{ 0 => {{ {leave} }} 4 => {{ {leave} }} _ => {other} }};"
                )
            }
            _ => {
                let value = self.expression(Type::Int, 2);
                format!("give({value}).await?;")
            }
        }
    }

    fn declaration(&mut self) -> String {
        let ty = self.pick(&TYPES);
        let value = self.expression(ty, 3);
        let name = self.name();
        let mutable = self.chance(50);
        // A closure or `None` alone says too little.
        let annotation = if self.chance(40) || ty == Type::Maybe || ty == Type::Ints {
            format!(": {}", ty.spelled())
        } else {
            String::new()
        };
        self.declare(name.clone(), ty, mutable);
        let mutable = if mutable { "mut " } else { "" };
        format!("let {mutable}{name}{annotation} = {value};")
    }

    fn tuple(&mut self) -> String {
        let value = self.expression(Type::Pair, 3);
        let (left, right) = (self.name(), self.fresh("v"));
        self.declare(left.clone(), Type::Int, true);
        self.declare(right.clone(), Type::Text, false);
        format!("let (mut {left}, {right}) = {value};")
    }

    fn assignment(&mut self) -> String {
        let mutable = self.visible(|variable| variable.mutable);
        if mutable.is_empty() {
            return self.declaration();
        }
        let index = self.pick(&mutable);
        let Variable { name, ty, .. } = self.variables[index].clone();
        match ty {
            Type::Int if self.chance(50) => {
                let value = self.expression(ty, 2);
                format!("{name} += {value};\n{name} %= 1000;")
            }
            Type::Text if self.chance(50) => {
                let value = self.expression(ty, 2);
                format!("{name} = shorten({name}.clone() + &{value});")
            }
            Type::Ints if self.chance(50) => {
                // While `push` is being called, its receiver cannot be touched.
                self.variables[index].moved = true;
                let value = self.expression(Type::Int, 2);
                self.variables[index].moved = false;
                format!("{name}.push({value});")
            }
            Type::Pair if self.chance(50) => {
                let value = self.expression(Type::Int, 2);
                format!("{name}.0 = {value};")
            }
            ty => {
                let value = self.expression(ty, 2);
                format!("{name} = {value};")
            }
        }
    }

    /// `let x;` that every branch fills in.
    fn deferred(&mut self) -> String {
        let ty = self.pick(&TYPES);
        let name = self.fresh("d");
        let condition = self.expression(Type::Bool, 2);
        let branch = |g: &mut Self| {
            g.scoped(|g| {
                let statements = g.statements(2);
                format!("{{ {statements}{name} = {}; }}", g.expression(ty, 2))
            })
        };
        let (then, otherwise) = (branch(self), branch(self));
        let text = format!(
            "let {name}: {};\nif ({condition}) {then} else {otherwise}",
            ty.spelled()
        );
        self.declare(name, ty, false);
        text
    }

    fn match_statement(&mut self) -> String {
        if self.chance(40) {
            let value = self.expression(Type::Maybe, 2);
            let arms = self.scoped(|g| {
                let name = g.name();
                g.declare(name.clone(), Type::Int, false);
                let guard = g.below(9);
                let (first, second) = (g.block(3), g.block(3));
                format!("Some({name}) if {name} > {guard} => {first} Some({name}) => {second}")
            });
            let none = self.block(2);
            return format!("match ({value}) {{ {arms} None => {none} }}");
        }
        if self.chance(40) {
            let value = self.expression(Type::Int, 2);
            let (first, second, third) = (self.block(2), self.block(3), self.block(2));
            return format!(
                "match ({value}) {{ 0 | 1 => {first} 2..=5 => {second} _ => {third} }}"
            );
        }
        let value = self.expression(Type::Decision, 2);
        let approve = self.scoped(|g| {
            let (by, limit) = (g.name(), g.fresh("v"));
            g.declare(by.clone(), Type::Text, false);
            g.declare(limit.clone(), Type::Int, false);
            format!(
                "Decision::Approve {{ by: {by}, limit: {limit} }} => {}",
                g.block(4)
            )
        });
        let reject = self.scoped(|g| {
            let name = g.name();
            g.declare(name.clone(), Type::Text, true);
            format!("Decision::Reject(mut {name}) => {}", g.block(3))
        });
        let ask = self.scoped(|g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            format!("Decision::Ask({name}) => {}", g.block(3))
        });
        let wait = self.block(2);
        format!("match ({value}) {{ {approve} {reject} {ask} Decision::Wait => {wait} }}")
    }

    fn label(&mut self) -> (Option<String>, String) {
        if self.chance(40) {
            let label = self.fresh("'l");
            let text = format!("{label}: ");
            return (Some(label), text);
        }
        (None, String::new())
    }

    /// Makes a loop's head, or what stands in a labelled block.
    fn behind_barrier<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.loops.push(Loop {
            label: None,
            value: None,
            barrier: true,
        });
        let made = self.scoped(make);
        self.loops.pop();
        made
    }

    fn in_loop<T>(
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

    fn loop_statement(&mut self) -> String {
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
                let over = match self.below(3) {
                    0 => format!("0..i64::rem_euclid({}, 4)", self.expression(Type::Int, 2)),
                    1 => "1..=2i64".to_owned(),
                    _ => "0..3".to_owned(),
                };
                self.for_loop(label, &prefix, &over)
            }
            _ => {
                let over = self.expression(Type::Ints, 2);
                self.for_loop(label, &prefix, &format!("few({over})"))
            }
        }
    }

    fn for_loop(&mut self, label: Option<String>, prefix: &str, over: &str) -> String {
        let (name, body) = self.in_loop(label, None, |g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            (name, g.statements(4))
        });
        format!("{prefix}for {name} in {over} {{\n{body}}}")
    }

    /// A `loop` whose `break` gives a value.
    fn loop_value(&mut self, ty: Type) -> String {
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
    fn native_loop(&mut self) -> String {
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
    fn jump(&mut self) -> String {
        let condition = self.expression(Type::Bool, 2);
        let leave = self.leave();
        format!("if ({condition}) {{ {leave} }}")
    }

    /// Something that does not come back.
    fn leave(&mut self) -> String {
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

    /// Everything that is alive, so that a wrong value shows.
    fn summary(&mut self) -> String {
        let mut format = String::new();
        for index in self.visible(|variable| !variable.name.starts_with("fuel")) {
            let _ = write!(format, "{{{}:?}} ", self.variables[index].name);
        }
        format!("format!(\"{format}\")")
    }

    /// A variable of a type, as a value.
    fn variable(&mut self, ty: Type) -> Option<String> {
        let known = self.visible(|variable| variable.ty == ty);
        if known.is_empty() {
            return None;
        }
        let index = self.pick(&known);
        let may_move = self.plain == 0 && self.variables[index].loops == self.loops.len();
        let name = self.variables[index].name.clone();
        if ty.is_copy() {
            return Some(name);
        }
        if may_move && self.chance(15) {
            self.variables[index].moved = true;
            // Assigning it would bring it back on one path only.
            self.variables[index].mutable = false;
            return Some(name);
        }
        Some(format!("{name}.clone()"))
    }

    fn expression(&mut self, ty: Type, depth: u32) -> String {
        if depth == 0 || self.chance(25) {
            if let Some(name) = self.variable(ty) {
                return name;
            }
            return self.literal(ty);
        }
        let depth = depth - 1;
        if self.plain == 0 && self.budget > 4 && self.chance(12) {
            return self.compound(ty, depth);
        }
        match ty {
            Type::Int => self.int(depth),
            Type::Bool => self.bool(depth),
            Type::Text => self.text(depth),
            Type::Ints => self.ints(depth),
            Type::Maybe => self.maybe(depth),
            Type::Pair => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Text, depth),
                );
                format!("({left}, {right})")
            }
            Type::Decision => self.decision(depth),
        }
    }

    /// Control flow as a value.
    fn compound(&mut self, ty: Type, depth: u32) -> String {
        match self.below(4) {
            0 | 1 => {
                let condition = self.expression(Type::Bool, depth);
                let (then, otherwise) = (self.value_block(ty, depth), self.value_block(ty, depth));
                format!("if ({condition}) {then} else {otherwise}")
            }
            2 => {
                let value = self.expression(Type::Maybe, depth);
                let some = self.scoped(|g| {
                    let name = g.name();
                    g.declare(name.clone(), Type::Int, false);
                    format!("Some({name}) => {}", g.value_block(ty, depth))
                });
                let none = self.expression(ty, depth);
                format!("match ({value}) {{ {some} None => {none} }}")
            }
            _ => self.value_block(ty, depth),
        }
    }

    fn literal(&mut self, ty: Type) -> String {
        let number = self.below(9);
        match ty {
            Type::Int => number.to_string(),
            Type::Bool => (number < 5).to_string(),
            Type::Text => format!("String::from(\"t{number}\")"),
            Type::Ints => format!("vec![{number}, 2]"),
            Type::Maybe => format!("Some({number})"),
            Type::Pair => format!("({number}, String::from(\"p\"))"),
            Type::Decision => "Decision::Wait".to_owned(),
        }
    }

    fn int(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 8 } else { 16 };
        match self.below(cases) {
            0 | 1 => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("(({left}) + ({right})) % 1000")
            }
            2 => format!("noted({})", self.expression(Type::Int, depth)),
            3 => {
                let mutable = self.visible(|v| v.mutable && v.ty == Type::Int);
                if mutable.is_empty() {
                    return self.expression(Type::Int, depth);
                }
                let index = self.pick(&mutable);
                let name = self.variables[index].name.clone();
                let value = self.expression(Type::Int, depth);
                // The first operand is read before the block changes it.
                format!("(({name} + {{ {name} += 1; {value} }}) % 1000)")
            }
            4 => match self.variable_by_name(Type::Ints) {
                Some(name) => format!("({name}.len() as i64)"),
                None => self.literal(Type::Int),
            },
            5 => match self.variable_by_name(Type::Pair) {
                Some(name) => format!("{name}.0"),
                None => self.literal(Type::Int),
            },
            6 => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("i64::max({left}, {right})")
            }
            7 => {
                self.plain += 1;
                let name = self.fresh("c");
                let (body, value) = self.scoped(|g| {
                    g.declare(name.clone(), Type::Int, false);
                    (g.expression(Type::Int, depth), g.literal(Type::Int))
                });
                self.plain -= 1;
                format!("(|{name}: i64| {body})({value})")
            }
            8 | 9 => format!("give({}).await?", self.expression(Type::Int, depth)),
            10 => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("(add({left}, {right}).await? % 1000)")
            }
            11 => {
                let (value, other) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("half({value}).await?.unwrap_or({other})")
            }
            12 => {
                let value = self.expression(Type::Int, depth);
                let other = self.literal(Type::Int);
                format!("check(({value}) - 2).await.unwrap_or({other})")
            }
            13 => format!("check(({}) - 1).await?", self.expression(Type::Int, depth)),
            14 => {
                let label = self.fresh("'b");
                let (condition, early, late) = self.behind_barrier(|g| {
                    (
                        g.expression(Type::Bool, depth),
                        g.expression(Type::Int, depth),
                        g.expression(Type::Int, depth),
                    )
                });
                format!("{label}: {{ if ({condition}) {{ break {label} ({early}); }} {late} }}")
            }
            _ => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("[{left}, {right}][{{ 1 }}]")
            }
        }
    }

    fn variable_by_name(&mut self, ty: Type) -> Option<String> {
        let known = self.visible(|variable| variable.ty == ty);
        if known.is_empty() {
            return None;
        }
        let index = self.pick(&known);
        Some(self.variables[index].name.clone())
    }

    fn bool(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 7 } else { 8 };
        match self.below(cases) {
            0 => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("(({left}) < ({right}))")
            }
            1 => format!("!({})", self.expression(Type::Bool, depth)),
            2 | 3 => {
                let operator = self.pick(&["&&", "||"]);
                let (left, right) = (
                    self.expression(Type::Bool, depth),
                    self.expression(Type::Bool, depth),
                );
                format!("(({left}) {operator} ({right}))")
            }
            4 => {
                let value = self.expression(Type::Maybe, depth);
                format!("matches!({value}, Some(m) if m > 2)")
            }
            5 => {
                let (left, right) = (
                    self.expression(Type::Text, depth),
                    self.expression(Type::Text, depth),
                );
                format!("(({left}) == ({right}))")
            }
            6 => format!("({}).is_empty()", self.expression(Type::Text, depth)),
            _ => format!("even({}).await?", self.expression(Type::Int, depth)),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 2 } else { 4 };
        match self.below(cases) {
            0 | 1 => {
                let value = self.expression(Type::Int, depth);
                let captured = self.visible(|variable| !variable.name.starts_with("fuel"));
                if captured.is_empty() {
                    return format!("format!(\"<{{}}>\", {value})");
                }
                let index = self.pick(&captured);
                let name = self.variables[index].name.clone();
                format!("shorten(format!(\"{{}} {{{name}:?}}\", {value}))")
            }
            2 => {
                let value = self.expression(Type::Text, depth);
                format!("shorten(greet(&{value}).await?)")
            }
            _ => {
                let (left, right) = (
                    self.expression(Type::Text, depth),
                    self.expression(Type::Text, depth),
                );
                format!("shorten({left} + &{right})")
            }
        }
    }

    fn ints(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 1 } else { 3 };
        match self.below(cases) {
            0 => {
                let (left, right) = (
                    self.expression(Type::Int, depth),
                    self.expression(Type::Int, depth),
                );
                format!("vec![{left}, {right}]")
            }
            _ => {
                let value = self.expression(Type::Int, depth);
                format!("list(i64::rem_euclid({value}, 4)).await?")
            }
        }
    }

    fn maybe(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 2 } else { 3 };
        match self.below(cases) {
            0 => format!("Some({})", self.expression(Type::Int, depth)),
            1 => {
                let condition = self.expression(Type::Bool, depth);
                let value = self.literal(Type::Int);
                format!("({condition}).then_some({value})")
            }
            _ => format!("half({}).await?", self.expression(Type::Int, depth)),
        }
    }

    fn decision(&mut self, depth: u32) -> String {
        match self.below(4) {
            0 => {
                let (by, limit) = (
                    self.expression(Type::Text, depth),
                    self.expression(Type::Int, depth),
                );
                format!("Decision::Approve {{ by: {by}, limit: {limit} }}")
            }
            1 => format!("Decision::Reject({})", self.expression(Type::Text, depth)),
            2 => format!("Decision::Ask({})", self.expression(Type::Int, depth)),
            _ => "Decision::Wait".to_owned(),
        }
    }
}
