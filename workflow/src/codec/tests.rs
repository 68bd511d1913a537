use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroI8, NonZeroU32};
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use super::payload::Format;
use super::*;

/// Encodes, decodes and compares; gives the format that was chosen.
#[track_caller]
fn kept<T: Persist + PartialEq + Debug>(value: T) -> Format {
    let payload = encode(&value).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(decode::<T>(&payload).unwrap(), value);
    let sealed = Sealed::seal(&value).unwrap();
    assert_eq!(sealed.open::<T>().unwrap(), value);
    payload.split().0
}

#[track_caller]
fn bincode<T: Persist + PartialEq + Debug>(value: T) {
    assert_eq!(kept(value), Format::Bincode, "{}", shape::<T>().text);
}

#[track_caller]
fn cbor<T: Persist + PartialEq + Debug>(value: T) {
    assert_eq!(kept(value), Format::Cbor, "{}", shape::<T>().text);
}

#[track_caller]
fn text<T: Persist>(expected: &str) {
    assert_eq!(shape::<T>().text, expected);
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Item {
    name: String,
    qty: u32,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Order {
    id: u64,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Decision {
    Pending,
    Approved(String),
    Moved(u8, Option<i64>),
    Rejected { by: String, items: Vec<Item> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Node {
    value: u8,
    next: Option<Box<Node>>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Expr {
    Add(Box<Expr>, Box<Expr>),
    Call { name: String, arguments: Vec<Expr> },
    Number(f64),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(transparent)]
struct Nest(Vec<Nest>);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Meters(f64);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(transparent)]
struct Transparent {
    inner: Item,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Marker;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Generic<T> {
    inner: T,
}

mod ways {
    //! The representations that serde's attributes choose.
    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(tag = "kind")]
    pub(super) enum Internal {
        Unit,
        Newtype(Item),
        Struct { a: u8, b: Option<String> },
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(tag = "t", content = "c")]
    pub(super) enum Adjacent {
        Unit,
        Newtype(u64),
        Tuple(u8, u8),
        Struct { a: f32 },
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(untagged)]
    pub(super) enum Untagged {
        Number(i64),
        Text(String),
        Pair { a: u8, b: u8 },
        List(Vec<Untagged>),
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    pub(super) struct Flat {
        pub(super) id: u64,
        #[serde(flatten)]
        pub(super) item: Item,
        #[serde(flatten)]
        pub(super) rest: HashMap<String, serde_json::Value>,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
    pub(super) struct Skips {
        pub(super) a: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) b: Option<u32>,
        pub(super) c: String,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    pub(super) enum SkipsInVariant {
        V {
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            a: Vec<u8>,
            b: u8,
        },
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
    pub(super) struct Skipped {
        pub(super) a: u8,
        #[serde(skip)]
        pub(super) cache: Option<String>,
        pub(super) b: u8,
    }

    /// Positions differ between writing and reading, so bincode must never be used, whatever the
    /// first value is.
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
    pub(super) struct NotWritten {
        #[serde(skip_serializing, default)]
        pub(super) a: Vec<u8>,
        pub(super) b: Vec<u8>,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    pub(super) enum VariantSkipped {
        A,
        #[serde(skip)]
        #[allow(dead_code)]
        Hidden,
        B,
        C,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(rename_all = "kebab-case")]
    pub(super) struct Renamed {
        #[serde(alias = "aged", alias = "zebra")]
        pub(super) old_name: u8,
        #[serde(default)]
        pub(super) other_name: u16,
        #[serde(with = "as_text")]
        pub(super) number: u32,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    pub(super) enum Aliased {
        #[serde(alias = "Alpha", alias = "Z")]
        A,
        #[serde(alias = "Beta")]
        B(u8),
        C,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(try_from = "u8", into = "u8")]
    pub(super) struct Even(u8);

    impl Even {
        pub(super) fn new(half: u8) -> Even {
            Even(half * 2)
        }
    }

    impl TryFrom<u8> for Even {
        type Error = String;
        fn try_from(n: u8) -> Result<Even, String> {
            if n.is_multiple_of(2) {
                Ok(Even(n))
            } else {
                Err(format!("{n} is odd"))
            }
        }
    }

    impl From<Even> for u8 {
        fn from(even: Even) -> u8 {
            even.0
        }
    }

    pub(super) mod as_text {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(n: &u32, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(n)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
            String::deserialize(d)?
                .parse()
                .map_err(serde::de::Error::custom)
        }
    }
}
use ways::*;

/// As serde_bytes does it.
#[derive(Debug, PartialEq, Clone)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Blob;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// Written by hand, refusing the empty string as dates and URLs do.
#[derive(Debug, PartialEq, Clone)]
struct Code(String);

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        struct Letters;
        impl serde::de::Visitor<'_> for Letters {
            type Value = Code;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a code of the form `code-…`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Code, E> {
                match text.starts_with("code-") {
                    true => Ok(Code(text.to_string())),
                    false => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_str(Letters)
    }
}

fn item(name: &str, qty: u32) -> Item {
    Item {
        name: name.to_string(),
        qty,
    }
}

fn list(len: usize) -> Option<Box<Node>> {
    (0..len).fold(None, |next, value| {
        Some(Box::new(Node {
            value: value as u8,
            next,
        }))
    })
}

#[test]
fn plain_types_are_kept_in_bincode() {
    bincode(true);
    bincode(-5i8);
    bincode(u64::MAX);
    bincode(i128::MIN);
    bincode(u128::MAX);
    bincode(f32::MIN_POSITIVE);
    bincode(f64::INFINITY);
    bincode('ß');
    bincode(String::from("text"));
    bincode("x".repeat(10_000));
    bincode(());
    bincode(((1u8,), (2u16, "three".to_string()), [4u8; 32], [0u8; 0]));
    bincode(Some(5u8));
    bincode(Some(None::<u8>));
    bincode(Some(Some(3u8)));
    bincode(Some(()));
    bincode(vec![Some(Some(String::new())), Some(None), None]);
    bincode(Ok::<u8, String>(5));
    bincode(Err::<u8, String>("no".to_string()));
    bincode(Box::new(5u8));
    bincode(VecDeque::from([1u16, 2, 3]));
    bincode(vec![(); 1000]);
    bincode(BTreeSet::from([1u8, 2]));
    bincode(HashSet::from(["a".to_string(), "b".to_string()]));
    bincode(BTreeMap::from([((1u8, "x".to_string()), vec![1u8])]));
    bincode(BTreeMap::from([(Some(false), ())]));
    bincode(
        (0..100)
            .map(|n| (n, format!("value {n}")))
            .collect::<HashMap<u32, String>>(),
    );
    bincode(Duration::new(5, 7));
    bincode(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    bincode(Ipv4Addr::LOCALHOST);
    bincode(IpAddr::V4(Ipv4Addr::LOCALHOST));
    bincode("[::1]:80".parse::<SocketAddr>().unwrap());
    bincode(PathBuf::from("a/b"));
    bincode(Range { start: 1u8, end: 9 });
    bincode(NonZeroU32::new(9).unwrap());
    bincode((NonZeroI8::new(-1).unwrap(), 5u8));
    bincode(PhantomData::<u8>);
    bincode(Blob(vec![1, 2, 3]));
    bincode((Blob(vec![]), 5u8));
    bincode(Code("code-1".to_string()));
    bincode((
        Code("code-1".to_string()),
        5u8,
        vec![Code("code-2".to_string())],
    ));
}

#[test]
fn derived_types_are_kept_in_bincode() {
    bincode(Order {
        id: 1,
        items: vec![item("a", 1), item("b", 2)],
    });
    for decision in [
        Decision::Pending,
        Decision::Approved("me".to_string()),
        Decision::Moved(1, Some(-1)),
        Decision::Rejected {
            by: "you".to_string(),
            items: vec![item("a", 1)],
        },
    ] {
        bincode(decision.clone());
        bincode(vec![(decision, 1u8)]);
    }
    bincode(Meters(1.5));
    bincode(Transparent {
        inner: item("a", 1),
    });
    bincode(Marker);
    bincode(Pair(1, "x".to_string()));
    bincode(Generic {
        inner: Generic { inner: Some(5u8) },
    });
    bincode(Node {
        value: 1,
        next: list(50),
    });
    bincode(Nest(vec![Nest(vec![]), Nest(vec![Nest(vec![])])]));
    bincode(Expr::Add(
        Box::new(Expr::Number(f64::NEG_INFINITY)),
        Box::new(Expr::Call {
            name: "f".to_string(),
            arguments: vec![Expr::Number(2.0)],
        }),
    ));
    bincode(Skipped {
        a: 1,
        cache: None,
        b: 2,
    });
    bincode(Renamed {
        old_name: 1,
        other_name: 2,
        number: 3,
    });
    bincode(vec![Aliased::A, Aliased::B(1), Aliased::C]);
    bincode(Even::new(4));
}

#[test]
fn nan_comes_back() {
    for bits in [
        f64::NAN.to_bits(),
        (-f64::NAN).to_bits(),
        0x7ff8_0000_0000_0001,
    ] {
        let payload = encode(&f64::from_bits(bits)).unwrap();
        assert_eq!(decode::<f64>(&payload).unwrap().to_bits(), bits);
        let mixed = encode(&(f64::from_bits(bits), json!({}))).unwrap();
        let (back, _) = decode::<(f64, serde_json::Value)>(&mixed).unwrap();
        assert_eq!(back.to_bits(), bits);
    }
}

#[test]
fn self_describing_types_are_kept_in_cbor() {
    for value in [
        json!(null),
        json!(-1),
        json!(1.5),
        json!(1.0),
        json!(u64::MAX),
        json!("x".repeat(10_000)),
        json!({"a": [1, {"b": null}], "c": {}}),
    ] {
        cbor(value.clone());
        cbor((value.clone(), 1u8));
        cbor(vec![Some(json!([value]))]);
    }
    for value in [
        Internal::Unit,
        Internal::Newtype(item("a", 1)),
        Internal::Struct { a: 1, b: None },
        Internal::Struct {
            a: 1,
            b: Some("b".to_string()),
        },
    ] {
        cbor(value.clone());
        cbor(Generic { inner: vec![value] });
    }
    for value in [
        Adjacent::Unit,
        Adjacent::Newtype(5),
        Adjacent::Tuple(1, 2),
        Adjacent::Struct { a: 0.5 },
    ] {
        cbor(value.clone());
        cbor(Some(value));
    }
    for value in [
        Untagged::Number(-5),
        Untagged::Text("x".to_string()),
        Untagged::Pair { a: 1, b: 2 },
        Untagged::List(vec![Untagged::Number(1), Untagged::List(vec![])]),
    ] {
        cbor(value.clone());
        cbor((value, i128::MIN, u128::MAX, 'ß'));
    }
    cbor(Flat {
        id: 1,
        item: item("a", 2),
        rest: HashMap::from([("x".to_string(), json!(1)), ("y".to_string(), json!("z"))]),
    });
}

#[test]
fn a_present_nothing_is_told_from_nothing_in_cbor_too() {
    #[track_caller]
    fn marked<T: Persist + PartialEq + Debug>(value: T) {
        assert_eq!(kept(value), Format::CborMarked);
    }
    marked(Some(json!(null)));
    cbor(None::<serde_json::Value>);
    marked((Some(None::<u8>), json!(1)));
    marked((
        Some(()),
        Some(Some(5u8)),
        None::<u8>,
        json!([null, {"a": null}]),
    ));
    marked(BTreeMap::from([
        ("a".to_string(), Some(json!(null))),
        ("b".to_string(), None),
    ]));
    marked((Some(None::<u8>), Internal::Struct { a: 1, b: None }));
}

#[test]
fn the_format_is_chosen_for_each_value() {
    let whole = Skips {
        a: 1,
        b: Some(2),
        c: "c".to_string(),
    };
    let short = Skips {
        b: None,
        ..whole.clone()
    };
    bincode(whole.clone());
    cbor(short.clone());
    bincode(vec![whole.clone(), whole.clone()]);
    cbor(vec![whole.clone(), short]);
    bincode(whole);
    cbor(SkipsInVariant::V { a: vec![], b: 1 });
    bincode(SkipsInVariant::V { a: vec![1], b: 1 });
}

#[test]
fn what_is_written_elsewhere_than_it_is_read_is_never_bincode() {
    // The empty list would come back by bincode, and spoil the check of the next one.
    cbor(vec![NotWritten {
        a: vec![],
        b: vec![],
    }]);
    cbor(NotWritten {
        a: vec![],
        b: vec![1, 2],
    });
    bincode(VariantSkipped::A);
    cbor(VariantSkipped::B);
    cbor(VariantSkipped::C);
    bincode(VariantSkipped::A);
}

#[test]
fn depth_is_bounded_at_the_first_save() {
    bincode(Node {
        value: 0,
        next: list(bounds::MAX_DEPTH / 2 - 1),
    });
    let deep = Node {
        value: 0,
        next: list(bounds::MAX_DEPTH),
    };
    let error = encode(&deep).unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

#[test]
fn what_does_not_come_back_is_refused() {
    /// Writes a number and reads one more.
    #[derive(Debug)]
    struct Drifts(u8);
    impl Serialize for Drifts {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }
    impl<'de> Deserialize<'de> for Drifts {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Drifts, D::Error> {
            Ok(Drifts(u8::deserialize(deserializer)?.wrapping_add(1)))
        }
    }
    let error = encode(&Drifts(1)).unwrap_err();
    assert!(matches!(error, CodecError::NotRestored { .. }), "{error}");
    assert!(
        error.to_string().contains("Drifts` does not come back"),
        "{error}"
    );

    /// What serde derives cannot refuse, a hand-written impl may.
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the connection is open"))
        }
    }
    impl<'de> Deserialize<'de> for Refuses {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Refuses, D::Error> {
            Ok(Refuses)
        }
    }
    let error = encode(&Refuses).unwrap_err();
    assert!(matches!(error, CodecError::Encode { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("Refuses` cannot be encoded: the connection is open")
    );
}

#[test]
fn a_borrowed_view_is_read_back_as_its_owner() {
    let payload = encode_as::<(String, Vec<u8>), _>(&("x", [1u8, 2].as_slice())).unwrap();
    assert_eq!(
        decode::<(String, Vec<u8>)>(&payload).unwrap(),
        ("x".to_string(), vec![1, 2])
    );
    let sealed = Sealed::seal_as::<String, str>("text").unwrap();
    assert_eq!(sealed.open::<String>().unwrap(), "text");
    assert!(matches!(
        encode_as::<Vec<u8>, _>(&(true, "x")),
        Err(CodecError::NotRestored { .. })
    ));
}

#[test]
fn shapes_read_as_the_type() {
    text::<u8>("u8");
    text::<(String, char, f64)>("(String, char, f64)");
    text::<[u8; 32]>("[u8; 32]");
    text::<()>("()");
    text::<BTreeMap<String, Vec<Option<i128>>>>("{String: [Option<i128>]}");
    text::<Order>("Order { id: u64, items: [Item { name: String, qty: u32 }] }");
    text::<Decision>(
        "enum Decision { Pending, Approved(String), Moved(u8, Option<i64>), \
         Rejected { by: String, items: [Item { name: String, qty: u32 }] } }",
    );
    text::<Node>("Node { value: u8, next: Option<Node(^)> }");
    text::<Nest>("[(^)]");
    text::<Expr>(
        "enum Expr { Add(Expr(^), Expr(^)), Call { name: String, arguments: [Expr(^)] }, \
         Number(f64) }",
    );
    text::<Meters>("Meters(f64)");
    text::<Transparent>("Item { name: String, qty: u32 }");
    text::<Marker>("Marker");
    text::<Pair>("Pair(u8, String)");
    text::<Generic<Generic<u8>>>("Generic { inner: Generic { inner: u8 } }");
    text::<Result<u8, ()>>("enum Result { Ok(u8), Err(()) }");
    text::<Duration>("Duration { secs: u64, nanos: u32 }");
    text::<SystemTime>("SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }");
    text::<Range<u8>>("Range { start: u8, end: u8 }");
    text::<NonZeroU32>("u32");
    text::<(NonZeroU32, NonZeroI8)>("(u32, i8)");
    text::<IpAddr>("enum IpAddr { V4((u8, u8, u8, u8)), V6([u8; 16]) }");
    text::<PathBuf>("String");
    text::<Blob>("bytes");
    text::<Code>("String as Code");
    text::<Vec<Code>>("[String as Code]");
    text::<(u8, Code, u16)>("(u8, String as Code, …)");
    text::<serde_json::Value>("any as Value");
    text::<Generic<serde_json::Value>>("Generic { inner: any as Value }");
    text::<Internal>("any as Internal");
    text::<Vec<Untagged>>("[any as Untagged]");
    text::<Flat>("flattened as Flat");
    text::<Adjacent>(
        "Adjacent { t: enum Adjacent { Unit, Newtype, Tuple, Struct }, c: any as Content }",
    );
    text::<Skips>("Skips { a: u8, b: Option<u32>, c: String }");
    text::<Skipped>("Skipped { a: u8, b: u8 }");
    text::<Renamed>("Renamed { aged|old-name|zebra: u8, other-name: u16, number: String }");
    text::<Aliased>("enum Aliased { A|Alpha|Z, B|Beta(u8), C }");
    text::<Even>("u8");
}

#[test]
fn hashes_never_change() {
    // From SipHash-1-3 written apart from this crate; saved runs hold such hashes.
    assert_eq!(hash_text(""), 15006856192026106283);
    assert_eq!(hash_text("Order { id: u64 }"), 12835407166810272072);
    assert_eq!(shape::<Order>().hash, 1922713206590220874);
    assert_eq!(shape::<Order>().hash, hash_text(&shape::<Order>().text));
}

/// Every edit of `Item` that moves bytes or meanings gives another shape; where it stands does not.
#[test]
fn an_edit_changes_the_shape() {
    macro_rules! edits {
        ($($(#[$attribute:meta])* $edit:ident => { $($body:tt)* },)*) => {[$({
            mod $edit {
                #[derive(serde::Serialize, serde::Deserialize)]
                pub(super) struct Holder { pub(super) kept: Thing }
                #[derive(serde::Serialize, serde::Deserialize)]
                $($body)*
            }
            shape::<$edit::Holder>()
        }),*]};
    }
    let shapes = edits! {
        original => { pub(super) struct Thing { a: u8, b: String } },
        renamed => { pub(super) struct Thing { a: u8, c: String } },
        reordered => { pub(super) struct Thing { b: String, a: u8 } },
        retyped => { pub(super) struct Thing { a: u16, b: String } },
        added => { pub(super) struct Thing { a: u8, b: String, c: Option<u8> } },
        removed => { pub(super) struct Thing { a: u8 } },
        tuple => { pub(super) struct Thing(u8, String); },
        one => { pub(super) enum Thing { A, B } },
        more => { pub(super) enum Thing { A, B, C } },
        swapped => { pub(super) enum Thing { B, A } },
        payload => { pub(super) enum Thing { A, B(u8) } },
        named => { pub(super) enum Thing { A, B { x: u8 } } },
    };
    let hashes: HashSet<u64> = shapes.iter().map(|shape| shape.hash).collect();
    assert_eq!(hashes.len(), shapes.len(), "{shapes:#?}");

    let [moved] = edits! { elsewhere => { pub(super) struct Thing { a: u8, b: String } }, };
    assert_eq!(moved, shapes[0]);
}

#[test]
fn types_that_use_each_other_many_times_are_traced_in_time() {
    macro_rules! tower {
        ($top:ident) => {
            #[derive(Serialize, Deserialize)]
            struct $top { a: u8, b: (u8, u8) }
        };
        ($top:ident $next:ident $($rest:ident)*) => {
            #[derive(Serialize, Deserialize)]
            struct $top { a: Box<$next>, b: (Box<$next>, Box<$next>), c: Option<Vec<$next>> }
            tower!($next $($rest)*);
        };
    }
    tower!(A B C D E F G H I J K L M N O P Q R S T);
    let shape = shape::<A>();
    assert!(
        shape.text.contains('…') && shape.text.len() < 200_000,
        "{}",
        shape.text.len()
    );
}

/// An enum of more variants than are told apart, none of which its visitor takes.
#[test]
fn a_huge_enum_is_no_more_than_unsure() {
    #[derive(Debug, PartialEq)]
    struct Huge;
    impl Serialize for Huge {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit_variant("Huge", 1999, "v")
        }
    }
    impl<'de> Deserialize<'de> for Huge {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Huge, D::Error> {
            struct Never;
            impl<'de> serde::de::Visitor<'de> for Never {
                type Value = Huge;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("the last variant")
                }
                fn visit_enum<A: serde::de::EnumAccess<'de>>(
                    self,
                    data: A,
                ) -> Result<Huge, A::Error> {
                    let (index, access) = data.variant::<u32>()?;
                    serde::de::VariantAccess::unit_variant(access)?;
                    assert_eq!(index, 1999);
                    Ok(Huge)
                }
            }
            deserializer.deserialize_enum("Huge", &["v"; 2000], Never)
        }
    }
    assert!(
        shape::<(Huge, u8)>()
            .text
            .starts_with("(enum Huge { v(…), v(…)")
    );
    assert!(decode::<Huge>(&Payload::from_bytes([1, 251, 207, 7]).unwrap()).is_ok());
}

#[test]
fn another_shape_is_refused_naming_both() {
    let sealed = Sealed::seal(&item("a", 1)).unwrap();
    let error = sealed.open::<Order>().unwrap_err().to_string();
    assert!(
        error.contains("`Item { name: String, qty: u32 }`"),
        "{error}"
    );
    assert!(
        error.contains("Order`, which is `Order { id: u64, items: ["),
        "{error}"
    );
    assert!(matches!(
        sealed.to_json::<Order>(),
        Err(CodecError::Shape { .. })
    ));

    let unknown = Sealed { shape: 7, ..sealed };
    let error = unknown.open::<Item>().unwrap_err().to_string();
    assert!(
        error.contains("written as shape 0000000000000007"),
        "{error}"
    );
}

#[test]
fn json_for_people() {
    let order = Order {
        id: 1,
        items: vec![item("a", 2)],
    };
    let json = json!({"id": 1, "items": [{"name": "a", "qty": 2}]});
    assert_eq!(to_json::<Order>(&encode(&order).unwrap()).unwrap(), json);
    assert_eq!(
        Sealed::seal(&order).unwrap().to_json::<Order>().unwrap(),
        json
    );
    let keyed = encode(&BTreeMap::from([((1u8, 2u8), 3u8)])).unwrap();
    let error = to_json::<BTreeMap<(u8, u8), u8>>(&keyed).unwrap_err();
    assert!(matches!(error, CodecError::Json { .. }), "{error}");
}

#[test]
fn a_sent_value_is_resealed_as_the_receivers_type() {
    #[derive(Serialize)]
    struct Sender<'a> {
        name: &'a str,
        qty: u8,
    }
    #[track_caller]
    fn sent<T: Persist + PartialEq + Debug>(value: impl Serialize, expected: T) {
        let sealed = reseal::<T>(&encode_open(&value).unwrap()).unwrap();
        assert_eq!(sealed.open::<T>().unwrap(), expected);
    }
    sent(Sender { name: "a", qty: 1 }, item("a", 1));
    sent(json!({"qty": 1, "name": "a"}), item("a", 1));
    sent(json!(true), true);
    sent(json!(5), 5.0f64);
    sent(json!("127.0.0.1"), Ipv4Addr::LOCALHOST);
    sent(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST);
    sent(json!({"1": "x"}), BTreeMap::from([(1u8, "x".to_string())]));
    sent(
        BTreeMap::from([((1u8, 2u8), f64::INFINITY)]),
        BTreeMap::from([((1u8, 2u8), f64::INFINITY)]),
    );
    sent(
        json!({"Rejected": {"by": "x", "items": []}}),
        Decision::Rejected {
            by: "x".to_string(),
            items: vec![],
        },
    );
    sent(json!("Pending"), Decision::Pending);

    for wrong in [
        json!("yes"),
        json!(1),
        json!({}),
        json!([true]),
        json!(null),
    ] {
        let error = reseal::<bool>(&encode_open(&wrong).unwrap()).unwrap_err();
        assert!(matches!(error, CodecError::Sent { .. }), "{error}");
        assert!(error.to_string().contains("not a `bool`"), "{error}");
    }
    let error = reseal::<Item>(&encode_open(&json!({"name": "a"})).unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("missing field `qty`; expected `Item {"),
        "{error}"
    );
    assert!(reseal::<u8>(&encode_open(&300).unwrap()).is_err());

    let mut trailing = encode_open(&true).unwrap().as_bytes().to_vec();
    trailing.push(0);
    assert!(reseal::<bool>(&Payload::from_bytes(trailing).unwrap()).is_err());
}

#[test]
fn payloads_stand_in_both_formats_and_json() {
    let sealed = Sealed::seal(&item("a", 1)).unwrap();
    bincode(sealed.clone());
    cbor((sealed.clone(), json!(1)));
    let json = serde_json::to_string(&sealed).unwrap();
    assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
    let bytes = encode_record(&sealed).unwrap();
    assert_eq!(decode_record::<Sealed>(&bytes).unwrap(), sealed);
    assert_eq!(format!("{:?}", sealed.payload), "Payload(Bincode, 4 bytes)");
    assert_eq!(sealed.payload.len(), sealed.payload.as_bytes().len());
}

#[test]
fn records_are_read_strictly() {
    let record = (1u8, vec!["a".to_string()], Some(5u64));
    let bytes = encode_record(&record).unwrap();
    type Record = (u8, Vec<String>, Option<u64>);
    assert_eq!(decode_record::<Record>(&bytes).unwrap(), record);
    for cut in 0..bytes.len() {
        let error = decode_record::<Record>(&bytes[..cut]).unwrap_err();
        assert_eq!(matches!(error, CodecError::Empty), cut == 0, "{error}");
    }
    let longer = [bytes, vec![0]].concat();
    let error = decode_record::<Record>(&longer).unwrap_err();
    assert!(
        error.to_string().contains("1 bytes are left over"),
        "{error}"
    );
    assert_eq!(
        Payload::from_bytes(vec![9, 1]),
        Err(CodecError::UnknownFormat(9))
    );
    assert_eq!(Payload::from_bytes(vec![]), Err(CodecError::Empty));
}

#[test]
fn a_huge_length_takes_no_memory() {
    // bincode's varint: 253 is followed by a u64.
    let huge = [&[1u8, 253][..], &(1u64 << 60).to_le_bytes()].concat();
    assert!(decode_record::<String>(&huge).is_err());
    assert!(decode_record::<Vec<u64>>(&huge).is_err());
    assert!(decode_record::<Vec<()>>(&huge).is_err());
    assert!(decode_record::<Blob>(&huge).is_err());
    assert!(decode_record::<HashMap<String, u8>>(&huge).is_err());
    // CBOR: a string, bytes, an array and a map with a length in eight bytes.
    for major in [0x7b, 0x5b, 0x9b, 0xbb] {
        let huge = [&[2u8, major][..], &(1u64 << 60).to_be_bytes()].concat();
        assert!(decode_record::<String>(&huge).is_err());
        assert!(decode_record::<Vec<u64>>(&huge).is_err());
        assert!(decode_record::<Blob>(&huge).is_err());
        assert!(decode_record::<serde_json::Value>(&huge).is_err());
    }
}

#[test]
fn damaged_recursion_does_not_exhaust_the_stack() {
    /// Could be read for ever: CBOR writes nothing for an option or a newtype.
    #[derive(Serialize, Deserialize, Debug)]
    struct Peano(#[allow(dead_code)] Option<Box<Peano>>);

    for format in [Format::Bincode, Format::Cbor] {
        for byte in [0x00, 0x01, 0x81, 0xa1] {
            let mut bytes = vec![byte; 1 << 20];
            bytes[0] = format as u8;
            assert!(decode_record::<Peano>(&bytes).is_err());
            assert!(decode_record::<Node>(&bytes).is_err());
            assert!(decode_record::<Nest>(&bytes).is_err());
            assert!(decode_record::<Expr>(&bytes).is_err());
            assert!(decode_record::<serde_json::Value>(&bytes).is_err());
        }
    }
}

fn read_as_anything(bytes: &[u8]) {
    let Ok(payload) = Payload::from_bytes(bytes) else {
        return;
    };
    let _ = decode::<Order>(&payload);
    let _ = decode::<Decision>(&payload);
    let _ = decode::<Expr>(&payload);
    let _ = decode::<Node>(&payload);
    let _ = decode::<Nest>(&payload);
    let _ = decode::<Flat>(&payload);
    let _ = decode::<Internal>(&payload);
    let _ = decode::<Adjacent>(&payload);
    let _ = decode::<Untagged>(&payload);
    let _ = decode::<serde_json::Value>(&payload);
    let _ = decode::<HashMap<String, (u128, char, f32)>>(&payload);
    let _ = decode::<(Duration, SystemTime, IpAddr, Blob, Sealed)>(&payload);
    let _ = reseal::<Order>(&payload);
    let _ = reseal::<BTreeMap<u8, Untagged>>(&payload);
}

proptest! {
    #[test]
    fn no_bytes_panic(format in 1u8..=2, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_as_anything(&[vec![format], body].concat());
    }

    #[test]
    fn no_damage_panics(
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let decision = Decision::Rejected { by: "x".repeat(30), items: vec![item("a", 1); 3] };
        let whole = [
            encode(&decision).unwrap(),
            encode_open(&decision).unwrap(),
            encode_open(&json!({"id": 1, "name": "a", "qty": 1, "rest": [{"t": "Tuple", "c": [1, 2]}]})).unwrap(),
        ];
        for payload in whole {
            let mut bytes = payload.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            read_as_anything(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            read_as_anything(&bytes);
        }
    }

    #[test]
    fn nested_values_come_back(
        ids in proptest::collection::vec((any::<u64>(), any::<Option<Option<i16>>>()), 0..20),
        map in proptest::collection::hash_map(any::<String>(), any::<(f32, char)>(), 0..20),
    ) {
        prop_assume!(map.values().all(|(float, _)| !float.is_nan()));
        bincode((ids, map.clone()));
        cbor((map, json!({"a": 1})));
    }
}
