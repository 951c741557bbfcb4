//! config-schema: unions, conditions, rules and whole bodies; whole messages.

use ikebana_schema::{
    Dialect, Part, Schema, Unknown, any, array, boolean, check, conditional, enumeration, intersection,
    literal, nullable, number, object, query_object, record, string, tagged_union, union,
};
use serde_json::{Value, json};

fn body(schema: &Schema, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::ConfigSchema, Part::Body, Some(&value.into())).map_err(|fault| fault.to_string())
}

/// One key `v` of the description; `null` in the tables is the value `null`.
fn under_v(schema: Schema, value: impl Into<Value>) -> Result<Value, String> {
    body(&object([("v", schema)]), json!({ "v": value.into() })).map(|mut value| value["v"].take())
}

#[track_caller]
fn refuses(schema: Schema, value: Value, text: &str) {
    assert_eq!(under_v(schema, value), Err(format!("[request body.v]: {text}")));
}

#[test]
fn unions_number_their_members() {
    let solution = enumeration(["security", "oblt"]);
    let schema = object([("solution", solution.optional())]);
    assert_eq!(
        body(&schema, json!({"solution": "x"})),
        Err("[request body.solution]: types that failed validation:\n\
             - [request body.solution.0]: expected value to equal [security]\n\
             - [request body.solution.1]: expected value to equal [oblt]"
            .to_owned())
    );
    // A union of one speaks as its member.
    refuses(union([string()]), json!(1), "expected value of type [string] but got [number]");
    refuses(enumeration(["a"]), json!(1), "expected value to equal [a]");
    let members = [object([("type", literal("a")), ("x", number())]), object([("type", literal("b"))])];
    assert_eq!(
        under_v(tagged_union("type", members), json!({"type": "a", "x": "y"})),
        Err("[request body.v]: types that failed validation:\n\
             - [request body.v.0.x]: expected value of type [number] but got [string]\n\
             - [request body.v.1.type]: expected value to equal [b]"
            .to_owned())
    );
}

#[test]
fn runtime_field_union_of_data_views() {
    let primitive = object([
        ("type", enumeration(["keyword", "long"])),
        ("script", object([("source", string())]).optional()),
    ]);
    let composite =
        object([("type", literal("composite")), ("script", object([("source", string())]).optional())]);
    let schema = object([
        ("name", string().min_len(1).max_len(1000)),
        ("runtimeField", union([primitive, composite])),
    ]);
    assert_eq!(
        body(&schema, json!({"name": "n", "runtimeField": {"type": "geo_shape"}})),
        Err("[request body.runtimeField]: types that failed validation:\n\
             - [request body.runtimeField.0.type]: types that failed validation:\n\
             \x20- [request body.runtimeField.type.0]: expected value to equal [keyword]\n\
             \x20- [request body.runtimeField.type.1]: expected value to equal [long]\n\
             - [request body.runtimeField.1.type]: expected value to equal [composite]"
            .to_owned())
    );
    let label = object([("customLabel", nullable(string().max_len(300)).optional())]);
    assert_eq!(
        body(&label, json!({"customLabel": 5})),
        Err("[request body.customLabel]: types that failed validation:\n\
             - [request body.customLabel.0]: expected value of type [string] but got [number]\n\
             - [request body.customLabel.1]: expected value to equal [null]"
            .to_owned())
    );
}

#[test]
fn jira_params_nest_one_space_deeper() {
    let simple = |name: &'static str| {
        object([("subAction", literal(name)), ("subActionParams", object([]).unknown(Unknown::Allow))])
    };
    let push = object([
        ("subAction", literal("pushToService")),
        (
            "subActionParams",
            object([
                ("incident", object([("summary", string())])),
                ("comments", nullable(array(object([("comment", string()), ("commentId", string())])))),
            ]),
        ),
    ]);
    let params = union([simple("getFields"), simple("getIncident"), simple("handshake"), push]);
    let prefix = Part::Prefix("error validating action params: ");
    let fault = |value: Value| {
        check(&params, Dialect::ConfigSchema, prefix, Some(&value)).map_err(|fault| fault.into_message())
    };
    assert_eq!(
        fault(json!({"subAction": "non-supported"})),
        Err("error validating action params: types that failed validation:\n\
             - [0.subAction]: expected value to equal [getFields]\n\
             - [1.subAction]: expected value to equal [getIncident]\n\
             - [2.subAction]: expected value to equal [handshake]\n\
             - [3.subAction]: expected value to equal [pushToService]"
            .to_owned())
    );
    let incident = json!({"summary": "s"});
    assert_eq!(
        fault(json!({"subAction": "pushToService", "subActionParams": {"incident": incident, "comments": [{"comment": "c"}]}})),
        Err("error validating action params: types that failed validation:\n\
             - [0.subAction]: expected value to equal [getFields]\n\
             - [1.subAction]: expected value to equal [getIncident]\n\
             - [2.subAction]: expected value to equal [handshake]\n\
             - [3.subActionParams.comments]: types that failed validation:\n\
             \x20- [subActionParams.comments.0.0.commentId]: expected value of type [string] but got [undefined]\n\
             \x20- [subActionParams.comments.1]: expected value to equal [null]"
            .to_owned())
    );
    let sent = json!({"subAction": "pushToService", "subActionParams": {"incident": incident}});
    assert_eq!(
        fault(sent),
        Ok(
            json!({"subAction": "pushToService", "subActionParams": {"incident": incident, "comments": null}})
        )
    );
}

#[test]
fn nested_unions_of_one_collapse() {
    let schema = union([union([boolean()]), union([union([object([]), number()])])]);
    let fault = check(&schema, Dialect::ConfigSchema, Part::None, Some(&json!("aaa")));
    assert_eq!(
        fault.map_err(|fault| fault.to_string()),
        Err("types that failed validation:\n\
             - [0]: expected value of type [boolean] but got [string]\n\
             - [1]: types that failed validation:\n\
             \x20- [0]: could not parse object value from json input\n\
             \x20- [1]: expected value of type [number] but got [string]"
            .to_owned())
    );
}

#[test]
fn unions_below_records_keep_their_own_paths() {
    let schema = object([("v", record(enumeration(["nick", "last"]), union([string(), number()])))]);
    assert_eq!(
        body(&schema, json!({"v": {"name": "x"}})),
        Err("[request body.v.key(\"name\")]: types that failed validation:\n\
             - [request body.0]: expected value to equal [nick]\n\
             - [request body.1]: expected value to equal [last]"
            .to_owned())
    );
    assert_eq!(
        body(&schema, json!({"v": {"nick": true}})),
        Err("[request body.v.nick]: types that failed validation:\n\
             - [request body.0]: expected value of type [string] but got [boolean]\n\
             - [request body.1]: expected value of type [number] but got [boolean]"
            .to_owned())
    );
}

#[test]
fn custom_rules_stand_alone_after_the_path() {
    let id = string().check(|id| match id.is_empty() {
        true => Err("must be lower case, a-z, 0-9, '_', and '-' are allowed".to_owned()),
        false => Ok(()),
    });
    refuses(id, json!(""), "must be lower case, a-z, 0-9, '_', and '-' are allowed");
    let copy = object([
        ("overwrite", boolean().default(json!(false))),
        ("createNewCopies", boolean().default(json!(true))),
    ])
    .check_value(|body| match (&body["overwrite"], &body["createNewCopies"]) {
        (Value::Bool(true), Value::Bool(true)) => {
            Err("cannot use [overwrite] with [createNewCopies]".to_owned())
        }
        _ => Ok(()),
    });
    assert_eq!(
        body(&copy, json!({"overwrite": "true"})),
        Err("[request body]: cannot use [overwrite] with [createNewCopies]".to_owned())
    );
    assert_eq!(body(&copy, json!({})), Ok(json!({"overwrite": false, "createNewCopies": true})));
}

#[test]
fn conditional_of_the_spaces_query() {
    let purpose = enumeration(["any", "copySavedObjectsIntoSpace"]);
    let schema = object([
        // Declared first, checked after the key it depends on.
        (
            "include_authorized_purposes",
            conditional("purpose", string(), literal(false).optional(), boolean().optional()),
        ),
        ("purpose", purpose.optional()),
    ]);
    let query = |pairs: &[(&str, &str)]| {
        let value = query_object(pairs.iter().copied());
        check(&schema, Dialect::ConfigSchema, Part::Query, Some(&value)).map_err(|fault| fault.to_string())
    };
    assert_eq!(
        query(&[("include_authorized_purposes", "true")]),
        Ok(json!({"include_authorized_purposes": true}))
    );
    assert_eq!(
        query(&[("include_authorized_purposes", "true"), ("purpose", "any")]),
        Err("[request query.include_authorized_purposes]: expected value to equal [false]".to_owned())
    );
    assert_eq!(query(&[("purpose", "any")]), Ok(json!({"purpose": "any"})));
    let value = object([
        ("key", string()),
        ("value", conditional("key", literal("number"), number(), string().default(json!("text")))),
    ]);
    assert_eq!(
        body(&value, json!({"key": "number", "value": "1"})),
        Ok(json!({"key": "number", "value": 1}))
    );
    assert_eq!(
        body(&value, json!({"key": "number"})),
        Err("[request body.value]: expected value of type [number] but got [undefined]".to_owned())
    );
    assert_eq!(body(&value, json!({"key": "x"})), Ok(json!({"key": "x", "value": "text"})));
}

#[test]
fn queries_arrive_as_strings() {
    let schema = object([
        ("per_page", number().min(0).default(json!(20))),
        ("type", union([string(), array(string())])),
        ("has_reference", union([object([("type", string()), ("id", string())]), array(any())]).optional()),
    ]);
    let query = |pairs: &[(&str, &str)]| {
        let value = query_object(pairs.iter().copied());
        check(&schema, Dialect::ConfigSchema, Part::Query, Some(&value)).map_err(|fault| fault.to_string())
    };
    assert_eq!(query(&[("type", "a")]), Ok(json!({"type": "a", "per_page": 20})));
    assert_eq!(
        query(&[
            ("type", "a"),
            ("per_page", "3"),
            ("type", "b"),
            ("has_reference", r#"{"type":"tag","id":"1"}"#)
        ]),
        Ok(json!({"type": ["a", "b"], "per_page": 3, "has_reference": {"type": "tag", "id": "1"}}))
    );
    assert_eq!(
        query(&[("type", "a"), ("bogus", "")]),
        Err("[request query.bogus]: definition for this key is missing".to_owned())
    );
}

#[test]
fn intersections_are_one_object() {
    let schema = intersection([object([("a", string())]), object([("b", number())])]);
    assert_eq!(body(&schema, json!({"a": "x", "b": "1"})), Ok(json!({"a": "x", "b": 1})));
    assert_eq!(
        body(&schema, json!({"a": "x", "b": 1, "c": 1})),
        Err("[request body.c]: definition for this key is missing".to_owned())
    );
    assert_eq!(
        body(&schema, json!({"b": 1})),
        Err("[request body.a]: expected value of type [string] but got [undefined]".to_owned())
    );
}

#[test]
fn null_counts_as_absent_where_said() {
    let schema = object([("color", string().optional().null_as_absent()), ("name", string().optional())]);
    assert_eq!(body(&schema, json!({"color": null})), Ok(json!({})));
    assert_eq!(
        body(&schema, json!({"name": null})),
        Err("[request body.name]: expected value of type [string] but got [null]".to_owned())
    );
}

#[test]
fn space_body() {
    let rule = |text: &'static str, fits: fn(&str) -> bool| {
        move |value: &str| if fits(value) { Ok(()) } else { Err(text.to_owned()) }
    };
    let schema = object([
        (
            "id",
            string().check(rule("must be lower case, a-z, 0-9, '_', and '-' are allowed", |id| {
                !id.is_empty()
                    && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
            })),
        ),
        ("name", string().min_len(1)),
        ("initials", string().max_len(2).optional()),
        ("disabledFeatures", array(string()).default(json!([]))),
        ("_reserved", boolean().optional()),
        ("solution", enumeration(["security", "oblt", "es", "classic"]).optional()),
    ]);
    assert_eq!(
        body(&schema, json!({"id": "Marketing", "name": ""})),
        Err("[request body.id]: must be lower case, a-z, 0-9, '_', and '-' are allowed".to_owned())
    );
    assert_eq!(
        body(&schema, json!({"id": "marketing", "name": "", "namespace": "x"})),
        Err("[request body.name]: value has length [0] but it must have a minimum length of [1].".to_owned())
    );
    assert_eq!(
        body(&schema, json!({"id": "marketing", "name": "M", "namespace": "x"})),
        Err("[request body.namespace]: definition for this key is missing".to_owned())
    );
    assert_eq!(
        body(&schema, json!({"id": "marketing", "name": "M", "_reserved": "false"})),
        Ok(json!({"id": "marketing", "name": "M", "_reserved": false, "disabledFeatures": []}))
    );
}
