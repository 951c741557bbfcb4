//! The OpenAPI schema of a description.

use ikebana_schema::{
    Dialect, Unknown, any, array, boolean, byte_size, conditional, enumeration, hostname, integer,
    intersection, literal, never, null, nullable, number, object, openapi, openapi_parameters, query_object,
    record, string, tagged_union, union, uri,
};
use serde_json::json;

const NULL: &str = r#"{"type":"object","nullable":true,"enum":[null]}"#;

#[test]
fn every_kind() {
    let null_document: serde_json::Value = serde_json::from_str(NULL).unwrap();
    for (schema, document) in [
        (any(), json!({})),
        (null(), null_document.clone()),
        (literal("a"), json!({"type": "string", "enum": ["a"]})),
        (literal(false), json!({"type": "boolean", "enum": [false]})),
        (enumeration(["a", "b"]), json!({"type": "string", "enum": ["a", "b"]})),
        (
            string().min_len(1).max_len(9).pattern("^a").format("uuid").describe("An id."),
            json!({"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a", "format": "uuid", "description": "An id."}),
        ),
        (number().min(0.5), json!({"type": "number", "minimum": 0.5})),
        (integer().max(10).default(json!(3)), json!({"type": "integer", "maximum": 10, "default": 3})),
        (boolean(), json!({"type": "boolean"})),
        (
            array(string()).min_size(1).max_size(2),
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}),
        ),
        (record(string(), number()), json!({"type": "object", "additionalProperties": {"type": "number"}})),
        (union([string(), number()]), json!({"anyOf": [{"type": "string"}, {"type": "number"}]})),
        (
            tagged_union("t", [object([("t", literal("a"))]).unknown(Unknown::Allow)]),
            json!({"anyOf": [{"type": "object", "properties": {"t": {"type": "string", "enum": ["a"]}}, "required": ["t"]}]}),
        ),
        (nullable(string()), json!({"type": "string", "nullable": true})),
        (nullable(enumeration(["a"])), json!({"type": "string", "nullable": true, "enum": ["a", null]})),
        (
            nullable(union([string(), number()])),
            json!({"anyOf": [{"type": "string"}, {"type": "number"}, null_document]}),
        ),
        (nullable(any()), json!({})),
        (string().null_as_absent(), json!({"type": "string", "nullable": true})),
        (conditional("x", any(), string(), string()), json!({"type": "string"})),
        (
            conditional("x", any(), string(), number()),
            json!({"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ),
        (byte_size(), json!({"anyOf": [{"type": "number"}, {"type": "string"}]})),
        (uri(["http"]), json!({"type": "string", "format": "uri"})),
        (hostname(), json!({"type": "string", "format": "hostname"})),
        (never(), json!({"not": {}})),
    ] {
        assert_eq!(openapi(&schema, Dialect::ConfigSchema), document);
    }
}

#[test]
fn objects() {
    let schema = object([
        ("id", string()),
        ("name", string().optional()),
        ("level", number().default(json!(1))),
        ("label", nullable(string())),
        ("nested", object([("a", string().optional())])),
        ("gone", never()),
    ]);
    let nested = |refused: bool| {
        let mut nested = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        if refused {
            nested["additionalProperties"] = json!(false);
        }
        nested
    };
    let properties = |refused: bool| {
        json!({
            "id": {"type": "string"}, "name": {"type": "string"}, "level": {"type": "number", "default": 1},
            "label": {"type": "string", "nullable": true}, "nested": nested(refused),
        })
    };
    assert_eq!(
        openapi(&schema, Dialect::ConfigSchema),
        json!({"type": "object", "properties": properties(true), "required": ["id"], "additionalProperties": false})
    );
    assert_eq!(
        openapi(&schema, Dialect::Zod),
        json!({"type": "object", "properties": properties(false), "required": ["id", "label", "nested"]})
    );
    assert_eq!(
        openapi(&schema, Dialect::IoTsCases),
        json!({
            "type": "object", "properties": properties(true), "required": ["id", "label", "nested"],
            "additionalProperties": false,
        })
    );
}

#[test]
fn intersections() {
    let objects = intersection([object([("a", string())]), object([("b", string().optional())])]);
    assert_eq!(
        openapi(&objects, Dialect::IoTsApm),
        json!({
            "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"],
            "additionalProperties": false,
        })
    );
    // Members that refuse each other's keys are opened.
    let mixed = intersection([object([("a", string())]), union([object([("b", string())])])]);
    let open =
        |key: &str| json!({"type": "object", "properties": {key: {"type": "string"}}, "required": [key]});
    assert_eq!(openapi(&mixed, Dialect::IoTsApm), json!({"allOf": [open("a"), {"anyOf": [open("b")]}]}));
}

#[test]
fn parameters() {
    let query = object([
        ("page", number().min(0).default(json!(1)).describe("The page.")),
        ("type", union([string(), array(string())])),
        ("gone", never()),
    ]);
    assert_eq!(
        openapi_parameters(&query, Dialect::ConfigSchema, "query"),
        [
            json!({
                "name": "page", "in": "query", "required": false,
                "schema": {"type": "number", "minimum": 0, "default": 1}, "description": "The page.",
            }),
            json!({
                "name": "type", "in": "query", "required": true,
                "schema": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            }),
        ]
    );
    let path = object([("id", string().optional())]);
    assert_eq!(
        openapi_parameters(&path, Dialect::ConfigSchema, "path"),
        [json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}})]
    );
    assert_eq!(openapi_parameters(&string(), Dialect::Zod, "query"), Vec::<serde_json::Value>::new());
}

#[test]
fn query_objects() {
    let pairs = [("a", "1"), ("b", "2"), ("a", "3"), ("c", ""), ("a", "4")];
    assert_eq!(query_object(pairs).to_string(), r#"{"a":["1","3","4"],"b":"2","c":""}"#);
    assert_eq!(query_object(Vec::<(String, String)>::new()), json!({}));
}
