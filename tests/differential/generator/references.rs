//! References to the body's own variables, and closures over them.

use super::{Generator, Type, Variable};

impl Generator {
    /// A variable that can be referred to, by its place, and what declares it if none was there.
    pub(super) fn referent(&mut self, ty: Type) -> (usize, String) {
        let known = self.visible(|v| v.ty == ty && !v.by_ref);
        if !known.is_empty() && self.chance(80) {
            return (self.pick(&known), String::new());
        }
        self.declared(ty)
    }

    /// A variable that can be changed by its place, and what declares it if none was there.
    pub(super) fn changeable(&mut self, ty: Type) -> (usize, String) {
        let known = self.visible(|v| v.ty == ty && !v.by_ref && v.is_changeable());
        if !known.is_empty() && self.chance(80) {
            return (self.pick(&known), String::new());
        }
        self.declared(ty)
    }

    /// A new variable, and what declares it.
    fn declared(&mut self, ty: Type) -> (usize, String) {
        let value = self.expression(ty, 2);
        let name = self.fresh("v");
        self.declare(name.clone(), ty, true);
        let index = self.variables.len() - 1;
        let ty = ty.spelled();
        (index, format!("let mut {name}: {ty} = {value};\n"))
    }

    /// Makes something while a variable is neither changed nor moved.
    pub(super) fn frozen<T>(&mut self, index: usize, make: impl FnOnce(&mut Self) -> T) -> T {
        self.variables[index].frozen += 1;
        let made = make(self);
        self.variables[index].frozen -= 1;
        made
    }

    /// A variable that is referred to and may be changed all the same, for nothing that refers to it
    /// is used any more.
    pub(super) fn let_go(&mut self) -> Option<usize> {
        let loops = self.loops.len();
        let all = &self.variables;
        let known = self.visible(|v| v.mutable && !v.by_ref && v.frozen > 0);
        let free = known.into_iter().filter(|index| {
            let mut over = all.iter().filter(|v| v.of.contains(index));
            over.all(|v| v.loops == loops)
        });
        let free: Vec<usize> = free.collect();
        if free.is_empty() {
            return None;
        }
        let index = self.pick(&free);
        for over in self.variables.iter_mut().filter(|v| v.of.contains(&index)) {
            over.moved = true;
        }
        Some(index)
    }

    /// `let r = &x;`, also of a part.
    pub(super) fn reference(&mut self) -> String {
        let ty = self.pick(&[
            Type::Int,
            Type::Text,
            Type::Text,
            Type::Ints,
            Type::Pair,
            Type::Order,
            Type::Order,
            Type::Decision,
            Type::Maybe,
        ]);
        let (index, declared) = self.referent(ty);
        let of = self.variables[index].name.clone();
        let (ty, part) = match ty {
            Type::Pair => self.pick(&[(Type::Text, ".1"), (Type::Int, ".0"), (Type::Pair, "")]),
            Type::Order => self.pick(&[
                (Type::Text, ".name"),
                (Type::Ints, ".items"),
                (Type::Int, ".id"),
                (Type::Order, ""),
            ]),
            ty => (ty, ""),
        };
        let name = self.name();
        self.declare_over(name.clone(), ty, vec![index]);
        format!("{declared}let {name} = &{of}{part};")
    }

    /// Bindings by reference, in a `match`, an `if let` or a `let else`.
    pub(super) fn matched_by_reference(&mut self) -> String {
        if self.chance(25) {
            return self.found_to_be_changed();
        }
        if self.chance(50) {
            let (index, declared) = self.referent(Type::Maybe);
            let of = self.variables[index].name.clone();
            let (name, then) = self.scoped(|g| {
                let name = g.name();
                g.declare_over(name.clone(), Type::Int, vec![index]);
                (name, g.block(4))
            });
            let otherwise = self.block(2);
            return format!("{declared}if let Some({name}) = &{of} {then} else {otherwise}");
        }
        let (index, declared) = self.referent(Type::Decision);
        let of = self.variables[index].name.clone();
        let approve = self.scoped(|g| {
            let (by, limit) = (g.name(), g.fresh("v"));
            g.declare_over(by.clone(), Type::Text, vec![index]);
            g.declare_over(limit.clone(), Type::Int, vec![index]);
            format!(
                "Decision::Approve {{ by: {by}, limit: {limit} }} => {}",
                g.block(4)
            )
        });
        let reject = self.scoped(|g| {
            let name = g.name();
            g.declare_over(name.clone(), Type::Text, vec![index]);
            format!("Decision::Reject({name}) => {}", g.block(3))
        });
        let other = self.block(2);
        format!("{declared}match &{of} {{ {approve} {reject} _ => {other} }}")
    }

    /// An item that may be another one's turn to be found once it was changed.
    fn found_to_be_changed(&mut self) -> String {
        let (index, declared) = self.changeable(Type::Ints);
        let of = self.variables[index].name.clone();
        let wanted = self.frozen(index, |g| g.expression(Type::Int, 1));
        let least = self.fresh("z");
        let search = format!("{of}.iter_mut().find(|item| **item > {least})");
        let declared = format!("{declared}let {least} = ({wanted}) % 3;\n");
        if self.chance(40) {
            let text = self.scoped(|g| {
                let name = g.name();
                let found = g.or_leave(&name, &search);
                g.variables[index].moved = true;
                g.declare_mutably(name, Type::Int);
                format!("{{\n{found}\n{}}}", g.statements(4))
            });
            self.variables[index].moved = false;
            return declared + &text;
        }
        self.variables[index].moved = true;
        let (name, then) = self.scoped(|g| {
            let name = g.name();
            g.declare_mutably(name.clone(), Type::Int);
            (name, g.block(4))
        });
        self.variables[index].moved = false;
        let otherwise = self.block(2);
        format!("{declared}if let Some({name}) = {search} {then} else {otherwise}")
    }

    /// A loop over what it does not own.
    pub(super) fn loop_by_reference(&mut self) -> String {
        let ty = self.pick(&[Type::Ints, Type::Ints, Type::Map, Type::Set, Type::Order]);
        let (index, declared) = self.referent(ty);
        let Variable { name: of, .. } = self.variables[index].clone();
        let list = match ty {
            Type::Order => format!("{of}.items"),
            _ => of.clone(),
        };
        let (label, prefix) = self.label();
        if matches!(ty, Type::Ints) && self.variables[index].is_changeable() && self.chance(60) {
            self.variables[index].moved = true;
            let (name, body) = self.in_loop(label, None, |g| {
                let name = g.name();
                g.declare_mutably(name.clone(), Type::Int);
                (name, g.statements(4))
            });
            self.variables[index].moved = false;
            return format!(
                "{declared}{of}.truncate(3);\n{prefix}for {name} in &mut {of} {{\n{body}}}"
            );
        }
        let kind = self.below(6);
        let number = self.below(3);
        let (head, body) = self.in_loop(label, None, |g| {
            let name = g.name();
            let head = match (ty, kind) {
                (Type::Map, _) => {
                    let key = g.fresh("k");
                    g.declare_over(key.clone(), Type::Text, vec![index]);
                    format!("({key}, {name}) in &{list}")
                }
                (Type::Set, _) => format!("{name} in &{list}"),
                (_, 0) => {
                    let place = g.fresh("fuel");
                    format!("({place}, {name}) in {list}.iter().enumerate().take(3)")
                }
                (_, 1) => format!("{name} in {list}.iter()"),
                (_, 2) => {
                    let place = g.fresh("v");
                    g.declare(place.clone(), Type::Int, false);
                    format!("({name}, {place}) in {list}.iter().take(4).zip({number}..)")
                }
                (_, 3) => {
                    format!("{name} in {list}.iter().skip({number} + fuel_n{number}).take(3)")
                }
                _ => format!("{name} in &{list}"),
            };
            g.declare_over(name, Type::Int, vec![index]);
            g.as_long_as_it_goes_on(index);
            (head, g.statements(3))
        });
        // A number that changes while the loop goes on.
        let declared = format!("{declared}let mut fuel_n{number} = 0;\n");
        let body = format!("fuel_n{number} += 1;\n{body}");
        format!("{declared}{prefix}for {head} {{\n{body}}}")
    }

    /// Declares a reference without a name, which is there as long as its scope.
    pub(super) fn look_into(&mut self, place: usize) {
        let (hidden, ty) = (self.fresh("v"), self.variables[place].ty);
        self.declare_over(hidden, ty, vec![place]);
        let hidden = self.variables.last_mut().expect("it was declared");
        (hidden.moved, hidden.loops) = (true, usize::MAX);
    }

    /// As long as a loop goes on, what it goes over stays as it is.
    pub(super) fn as_long_as_it_goes_on(&mut self, over: usize) {
        let declared = self.variables.iter_mut().rev().take(2);
        for item in declared.filter(|v| v.of == [over]) {
            item.loops = usize::MAX;
        }
    }

    /// `let f = |c: i64| …;` over what never changes.
    pub(super) fn closure(&mut self) -> String {
        let known = self.visible(|v| {
            !v.mutable && !v.by_ref && matches!(v.ty, Type::Int | Type::Text | Type::Ints)
        });
        let mut body = "c".to_owned();
        let mut of = Vec::new();
        for _ in 0..self.below(3) {
            if known.is_empty() {
                break;
            }
            let index = self.pick(&known);
            let Variable { name, ty, .. } = &self.variables[index];
            body += &match ty {
                Type::Int => format!(" + {name}"),
                _ => format!(" + {name}.len() as i64"),
            };
            of.push(index);
        }
        let name = self.fresh("f");
        self.declare_over(name.clone(), Type::Function, of);
        format!("let {name} = |c: i64| ({body}) % 1000;")
    }
}
