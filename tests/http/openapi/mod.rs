//! The OpenAPI document against the route table, against real answers, and against the official document.

mod answers;
mod coverage;
mod document;
mod official;

use crate::support::Platform;
use ikebana_http::{Route, RouteSpec};
use ikebana_system::{About, System};
use ikebana_testkit::server::TestServer;
use serde_json::Value;

/// All routes that the features have, as they register them.
fn table() -> Vec<RouteSpec> {
    let platform = Platform::open(Vec::new());
    let about = About {
        name: String::new(),
        uuid: String::new(),
        number: String::new(),
        program: String::new(),
        build_hash: String::new(),
        host: String::new(),
        port: 0,
        base_path: String::new(),
        anonymous_status: false,
        anonymous_metrics: false,
        document: true,
    };
    let system = System::new(about, platform.store, platform.clock);
    let routes: Vec<Route> = [
        ikebana_system::routes(&system),
        ikebana_security_api::routes(&platform.identity),
        ikebana_spaces::routes(&platform.spaces),
    ]
    .concat();
    routes.into_iter().map(|route| route.spec).collect()
}

/// A server that shows its document, and the document.
async fn documented() -> (TestServer, Value) {
    let server = TestServer::start_with(|config| config.http.oas_enabled = true).await;
    let document = server.request("GET", "/api/oas").send().await.json();
    (server, document)
}

/// Every operation of the document: `GET /path` and what is said of it.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            all.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    all
}

/// The operations by name.
fn names(document: &Value) -> Vec<String> {
    operations(document).into_iter().map(|(name, _)| name).collect()
}

/// The parameters of an operation in this place: name and description.
fn parameters<'a>(operation: &'a Value, place: &str) -> Vec<(&'a str, &'a Value)> {
    let all = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let there = all.iter().filter(|parameter| parameter["in"] == place);
    there.map(|parameter| (parameter["name"].as_str().expect("a name"), parameter)).collect()
}

/// As JSON Schema knows it: `nullable` is a type of its own, references are followed.
fn json_schema(schema: &Value, document: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("a reference into the document");
                return json_schema(document.pointer(pointer).expect("what is referred to"), document);
            }
            let mut converted: serde_json::Map<String, Value> = map
                .iter()
                .filter(|(key, _)| *key != "nullable" && *key != "example")
                .map(|(key, value)| (key.clone(), json_schema(value, document)))
                .collect();
            if map.get("nullable") == Some(&Value::Bool(true))
                && let Some(kind) = map.get("type")
            {
                converted.insert("type".to_owned(), serde_json::json!([kind, "null"]));
            }
            Value::Object(converted)
        }
        Value::Array(list) => list.iter().map(|value| json_schema(value, document)).collect(),
        other => other.clone(),
    }
}

/// Why the value does not conform; nothing if it does.
fn faults(schema: &Value, document: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&json_schema(schema, document)).expect("a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
