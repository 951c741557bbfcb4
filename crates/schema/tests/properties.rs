//! Properties over a family of descriptions and values, some fitting by construction and some at random.

use ikebana_schema::{
    Dialect, Part, Schema, array, boolean, check, enumeration, integer, literal, nullable, number, object,
    openapi, record, string, tagged_union, union,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const DIALECTS: [Dialect; 4] = [Dialect::ConfigSchema, Dialect::IoTsCases, Dialect::IoTsApm, Dialect::Zod];
const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// A description that can be printed and modelled.
#[derive(Clone, Debug)]
enum Tree {
    Any,
    String { min: usize, max: usize },
    Number { min: i32, max: i32 },
    Integer,
    Boolean,
    Literal(&'static str),
    Enumeration,
    Array { items: Box<Tree>, min: usize, max: usize },
    Record(Box<Tree>),
    Object(Vec<(Presence, Tree)>),
    Nullable(Box<Tree>),
    Union(Vec<Tree>),
    Tagged(Vec<Vec<(Presence, Tree)>>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Presence {
    Required,
    Optional,
    Default,
}

fn leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        Just(Tree::Any),
        (0..2_usize, 2..5_usize).prop_map(|(min, max)| Tree::String { min, max }),
        (-3..3, 3..9).prop_map(|(min, max)| Tree::Number { min, max }),
        Just(Tree::Integer),
        Just(Tree::Boolean),
        select(vec!["x", "true", "5"]).prop_map(Tree::Literal),
        Just(Tree::Enumeration),
    ]
}

fn fields(tree: impl Strategy<Value = Tree> + Clone) -> impl Strategy<Value = Vec<(Presence, Tree)>> {
    let presence = select(vec![Presence::Required, Presence::Optional, Presence::Default]);
    vec((presence, tree), 0..KEYS.len())
}

/// Unions hold scalars and arrays of them: members that drop keys can fit a value that another member made.
fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        let list = |items: BoxedStrategy<Tree>| {
            (items, 0..2_usize, 2..4_usize).prop_map(|(items, min, max)| Tree::Array {
                items: Box::new(items),
                min,
                max,
            })
        };
        prop_oneof![
            list(inner.clone().boxed()),
            inner.clone().prop_map(|value| Tree::Record(Box::new(value))),
            fields(inner.clone()).prop_map(Tree::Object),
            inner.clone().prop_map(|inner| Tree::Nullable(Box::new(inner))),
            vec(prop_oneof![leaf(), list(leaf().boxed())], 1..4).prop_map(Tree::Union),
            vec(fields(inner), 1..3).prop_map(Tree::Tagged),
        ]
    })
}

fn described(tree: &Tree) -> Schema {
    match tree {
        Tree::Any => ikebana_schema::any(),
        Tree::String { min, max } => string().min_len(*min).max_len(*max),
        Tree::Number { min, max } => number().min(*min).max(*max),
        Tree::Integer => integer(),
        Tree::Boolean => boolean(),
        Tree::Literal(text) => literal(*text),
        Tree::Enumeration => enumeration(["red", "blue"]),
        Tree::Array { items, min, max } => array(described(items)).min_size(*min).max_size(*max),
        Tree::Record(value) => record(string(), described(value)),
        Tree::Object(fields) => object(described_fields(fields)),
        Tree::Nullable(inner) => nullable(described(inner)),
        Tree::Union(members) => union(members.iter().map(described)),
        Tree::Tagged(members) => tagged_union(
            "type",
            members.iter().zip(["first", "second"]).map(|(fields, tag)| {
                object([("type", literal(tag))].into_iter().chain(described_fields(fields)))
            }),
        ),
    }
}

fn described_fields(fields: &[(Presence, Tree)]) -> Vec<(&'static str, Schema)> {
    let with_presence = |(presence, tree): &(Presence, Tree)| match presence {
        Presence::Required => described(tree),
        Presence::Optional => described(tree).optional(),
        Presence::Default => described(tree).default(sample(tree)),
    };
    KEYS.into_iter().zip(fields.iter().map(with_presence)).collect()
}

/// One value that fits.
fn sample(tree: &Tree) -> Value {
    match tree {
        Tree::Any => json!({"free": [1, null]}),
        Tree::String { min, .. } => json!("s".repeat((*min).max(1))),
        Tree::Number { min, .. } => json!(min),
        Tree::Integer => json!(7),
        Tree::Boolean => json!(true),
        Tree::Literal(text) => json!(text),
        Tree::Enumeration => json!("red"),
        Tree::Array { items, min, .. } => Value::Array(vec![sample(items); *min]),
        Tree::Record(value) => json!({"k": sample(value)}),
        Tree::Object(fields) => Value::Object(sample_fields(fields)),
        Tree::Nullable(inner) => sample(inner),
        Tree::Union(members) => sample(&members[0]),
        Tree::Tagged(members) => {
            let mut value = sample_fields(&members[0]);
            value.insert("type".to_owned(), json!("first"));
            Value::Object(value)
        }
    }
}

fn sample_fields(fields: &[(Presence, Tree)]) -> Map<String, Value> {
    KEYS.into_iter().zip(fields).map(|(key, (_, tree))| (key.to_owned(), sample(tree))).collect()
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-20..20).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9]{0,4}".prop_map(Value::from),
        select(vec!["true", "5", "x", "red", "[\"x\",\"5\"]", "{\"a\":\"5\"}", "first"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(vec!["a", "b", "c", "d", "type", "zz"]), inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// A fitting value with some of its places taken by arbitrary ones.
fn nearly(tree: &Tree) -> impl Strategy<Value = Value> + use<> {
    let value = sample(tree);
    let count = places(&value);
    vec((0..count, arbitrary_json()), 0..3).prop_map(move |changes| {
        let mut value = value.clone();
        for (place, other) in changes {
            replace(&mut value, &mut place.clone(), other);
        }
        value
    })
}

fn places(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(places).sum(),
        Value::Object(map) => map.values().map(places).sum(),
        _ => 0,
    }
}

fn replace(value: &mut Value, place: &mut usize, other: Value) -> Option<Value> {
    if *place == 0 {
        *value = other;
        return None;
    }
    *place -= 1;
    let mut other = Some(other);
    let parts: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(map) => map.values_mut().collect(),
        _ => Vec::new(),
    };
    for part in parts {
        other = replace(part, place, other?);
        other.as_ref()?;
    }
    other
}

fn case() -> impl Strategy<Value = (Tree, Value)> {
    tree().prop_flat_map(|tree| {
        let value = prop_oneof![3 => nearly(&tree).boxed(), 1 => arbitrary_json().boxed()];
        (Just(tree), value)
    })
}

/// Whether a value fits where nothing is converted: the model of the APM dialect. Unknown keys are looked for
/// (`strict`) except in arrays that stand in a union or in another array.
fn fits(tree: &Tree, value: Option<&Value>, strict: bool) -> bool {
    let number = |value: Option<&Value>| value.filter(|value| value.is_number()).and_then(Value::as_f64);
    match (tree, value) {
        (Tree::Any, _) => true,
        (Tree::String { min, max }, Some(Value::String(text))) => {
            (*min..=*max).contains(&text.chars().count())
        }
        (Tree::Number { min, max }, value) => {
            number(value).is_some_and(|n| (f64::from(*min)..=f64::from(*max)).contains(&n))
        }
        (Tree::Integer, value) => number(value).is_some_and(|n| n.fract() == 0.0 && n.abs() < 2f64.powi(53)),
        (Tree::Boolean, Some(Value::Bool(_))) => true,
        (Tree::Literal(text), Some(value)) => value == text,
        (Tree::Enumeration, Some(value)) => value == "red" || value == "blue",
        (Tree::Array { items, min, max }, Some(Value::Array(elements))) => {
            (*min..=*max).contains(&elements.len())
                && elements.iter().all(|element| fits(items, Some(element), strict && !element.is_array()))
        }
        (Tree::Record(entry), Some(Value::Object(map))) => {
            map.values().all(|value| fits(entry, Some(value), strict))
        }
        (Tree::Object(fields), Some(Value::Object(map))) => fields_fit(fields, map, None, strict),
        (Tree::Nullable(inner), value) => {
            let strict = strict && !value.is_some_and(Value::is_array);
            value == Some(&Value::Null) || fits(inner, value, strict)
        }
        (Tree::Union(members), value) => members.iter().any(|member| fits(member, value, false)),
        (Tree::Tagged(members), Some(Value::Object(map))) => {
            members.iter().zip(["first", "second"]).any(|(fields, tag)| {
                map.get("type").is_some_and(|value| value == tag)
                    && fields_fit(fields, map, Some("type"), strict)
            })
        }
        _ => false,
    }
}

fn fields_fit(
    fields: &[(Presence, Tree)],
    map: &Map<String, Value>,
    tag: Option<&str>,
    strict: bool,
) -> bool {
    let known = |key: &str| Some(key) == tag || KEYS[..fields.len()].contains(&key);
    (!strict || map.keys().all(|key| known(key)))
        && KEYS.into_iter().zip(fields).all(|(key, (presence, tree))| match map.get(key) {
            None if *presence != Presence::Required => true,
            value => fits(tree, value, strict),
        })
}

/// OpenAPI's `nullable` as JSON Schema has it.
fn adapted(document: Value) -> Value {
    match document {
        Value::Array(items) => items.into_iter().map(adapted).collect(),
        Value::Object(map) => {
            let mut map: Map<String, Value> =
                map.into_iter().map(|(key, value)| (key, adapted(value))).collect();
            if map.remove("nullable") == Some(json!(true)) {
                let kind = map["type"].take();
                map.insert("type".to_owned(), json!([kind, "null"]));
            }
            Value::Object(map)
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fitting_values_pass_in_every_dialect(tree in tree()) {
        let (schema, value) = (described(&tree), sample(&tree));
        for dialect in DIALECTS {
            let checked = check(&schema, dialect, Part::Body, Some(&value));
            prop_assert!(checked.is_ok(), "{dialect:?}: {}", checked.unwrap_err());
        }
    }

    #[test]
    fn a_normalised_value_is_a_fixed_point((tree, value) in case()) {
        let schema = described(&tree);
        for dialect in DIALECTS {
            if let Ok(once) = check(&schema, dialect, Part::None, Some(&value)) {
                let twice = check(&schema, dialect, Part::None, Some(&once));
                prop_assert_eq!(Ok(once), twice, "{:?}", dialect);
            }
        }
    }

    #[test]
    fn a_normalised_value_fits_the_openapi_schema((tree, value) in case()) {
        let schema = described(&tree);
        for dialect in DIALECTS {
            if let Ok(normalised) = check(&schema, dialect, Part::None, Some(&value)) {
                let document = adapted(openapi(&schema, dialect));
                let fault = jsonschema::validate(&document, &normalised).err().map(|fault| fault.to_string());
                prop_assert_eq!(fault, None, "{:?} {} {}", dialect, document, normalised);
            }
        }
    }

    #[test]
    fn without_conversions_the_model_agrees((tree, value) in case()) {
        let checked = check(&described(&tree), Dialect::IoTsApm, Part::Body, Some(&value));
        prop_assert_eq!(checked.is_ok(), fits(&tree, Some(&value), true), "{:?}", checked);
    }

    #[test]
    fn faults_begin_as_their_dialect_does((tree, value) in case()) {
        let schema = described(&tree);
        for (dialect, beginning) in [
            (Dialect::ConfigSchema, "[request body"),
            (Dialect::IoTsApm, "Failed to validate: \n  "),
            (Dialect::Zod, "[request body]: "),
        ] {
            if let Err(fault) = check(&schema, dialect, Part::Body, Some(&value)) {
                prop_assert!(fault.message().starts_with(beginning), "{}", fault);
            }
        }
    }
}

/// The walk follows the description: what lies deeper in a value is not looked at.
#[test]
fn deep_values_do_not_deepen_the_walk() {
    let mut deep = Value::Null;
    for _ in 0..10_000 {
        deep = Value::Array(vec![deep]);
    }
    let schema = object([("a", array(array(string())))]);
    let mut value = json!({});
    value["a"] = deep;
    let faults = [Dialect::ConfigSchema, Dialect::Zod]
        .map(|dialect| check(&schema, dialect, Part::Body, Some(&value)).unwrap_err().into_message());
    // Taken apart from the outside: dropping the value whole would recurse.
    let mut rest = value["a"].take();
    while let Value::Array(mut items) = rest {
        rest = items.pop().unwrap_or_default();
    }
    assert_eq!(
        faults,
        [
            "[request body.a.0.0]: expected value of type [string] but got [Array]",
            "[request body]: a.0.0: Expected string, received array",
        ]
    );
}

/// Twice the elements take about twice the work, also where every element is at fault. Counted in bytes of the
/// message, as time is not at hand.
#[test]
fn messages_grow_no_faster_than_the_value() {
    let schema = object([("a", array(union([string(), number(), boolean()])))]);
    let length = |dialect, count: usize| {
        let value = json!({"a": vec![json!(null); count]});
        check(&schema, dialect, Part::Body, Some(&value)).unwrap_err().message().len()
    };
    for (dialect, factor) in
        [(Dialect::ConfigSchema, 1), (Dialect::IoTsCases, 1), (Dialect::IoTsApm, 11), (Dialect::Zod, 2)]
    {
        let (small, large) = (length(dialect, 1_000), length(dialect, 10_000));
        assert!(large <= small * factor, "{dialect:?}: {small} {large}");
    }
}
