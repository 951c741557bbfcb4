//! Messages of the cases dialect, whole.

use ikebana_schema::{
    Dialect, Part, Schema, Unknown, any, array, boolean, check, enumeration, integer, intersection, literal,
    null, nullable, number, object, record, string, tagged_union, union,
};
use serde_json::{Value, json};

fn decode(schema: &Schema, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::IoTsCases, Part::Body, Some(&value.into())).map_err(|fault| fault.to_string())
}

#[track_caller]
fn refuses(schema: &Schema, value: Value, text: &str) {
    assert_eq!(decode(schema, value), Err(text.to_owned()));
}

/// `Invalid value "undefined" supplied to "…"` for each key.
fn undefined(keys: &[&str]) -> String {
    keys.iter()
        .map(|key| format!("Invalid value \"undefined\" supplied to \"{key}\""))
        .collect::<Vec<_>>()
        .join(",")
}

fn connector_fields(kind: &'static str, fields: Schema) -> Schema {
    object([("type", literal(kind)), ("fields", fields)])
}

fn connector() -> Schema {
    let texts = |keys: [&'static str; 3]| nullable(object(keys.map(|key| (key, nullable(string())))));
    intersection([
        object([("id", string())]),
        object([("name", string())]),
        tagged_union(
            "type",
            [
                connector_fields(".cases-webhook", null()),
                connector_fields(".jira", texts(["issueType", "priority", "parent"])),
                connector_fields(".none", null()),
                connector_fields(".swimlane", nullable(object([("caseId", nullable(string()))]))),
            ],
        ),
    ])
}

fn limited(field: &'static str, min: usize, max: usize) -> Schema {
    string().min_len(min).max_len(max).field(field)
}

fn case() -> Schema {
    intersection([
        object([
            ("description", limited("description", 1, 30_000)),
            ("tags", array(limited("tag", 1, 256)).min_size(0).max_size(200).field("tags")),
            ("title", limited("title", 1, 160)),
            ("connector", connector()),
            ("settings", object([("syncAlerts", boolean())])),
            ("owner", string()),
        ]),
        object([
            ("assignees", array(object([("uid", string())])).max_size(10).field("assignees").optional()),
            ("severity", enumeration(["low", "medium", "high", "critical"]).optional()),
            ("category", nullable(limited("category", 1, 50)).optional()),
        ]),
    ])
}

fn good_case() -> Value {
    json!({
        "description": "d", "tags": ["a"], "title": "t", "owner": "cases",
        "connector": {"id": "none", "name": "none", "type": ".none", "fields": null},
        "settings": {"syncAlerts": true},
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut case = good_case();
    case[key] = value;
    case
}

#[test]
fn a_good_case_is_handed_out_as_sent() {
    assert_eq!(decode(&case(), good_case()).unwrap().to_string(), good_case().to_string());
}

#[test]
fn faults_come_in_declaration_order_joined_with_a_comma() {
    refuses(
        &case(),
        json!({}),
        &undefined(&["description", "tags", "title", "connector", "settings", "owner"]),
    );
    refuses(
        &case(),
        json!({"title": " ", "severity": "x", "owner": 1}),
        &[
            &undefined(&["description", "tags"]),
            "The title field cannot be an empty string.",
            &undefined(&["connector", "settings"]),
            "Invalid value \"1\" supplied to \"owner\"",
            "Invalid value \"x\" supplied to \"severity\"",
        ]
        .join(","),
    );
}

#[test]
fn values_and_keys_are_printed() {
    for (key, value, text) in [
        (
            "settings",
            json!({"syncAlerts": null}),
            "Invalid value \"null\" supplied to \"settings,syncAlerts\"",
        ),
        ("settings", json!([1.0, "a\"b"]), "Invalid value \"[1,\"a\\\"b\"]\" supplied to \"settings\""),
        ("owner", json!(true), "Invalid value \"true\" supplied to \"owner\""),
        ("owner", json!(1.50), "Invalid value \"1.5\" supplied to \"owner\""),
        // Positions in arrays are left out.
        ("tags", json!(["a", 1, 1]), "Invalid value \"1\" supplied to \"tags\""),
        ("assignees", json!([{"uid": "a"}, {}]), "Invalid value \"undefined\" supplied to \"assignees,uid\""),
        (
            "category",
            json!(""),
            "The category field cannot be an empty string.,Invalid value \"\" supplied to \"category\"",
        ),
    ] {
        refuses(&case(), with(key, value), text);
    }
    // So are keys that read as whole numbers.
    let schema = object([("customFields", record(string(), boolean()))]);
    refuses(&schema, json!({"customFields": {"12": 1}}), "Invalid value \"1\" supplied to \"customFields\"");
}

#[test]
fn without_a_key_the_codec_is_named() {
    refuses(&string().named("CaseId"), json!(1), "Invalid value \"1\" supplied to \"CaseId\"");
    let schema = object([("a", nullable(string())), ("b", array(literal("x")))]);
    refuses(
        &schema,
        json!([]),
        "Invalid value \"[]\" supplied to \"{| a: (string | null), b: Array<\"x\"> |}\"",
    );
    let schema = object([("a", limited("a", 1, 2)), ("b", integer().optional())]);
    refuses(
        &schema,
        json!("x"),
        "Invalid value \"x\" supplied to \"({| a: LimitedString |} & Partial<{| b: Int |}>)\"",
    );
}

#[test]
fn an_unknown_connector_type_fails_the_whole_connector() {
    let unknown = json!({"id": "x", "name": "n", "type": ".nope", "fields": null});
    refuses(
        &case(),
        with("connector", unknown),
        "Invalid value \"{\"id\":\"x\",\"name\":\"n\",\"type\":\".nope\",\"fields\":null}\" supplied to \"connector\"",
    );
    // A known one is told from its own member alone.
    let jira = json!({"id": "x", "name": "n", "type": ".jira", "fields": {"issueType": "1", "parent": null}});
    let whole = "Invalid value \"{\"issueType\":\"1\",\"parent\":null}\" supplied to \"connector,fields\"";
    refuses(
        &case(),
        with("connector", jira),
        &format!("{},{whole}", undefined(&["connector,fields,priority"])),
    );
    let none = json!({"id": 1, "name": "n", "type": ".none", "fields": {}});
    refuses(
        &case(),
        with("connector", none),
        "Invalid value \"1\" supplied to \"connector,id\",Invalid value \"{}\" supplied to \"connector,fields\"",
    );
}

fn comment_members() -> Vec<Schema> {
    let comment = || limited("comment", 1, 30_000);
    let rule = object([("id", nullable(string())), ("name", nullable(string()))]);
    let some = || union([array(string()), string()]);
    let reference = |storage: Schema| {
        object([
            ("externalReferenceAttachmentTypeId", string()),
            ("externalReferenceMetadata", union([null(), record(string(), any())])),
            ("type", literal("externalReference")),
            ("owner", string()),
            ("externalReferenceId", string()),
            ("externalReferenceStorage", storage),
        ])
    };
    let target = object([("hostname", string()), ("endpointId", string())]);
    vec![
        object([("comment", comment()), ("type", literal("user")), ("owner", string())]),
        object([
            ("type", literal("alert")),
            ("alertId", some()),
            ("index", some()),
            ("rule", rule),
            ("owner", string()),
        ]),
        object([
            ("type", literal("actions")),
            ("comment", comment()),
            ("actions", object([("targets", array(target)), ("type", string())])),
            ("owner", string()),
        ]),
        reference(object([("type", literal("elasticSearchDoc"))])),
        reference(object([("type", literal("savedObject")), ("soType", string())])),
        object([
            ("type", literal("persistableState")),
            ("owner", string()),
            ("persistableStateAttachmentTypeId", string()),
            ("persistableStateAttachmentState", record(string(), any())),
        ]),
    ]
}

const TAIL: [&str; 7] = [
    "actions",
    "externalReferenceAttachmentTypeId",
    "externalReferenceMetadata",
    "externalReferenceId",
    "externalReferenceStorage",
    "persistableStateAttachmentTypeId",
    "persistableStateAttachmentState",
];

#[test]
fn comment_bodies_tell_the_faults_of_every_member_once() {
    let comment = union(comment_members());
    let tail = undefined(&TAIL);
    let (id, index, rule) = (undefined(&["alertId"]), undefined(&["index"]), undefined(&["rule"]));
    let missing = undefined(&["comment"]);
    let user = |value: Value| json!({"type": "user", "owner": "cases", "comment": value});
    let user_tail = format!("Invalid value \"user\" supplied to \"type\",{id},{index},{rule},{tail}");
    for (value, first) in [
        (
            user(json!("x".repeat(30_001))),
            "The length of the comment is too long. The maximum length is 30000.",
        ),
        (user(json!("  ")), "The comment field cannot be an empty string."),
        (json!({"type": "user", "owner": "cases"}), missing.as_str()),
    ] {
        refuses(&comment, value, &format!("{first},{user_tail}"));
    }
    let alert = |missing_key: &str| {
        let mut alert = json!({
            "type": "alert", "owner": "cases", "alertId": "1", "index": ["i"], "rule": {"id": null, "name": "r"},
        });
        alert.as_object_mut().unwrap().shift_remove(missing_key);
        alert
    };
    for key in ["index", "rule", "alertId"] {
        let text =
            format!("{missing},Invalid value \"alert\" supplied to \"type\",{},{tail}", undefined(&[key]));
        refuses(&comment, alert(key), &text);
    }
    let nothing = format!("{},{id},{index},{rule},{tail}", undefined(&["comment", "type", "owner"]));
    refuses(&comment, json!({}), &nothing);
    refuses(&comment, json!({"bad": "x"}), &nothing);
    assert_eq!(decode(&comment, alert("")), Ok(alert("")));
}

#[test]
fn a_comment_patch_wants_id_and_version() {
    let patch = intersection([union(comment_members()), object([("id", string()), ("version", string())])]);
    let complete = json!({"type": "user", "owner": "cases", "comment": "c"});
    refuses(&patch, complete.clone(), &undefined(&["id", "version"]));
    let mut good = complete;
    good["id"] = json!("1");
    good["version"] = json!("2");
    assert_eq!(decode(&patch, good.clone()), Ok(good.clone()));
    good["alertId"] = json!("x");
    refuses(&patch, good, "invalid keys \"alertId\"");
}

#[test]
fn excess_keys_are_told_when_all_else_fits() {
    let comment = union(comment_members());
    let user = json!({"type": "user", "owner": "cases", "comment": "c", "alertId": "1"});
    refuses(&comment, user, "invalid keys \"alertId\"");
    let nested = with("settings", json!({"syncAlerts": true, "b": 1}));
    refuses(&case(), nested, "invalid keys \"b\"");
    let several = json!([{"uid": "a", "x": 1}, {"uid": "b", "y": 2}]);
    refuses(&case(), with("assignees", several), "invalid keys \"x,y\"");
    // An excess object is followed by its own JSON.
    refuses(&case(), with("foo", json!({"a": [1]})), "invalid keys \"foo,{\"a\":[1]}\"");
    // Free records keep what they hold.
    let free = object([("state", record(string(), any()))]);
    let state = json!({"state": {"a": {"b": [{"c": null}]}}});
    assert_eq!(decode(&free, state.clone()), Ok(state));
}

#[test]
fn decoding_without_the_excess_check() {
    let schema = object([("a", object([("b", number())]))]).unknown(Unknown::Drop);
    assert_eq!(decode(&schema, json!({"a": {"b": 1.0, "c": 2}, "d": 3})), Ok(json!({"a": {"b": 1}})));
    let open = object([("a", number())]).unknown(Unknown::Allow);
    assert_eq!(decode(&open, json!({"z": {"y": 1}, "a": 1})), Ok(json!({"z": {"y": 1}, "a": 1})));
}

#[test]
fn custom_texts() {
    let key_rule = |key: &str| match key
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
    {
        true => Ok(()),
        false => Err("Key must be lower case, a-z, 0-9, '_', and '-' are allowed".to_owned()),
    };
    let mime = |value: &str| match value {
        "text/plain" => Ok(()),
        other => Err(format!("The mime type field value {other} is not allowed.")),
    };
    let not_blank = |value: &str| {
        if value.trim().is_empty() { Err("string must have length >= 1".to_owned()) } else { Ok(()) }
    };
    for (schema, value, text) in [
        (limited("title", 1, 160), json!(""), "The title field cannot be an empty string."),
        (limited("title", 1, 160), json!(" \t\n"), "The title field cannot be an empty string."),
        (
            limited("name", 3, 9),
            json!(" ab "),
            "The length of the name is too short. The minimum length is 3.",
        ),
        (
            limited("title", 1, 3),
            json!("a\u{1f600}b"),
            "The length of the title is too long. The maximum length is 3.",
        ),
        (
            array(string()).min_size(1).field("ids"),
            json!([]),
            "The length of the field ids is too short. Array must be of length >= 1.",
        ),
        (
            array(string()).max_size(1).field("ids"),
            json!(["a", "b"]),
            "The length of the field ids is too long. Array must be of length <= 1.",
        ),
        // Elements are looked at first.
        (array(string()).max_size(1).field("ids"), json!(["a", 2]), "Invalid value \"2\" supplied to \"v\""),
        (
            integer().field("value"),
            json!(1.5),
            "The value field should be an integer between -(2^53 - 1) and 2^53 - 1, inclusive.",
        ),
        (
            integer().field("value"),
            json!(9_007_199_254_740_992_i64),
            "The value field should be an integer between -(2^53 - 1) and 2^53 - 1, inclusive.",
        ),
        (number().min(1).field("n"), json!(0.5), "The n field cannot be less than 1."),
        (number().max(9).field("n"), json!(10), "The n field cannot be more than 9."),
        (
            limited("key", 1, 36).check(key_rule),
            json!("A b"),
            "Key must be lower case, a-z, 0-9, '_', and '-' are allowed",
        ),
        (string().check(mime), json!("a/b"), "The mime type field value a/b is not allowed."),
        (string().check(not_blank), json!(" "), "string must have length >= 1"),
        // Without a field name the key stands in.
        (string().min_len(1), json!(""), "The v field cannot be an empty string."),
    ] {
        refuses(&object([("v", schema)]), json!({ "v": value }), text);
    }
    // Length is measured after trimming, and the value kept as sent.
    let padded = object([("v", limited("v", 1, 3))]);
    assert_eq!(decode(&padded, json!({"v": "  abc  "})), Ok(json!({"v": "  abc  "})));
    assert_eq!(decode(&object([("v", limited("v", 0, 3))]), json!({"v": " "})), Ok(json!({"v": " "})));
}

#[test]
fn paging() {
    let page = || number().from_string().optional();
    let schema = object([("page", page()), ("perPage", page())]).check_value(|value| {
        let number = |key: &str| value[key].as_f64().unwrap_or_default();
        let (page, per_page) = (number("page"), number("perPage"));
        if per_page > 100.0 {
            return Err("The provided perPage value is too high. The maximum allowed perPage value is 100.".to_owned());
        }
        if page.max(page * per_page) > 10_000.0 {
            return Err("The number of documents is too high. Paginating through more than 10000 documents is not possible.".to_owned());
        }
        Ok(())
    });
    assert_eq!(decode(&schema, json!({"page": "2", "perPage": 20})), Ok(json!({"page": 2, "perPage": 20})));
    for (value, text) in [
        (
            json!({"perPage": "101"}),
            "The provided perPage value is too high. The maximum allowed perPage value is 100.",
        ),
        (
            json!({"page": 101, "perPage": "100"}),
            "The number of documents is too high. Paginating through more than 10000 documents is not possible.",
        ),
        (json!({"page": "abc"}), "Invalid value \"abc\" supplied to \"page\""),
        (json!({"page": ""}), "Invalid value \"\" supplied to \"page\""),
    ] {
        refuses(&schema, value, text);
    }
}

#[test]
fn nothing_is_converted() {
    let schema = object([("a", boolean()), ("b", number()), ("c", array(string()))]);
    refuses(
        &schema,
        json!({"a": "true", "b": "1", "c": "[]"}),
        "Invalid value \"true\" supplied to \"a\",Invalid value \"1\" supplied to \"b\",Invalid value \"[]\" supplied to \"c\"",
    );
}
