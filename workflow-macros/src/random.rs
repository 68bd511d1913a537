//! The macros never panic: random token streams, and valid functions with random mistakes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::{activity, workflow};

/// A random sequence that is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // The constants of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn token(&mut self, words: &[TokenTree], depth: usize) -> TokenTree {
        if depth < 4 && self.below(5) == 0 {
            let delimiter = [
                Delimiter::Brace,
                Delimiter::Bracket,
                Delimiter::Parenthesis,
                Delimiter::None,
            ][self.below(4)];
            let length = self.below(6);
            let inner = (0..length).map(|_| self.token(words, depth + 1)).collect();
            return Group::new(delimiter, inner).into();
        }
        words[self.below(words.len())].clone()
    }

    /// Some tokens deleted, doubled, exchanged or replaced.
    fn mutated(&mut self, tokens: TokenStream, words: &[TokenTree]) -> TokenStream {
        let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for _ in 0..=self.below(2) {
            if tokens.is_empty() {
                break;
            }
            let at = self.below(tokens.len());
            match (self.below(8), &tokens[at]) {
                (0, _) => drop(tokens.remove(at)),
                (1, _) => tokens.insert(at, tokens[at].clone()),
                (2, _) => {
                    let other = self.below(tokens.len());
                    tokens.swap(at, other);
                }
                (3, _) => tokens.insert(at, self.token(words, 2)),
                (_, TokenTree::Group(group)) => {
                    let inner = self.mutated(group.stream(), words);
                    tokens[at] = Group::new(group.delimiter(), inner).into();
                }
                _ => tokens[at] = self.token(words, 2),
            }
        }
        tokens.into_iter().collect()
    }
}

const WORDS: &str = "async fn let mut if else match while loop for in return break continue move ref \
    unsafe const static struct use impl as where await x y z ctx give Some Ok None Err Vec i64 \
    self Self crate super _ format vec println assert matches join select join_all start sleep \
    wait_for_signal 'a 'b 1 2.5 \"a {x} b\" 'c' true + - * / % & | ^ ! = < > . , ; : ? @ # $ ~ \
    == != <= >= => -> :: .. ..= && || += __local0__x __await0 __jump __uses r#type";

/// What the accepted language has.
const FUNCTIONS: [&str; 6] = [
    "async fn run(ctx: &mut Context, x: i64) -> Result<i64, E> {
        let y = give(x).await?; if y > 1 { give(y).await?; } else { return Ok(2); } Ok(x + y)
    }",
    "async fn run(items: Vec<String>, (a, b): (u8, u8)) -> Result<Vec<u8>, E> {
        let mut all = Vec::new();
        'a: for item in items { loop { if f(&item).await? { continue 'a; } break; } all.push(a); }
        for (i, n) in all.iter().enumerate() { g(i, *n).await?; }
        Ok(all)
    }",
    "async fn run(ctx: &mut Context, x: Option<i64>) -> Result<i64, E> {
        let Some(n) = x else { return Err(f(1).await?) };
        let name = format!(\"{n:?} {}\", g(n).await?);
        while let Ok(m) = ctx.wait_for_signal::<i64>(\"m\", D).await { assert!(m > n, \"{name}\"); }
        match &name[..] { \"a\" | \"b\" => h(name.len()).await, _ if n > 3 => { ctx.sleep(D).await?; Ok(1) } _ => Ok(n) }
    }",
    "async fn run(ctx: &mut Context, x: i64) -> Result<i64, E> {
        let (a, b) = join!(f(x), g(x + 1)); let c = ctx.start(f(x));
        let mut t = S { x: a?, y: vec![b?, c.await?], ..h(x).await? };
        t.y[0] += { t.x = 5; f(t.x).await? };
        let first = &t.y[0]; f(*first).await?;
        select! { m = f(1) => Ok(m?), _ = ctx.sleep(D) => { let z = f(2).await?; Ok(z) } }
    }",
    "#[allow(x)] pub async fn run<T: A>(mut order: Order<T>) -> Result<(), E> where T: B {
        use a::{b as c, d::*}; const N: u8 = 1;
        let Order { id, name: ref n, .. } = order; let f = |y| y + id;
        let v = 'o: { if c(f(1)).await? && !d().await? || id > 2 { break 'o 1 } 2 };
        Ok(println!(\"{v} {n}\"))
    }",
    "/// docs
    async fn run(ctx: ActivityContext, a: &str, b: Vec<u8>) -> Result<String, ActivityError> { Ok(a.into()) }",
];

fn expand(item: &TokenStream, options: &TokenStream) {
    workflow::expand(options.clone(), item.clone());
    activity::expand(options.clone(), item.clone());
}

fn never_panics(rounds: u32, mut item: impl FnMut(&[TokenTree]) -> TokenStream) {
    let words: Vec<TokenTree> = WORDS.parse::<TokenStream>().unwrap().into_iter().collect();
    for round in 0..rounds {
        let item = item(&words);
        let caught = std::panic::catch_unwind(|| expand(&item, &TokenStream::new()));
        assert!(caught.is_ok(), "round {round}: {item}");
    }
}

#[test]
fn random_tokens_never_panic() {
    let head = "async fn run(ctx: &mut Context, x: i64) -> Result<i64, E>";
    let head: TokenStream = head.parse().unwrap();
    let mut random = Random(1);
    never_panics(50_000, |words| {
        let length = random.below(20);
        let body = (0..length).map(|_| random.token(words, 0)).collect();
        let body = TokenTree::from(Group::new(Delimiter::Brace, body));
        head.clone().into_iter().chain([body]).collect()
    });
}

#[test]
fn mutated_functions_never_panic() {
    let functions = FUNCTIONS.map(|text| text.parse::<TokenStream>().unwrap());
    let mut random = Random(2);
    never_panics(50_000, |words| {
        let function = functions[random.below(functions.len())].clone();
        random.mutated(function, words)
    });
}

#[test]
fn random_options_never_panic() {
    let words: Vec<TokenTree> = WORDS.parse::<TokenStream>().unwrap().into_iter().collect();
    let function: TokenStream = FUNCTIONS[0].parse().unwrap();
    let mut random = Random(3);
    for _ in 0..2_000 {
        let length = random.below(6);
        let options = (0..length).map(|_| random.token(&words, 2)).collect();
        expand(&function, &options);
    }
}

#[test]
fn code_nested_deep_is_refused_and_never_overflows_the_stack() {
    // As much as rustc's threads have.
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(nest).unwrap().join().unwrap();
}

fn nest() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("[", "]"),
        ("f(", ").await"),
        ("if x {", "}"),
        ("!", ""),
        ("&", ""),
        ("x +", ""),
        ("x ||", ""),
        ("", ".await"),
        ("", ".a"),
        ("", "?"),
        ("return ", ""),
        ("if x {} else ", ""),
        ("|| ", ""),
    ] {
        let refused = |depth: usize| {
            let code = format!("{} x {}", open.repeat(depth), close.repeat(depth));
            let item = format!("async fn run(x: i64) -> Result<i64, E> {{ {code} }}");
            let said = workflow::expand(TokenStream::new(), item.parse().unwrap());
            said.to_string().contains("WF0008")
        };
        // The deepest that is let through, somewhere between.
        let deepest = (1..500).rfind(|depth| !refused(*depth));
        assert!(deepest.is_some_and(|depth| depth >= 50), "{open} {close}");
        assert!(refused(1_000), "{open} {close}");
    }
}
