//! Values taken apart by patterns while the rest is used later, and references found in others.

use super::{Generator, Type};

impl Generator {
    /// A value that a pattern takes a part of, and whose rest is used after other code.
    pub(super) fn taken_apart(&mut self) -> String {
        let whole = self.fresh("whole");
        let first = self.expression(Type::Int, 2);
        match self.below(4) {
            0 => {
                let value = self.expression(Type::Order, 2);
                let (name, mutable) = (self.name(), self.chance(40));
                self.declare(name.clone(), Type::Text, mutable);
                let mutable = if mutable { "mut " } else { "" };
                let between = self.block(3);
                format!(
                    "let {whole}: Order = {value};\nlet Order {{ name: {mutable}{name}, .. }} = {whole};\n{between}\nnote(({whole}.id, &{whole}.items));"
                )
            }
            1 => {
                let value = self.expression(Type::Decision, 2);
                let guarded = self.arm("Decision::Approve { by: NAME, limit } if limit > 2");
                let approve = self.arm("Decision::Approve { by: mut NAME, .. }");
                let reject = self.arm("Decision::Reject(NAME)");
                format!(
                    "let {whole}: (i64, Decision) = ({first}, {value});\nmatch {whole}.1 {{ {guarded} {approve} {reject} _ => {{}} }}\nnote({whole}.0);"
                )
            }
            2 => {
                let (is_some, value) = (
                    self.expression(Type::Bool, 2),
                    self.expression(Type::Text, 2),
                );
                let then = self.scoped(|g| {
                    let name = g.name();
                    g.declare(name.clone(), Type::Text, false);
                    format!("if let Some({name}) = {whole}.1 {}", g.block(3))
                });
                format!(
                    "let {whole}: (i64, Option<String>) = ({first}, ({is_some}).then_some({value}));\n{then}\nnote({whole}.0);"
                )
            }
            _ => {
                let (is_some, value) = (
                    self.expression(Type::Bool, 2),
                    self.expression(Type::Text, 2),
                );
                let name = self.name();
                self.declare(name.clone(), Type::Text, true);
                let between = self.block(3);
                format!(
                    "let {whole}: (i64, Option<String>) = ({first}, ({is_some}).then_some({value}));\nlet mut {name} = {whole}.1.unwrap_or_default();\n{between}\nnote({whole}.0);"
                )
            }
        }
    }

    /// An arm whose pattern binds a text.
    fn arm(&mut self, pattern: &str) -> String {
        self.scoped(|g| {
            let name = g.name();
            let mutable = pattern.contains("mut");
            g.declare(name.clone(), Type::Text, mutable);
            format!("{} => {}", pattern.replace("NAME", &name), g.block(3))
        })
    }

    /// What is found by looking into a reference.
    pub(super) fn looked_into(&mut self) -> String {
        let known = self.visible(|v| v.by_ref && !v.mutable && !matches!(v.ty, Type::Str));
        if known.is_empty() {
            return self.reference();
        }
        let index = self.pick(&known);
        let variable = self.variables[index].clone();
        let (name, mut of) = (variable.name, variable.of);
        of.push(index);
        match variable.ty {
            Type::Maybe => {
                let then = self.scoped(|g| {
                    let some = g.name();
                    g.declare_over(some.clone(), Type::Int, of);
                    format!("if let Some({some}) = {name} {}", g.block(3))
                });
                let otherwise = self.block(2);
                format!("{then} else {otherwise}")
            }
            Type::Decision => {
                let arm = self.scoped(|g| {
                    let by = g.name();
                    g.declare_over(by.clone(), Type::Text, of);
                    format!(
                        "Decision::Reject({by}) | Decision::Approve {{ by: {by}, .. }} => {}",
                        g.block(3)
                    )
                });
                let other = self.block(2);
                format!("match {name} {{ {arm} _ => {other} }}")
            }
            Type::Pair => {
                let (number, text) = (self.fresh("v"), self.fresh("v"));
                self.declare_over(number.clone(), Type::Int, of.clone());
                self.declare_over(text.clone(), Type::Text, of);
                format!("let ({number}, {text}) = {name};")
            }
            Type::Order => {
                let (text, items) = (self.fresh("v"), self.fresh("v"));
                self.declare_over(text.clone(), Type::Text, of.clone());
                self.declare_over(items.clone(), Type::Ints, of);
                format!("let Order {{ name: {text}, items: {items}, .. }} = {name};")
            }
            ty => {
                let copy = self.fresh("v");
                self.declare_over(copy.clone(), ty, of);
                format!("let {copy} = {name};")
            }
        }
    }

    /// Two references at once.
    pub(super) fn side_by_side(&mut self) -> String {
        if self.chance(50) {
            let types = [Type::Int, Type::Text, Type::Ints, Type::Maybe];
            let (left, right) = (self.pick(&types), self.pick(&types));
            let (first, declared) = self.referent(left);
            let (second, also) = self.frozen(first, |g| g.referent(right));
            let [a, b] = [first, second].map(|index| self.variables[index].name.clone());
            let (x, y) = (self.fresh("v"), self.fresh("v"));
            self.declare_over(x.clone(), left, vec![first]);
            self.declare_over(y.clone(), right, vec![second]);
            return format!("{declared}{also}let ({x}, {y}) = (&{a}, &{b});");
        }
        let (first, declared) = self.referent(Type::Maybe);
        let (second, also) = self.frozen(first, |g| g.referent(Type::Maybe));
        let [a, b] = [first, second].map(|index| self.variables[index].name.clone());
        let mut arm = |pattern: &str, of: usize| {
            self.scoped(|g| {
                let name = g.name();
                g.declare_over(name.clone(), Type::Int, vec![of]);
                format!("{} => {}", pattern.replace("NAME", &name), g.block(3))
            })
        };
        let (one, other) = (
            arm("(Some(NAME), _)", first),
            arm("(None, Some(NAME))", second),
        );
        format!("{declared}{also}match (&{a}, &{b}) {{ {one} {other} _ => {{}} }}")
    }

    /// A reference to what is looked up or searched for.
    pub(super) fn found(&mut self) -> String {
        let ty = self.pick(&[Type::Ints, Type::Ints, Type::Map]);
        let (index, declared) = self.referent(ty);
        let of = self.variables[index].name.clone();
        let key = self.below(3);
        let found = match (ty, self.below(5)) {
            (Type::Map, 0) => format!("{of}.values().max()"),
            (Type::Map, _) => format!("{of}.get(\"k{key}\")"),
            (_, 0) => format!("{of}.first()"),
            (_, 1) => format!("{of}.iter().max()"),
            (_, 2) => format!("{of}.iter().find(|x| **x > {key})"),
            (_, 3) => format!("{of}.iter().rev().nth({key})"),
            _ => format!("{of}.get({key})"),
        };
        let name = self.name();
        match self.below(4) {
            0 => {
                self.declare_over(name.clone(), Type::Int, vec![index]);
                format!("{declared}let {name} = {found}.unwrap_or(&7);")
            }
            1 | 2 => {
                let found = self.or_leave(&name, &found);
                self.declare_over(name, Type::Int, vec![index]);
                declared + &found
            }
            _ => {
                let then = self.scoped(|g| {
                    g.declare_over(name.clone(), Type::Int, vec![index]);
                    format!("if let Some({name}) = {found} {}", g.block(3))
                });
                format!("{declared}{then}")
            }
        }
    }

    /// Parts bound by `ref` and `ref mut`, beside others that are not.
    pub(super) fn bound_by_ref(&mut self) -> String {
        if self.chance(50) {
            let (index, declared) = self.changeable(Type::Decision);
            let of = self.variables[index].name.clone();
            let least = self.below(5);
            let approve = self.scoped(|g| {
                let (by, limit) = (g.name(), g.fresh("v"));
                g.declare_over(by.clone(), Type::Text, vec![index]);
                g.declare(limit.clone(), Type::Int, false);
                let body = g.block(3);
                format!("Decision::Approve {{ by: ref {by}, limit: {limit} }} if {limit} > {least} => {body}")
            });
            self.variables[index].moved = true;
            let reject = self.scoped(|g| {
                let name = g.name();
                g.declare_mutably(name.clone(), Type::Text);
                format!("Decision::Reject(ref mut {name}) => {}", g.block(3))
            });
            let ask = self.scoped(|g| {
                let name = g.name();
                g.declare_mutably(name.clone(), Type::Int);
                format!(
                    "Decision::Ask(ref mut {name}) | Decision::Approve {{ limit: ref mut {name}, .. }} => {}",
                    g.block(3)
                )
            });
            self.variables[index].moved = false;
            let other = self.block(2);
            return format!("{declared}match {of} {{ {approve} {reject} {ask} _ => {other} }}");
        }
        let (index, declared) = self.changeable(Type::Order);
        let of = self.variables[index].name.clone();
        let (name, id, items) = (self.fresh("v"), self.fresh("v"), self.fresh("v"));
        if self.chance(50) {
            self.variables[index].moved = true;
            let body = self.scoped(|g| {
                g.declare_mutably(items.clone(), Type::Ints);
                g.declare(id.clone(), Type::Int, false);
                g.statements(4)
            });
            self.variables[index].moved = false;
            return format!(
                "{declared}{{\nlet Order {{ id: {id}, items: ref mut {items}, .. }} = {of};\n{body}}}"
            );
        }
        // A part that is taken leaves the reference to another one be.
        let takes =
            self.plain == 0 && self.variables[index].loops == self.loops.len() && self.chance(50);
        let how = if takes { "" } else { "ref " };
        self.declare_over(name.clone(), Type::Text, vec![index]);
        self.declare(id.clone(), Type::Int, false);
        if takes {
            self.declare(items.clone(), Type::Ints, false);
            self.variables[index].moved = true;
            self.variables[index].mutable = false;
        } else {
            self.declare_over(items.clone(), Type::Ints, vec![index]);
        }
        format!("{declared}let Order {{ id: {id}, name: ref {name}, items: {how}{items} }} = {of};")
    }
}
