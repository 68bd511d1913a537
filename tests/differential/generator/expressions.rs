//! Expressions of each type.

use super::{Generator, Type, Variable};

impl Generator {
    /// A variable of a type, as a value.
    pub(super) fn variable(&mut self, ty: Type) -> Option<String> {
        let known = self.visible(|variable| variable.ty == ty);
        if known.is_empty() {
            return None;
        }
        let index = self.pick(&known);
        let variable = &self.variables[index];
        if ty.is_copy() {
            return Some(variable.place());
        }
        let may_move = self.plain == 0 && variable.is_owned() && variable.loops == self.loops.len();
        let name = variable.name.clone();
        if may_move && self.chance(15) {
            self.variables[index].moved = true;
            // Assigning it would bring it back on one path only.
            self.variables[index].mutable = false;
            return Some(name);
        }
        Some(format!("{name}.clone()"))
    }

    pub(super) fn expression(&mut self, ty: Type, depth: u32) -> String {
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
            Type::Set => format!(
                "{}.into_iter().collect::<BTreeSet<i64>>()",
                self.expression(Type::Ints, depth)
            ),
            Type::Map => {
                let (left, right) = (
                    self.expression(Type::Text, depth),
                    self.expression(Type::Int, depth),
                );
                format!("BTreeMap::from([({left}, {right}), (String::from(\"k\"), 1)])")
            }
            Type::Deque => format!("VecDeque::from({})", self.expression(Type::Ints, depth)),
            Type::Order => self.order(depth),
            Type::Str => {
                let condition = self.expression(Type::Bool, depth);
                let number = self.below(9);
                format!("if ({condition}) {{ \"gold\" }} else {{ \"plain{number}\" }}")
            }
            Type::Function => unreachable!("no expression gives a closure"),
        }
    }

    fn order(&mut self, depth: u32) -> String {
        if self.chance(30) {
            let (id, other) = (
                self.expression(Type::Int, depth),
                self.expression(Type::Order, depth),
            );
            return format!("Order {{ id: {id}, ..{other} }}");
        }
        // In the order in which they are evaluated.
        let (name, id, items) = (
            self.expression(Type::Text, depth),
            self.expression(Type::Int, depth),
            self.expression(Type::Ints, depth),
        );
        format!("Order {{ name: {name}, id: {id}, items: {items} }}")
    }

    /// Control flow as a value.
    pub(super) fn compound(&mut self, ty: Type, depth: u32) -> String {
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

    pub(super) fn literal(&mut self, ty: Type) -> String {
        let number = self.below(9);
        match ty {
            Type::Int => number.to_string(),
            Type::Bool => (number < 5).to_string(),
            Type::Text => format!("String::from(\"t{number}\")"),
            Type::Ints => format!("vec![{number}, 2]"),
            Type::Maybe => format!("Some({number})"),
            Type::Pair => format!("({number}, String::from(\"p\"))"),
            Type::Decision => "Decision::Wait".to_owned(),
            Type::Set => format!("BTreeSet::from([{number}, 3])"),
            Type::Map => format!("BTreeMap::from([(String::from(\"m\"), {number})])"),
            Type::Deque => format!("VecDeque::from([{number}, 1])"),
            Type::Order => format!("Order::of({number})"),
            Type::Str => format!("\"s{number}\""),
            Type::Function => unreachable!("no literal is a closure"),
        }
    }

    pub(super) fn int(&mut self, depth: u32) -> String {
        if self.chance(12)
            && let Some(name) = self.variable_by_name(Type::Function)
        {
            return format!("{name}({})", self.expression(Type::Int, depth));
        }
        let cases = if self.plain > 0 { 8 } else { 18 };
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
                let mutable = self.visible(|v| v.is_changeable() && v.ty == Type::Int);
                if mutable.is_empty() {
                    return self.expression(Type::Int, depth);
                }
                let index = self.pick(&mutable);
                let name = self.variables[index].place();
                let value = self.expression(Type::Int, depth);
                // The first operand is read before the block changes it.
                format!("(({name} + {{ {name} += 1; {value} }}) % 1000)")
            }
            4 => match self.variable_by_name(Type::Ints) {
                Some(name) => format!("({name}.len() as i64)"),
                None => self.literal(Type::Int),
            },
            5 => match (
                self.variable_by_name(Type::Pair),
                self.variable_by_name(Type::Order),
            ) {
                (_, Some(name)) if self.chance(60) => format!("{name}.id"),
                (Some(name), _) => format!("{name}.0"),
                _ => self.literal(Type::Int),
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
            16 => format!("{}.await?", self.workflow_call()),
            17 => match self.variable_by_name(Type::Map) {
                Some(name) => format!("{name}.values().sum::<i64>() % 1000"),
                None => self.literal(Type::Int),
            },
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

    pub(super) fn variable_by_name(&mut self, ty: Type) -> Option<String> {
        let known = self.visible(|variable| variable.ty == ty);
        if known.is_empty() {
            return None;
        }
        let index = self.pick(&known);
        Some(self.variables[index].name.clone())
    }

    pub(super) fn bool(&mut self, depth: u32) -> String {
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

    pub(super) fn text(&mut self, depth: u32) -> String {
        let cases = if self.plain > 0 { 4 } else { 6 };
        match self.below(cases) {
            2 => match self.variable(Type::Str) {
                Some(name) => format!("{name}.to_owned()"),
                None => self.literal(Type::Text),
            },
            3 => match self.variable_by_name(Type::Order) {
                Some(name) => format!("{name}.name.clone()"),
                None => self.literal(Type::Text),
            },
            0 | 1 => {
                let value = self.expression(Type::Int, depth);
                let captured = self.visible(Variable::is_shown);
                if captured.is_empty() {
                    return format!("format!(\"<{{}}>\", {value})");
                }
                let index = self.pick(&captured);
                let name = self.variables[index].name.clone();
                format!("shorten(format!(\"{{}} {{{name}:?}}\", {value}))")
            }
            4 => {
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

    pub(super) fn ints(&mut self, depth: u32) -> String {
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

    pub(super) fn maybe(&mut self, depth: u32) -> String {
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

    pub(super) fn decision(&mut self, depth: u32) -> String {
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
