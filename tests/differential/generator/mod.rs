//! Makes random workflow bodies that compile, out of the accepted language.
//!
//! Bodies are typed while they are made: a variable is known with its type, whether it may be
//! assigned, and whether it was moved. Loops count down, and sums are kept small, so that every
//! body ends. All effects go through the activities of the driver and `note`.

mod collected;
mod expressions;
mod leaving;
mod loops;
mod parts;
mod references;
mod statements;
mod together;

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
    Set,
    Map,
    Deque,
    Order,
    /// A literal chosen among others.
    Str,
    /// A closure over what does not change.
    Function,
}

/// What a variable of any kind is of.
const TYPES: [Type; 11] = [
    Type::Int,
    Type::Bool,
    Type::Text,
    Type::Ints,
    Type::Maybe,
    Type::Pair,
    Type::Decision,
    Type::Set,
    Type::Map,
    Type::Deque,
    Type::Order,
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
            Self::Set => "BTreeSet<i64>",
            Self::Map => "BTreeMap<String, i64>",
            Self::Deque => "VecDeque<i64>",
            Self::Order => "Order",
            Self::Str => "&'static str",
            Self::Function => unreachable!("a closure is not spelled"),
        }
    }

    fn is_copy(self) -> bool {
        matches!(self, Self::Int | Self::Bool | Self::Maybe | Self::Str)
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
    /// Whether it is a reference.
    by_ref: bool,
    /// The variables that it refers to.
    of: Vec<usize>,
    /// How many others refer to it: it is neither changed nor moved.
    frozen: u32,
}

impl Variable {
    /// Its value, as a place.
    fn place(&self) -> String {
        if self.by_ref {
            format!("(*{})", self.name)
        } else {
            self.name.clone()
        }
    }

    fn is_changeable(&self) -> bool {
        self.mutable && self.frozen == 0
    }

    /// Whether it can be printed.
    fn is_shown(&self) -> bool {
        !self.name.starts_with("fuel") && self.ty != Type::Function
    }

    /// Whether a value may be taken out of it.
    fn is_owned(&self) -> bool {
        !self.by_ref && self.frozen == 0
    }
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
            by_ref: false,
            of: Vec::new(),
            frozen: 0,
        });
    }

    /// Declares what refers to variables as long as it is there.
    fn declare_over(&mut self, name: String, ty: Type, of: Vec<usize>) {
        for &index in &of {
            self.variables[index].frozen += 1;
        }
        self.declare(name, ty, false);
        let last = self.variables.last_mut().expect("it was declared");
        last.by_ref = ty != Type::Function;
        last.of = of;
    }

    /// Declares a reference through which is assigned.
    fn declare_mutably(&mut self, name: String, ty: Type) {
        self.declare(name, ty, true);
        self.variables.last_mut().expect("it was declared").by_ref = true;
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
        for gone in self.variables.split_off(outer) {
            for index in gone.of.into_iter().filter(|index| *index < outer) {
                self.variables[index].frozen -= 1;
            }
        }
        made
    }

    /// A name for a new variable: often one that is taken.
    fn name(&mut self) -> String {
        let known = self.visible(Variable::is_shown);
        if !known.is_empty() && self.chance(30) {
            let index = self.pick(&known);
            return self.variables[index].name.clone();
        }
        self.fresh("v")
    }

    /// Everything that is alive, so that a wrong value shows.
    fn summary(&mut self) -> String {
        let mut format = String::new();
        for index in self.visible(Variable::is_shown) {
            let _ = write!(format, "{{{}:?}} ", self.variables[index].name);
        }
        format!("format!(\"{format}\")")
    }
}
