//! Ways out: loops that change what they went over as they leave, and values that are there or else.

use super::{Generator, Type};

impl Generator {
    /// Binds what is in an `Option`, or leaves.
    pub(super) fn or_leave(&mut self, name: &str, value: &str) -> String {
        let otherwise = self.scoped(|g| {
            let before = g.statements(1);
            format!("{{ {before}{} }}", g.leave())
        });
        match self.below(4) {
            0 => format!(
                "let {name} = match {value} {{ Some({name}) => {name}, None => {otherwise} }};"
            ),
            1 => {
                format!("let {name} = match {value} {{ None => {otherwise} Some(some) => some }};")
            }
            2 => format!("let {name} = if let Some(some) = {value} {{ some }} else {otherwise};"),
            _ => format!("let Some({name}) = {value} else {otherwise};"),
        }
    }

    /// A loop that changes what it goes over, once it will not go on.
    pub(super) fn leaving_loop(&mut self) -> String {
        let ty = self.pick(&[
            Type::Ints,
            Type::Ints,
            Type::Ints,
            Type::Deque,
            Type::Set,
            Type::Map,
        ]);
        let (index, declared) = self.changeable(ty);
        let of = self.variables[index].name.clone();
        let (label, prefix) = self.label();
        let kind = self.below(7);
        let (head, body) = self.in_loop(label, None, |g| {
            let (item, other) = (g.fresh("v"), g.fresh("v"));
            let (head, referred) = match (ty, kind) {
                (Type::Map, 0) => (format!("{item} in {of}.values()"), true),
                (Type::Map, 1) => (format!("(_, &{item}) in {of}.iter()"), false),
                (Type::Map, _) => {
                    g.declare_over(other.clone(), Type::Text, vec![index]);
                    (format!("({other}, {item}) in &{of}"), true)
                }
                (_, 0) => {
                    g.declare(other.clone(), Type::Int, false);
                    (format!("({other}, {item}) in (2i64..).zip(&{of})"), true)
                }
                (_, 1) if g.chance(50) => {
                    g.declare(other.clone(), Type::Int, false);
                    (
                        format!("({other}, {item}) in vec![4, 5, 6].into_iter().zip(&{of})"),
                        true,
                    )
                }
                (_, 1) => (format!("&{item} in &{of}"), false),
                (_, 2) => (format!("{item} in {of}.iter().copied()"), false),
                (Type::Ints, 3) => (format!("{item} in {of}.iter().rev()"), true),
                (Type::Ints, 4) => {
                    let place = g.fresh("fuel");
                    (
                        format!("({place}, {item}) in {of}.iter().enumerate().take(3)"),
                        true,
                    )
                }
                (_, 5) => (format!("{item} in {of}.iter().skip(1)"), true),
                _ => (format!("{item} in &{of}"), true),
            };
            if referred {
                g.declare_over(item.clone(), Type::Int, vec![index]);
            } else {
                // It is a copy, and what it was copied from is still gone over.
                g.declare(item.clone(), Type::Int, false);
                g.look_into(index);
            }
            g.as_long_as_it_goes_on(index);
            let before = g.statements(2);
            let leaving = g.leaving(index, ty);
            (head, format!("{before}{leaving}\n{}", g.statements(2)))
        });
        format!("{declared}{prefix}for {head} {{\n{body}}}")
    }

    /// Changes what the loop goes over, goes on a while and leaves the loop.
    pub(super) fn leaving(&mut self, over: usize, ty: Type) -> String {
        let condition = self.expression(Type::Bool, 2);
        let of = self.variables[over].name.clone();
        let text = self.scoped(|g| {
            let copies = g.declaration();
            // Nothing refers to it any more, and no jump comes back to the loop.
            let let_go: Vec<usize> = g.visible(|v| v.of.contains(&over));
            let held = std::mem::take(&mut g.variables[over].frozen);
            for &index in &let_go {
                g.variables[index].moved = true;
            }
            let this = g.loops.last_mut().expect("it leaves a loop");
            let (label, barrier) = (
                this.label.take(),
                std::mem::replace(&mut this.barrier, true),
            );

            let value = g.frozen(over, |g| g.expression(ty, 2));
            let change = match (ty, g.below(4)) {
                _ if !g.visible(|_| true).contains(&over) => String::new(),
                (_, 0) => format!("{of}.clear();"),
                (_, 1) => format!("{of} = {value};"),
                (Type::Deque, _) => format!("{of}.push_front(9);"),
                (Type::Set | Type::Map, _) => format!("{of}.pop_first();"),
                _ => format!("{of}.insert(0, 8);"),
            };
            let after = g.statements(3);
            let shown = g.summary();
            let leave = if g.chance(30) {
                g.leave()
            } else {
                "break;".to_owned()
            };

            let this = g.loops.last_mut().expect("it leaves a loop");
            (this.label, this.barrier) = (label, barrier);
            for index in let_go {
                g.variables[index].moved = false;
            }
            g.variables[over].frozen += held;
            format!("{{\n{copies}\n{change}\n{after}note({shown});\n{leave}\n}}")
        });
        format!("if ({condition}) {text}")
    }
}
