//! Several operations at once, calls of other workflows, and values taken apart in part.

use super::{Generator, Type};

impl Generator {
    pub(super) fn together(&mut self) -> String {
        match self.below(8) {
            0 => {
                let values = [(); 3].map(|()| self.expression(Type::Int, 2));
                let [first, second, third] = values;
                let (left, right) = (self.fresh("v"), self.name());
                self.declare(left.clone(), Type::Int, false);
                self.declare(right.clone(), Type::Int, false);
                format!(
                    "let ({left}, {right}) = join!(give({first}), add({second}, {third}));\n\
                     let ({left}, {right}) = ({left}?, {right}? % 1000);"
                )
            }
            1 => {
                let values = self.expression(Type::Ints, 2);
                let name = self.name();
                self.declare(name.clone(), Type::Int, true);
                format!(
                    "let mut {name}: i64 = join_all(few({values}).into_iter().map(check)).await\
                     .into_iter().filter_map(Result::ok).sum();\n{name} %= 1000;"
                )
            }
            2 | 3 => self.select(),
            4 => {
                let value = self.expression(Type::Int, 2);
                let handle = self.fresh("h");
                let between = self.statements(2);
                let name = self.name();
                self.declare(name.clone(), Type::Int, false);
                format!(
                    "let {handle} = ctx.start(give({value}));\n{between}\nlet {name} = {handle}.await?;"
                )
            }
            5 | 6 => {
                let call = self.workflow_call();
                let name = self.name();
                self.declare(name.clone(), Type::Int, false);
                format!("let {name} = {call}.await?;")
            }
            _ => self.part(),
        }
    }

    /// A call of another workflow: inline, or as a child.
    pub(super) fn workflow_call(&mut self) -> String {
        let value = self.expression(Type::Int, 2);
        self.pick(&["inline_sum(ctx, ", "child_sum("]).to_owned() + &value + ")"
    }

    fn select(&mut self) -> String {
        let ty = self.pick(&[Type::Int, Type::Text]);
        // In the function as written the first is the one.
        let (operation, bound) = if self.chance(50) {
            (
                "ctx.wait_for_signal::<i64>(\"s\", Duration::from_secs(1))".to_owned(),
                "unwrap_or(3)",
            )
        } else {
            (
                format!("give({})", self.expression(Type::Int, 2)),
                "unwrap()",
            )
        };
        let arm = self.scoped(|g| {
            let name = g.name();
            g.declare(name.clone(), Type::Int, false);
            format!(
                "{name} => {{ let {name} = {name}.{bound}; {} }}",
                g.value_block(ty, 2)
            )
        });
        let (name, arm) = arm.split_once(" => ").expect("it has an arm");
        let other = self.value_block(ty, 2);
        let result = self.name();
        self.declare(result.clone(), ty, false);
        format!(
            "let {result} = select! {{ {name} = {operation} => {arm} slept = ctx.sleep(Duration::from_secs(1)) => {other} }};"
        )
    }

    /// The text is taken out of a pair, whose number is used after an await.
    fn part(&mut self) -> String {
        let loops = self.loops.len();
        let orders = self.visible(|v| v.ty == Type::Order && v.is_owned() && v.loops == loops);
        if self.plain == 0 && !orders.is_empty() && self.chance(60) {
            let index = self.pick(&orders);
            self.variables[index].moved = true;
            let order = self.variables[index].name.clone();
            let value = self.expression(Type::Int, 2);
            let (name, items) = (self.fresh("v"), self.fresh("v"));
            self.declare(name.clone(), Type::Text, false);
            self.declare(items.clone(), Type::Ints, true);
            return format!(
                "let mut {items} = {order}.items;\nnote(give({value}).await? + {order}.id);\nlet {name} = {order}.name;"
            );
        }
        let pairs = self.visible(|v| v.ty == Type::Pair && v.is_owned() && v.loops == loops);
        if self.plain > 0 || pairs.is_empty() {
            return self.declaration();
        }
        let index = self.pick(&pairs);
        self.variables[index].moved = true;
        let pair = self.variables[index].name.clone();
        let value = self.expression(Type::Int, 2);
        let name = self.fresh("v");
        self.declare(name.clone(), Type::Text, false);
        format!("let {name} = {pair}.1;\nnote(give({value}).await? + {pair}.0);")
    }
}
