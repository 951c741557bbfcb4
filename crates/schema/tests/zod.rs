//! Messages of the zod dialect, whole.

use ikebana_schema::{
    Dialect, Part, Schema, Unknown, any, array, boolean, check, enumeration, integer, intersection, literal,
    never, null, nullable, number, object, query_object, record, string, tagged_union, union,
};
use serde_json::{Value, json};

fn body(schema: &Schema, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::Zod, Part::Body, Some(&value.into())).map_err(|fault| fault.to_string())
}

#[track_caller]
fn refuses(schema: &Schema, value: Value, issues: &str) {
    assert_eq!(body(schema, value), Err(format!("[request body]: {issues}")));
}

fn non_empty() -> Schema {
    string().min_len(1).check(|text| match text.trim().is_empty() {
        true => Err("No empty strings allowed".to_owned()),
        false => Ok(()),
    })
}

fn entries() -> Schema {
    let operator = || enumeration(["included", "excluded"]);
    let entry = |kind: &'static str, more: Vec<(&'static str, Schema)>| {
        object([("type", literal(kind)), ("field", non_empty())].into_iter().chain(more))
    };
    let matching = || entry("match", vec![("value", non_empty()), ("operator", operator())]);
    let any_of =
        || entry("match_any", vec![("value", array(non_empty()).min_size(1)), ("operator", operator())]);
    let exists = || entry("exists", vec![("operator", operator())]);
    let list = object([("id", non_empty()), ("type", enumeration(["ip", "keyword"]))]);
    let inner = tagged_union("type", [matching(), any_of(), exists()]);
    array(tagged_union(
        "type",
        [
            matching(),
            any_of(),
            entry("list", vec![("list", list), ("operator", operator())]),
            exists(),
            entry("nested", vec![("entries", array(inner).min_size(1))]),
            entry("wildcard", vec![("value", non_empty()), ("operator", operator())]),
        ],
    ))
}

/// `POST /api/endpoint_list/items`.
fn endpoint_item() -> Schema {
    let comment = object([
        ("id", non_empty()),
        ("comment", non_empty()),
        ("created_at", string().format("date-time")),
        ("created_by", non_empty()),
        ("updated_at", string().format("date-time").optional()),
        ("updated_by", non_empty().optional()),
    ]);
    object([
        ("item_id", non_empty().optional()),
        ("type", literal("simple")),
        ("name", non_empty()),
        ("description", string()),
        ("entries", entries()),
        ("os_types", array(enumeration(["linux", "macos", "windows"])).default(json!([]))),
        ("tags", array(non_empty()).default(json!([]))),
        ("meta", record(string(), any()).optional()),
        ("comments", array(comment).default(json!([]))),
    ])
}

fn item(key: &str, value: Value) -> Value {
    let mut item = json!({"type": "simple", "name": "n", "description": "", "entries": []});
    item[key] = value;
    item
}

#[test]
fn endpoint_items() {
    for (value, issues) in [
        (
            json!({}),
            "type: Invalid literal value, expected \"simple\", name: Required, description: Required, entries: Required",
        ),
        (
            item("name", json!("")),
            "name: String must contain at least 1 character(s), name: No empty strings allowed",
        ),
        (item("name", json!("  ")), "name: No empty strings allowed"),
        (item("name", json!(5)), "name: Expected string, received number"),
        (item("description", json!(null)), "description: Expected string, received null"),
        (item("type", json!("x")), "type: Invalid literal value, expected \"simple\""),
        (
            item("os_types", json!(["x"])),
            "os_types.0: Invalid enum value. Expected 'linux' | 'macos' | 'windows', received 'x'",
        ),
        (item("os_types", json!([1])), "os_types.0: Expected 'linux' | 'macos' | 'windows', received number"),
        (
            item("entries", json!([{"type": "x"}])),
            "entries.0.type: Invalid discriminator value. Expected 'match' | 'match_any' | 'list' | 'exists' | 'nested' | 'wildcard'",
        ),
        (item("entries", json!(["x"])), "entries.0: Expected object, received string"),
        (
            item("entries", json!([{"type": "match", "field": "f", "operator": "included", "value": true}])),
            "entries.0.value: Expected string, received boolean",
        ),
        (
            item(
                "entries",
                json!([{"type": "match_any", "field": "f", "operator": "included", "value": []}]),
            ),
            "entries.0.value: Array must contain at least 1 element(s)",
        ),
        (
            item("entries", json!([{"type": "nested", "field": "f", "entries": [{"type": "wildcard"}]}])),
            "entries.0.entries.0.type: Invalid discriminator value. Expected 'match' | 'match_any' | 'exists'",
        ),
        (
            item("comments", json!([{"comment": "x"}])),
            "comments.0.id: Required, comments.0.created_at: Required, comments.0.created_by: Required",
        ),
        (
            item(
                "comments",
                json!([{"id": "1", "comment": "x", "created_at": "2024-02-30T00:00:00Z", "created_by": "e"}]),
            ),
            "comments.0.created_at: Invalid datetime",
        ),
        (item("meta", json!([])), "meta: Expected object, received array"),
        (json!([]), "Expected object, received array"),
    ] {
        refuses(&endpoint_item(), value, issues);
    }
    let sent = json!({"bogus": 1, "entries": [], "description": "", "name": " n ", "type": "simple", "list_id": "x"});
    assert_eq!(
        body(&endpoint_item(), sent).unwrap().to_string(),
        r#"{"type":"simple","name":" n ","description":"","entries":[],"os_types":[],"tags":[],"comments":[]}"#
    );
}

#[test]
fn a_body_that_was_not_sent_is_null() {
    let fault = check(&endpoint_item(), Dialect::Zod, Part::Body, None);
    let text = "[request body]: Expected object, received null";
    assert_eq!(fault.map_err(|fault| fault.into_message()), Err(text.to_owned()));
}

#[test]
fn five_issues_are_printed() {
    let keys = ["a", "b", "c", "d", "e", "f", "g"];
    let schema = object(keys.map(|key| (key, string())));
    let five = "a: Required, b: Required, c: Required, d: Required, e: Required";
    refuses(&schema, json!({}), &format!("{five}, and 2 more"));
    refuses(
        &schema,
        json!({"a": "x"}),
        "b: Required, c: Required, d: Required, e: Required, f: Required, and 1 more",
    );
    refuses(&schema, json!({"f": "x", "g": "x"}), five);
}

#[test]
fn issues_of_unions_come_last() {
    let schema = object([("a", union([string(), object([("x", number())])])), ("b", string())]);
    refuses(
        &schema,
        json!({"a": {"x": "y"}, "b": 1}),
        "b: Expected string, received number, a: Expected string, received object, a.x: Expected number, received string",
    );
    // A member of the right type that breaks a rule speaks alone, and in its place.
    let schema = object([("a", union([number(), string().min_len(2)])), ("b", string())]);
    refuses(&schema, json!({"a": "x"}), "a: String must contain at least 2 character(s), b: Required");
    refuses(
        &object([("a", union([union([null(), boolean()]), number()]))]),
        json!({"a": "x"}),
        "a: Expected number, received string, a: Expected null, received string, a: Expected boolean, received string",
    );
}

#[test]
fn issue_texts() {
    for (schema, value, issues) in [
        (boolean(), json!("true"), "Expected boolean, received string"),
        (null(), json!(1), "Expected null, received number"),
        (never(), json!(1), "Expected never, received number"),
        (literal(1), json!("1"), "Invalid literal value, expected 1"),
        (string().max_len(2), json!("abc"), "String must contain at most 2 character(s)"),
        (array(any()).max_size(1), json!([1, 2]), "Array must contain at most 1 element(s)"),
        (number().min(1), json!(0), "Number must be greater than or equal to 1"),
        (number().max(1), json!(2), "Number must be less than or equal to 1"),
        (integer(), json!(1.5), "Expected integer, received float"),
        (
            integer().min(1),
            json!(0.5),
            "Expected integer, received float, v: Number must be greater than or equal to 1",
        ),
        (string().format("uuid"), json!("x"), "Invalid uuid"),
        (string().format("date-time"), json!("2024-01-01"), "Invalid datetime"),
        (record(string(), number()), json!([]), "Expected object, received array"),
        (
            object([]).unknown(Unknown::Refuse),
            json!({"a": 1, "b": 2}),
            "Unrecognized key(s) in object: 'a', 'b'",
        ),
        (nullable(string()), json!(1), "Expected string, received number"),
        (
            intersection([union([string()]), number()]),
            json!(true),
            "Expected number, received boolean, v: Expected string, received boolean",
        ),
    ] {
        refuses(&object([("v", schema)]), json!({ "v": value }), &format!("v: {issues}"));
    }
    refuses(&object([("v", nullable(string()))]), json!({}), "v: Required");
    refuses(&object([("v", enumeration(["a"]))]), json!({}), "v: Required");
    // Sizes are told before elements.
    refuses(
        &object([("v", array(string()).min_size(2))]),
        json!({"v": [1]}),
        "v: Array must contain at least 2 element(s), v.0: Expected string, received number",
    );
    refuses(
        &object([("v", record(string(), number()))]),
        json!({"v": {"a": 1, "b": "x"}}),
        "v.b: Expected number, received string",
    );
}

#[test]
fn dates() {
    let schema = string().format("date-time");
    for good in ["2024-02-29T00:00:00Z", "2024-01-31T23:59:59.123Z", "2024-01-01T10:00Z"] {
        assert_eq!(body(&schema, json!(good)), Ok(json!(good)));
    }
    for bad in [
        "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00+01:00",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
    ] {
        refuses(&schema, json!(bad), "Invalid datetime");
    }
}

#[test]
fn rules_on_the_whole_run_unless_a_type_is_wrong() {
    let schema = object([("a", string().min_len(2)), ("b", number())])
        .check_value(|_| Err("a and b do not agree".to_owned()));
    refuses(
        &schema,
        json!({"a": "", "b": 1}),
        "a: String must contain at least 2 character(s), a and b do not agree",
    );
    refuses(
        &schema,
        json!({"a": "", "b": "x"}),
        "a: String must contain at least 2 character(s), b: Expected number, received string",
    );
}

#[test]
fn queries() {
    let schema = object([
        ("page", integer().from_string().min(0).default(json!(1))),
        (
            "namespace_type",
            array(enumeration(["single", "agnostic"])).from_string().default(json!(["single"])),
        ),
        ("refresh", boolean().from_string().optional()),
    ]);
    let query = |pairs: &[(&str, &str)]| {
        let value = query_object(pairs.iter().copied());
        check(&schema, Dialect::Zod, Part::Query, Some(&value)).map_err(|fault| fault.to_string())
    };
    assert_eq!(query(&[]), Ok(json!({"page": 1, "namespace_type": ["single"]})));
    let both = json!({"page": 2, "namespace_type": ["single", "agnostic"], "refresh": false});
    assert_eq!(
        query(&[("page", "2"), ("namespace_type", "single,agnostic"), ("refresh", "false")]),
        Ok(both.clone())
    );
    assert_eq!(
        query(&[
            ("namespace_type", "single"),
            ("page", "2"),
            ("refresh", "false"),
            ("namespace_type", "agnostic"),
            ("x", "")
        ]),
        Ok(both)
    );
    for (pairs, issues) in [
        ([("page", "x")], "page: Expected number, received nan"),
        ([("page", "-1")], "page: Number must be greater than or equal to 0"),
        (
            [("namespace_type", "x")],
            "namespace_type.0: Invalid enum value. Expected 'single' | 'agnostic', received 'x'",
        ),
        (
            [("refresh", "x")],
            "refresh: Invalid enum value. Expected 'true' | 'false', received 'x', refresh: Expected boolean, received string",
        ),
    ] {
        assert_eq!(query(&pairs), Err(format!("[request query]: {issues}")));
    }
    let id = object([("id", string().format("uuid"))]);
    let params = check(&id, Dialect::Zod, Part::Params, Some(&json!({"id": "x"})));
    assert_eq!(
        params.map_err(|fault| fault.into_message()),
        Err("[request params]: id: Invalid uuid".to_owned())
    );
}

#[test]
fn migrations() {
    let count = || integer().min(1).optional();
    let create = object([
        ("index", array(non_empty()).min_size(1)),
        ("size", count()),
        ("slices", count()),
        ("requests_per_second", count()),
    ]);
    refuses(&create, json!({"index": []}), "index: Array must contain at least 1 element(s)");
    refuses(&create, json!({"index": ["a"], "size": 0}), "size: Number must be greater than or equal to 1");
    let delete = object([("migration_ids", array(string()).min_size(1))]);
    refuses(&delete, json!({"migration_ids": []}), "migration_ids: Array must contain at least 1 element(s)");
    let status = check(&object([("from", string())]), Dialect::Zod, Part::Query, Some(&json!({})));
    assert_eq!(
        status.map_err(|fault| fault.into_message()),
        Err("[request query]: from: Required".to_owned())
    );
}
