//! What is in the document.

use super::{documented, faults, json_schema, names, operations, parameters, table};
use ikebana_clock::{FakeClock, SeededRandom};
use ikebana_http::{Access, Authentication, Authorization, Body, Method, RouteSpec};
use ikebana_testkit::server::START;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn name(spec: &RouteSpec) -> String {
    format!("{} {}", spec.method.upper(), spec.path)
}

fn find<'a>(document: &'a Value, spec: &RouteSpec) -> &'a Value {
    &document["paths"][spec.path][spec.method.lower()]
}

#[tokio::test]
async fn the_table_and_the_document_have_the_same_routes() {
    let (_server, document) = documented().await;
    let of_table: BTreeSet<String> = table().iter().map(name).collect();
    let of_document: BTreeSet<String> = names(&document).into_iter().collect();
    assert_eq!(of_table, of_document);
}

#[tokio::test]
async fn the_program_prints_what_the_server_answers() {
    let (_server, mut document) = documented().await;
    let mut printed = ikebana::document(FakeClock::at(START), SeededRandom::new(1)).expect("a document");
    assert_eq!(printed["servers"], json!([{"url": "http://localhost:5601"}]));
    for either in [&mut document, &mut printed] {
        either["servers"] = Value::Null;
    }
    assert_eq!(document, printed);
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_and_a_summary() {
    let (_server, document) = documented().await;
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(!id.is_empty() && ids.insert(id.to_owned()), "{name}: {id}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 3), "{name}");
        assert!(operation["tags"][0].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
}

#[tokio::test]
async fn headers_that_callers_must_send_are_documented() {
    let (_server, document) = documented().await;
    for spec in table() {
        let headers = parameters(find(&document, &spec), "header");
        let xsrf = headers.iter().find(|(name, _)| *name == "kbn-xsrf");
        let needed = spec.xsrf && spec.method != Method::Get;
        assert_eq!(
            xsrf.map(|(_, header)| &header["required"]),
            needed.then_some(&json!(true)),
            "{}",
            name(&spec)
        );
        let version = headers.iter().find(|(name, _)| *name == "elastic-api-version");
        let expected = spec.versioned.then(|| match spec.access {
            Access::Public => json!(["2023-10-31"]),
            Access::Internal => json!(["1"]),
        });
        assert_eq!(version.map(|(_, header)| header["schema"]["enum"].clone()), expected, "{}", name(&spec));
    }
}

#[tokio::test]
async fn parameters_of_the_path_are_those_of_the_template() {
    let (_server, document) = documented().await;
    for (name, operation) in operations(&document) {
        let of_template: Vec<&str> =
            name.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        let documented = parameters(operation, "path");
        let names: Vec<&str> = documented.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, of_template, "{name}");
        assert!(documented.iter().all(|(_, parameter)| parameter["required"] == true), "{name}");
    }
}

#[tokio::test]
async fn who_may_call_is_documented() {
    let (_server, document) = documented().await;
    assert_eq!(document["security"], json!([{"basicAuth": []}]));
    for spec in table() {
        let operation = find(&document, &spec);
        let expected = match spec.authentication {
            Authentication::Required => Value::Null,
            Authentication::Optional => json!([{}, {"basicAuth": []}]),
            Authentication::None => json!([]),
        };
        assert_eq!(operation["security"], expected, "{}", name(&spec));
        let refused = operation["responses"].get("401").is_some();
        assert_eq!(refused, spec.authentication == Authentication::Required, "{}", name(&spec));
        let open = matches!(spec.authorization, Authorization::Open(_));
        assert_eq!(operation["responses"].get("403").is_none(), open, "{}", name(&spec));
    }
}

#[tokio::test]
async fn bodies_are_documented_where_they_are_read() {
    let (_server, document) = documented().await;
    for spec in table() {
        let body = find(&document, &spec).get("requestBody");
        assert_eq!(body.is_some(), !matches!(spec.body, Body::None), "{}", name(&spec));
        if let Some(media) = body.and_then(|body| body.pointer("/content/application~1json")) {
            assert!(media["schema"].is_object(), "{}", name(&spec));
            if let Some(example) = media.get("example") {
                let faults = faults(&media["schema"], &document, example);
                assert_eq!(faults, Vec::<String>::new(), "{}", name(&spec));
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_described_and_every_schema_is_one() {
    let (_server, document) = documented().await;
    for (name, operation) in operations(&document) {
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{name}");
        for (status, answer) in answers {
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            for (mime, media) in answer.get("content").and_then(Value::as_object).into_iter().flatten() {
                let schema = json_schema(&media["schema"], &document);
                assert!(media["schema"].is_object(), "{name} {status} {mime}");
                assert!(jsonschema::meta::is_valid(&schema), "{name} {status} {mime}");
            }
        }
    }
}

#[tokio::test]
async fn required_keys_are_properties() {
    fn check(value: &Value) {
        match value {
            Value::Object(map) => {
                if let (Some(Value::Array(required)), Some(Value::Object(properties))) =
                    (map.get("required"), map.get("properties"))
                {
                    for key in required {
                        assert!(properties.contains_key(key.as_str().expect("a key")), "{key} in {map:?}");
                    }
                }
                map.values().for_each(check);
            }
            Value::Array(list) => list.iter().for_each(check),
            _ => {}
        }
    }
    let (_server, document) = documented().await;
    check(&document["paths"]);
}

#[tokio::test]
async fn the_documented_example_is_the_one_of_the_reference_and_works() {
    let (server, document) = documented().await;
    let create = &document["paths"]["/api/spaces/space"]["post"];
    let example = create.pointer("/requestBody/content/application~1json/example").expect("an example");
    assert_eq!(example["color"], Value::Null);
    assert_eq!(server.post("/api/spaces/space", example).await.status, 200);
}
