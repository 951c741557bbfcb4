//! The evaluator: tables of what Elasticsearch does.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use ikebana_query::{FieldKind, Mapping, MatchMode, Query, Scalar, Wildcard, matches};
use serde_json::{Value, json};

fn mapping() -> Mapping {
    Mapping::new()
        .with("tag", FieldKind::Keyword)
        .with("title", FieldKind::Text)
        .with_source("title.keyword", FieldKind::Keyword, "title")
        .with("count", FieldKind::Number)
        .with("on", FieldKind::Boolean)
        .with("at", FieldKind::Date)
        .with("address", FieldKind::Ip)
        .with("labels", FieldKind::Flattened)
        .with("user.name", FieldKind::Keyword)
        .with("items", FieldKind::Nested)
        .with("items.name", FieldKind::Keyword)
        .with("items.size", FieldKind::Number)
        .with("items.parts", FieldKind::Nested)
        .with("items.parts.name", FieldKind::Keyword)
}

fn term(field: &str, value: impl Into<Scalar>) -> Query {
    Query::Term { field: field.into(), value: value.into() }
}

fn range(field: &str, lower: Bound<Scalar>, upper: Bound<Scalar>) -> Query {
    Query::Range { field: field.into(), lower, upper }
}

fn exists(field: &str) -> Query {
    Query::Exists { field: field.into() }
}

fn words(text: &str, mode: MatchMode, prefix: bool) -> Query {
    Query::Match { field: "title".into(), text: text.into(), mode, prefix }
}

fn nested(path: &str, query: Query) -> Query {
    Query::Nested { path: path.into(), query: Box::new(query) }
}

fn wildcard(field: &str, pattern: &str) -> Query {
    Query::Wildcard { field: field.into(), pattern: Wildcard::from_text(pattern) }
}

#[track_caller]
fn check(document: &Value, expected: &[(Query, bool)]) {
    for (query, wanted) in expected {
        assert_eq!(matches(query, document, &mapping()), *wanted, "{query:?} on {document}");
    }
}

#[test]
fn keywords_are_exact_and_arrays_mean_any() {
    check(
        &json!({"tag": ["Red", "dark blue", 7, true, null]}),
        &[
            (term("tag", "Red"), true),
            (term("tag", "red"), false),
            (term("tag", "blue"), false),
            (term("tag", "dark blue"), true),
            (term("tag", "7"), true),
            (term("tag", 7), true),
            (term("tag", true), true),
            (Query::Terms { field: "tag".into(), values: vec!["x".into(), "Red".into()] }, true),
            (Query::Terms { field: "tag".into(), values: vec![] }, false),
            (Query::Prefix { field: "tag".into(), prefix: "dark".into() }, true),
            (Query::Prefix { field: "tag".into(), prefix: "blue".into() }, false),
            (wildcard("tag", "*k b*e"), true),
            (wildcard("tag", "d*k"), false),
            (range("tag", Excluded("Rec".into()), Excluded("Ree".into())), true),
            (range("tag", Excluded("Red".into()), Excluded("Ree".into())), false),
            (words("dark blue", MatchMode::Any, false), false),
            (
                Query::Match {
                    field: "tag".into(),
                    text: "dark".into(),
                    mode: MatchMode::Any,
                    prefix: false,
                },
                false,
            ),
            (
                Query::Match { field: "tag".into(), text: "dark".into(), mode: MatchMode::Any, prefix: true },
                true,
            ),
        ],
    );
}

#[test]
fn text_is_its_words() {
    check(
        &json!({"title": ["The Quick-brown fox", "jumps high"]}),
        &[
            (term("title", "quick"), true),
            (term("title", "Quick"), false),
            (term("title", "quick-brown"), false),
            (term("title.keyword", "jumps high"), true),
            (term("title.keyword", "jumps"), false),
            (words("slow FOX", MatchMode::Any, false), true),
            (words("slow fox", MatchMode::All, false), false),
            (words("jumps fox", MatchMode::All, false), true),
            (words("quick brown", MatchMode::Phrase, false), true),
            (words("brown quick", MatchMode::Phrase, false), false),
            (words("fox jumps", MatchMode::Phrase, false), false),
            (words("quick bro", MatchMode::Phrase, false), false),
            (words("quick bro", MatchMode::Phrase, true), true),
            (words("qui brown", MatchMode::Phrase, true), false),
            (words("high jum", MatchMode::All, true), true),
            (words("- !", MatchMode::All, false), false),
            (wildcard("title", "b*n"), true),
            (wildcard("title", "quick*fox"), false),
            (range("title", Included("g".into()), Excluded("i".into())), true),
        ],
    );
}

#[test]
fn numbers_compare_as_numbers() {
    let big = i64::MAX;
    check(
        &json!({"count": [5, "12.5", "many", big, true]}),
        &[
            (term("count", 5), true),
            (term("count", "5.0"), true),
            (term("count", "012.5"), true),
            (term("count", "many"), false),
            (term("count", true), false),
            (term("count", big), true),
            (term("count", big - 1), false),
            (range("count", Excluded(5.into()), Excluded("12.6".into())), true),
            (range("count", Excluded(5.into()), Excluded("12.5".into())), false),
            (range("count", Unbounded, Excluded(5.into())), false),
            (range("count", Unbounded, Included(5.into())), true),
            (range("count", Unbounded, Included("x".into())), false),
            (wildcard("count", "*"), false),
        ],
    );
}

#[test]
fn booleans_dates_and_addresses_have_their_own_texts() {
    let date = |text: &str| Scalar::Date(text.parse().unwrap());
    check(
        &json!({"on": ["true", false], "at": ["2024-02-29T12:00:00.1239+01:00", 10_000], "address": "10.1.2.3"}),
        &[
            (term("on", true), true),
            (term("on", "false"), true),
            (term("on", "yes"), false),
            (term("at", date("2024-02-29T11:00:00.123Z")), true),
            (term("at", date("2024-02-29T11:00:00.1235Z")), true),
            (term("at", "1970-01-01T00:00:10Z"), true),
            (term("at", "10000"), true),
            (term("at", 10_000), true),
            (range("at", Excluded(date("2024-02-29T11:00:00.123Z")), Unbounded), false),
            (range("at", Excluded(date("2024-02-29T11:00:00.122Z")), Unbounded), true),
            (term("address", "10.1.2.3"), true),
            (term("address", "::ffff:10.1.2.3"), true),
            (term("address", "10.1.2.4"), false),
            (range("address", Included("10.0.0.0".into()), Included("10.255.255.255".into())), true),
            (range("address", Included("9.0.0.0".into()), Included("9.255.255.255".into())), false),
        ],
    );
    check(&json!({"on": ""}), &[(term("on", false), true), (term("on", true), false)]);
    check(&json!({"at": "yesterday"}), &[(exists("at"), false), (term("at", "yesterday"), false)]);
}

#[test]
fn objects_and_dotted_keys_are_the_same_path() {
    for document in [
        json!({"user": {"name": "ann"}}),
        json!({"user.name": "ann"}),
        json!({"user": [{"name": "bob"}, {"name": ["cy", ["ann"]]}]}),
        json!([{"user": {"name": "ann"}}]),
    ] {
        check(
            &document,
            &[(term("user.name", "ann"), true), (exists("user"), true), (exists("user.name"), true)],
        );
    }
    for document in [json!({"user": {"first": "ann"}}), json!({"name": "ann"}), json!("ann"), json!(null)] {
        check(
            &document,
            &[(term("user.name", "ann"), false), (exists("user"), false), (exists("user.name"), false)],
        );
    }
}

#[test]
fn null_and_empty_arrays_do_not_exist_and_empty_texts_do() {
    for value in [json!(null), json!([]), json!([null, []])] {
        check(
            &json!({"tag": value, "title": value, "user": {"name": value}}),
            &[(exists("tag"), false), (exists("title"), false), (exists("user"), false)],
        );
    }
    check(
        &json!({"tag": "", "title": "-", "unmapped": "x"}),
        &[
            (exists("tag"), true),
            (exists("title"), true),
            (exists("unmapped"), false),
            (term("unmapped", "x"), false),
            (range("title", Unbounded, Unbounded), false),
            (range("tag", Unbounded, Unbounded), true),
        ],
    );
}

#[test]
fn flattened_objects_are_keywords_all_through() {
    check(
        &json!({"labels": {"team": "a", "size": {"x": 5}, "list": ["p", "q"]}}),
        &[
            (term("labels.team", "a"), true),
            (term("labels.size.x", "5"), true),
            (term("labels.list", "q"), true),
            (term("labels", "5"), true),
            (term("labels", "z"), false),
            (exists("labels.team"), true),
            (exists("labels.none"), false),
            (exists("labels"), true),
        ],
    );
}

#[test]
fn nested_objects_match_one_by_one() {
    let both = Query::And(vec![term("items.name", "a"), term("items.size", 2)]);
    check(
        &json!({"tag": "t", "items": [
            {"name": "a", "size": 1, "parts": [{"name": "p"}, {"name": "q"}]},
            {"name": "b", "size": 2},
        ]}),
        &[
            (nested("items", both), false),
            (nested("items", Query::And(vec![term("items.name", "b"), term("items.size", 2)])), true),
            (nested("items", Query::negate(term("items.name", "a"))), true),
            (Query::negate(nested("items", term("items.name", "a"))), false),
            (nested("items", term("tag", "t")), false),
            (nested("items", Query::MatchAll), true),
            (term("items.name", "a"), false),
            (exists("items.name"), false),
            (exists("items"), false),
            (nested("items", exists("items.name")), true),
            (nested("items.parts", term("items.parts.name", "q")), true),
            (nested("items", term("items.parts.name", "q")), false),
            (
                nested(
                    "items",
                    Query::And(vec![
                        term("items.name", "a"),
                        nested("items.parts", term("items.parts.name", "q")),
                    ]),
                ),
                true,
            ),
            (
                nested(
                    "items",
                    Query::And(vec![
                        term("items.name", "b"),
                        nested("items.parts", term("items.parts.name", "q")),
                    ]),
                ),
                false,
            ),
            (nested("tag", Query::MatchAll), false),
        ],
    );
    check(&json!({"items": {"name": "a"}}), &[(nested("items", term("items.name", "a")), true)]);
    check(&json!({"items": [1, null]}), &[(nested("items", Query::MatchAll), false)]);
}

#[test]
fn patterns_take_time_linear_in_the_text() {
    let text = "a".repeat(200_000);
    let document = json!({"tag": text});
    let hopeless = format!("{}b", "a*".repeat(1_000));
    check(
        &document,
        &[(wildcard("tag", &hopeless), false), (wildcard("tag", &format!("{}a", "a*".repeat(1_000))), true)],
    );
}
