//! Messages of the APM dialect, whole.

use ikebana_schema::{
    Dialect, Part, Schema, Unknown, any, array, boolean, check, enumeration, intersection, nullable, number,
    object, opaque, query_object, record, string, union,
};
use serde_json::{Value, json};

fn decode(schema: &Schema, part: Part<'_>, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::IoTsApm, part, Some(&value.into())).map_err(|fault| fault.to_string())
}

#[track_caller]
fn refuses(schema: &Schema, part: Part<'_>, value: Value, lines: &str) {
    assert_eq!(decode(schema, part, value), Err(format!("Failed to validate: \n{lines}")));
}

fn source_map() -> Schema {
    object([("service_name", string()), ("service_version", string()), ("sourcemap", any())])
}

#[test]
fn all_faults_are_listed() {
    refuses(
        &source_map(),
        Part::Body,
        json!({"service_version": 1}),
        "  in /body/service_name: undefined does not match expected type string\n  \
           in /body/service_version: 1 does not match expected type string",
    );
    let whole = object([("path", object([("id", string())])), ("query", object([("page", number())]))]);
    refuses(
        &whole,
        Part::None,
        json!({"path": {"id": {}}, "query": {"page": "1"}}),
        "  in /path/id: {} does not match expected type string\n  \
           in /query/page: \"1\" does not match expected type number",
    );
}

#[test]
fn types_are_named_as_io_ts_composes_them() {
    for (schema, name) in [
        (object([("a", string()), ("b", array(boolean()))]), "{ a: string, b: Array<boolean> }"),
        (object([("a", string().optional())]), "Partial<{ a: string }>"),
        (record(string(), number()), "{ [K in string]: number }"),
        (array(union([string(), number()])), "Array<(string | number)>"),
        (string().named("dateRt"), "dateRt"),
    ] {
        let body = object([("v", schema)]);
        let line = format!("  in /body/v: true does not match expected type {name}");
        refuses(&body, Part::Body, json!({"v": true}), &line);
    }
    // A body that is missing altogether.
    let whole = object([("body", object([("name", string())]))]);
    refuses(
        &whole,
        Part::None,
        json!({}),
        "  in /body: undefined does not match expected type { name: string }",
    );
}

#[test]
fn unions_leave_out_the_number_of_the_member() {
    let privileges = array(enumeration(["event:write", "config_agent:read"]));
    let keys = object([("name", string()), ("privileges", privileges)]);
    refuses(
        &keys,
        Part::Body,
        json!({"name": "n", "privileges": ["x"]}),
        "  in /body/privileges/0: \"x\" does not match expected type \"event:write\"\n  \
           in /body/privileges/0: \"x\" does not match expected type \"config_agent:read\"",
    );
    refuses(
        &object([("v", nullable(object([("a", string())])))]),
        Part::Body,
        json!({"v": {}}),
        "  in /body/v/a: undefined does not match expected type string\n  \
           in /body/v: {} does not match expected type null",
    );
}

#[test]
fn excess_keys_at_any_depth() {
    let excess = |keys: &str| format!("  Excess keys are not allowed:\n{keys}");
    let schema = object([
        ("service", object([("name", string().optional())])),
        ("tags", array(object([("k", string())])).optional()),
        ("free", record(string(), any()).optional()),
    ]);
    refuses(&schema, Part::Body, json!({"service": {}, "foo": {"bar": 1}}), &excess("body.foo"));
    refuses(
        &schema,
        Part::Body,
        json!({"zoo": 1, "service": {"name": "a", "x": 1}, "tags": [{"k": "a"}, {"k": "b", "y": 1}]}),
        &excess("body.zoo\nbody.service.x\nbody.tags.y"),
    );
    refuses(&object([]), Part::Query, json!({"foo": "1"}), &excess("query.foo"));
    refuses(&object([]), Part::Params, json!({"foo": "1"}), &excess("path.foo"));
    let good = json!({"service": {}, "free": {"a": {"b": {"c": 1}}}});
    assert_eq!(decode(&schema, Part::Body, good.clone()), Ok(good));
    let open = object([("a", string())]).unknown(Unknown::Allow);
    let sent = json!({"a": "x", "b": {"c": 1}});
    assert_eq!(decode(&open, Part::Body, sent.clone()), Ok(sent));
}

#[test]
fn the_member_of_a_union_that_fits_looks_after_the_keys() {
    let schema = object([("q", union([object([("name", string())]), object([("type", string())])]))]);
    let good = json!({"q": {"type": "t"}});
    assert_eq!(decode(&schema, Part::None, good.clone()), Ok(good));
    refuses(
        &schema,
        Part::None,
        json!({"q": {"type": "t", "name": "n"}}),
        "  Excess keys are not allowed:\nq.type",
    );
}

#[test]
fn server_schema_refuses_nested_objects() {
    let body = object([("schema", record(string(), opaque()))]);
    refuses(
        &body,
        Part::Body,
        json!({"schema": {"foo": {"bar": 1}, "a": [1], "b": null}}),
        "  Excess keys are not allowed:\nbody.schema.foo.bar",
    );
    let good = json!({"schema": {"a": [1], "b": null}});
    assert_eq!(decode(&body, Part::Body, good.clone()), Ok(good));
    refuses(
        &body,
        Part::Body,
        json!({}),
        "  in /body/schema: undefined does not match expected type { [K in string]: unknown }",
    );
}

/// The PUT of an agent configuration as its route declares it: query and body in one intersection, the body
/// one of optional and required keys, the settings one of free and known keys.
fn agent_configuration() -> Schema {
    let rate = string().named("floatFourDecimalPlacesRt").check(|text| match text.parse::<f64>() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(()),
        _ => Err("Must be a number between 0.0000 and 1".to_owned()),
    });
    let settings = intersection([
        record(string(), string()),
        object([
            ("transaction_sample_rate", rate.optional()),
            ("capture_body", enumeration(["off", "errors", "transactions", "all"]).optional()),
        ]),
    ]);
    let service = object([("name", string().optional()), ("environment", string().optional())]);
    let body = intersection([
        object([("agent_name", string().optional())]),
        object([("service", service), ("settings", settings)]),
    ]);
    intersection([
        object([("query", object([("overwrite", boolean().from_string().optional())]).optional())]),
        object([("body", body)]),
    ])
}

#[test]
fn agent_configuration_passes_unknown_settings() {
    let sent = json!({
        "query": query_object([("overwrite", "true")]),
        "body": {"service": {"name": "s"}, "settings": {"anything": "x", "transaction_sample_rate": "0.5"}},
    });
    let mut normalised = sent.clone();
    normalised["query"]["overwrite"] = json!(true);
    let decoded = decode(&agent_configuration(), Part::None, sent);
    assert_eq!(decoded, Ok(normalised));
    for text in ["false", "1", "TRUE", ""] {
        let query = json!({"query": {"overwrite": text}, "body": {"service": {}, "settings": {}}});
        let decoded = decode(&agent_configuration(), Part::None, query).unwrap();
        assert_eq!(decoded["query"], json!({"overwrite": false}), "{text:?}");
    }
}

#[test]
fn agent_configuration_faults() {
    let body = |body: Value| json!({ "body": body });
    for (value, lines) in [
        (
            body(json!({"service": {}, "settings": {"transaction_sample_rate": "1.1"}})),
            "  Must be a number between 0.0000 and 1",
        ),
        // Keys of intersections are left out, here those of the body and of the settings.
        (
            body(json!({"service": {}, "settings": {"transaction_sample_rate": 1}})),
            "  in /1/transaction_sample_rate: 1 does not match expected type string\n  \
               in /1/transaction_sample_rate: 1 does not match expected type floatFourDecimalPlacesRt",
        ),
        (
            body(json!({"service": {"name": 1}, "settings": {}})),
            "  in /1/service/name: 1 does not match expected type string",
        ),
        (
            body(json!({"settings": {}})),
            "  in /1/service: undefined does not match expected type Partial<{ name: string, environment: string }>",
        ),
        (body(json!({"service": {}, "settings": {}, "foo": 1})), "  Excess keys are not allowed:\nbody.foo"),
        (
            body(json!({"service": {"x": 1}, "settings": {"free": "1"}})),
            "  Excess keys are not allowed:\nbody.service.x",
        ),
    ] {
        refuses(&agent_configuration(), Part::None, value, lines);
    }
}

#[test]
fn queries_are_read_as_numbers_and_nothing_else_is_converted() {
    let query =
        object([("page", number().from_string().optional()), ("perPage", number().from_string().optional())]);
    assert_eq!(decode(&query, Part::Query, query_object([("page", "2")])), Ok(json!({"page": 2})));
    refuses(
        &query,
        Part::Query,
        query_object([("page", "x")]),
        "  in /query/page: \"x\" does not match expected type ToNumber",
    );
    refuses(
        &object([("n", number()), ("b", boolean())]),
        Part::Body,
        json!({"n": "1", "b": "true"}),
        "  in /body/n: \"1\" does not match expected type number\n  \
           in /body/b: \"true\" does not match expected type boolean",
    );
}
