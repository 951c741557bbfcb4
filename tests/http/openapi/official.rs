//! Our document against the official one, for the operations that we have. What differs is named in
//! `openapi_overlay.json`, each with its reason.

use super::{documented, operations, parameters};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

const OVERLAY: &str = include_str!("../openapi_overlay.json");
const PARTS: [&str; 2] = ["spaces_and_security.json", "system.json"];

/// The folder with the official parts, where this machine has it.
fn reference() -> Option<PathBuf> {
    let given = std::env::var_os("IKEBANA_REFERENCE").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
    let folder = given.unwrap_or(beside).join("openapi");
    PARTS.iter().all(|part| folder.join(part).is_file()).then_some(folder)
}

/// What counts of a schema: type, values, whether null is taken; alternatives of single values are one list.
fn shape(schema: &Value) -> Value {
    let mut shape = Map::new();
    if let Some(Value::Array(members)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        let shapes: Vec<Value> = members.iter().map(self::shape).collect();
        let values: Option<Vec<&Value>> =
            shapes.iter().map(|one| one.get("enum").and_then(|values| values.get(0))).collect();
        if let (Some(values), Some(first)) = (values, shapes.first()) {
            return json!({"type": first["type"], "enum": values});
        }
        shape.insert("alternatives".to_owned(), json!(shapes));
    }
    for key in ["type", "enum", "nullable", "minLength", "maxLength", "default"] {
        if let Some(value) = schema.get(key) {
            shape.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(items) = schema.get("items") {
        shape.insert("items".to_owned(), self::shape(items));
    }
    Value::Object(shape)
}

/// Everything that a caller may send: the place and its shape.
fn inputs(operation: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for place in ["query", "path"] {
        for (name, parameter) in parameters(operation, place) {
            let mut shape = shape(&parameter["schema"]);
            shape["required"] = json!(parameter["required"] == true);
            all.insert(format!("{place}.{name}"), shape);
        }
    }
    let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") else { return all };
    for (key, property) in body["properties"].as_object().into_iter().flatten() {
        let mut shape = shape(property);
        let required = body["required"].as_array().is_some_and(|list| list.contains(&json!(key)));
        shape["required"] = json!(required);
        all.insert(format!("body.{key}"), shape);
    }
    all
}

/// Differences between the official inputs and ours: by operation and place, official first.
fn differences(official: &Value, ours: &Value) -> BTreeMap<String, (Value, Value)> {
    let mine: BTreeMap<String, &Value> = operations(ours).into_iter().collect();
    let mut all = BTreeMap::new();
    for (name, theirs) in operations(official) {
        let Some(own) = mine.get(&name) else { continue };
        let own = inputs(own);
        for (place, shape) in inputs(theirs) {
            let found = own.get(&place).cloned().unwrap_or(Value::Null);
            if found != shape {
                all.insert(format!("{name} {place}"), (shape, found));
            }
        }
    }
    all
}

#[tokio::test]
async fn inputs_are_those_of_the_official_document() {
    let Some(folder) = reference() else {
        eprintln!("left out: the official document is not on this machine (IKEBANA_REFERENCE)");
        return;
    };
    let (_server, ours) = documented().await;
    let mut found = BTreeMap::new();
    let mut shared = 0;
    for part in PARTS {
        let text = std::fs::read_to_string(folder.join(part)).expect("a part");
        let official: Value = serde_json::from_str(&text).expect("JSON");
        let known = super::names(&ours);
        shared += super::names(&official).iter().filter(|name| known.contains(name)).count();
        found.append(&mut differences(&official, &ours));
    }
    assert_eq!(shared, 6, "operations of both");
    let overlay: Vec<Value> = serde_json::from_str(OVERLAY).expect("the overlay");
    let expected: BTreeMap<String, (Value, Value)> = overlay
        .into_iter()
        .map(|entry| {
            assert!(entry["reason"].as_str().is_some_and(|text| text.len() > 20), "{entry}");
            let name = entry["input"].as_str().expect("an input").to_owned();
            (name, (entry["official"].clone(), entry["ours"].clone()))
        })
        .collect();
    assert_eq!(found, expected);
}
