//! Statements.

use super::{Generator, TYPES, Type, Variable};

impl Generator {
    pub(super) fn statements(&mut self, most: u64) -> String {
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
    pub(super) fn value_block(&mut self, ty: Type, depth: u32) -> String {
        self.scoped(|g| {
            let statements = g.statements(2);
            format!("{{ {statements}{} }}", g.expression(ty, depth))
        })
    }

    pub(super) fn block(&mut self, most: u64) -> String {
        self.scoped(|g| format!("{{\n{}}}", g.statements(most)))
    }

    pub(super) fn statement(&mut self) -> String {
        match self.below(if self.plain > 0 { 9 } else { 56 }) {
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
            31..=33 => self.reference(),
            34 => self.matched_by_reference(),
            35 | 36 => self.loop_by_reference(),
            37 => self.closure(),
            38 => {
                let value = self.expression(Type::Str, 2);
                let name = self.name();
                self.declare(name.clone(), Type::Str, false);
                format!("let {name} = {value};")
            }
            39 => self.let_chain(),
            40 => self.looked_up(),
            41 => self.drained(),
            42 | 43 => self.taken_apart(),
            44 | 45 => self.looked_into(),
            46 => self.side_by_side(),
            47 => self.found(),
            48 | 49 => self.leaving_loop(),
            50 | 51 => self.bound_by_ref(),
            52 | 53 => self.arranged(),
            54 | 55 => self.text_parts(),
            28..=30 => self.together(),
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

    pub(super) fn declaration(&mut self) -> String {
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

    pub(super) fn tuple(&mut self) -> String {
        let value = self.expression(Type::Pair, 3);
        let (left, right) = (self.name(), self.fresh("v"));
        self.declare(left.clone(), Type::Int, true);
        self.declare(right.clone(), Type::Text, false);
        format!("let (mut {left}, {right}) = {value};")
    }

    /// A value for a part of a variable, which must still be there then.
    fn part_value(&mut self, index: usize, ty: Type) -> String {
        self.variables[index].frozen += 1;
        let value = self.expression(ty, 2);
        self.variables[index].frozen -= 1;
        value
    }

    pub(super) fn assignment(&mut self) -> String {
        if self.chance(30)
            && let Some(index) = self.let_go()
        {
            let Variable { name, ty, .. } = self.variables[index].clone();
            return format!("{name} = {};", self.expression(ty, 2));
        }
        let mutable = self.visible(Variable::is_changeable);
        if mutable.is_empty() {
            return self.declaration();
        }
        let index = self.pick(&mutable);
        let (name, ty) = (self.variables[index].place(), self.variables[index].ty);
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
            Type::Ints if self.chance(50) => {
                self.variables[index].moved = true;
                let value = self.expression(Type::Int, 2);
                self.variables[index].moved = false;
                format!("if !{name}.is_empty() {{ {name}[0] = {value}; }}")
            }
            Type::Pair if self.chance(50) => {
                let value = self.part_value(index, Type::Int);
                format!("{name}.0 = {value};")
            }
            Type::Order if self.chance(70) => {
                let field = self.pick(&[
                    ("id", Type::Int),
                    ("name", Type::Text),
                    ("items", Type::Ints),
                ]);
                let value = self.part_value(index, field.1);
                format!("{name}.{} = {value};", field.0)
            }
            Type::Set if self.chance(50) => {
                self.variables[index].moved = true;
                let value = self.expression(Type::Int, 2);
                self.variables[index].moved = false;
                format!("{name}.insert({value});")
            }
            ty => {
                let value = self.expression(ty, 2);
                format!("{name} = {value};")
            }
        }
    }

    /// `let x;` that every branch fills in.
    pub(super) fn deferred(&mut self) -> String {
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

    /// What is found in a place, to be changed.
    fn looked_up(&mut self) -> String {
        let ty = self.pick(&[Type::Map, Type::Ints, Type::Maybe]);
        let known = self.visible(|v| v.is_changeable() && !v.by_ref && v.ty == ty);
        if known.is_empty() {
            return self.declaration();
        }
        let index = self.pick(&known);
        let name = self.variables[index].name.clone();
        self.variables[index].moved = true;
        // Nothing may jump out of the right side, nor change what the key is of.
        let jumps = std::mem::take(&mut self.budget);
        let value = self.expression(Type::Int, 2);
        self.budget = jumps;
        let text = match ty {
            Type::Map => {
                let key = self.below(3);
                format!("*{name}.entry(\"k{key}\".to_owned()).or_insert(1) += {value};")
            }
            Type::Ints => format!(
                "if let Some(last) = {name}.last_mut() {{ *last += {value}; *last %= 100; }}"
            ),
            _ => {
                format!("if let Some(some) = {name}.as_mut() {{ *some += {value}; *some %= 100; }}")
            }
        };
        self.variables[index].moved = false;
        text
    }

    /// A loop that takes a list's items away.
    fn drained(&mut self) -> String {
        let known = self.visible(|v| v.is_changeable() && !v.by_ref && v.ty == Type::Ints);
        if known.is_empty() {
            return self.loop_statement();
        }
        let index = self.pick(&known);
        let name = self.variables[index].name.clone();
        let (label, prefix) = self.label();
        self.variables[index].moved = true;
        let text = self.for_loop(label, &prefix, &format!("{name}.drain(..).take(3)"));
        self.variables[index].moved = false;
        text
    }

    /// `if let Some(x) = value && x > 3 && condition { … }`
    fn let_chain(&mut self) -> String {
        let value = self.expression(Type::Maybe, 2);
        let guard = self.below(6);
        let (name, condition, then) = self.scoped(|g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            let condition = g.expression(Type::Bool, 2);
            (name, condition, g.block(3))
        });
        let otherwise = self.block(2);
        format!(
            "if let Some({name}) = ({value}) && {name} > {guard} && ({condition}) {then} else {otherwise}"
        )
    }

    pub(super) fn match_statement(&mut self) -> String {
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
}
