//! References that are collected and arranged, and parts of texts.

use super::{Generator, Type};

impl Generator {
    /// A list of references, arranged, and a loop over it.
    pub(super) fn arranged(&mut self) -> String {
        let ty = self.pick(&[Type::Ints, Type::Ints, Type::Set, Type::Deque, Type::Map]);
        let (index, declared) = self.changeable(ty);
        let of = self.variables[index].name.clone();
        let (list, least) = (self.fresh("refs"), self.below(4));
        let (pattern, item) = (self.fresh("v"), self.fresh("v"));
        let is_map = ty == Type::Map;
        let (item_type, collects) = match (is_map, self.below(4)) {
            (true, 0) => ("(i64, &String)", ".iter().map(|(k, x)| (*x, k))".to_owned()),
            (true, _) => ("(&i64, &String)", ".iter().map(|(k, x)| (x, k))".to_owned()),
            (_, 0) => ("&i64", format!(".iter().filter(|x| **x > {least})")),
            (_, 1) => (
                "&i64",
                format!(".iter().filter_map(|x| (*x > {least}).then_some(x))"),
            ),
            (_, 2) => ("&i64", ".iter().zip(1..).map(|(x, _)| x)".to_owned()),
            _ => ("&i64", ".iter()".to_owned()),
        };
        let steps = self.below(4);
        let mutable = if steps > 0 { "mut " } else { "" };
        let mut text =
            format!("let {mutable}{list}: Vec<{item_type}> = {of}{collects}.collect();\n");
        for _ in 0..steps {
            let arranges = match self.below(6) {
                0 => "sort()".to_owned(),
                1 => "reverse()".to_owned(),
                2 => "dedup()".to_owned(),
                3 => format!("truncate({least})"),
                4 if is_map => "sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(&b.0)))".to_owned(),
                4 => "sort_by_key(|x| std::cmp::Reverse(**x % 5))".to_owned(),
                _ => "sort_unstable()".to_owned(),
            };
            text += &format!("{list}.{arranges};\n");
        }
        // In the last loop the list is taken, and what it refers to may change on the way out.
        let loops = if self.chance(50) {
            &[true][..]
        } else {
            &[false, true]
        };
        for &is_last in loops {
            let (label, prefix) = self.label();
            let body = self.in_loop(label, None, |g| {
                match item_type {
                    "(i64, &String)" => g.declare(pattern.clone(), Type::Int, false),
                    _ => g.declare_over(pattern.clone(), Type::Int, vec![index]),
                }
                if is_map {
                    g.declare_over(item.clone(), Type::Text, vec![index]);
                }
                g.as_long_as_it_goes_on(index);
                let leaves = is_last && g.chance(60);
                let mut text = g.statements(2);
                if leaves {
                    text += &g.leaving(index, ty);
                    text.push('\n');
                }
                text + &g.statements(2)
            });
            let over = if is_last {
                list.clone()
            } else {
                format!("{list}.iter().copied()")
            };
            let pattern = if is_map {
                format!("({pattern}, {item})")
            } else {
                pattern.clone()
            };
            text += &format!("{prefix}for {pattern} in {over} {{\n{body}}}\n");
        }
        format!("{declared}{text}")
    }

    /// Parts of a text, which are looked at after other code.
    pub(super) fn text_parts(&mut self) -> String {
        let (index, declared) = self.referent(Type::Text);
        let of = self.variables[index].name.clone();
        let part = self.fresh("part");
        if self.chance(50) {
            let parts = self.pick(&[
                ".split('t')",
                ".split('r').rev()",
                ".split_whitespace()",
                ".lines()",
                ".trim().split(' ').skip(1)",
            ]);
            let (label, prefix) = self.label();
            let body = self.in_loop(label, None, |g| {
                g.look_into(index);
                g.statements(3)
            });
            return format!(
                "{declared}{prefix}for {part} in {of}{parts}.take(3) {{\nnote({part});\n{body}note({part}.len());\n}}"
            );
        }
        let value = self.pick(&[
            ".trim()",
            ".split_once('t').map_or(\"none\", |(_, part)| part)",
            ".strip_prefix(\"t\").unwrap_or(\"none\")",
            ".as_str()",
            ".get(1..).unwrap_or(\"none\")",
        ]);
        let body = self.scoped(|g| {
            g.look_into(index);
            g.block(3)
        });
        format!("{declared}let {part} = {of}{value};\n{body}\nnote({part});")
    }
}
