//! KQL compiled by the kinds of fields.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use ikebana_query::{FieldKind, Mapping, Query, kql, matches};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

fn mapping() -> Mapping {
    Mapping::new()
        .with("tag", FieldKind::Keyword)
        .with("title", FieldKind::Text)
        .with("count", FieldKind::Number)
        .with("on", FieldKind::Boolean)
        .with("at", FieldKind::Date)
        .with("address", FieldKind::Ip)
        .with("labels", FieldKind::Flattened)
        .with("items", FieldKind::Nested)
        .with("items.name", FieldKind::Keyword)
        .with("items.note", FieldKind::Text)
}

fn options(data_view: bool) -> kql::Options {
    kql::Options {
        now: "2024-05-15T10:30:45.678Z".parse::<Timestamp>().unwrap(),
        time_zone: TimeZone::UTC,
        data_view,
    }
}

fn compile(text: &str, data_view: bool) -> Query {
    kql::to_query(&kql::parse(text).unwrap(), &mapping(), &options(data_view))
}

#[test]
fn texts_compile_to_these_queries() {
    let texts = [
        "",
        "*",
        "*: *",
        "**",
        "tag: *",
        "items: *",
        "object: *",
        "t*: *",
        "tag: a b",
        "tag: \"a b\"",
        "tag: 5",
        "tag: true",
        "tag: null",
        "tag: a*b",
        "tag: a b* c d",
        "tag: a *",
        "title: A b",
        "title: \"A b\"",
        "title: Qu*K",
        "title: Brown Qu* Fox",
        "count: 5",
        "count: 05.50",
        "count: five",
        "count: 5*",
        "count > 5",
        "count <= \"7\"",
        "count > x",
        "count > null",
        "on: true",
        "on: \"false\"",
        "on: 1",
        "on > false",
        "at: 2024-05",
        "at > 2024-05-15",
        "at >= now-1d/d",
        "at <= \"now/M\"",
        "at: tomorrow",
        "at: 2024*",
        "address: 10.0.0.1",
        "address: \"10.1.2.3/8\"",
        "address: \"::1/128\"",
        "address: \"10.0.0.0/33\"",
        "address: \"0.0.0.0/0\"",
        "address >= 10.0.0.0",
        "labels.team: red",
        "labels: r*",
        "tag >= b",
        "title < m",
        "tag > b*",
        "labels.x <= 5",
        "nope: a",
        "nope > 3",
        "nope*: a",
        "t*: a",
        "\"t*\": a",
        "*: 5",
        "Word",
        "\"two words\"",
        "wor*",
        "items: { name: a }",
        "items: { name: a and note: b }",
        "items: { n*: a }",
        "items: { * : a* }",
        "items.name: a",
        "items.*: a",
        "items: { name: * }",
        "items: { items: { name: a } }",
        "items: { lost }",
        "not tag: a and (count: 1 or count: 2)",
        "tag: (a or b)",
    ];
    let table = texts.iter().fold(String::new(), |mut table, text| {
        let query = compile(text, false);
        writeln!(table, "{text}\n    {query:?}").unwrap();
        let with_data_view = compile(text, true);
        if with_data_view != query {
            writeln!(table, "  with a data view\n    {with_data_view:?}").unwrap();
        }
        table
    });
    insta::assert_snapshot!(table);
}

#[test]
fn the_json_functions_compile_too() {
    let literal = |value: Value| json!({"type": "literal", "value": value, "isQuoted": false});
    let function =
        |name: &str, arguments: Value| json!({"type": "function", "function": name, "arguments": arguments});
    let compile =
        |value: Value| kql::to_query(&kql::json::from_json(&value).unwrap(), &mapping(), &options(false));
    assert_eq!(
        compile(function("exists", json!([literal(json!("tag"))]))),
        Query::Exists { field: "tag".into() }
    );
    assert_eq!(
        compile(function("is", json!([literal(json!("count")), literal(json!(5)), literal(json!(false))]))),
        Query::Term { field: "count".into(), value: 5.into() }
    );
    assert_eq!(compile(function("and", json!([]))), Query::MatchAll);
}

#[test]
fn documents_are_found_as_kibana_finds_them() {
    let document = json!({
        "tag": ["prod", "my dashboard"], "title": "The Quick brown-fox", "count": 7, "on": true,
        "at": "2024-05-15T08:00:00Z", "address": "10.1.2.3", "labels": {"team": "red"},
        "items": [{"name": "a", "note": "first thing"}, {"name": "b", "note": "second"}],
    });
    let check = |text: &str| matches(&compile(text, false), &document, &mapping());
    for text in [
        "tag: prod",
        "tag: \"my dashboard\"",
        "tag: my* dash*",
        "title: quick",
        "title: slow fox",
        "title: \"quick brown\"",
        "title: QU*",
        "count: 7.0",
        "count >= 7 and count < 8",
        "on: true",
        "at: 2024-05-15",
        "at >= now/d and at <= now/d",
        "at < now",
        "address: \"10.0.0.0/8\"",
        "labels.team: r*",
        "labels: red",
        "items: { name: a and note: first }",
        "not items: { name: a and note: second }",
        "quick",
        "red",
        "prod and quick",
        "PROD or quick",
        "t*: prod",
        "tag: (x or prod)",
        "not tag: (x and prod)",
    ] {
        assert!(check(text), "{text}");
    }
    for text in [
        "tag: my",
        "tag: PROD",
        "title: \"fox quick\"",
        "title: \"qu*\"",
        "count > 7",
        "on: false",
        "at: 2024-05-14",
        "at > now/d",
        "at > 2024-05-15",
        "address: \"11.0.0.0/8\"",
        "labels.team: blue",
        "items: { name: a and note: second }",
        "items.name: a",
        "first",
        "nope: *",
        "not tag: *",
    ] {
        assert!(!check(text), "{text}");
    }
}

#[test]
fn dates_without_offset_are_of_the_zone_of_the_options() {
    let options = kql::Options { time_zone: Offset::constant(2).to_time_zone(), ..options(true) };
    let query = kql::to_query(&kql::parse("at: 2024-05-15").unwrap(), &mapping(), &options);
    let inside = |at: &str| matches(&query, &json!({"at": at}), &mapping());
    assert_eq!(
        [
            "2024-05-14T21:59:59.999Z",
            "2024-05-14T22:00:00Z",
            "2024-05-15T21:59:59.999Z",
            "2024-05-15T22:00:00Z"
        ]
        .map(inside),
        [false, true, true, false]
    );
}
