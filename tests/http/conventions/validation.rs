//! Texts of config-schema, Kibana's validation library, as far as a route of this program shows them. The other
//! kinds are tested where the schema is.

use crate::support::error;
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

/// A body with one key changed.
fn with(key: &str, value: Value) -> Value {
    let mut body = json!({"id": "a", "name": "A"});
    body[key] = value;
    body
}

async fn check(server: &TestServer, body: &Value, text: &str) {
    let reply = server.post("/api/spaces/space", body).await;
    assert_eq!(reply.whole(), error(400, text), "{body}");
}

#[tokio::test]
async fn strings() {
    let server = TestServer::start().await;
    let wrong = |kind: &str| format!("[request body.name]: expected value of type [string] but got [{kind}]");
    check(&server, &json!({"id": "a"}), &wrong("undefined")).await;
    for (value, kind) in [
        (json!(1), "number"),
        (json!(true), "boolean"),
        (json!(null), "null"),
        (json!([]), "Array"),
        (json!({}), "Object"),
    ] {
        check(&server, &with("name", value), &wrong(kind)).await;
    }
    let short = "[request body.name]: value has length [0] but it must have a minimum length of [1].";
    check(&server, &with("name", json!("")), short).await;
    let long = "[request body.initials]: value has length [3] but it must have a maximum length of [2].";
    check(&server, &with("initials", json!("abc")), long).await;
}

#[tokio::test]
async fn lengths_count_utf16_units() {
    let server = TestServer::start().await;
    let long = "[request body.initials]: value has length [3] but it must have a maximum length of [2].";
    check(&server, &with("initials", json!("🌸x")), long).await;
    let reply = server.post("/api/spaces/space", &with("initials", json!("🌸"))).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn booleans() {
    let server = TestServer::start().await;
    for (value, kind) in [(json!("yes"), "string"), (json!(1), "number"), (json!(null), "null")] {
        let text = format!("[request body._reserved]: expected value of type [boolean] but got [{kind}]");
        check(&server, &with("_reserved", value), &text).await;
    }
    let reply = server.post("/api/spaces/space", &with("_reserved", json!("true"))).await;
    assert_eq!(reply.status, 200, "the text of a boolean is taken, in bodies too");
}

#[tokio::test]
async fn unions_of_literals() {
    let server = TestServer::start().await;
    let text = "[request body.solution]: types that failed validation:\n\
                - [request body.solution.0]: expected value to equal [security]\n\
                - [request body.solution.1]: expected value to equal [oblt]\n\
                - [request body.solution.2]: expected value to equal [es]\n\
                - [request body.solution.3]: expected value to equal [classic]";
    for value in [json!("search"), json!(""), json!(1), json!(null), json!("ES")] {
        check(&server, &with("solution", value), text).await;
    }
}

#[tokio::test]
async fn arrays() {
    let server = TestServer::start().await;
    let wrong = |kind: &str| {
        format!("[request body.disabledFeatures]: expected value of type [array] but got [{kind}]")
    };
    for (value, kind) in
        [(json!(1), "number"), (json!(null), "null"), (json!({}), "Object"), (json!(true), "boolean")]
    {
        check(&server, &with("disabledFeatures", value), &wrong(kind)).await;
    }
    let text = "[request body.disabledFeatures]: could not parse array value from json input";
    check(&server, &with("disabledFeatures", json!("discover")), text).await;
    let text = "[request body.disabledFeatures.1]: expected value of type [string] but got [number]";
    check(&server, &with("disabledFeatures", json!(["a", 1, 2])), text).await;
    let text = "[request body.disabledFeatures.0]: expected value of type [string] but got [null]";
    check(&server, &with("disabledFeatures", json!([null])), text).await;
}

#[tokio::test]
async fn json_text_of_an_array_is_taken() {
    let server = TestServer::start().await;
    let reply = server.post("/api/spaces/space", &with("disabledFeatures", json!("[\"a\",\"b\"]"))).await;
    assert_eq!(reply.whole(), (200, json!({"id": "a", "name": "A", "disabledFeatures": ["a", "b"]})));
}

#[tokio::test]
async fn objects() {
    let server = TestServer::start().await;
    for (body, kind) in [
        (json!([]), "Array"),
        (json!(null), "null"),
        (json!(1), "number"),
        (json!(true), "boolean"),
        (json!("[]"), "Array"),
    ] {
        let text = format!("[request body]: expected a plain object value, but found [{kind}] instead.");
        check(&server, &body, &text).await;
    }
    check(&server, &json!("x"), "[request body]: could not parse object value from json input").await;
    let reply = server.post("/api/spaces/space", &json!("{\"id\":\"a\",\"name\":\"A\"}")).await;
    assert_eq!(reply.status, 200, "JSON text of an object is taken");
}

#[tokio::test]
async fn unknown_keys_are_told_after_the_known_ones() {
    let server = TestServer::start().await;
    let text = "[request body.namespace]: definition for this key is missing";
    check(&server, &with("namespace", json!("x")), text).await;
    check(&server, &with("namespace", json!(null)), text).await;
    let text = "[request body.id]: expected value of type [string] but got [undefined]";
    check(&server, &json!({"aaa": 1}), text).await;
    let text = "[request body.solution]: types that failed validation:\n\
                - [request body.solution.0]: expected value to equal [security]\n\
                - [request body.solution.1]: expected value to equal [oblt]\n\
                - [request body.solution.2]: expected value to equal [es]\n\
                - [request body.solution.3]: expected value to equal [classic]";
    check(&server, &json!({"aaa": 1, "id": "a", "name": "A", "solution": 1}), text).await;
}

#[tokio::test]
async fn the_first_fault_in_the_order_of_declaration_is_told() {
    let server = TestServer::start().await;
    // Every field is wrong; each is told once those before it are right.
    let wrong = [
        ("id", "must be lower case, a-z, 0-9, '_', and '-' are allowed", json!("a")),
        ("name", "value has length [0] but it must have a minimum length of [1].", json!("A")),
        ("description", "expected value of type [string] but got [number]", json!("")),
        ("initials", "value has length [3] but it must have a maximum length of [2].", json!("")),
        ("color", "must be a 6 digit hex color, starting with a #", json!("#000000")),
        ("disabledFeatures", "expected value of type [array] but got [number]", json!([])),
        ("_reserved", "expected value of type [boolean] but got [number]", json!(true)),
        ("imageUrl", "must start with 'data:image'", json!("")),
    ];
    let mut body = json!({
        "other": 1, "imageUrl": "http://x", "_reserved": 1, "disabledFeatures": 1, "color": "red",
        "initials": "abc", "description": 1, "name": "", "id": "A"
    });
    for (key, text, right) in wrong {
        check(&server, &body, &format!("[request body.{key}]: {text}")).await;
        body[key] = right;
    }
    check(&server, &body, "[request body.other]: definition for this key is missing").await;
}

#[tokio::test]
async fn queries() {
    let server = TestServer::start().await;
    let get = |query: &str| server.request("GET", &format!("/api/spaces/space?{query}")).superuser().send();
    let purpose = "[request query.purpose]: types that failed validation:\n\
                   - [request query.purpose.0]: expected value to equal [any]\n\
                   - [request query.purpose.1]: expected value to equal [copySavedObjectsIntoSpace]\n\
                   - [request query.purpose.2]: expected value to equal [shareSavedObjectsIntoSpace]";
    for query in ["purpose=x", "purpose=", "purpose=any&purpose=any"] {
        assert_eq!(get(query).await.whole(), error(400, purpose), "{query}");
    }
    let flag =
        "[request query.include_authorized_purposes]: expected value of type [boolean] but got [string]";
    assert_eq!(get("include_authorized_purposes=1").await.whole(), error(400, flag));
    assert_eq!(get("include_authorized_purposes").await.whole(), error(400, flag));
    let list =
        "[request query.include_authorized_purposes]: expected value of type [boolean] but got [Array]";
    let twice = "include_authorized_purposes=true&include_authorized_purposes=true";
    assert_eq!(get(twice).await.whole(), error(400, list));
    let unknown = "[request query.x]: definition for this key is missing";
    assert_eq!(get("x=1").await.whole(), error(400, unknown));
    assert_eq!(get("include_authorized_purposes=TRUE").await.status, 200);
    assert_eq!(get("").await.status, 200);
}
