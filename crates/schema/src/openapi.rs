//! The same description as an OpenAPI 3.0.3 schema.

use serde_json::{Map, Value, json};

use crate::{
    Dialect,
    describe::{Kind, Limits, ObjectKind, Schema, Unknown},
    dialect::fate,
};

/// OpenAPI 3.0.3 schema of a description.
///
/// The dialect decides two things: which keys a client may leave out (config-schema fills in `null` for
/// nullable ones and `{}` for objects of optional parts) and whether unknown keys are refused
/// (`additionalProperties: false`).
pub fn openapi(schema: &Schema, dialect: Dialect) -> Value {
    let mut document = of_kind(schema, dialect);
    let node = &schema.node;
    let texts = [("pattern", node.pattern), ("format", node.format), ("description", node.description)];
    for (key, text) in texts {
        if let Some(text) = text {
            document.insert(key.to_owned(), Value::from(text));
        }
    }
    if let Some(default) = &node.default {
        document.insert("default".to_owned(), default.clone());
    }
    if node.null_as_absent {
        document = or_null(document);
    }
    Value::Object(document)
}

/// OpenAPI parameters of an object that describes a query (`location` `query`) or the path (`path`, where
/// every one is required). Empty for other descriptions.
pub fn openapi_parameters(schema: &Schema, dialect: Dialect, location: &str) -> Vec<Value> {
    let mut parameters = Vec::new();
    let mut fields = Vec::new();
    collect_fields(schema, &mut fields);
    for (key, field) in fields.into_iter().filter(|(_, field)| !matches!(field.kind(), Kind::Never)) {
        let mut document = openapi(field, dialect);
        let description = document.as_object_mut().and_then(|document| document.remove("description"));
        let mut parameter = json!({
            "name": key,
            "in": location,
            "required": location == "path" || is_required(field, dialect),
            "schema": document,
        });
        if let (Some(parameter), Some(description)) = (parameter.as_object_mut(), description) {
            parameter.insert("description".to_owned(), description);
        }
        parameters.push(parameter);
    }
    parameters
}

fn collect_fields<'s>(schema: &'s Schema, fields: &mut Vec<(&'static str, &'s Schema)>) {
    match schema.kind() {
        Kind::Object(object) => fields.extend(object.fields.iter().map(|(key, field)| (*key, field))),
        Kind::Intersection { members, .. } => {
            members.iter().for_each(|member| collect_fields(member, fields));
        }
        _ => {}
    }
}

fn of_kind(schema: &Schema, dialect: Dialect) -> Map<String, Value> {
    let limits = &schema.node.limits;
    let inner = |part: &Schema| openapi(part, dialect);
    match schema.kind() {
        Kind::Any | Kind::Opaque => Map::new(),
        Kind::Never => entries([("not", json!({}))]),
        Kind::Null => null_document(),
        Kind::String => {
            let mut document = typed("string");
            count(&mut document, limits, "Length");
            document
        }
        Kind::Hostname => entries([("type", json!("string")), ("format", json!("hostname"))]),
        Kind::Uri(_) => entries([("type", json!("string")), ("format", json!("uri"))]),
        Kind::Number { integer } => {
            let mut document = typed(if *integer { "integer" } else { "number" });
            bounds(&mut document, limits);
            document
        }
        Kind::ByteSize | Kind::Duration => {
            let mut number = typed("number");
            bounds(&mut number, limits);
            entries([("anyOf", json!([number, typed("string")]))])
        }
        Kind::Boolean => typed("boolean"),
        Kind::Literal(Value::Null) => null_document(),
        Kind::Literal(value) => enumerated(vec![value.clone()]),
        Kind::Enumeration(values) => {
            enumerated(values.iter().map(|(value, _)| Value::from(*value)).collect())
        }
        Kind::Array(items) => {
            let mut document = entries([("type", json!("array")), ("items", inner(items))]);
            count(&mut document, limits, "Items");
            document
        }
        Kind::Object(object) => object_document(schema, object, dialect),
        Kind::Record { value, .. } => {
            entries([("type", json!("object")), ("additionalProperties", inner(value))])
        }
        Kind::Union(members) => any_of(members.iter().map(inner)),
        Kind::Tagged { members, .. } => any_of(members.iter().map(|(_, member)| inner(member))),
        Kind::Nullable(part) => match inner(part) {
            Value::Object(document) => or_null(document),
            _ => Map::new(),
        },
        Kind::Intersection { members, merged } => intersection(schema, members, merged.as_ref(), dialect),
        Kind::Conditional(conditional) => {
            let (then, otherwise) = (inner(&conditional.then), inner(&conditional.otherwise));
            match then {
                Value::Object(document) if Value::Object(document.clone()) == otherwise => document,
                then => any_of([then, otherwise]),
            }
        }
    }
}

fn entries<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn typed(name: &str) -> Map<String, Value> {
    entries([("type", json!(name))])
}

fn any_of(members: impl IntoIterator<Item = Value>) -> Map<String, Value> {
    entries([("anyOf", Value::Array(members.into_iter().collect()))])
}

/// `null` alone. OpenAPI 3.0 has no such type; `nullable` needs some type beside it.
fn null_document() -> Map<String, Value> {
    entries([("type", json!("object")), ("nullable", json!(true)), ("enum", json!([null]))])
}

fn enumerated(values: Vec<Value>) -> Map<String, Value> {
    let kind = match values.first() {
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        _ => "string",
    };
    entries([("type", json!(kind)), ("enum", Value::Array(values))])
}

fn or_null(mut document: Map<String, Value>) -> Map<String, Value> {
    if document.is_empty() {
        return document;
    }
    if document.contains_key("type") {
        document.insert("nullable".to_owned(), json!(true));
        if let Some(Value::Array(values)) = document.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        return document;
    }
    if let Some(Value::Array(members)) = document.get_mut("anyOf") {
        members.push(Value::Object(null_document()));
        return document;
    }
    any_of([Value::Object(document), Value::Object(null_document())])
}

fn count(document: &mut Map<String, Value>, limits: &Limits, noun: &str) {
    for (bound, limit) in [("min", limits.min), ("max", limits.max)] {
        if let Some(limit) = limit {
            document.insert(format!("{bound}{noun}"), Value::from(limit));
        }
    }
}

fn bounds(document: &mut Map<String, Value>, limits: &Limits) {
    for (bound, limit) in [("minimum", limits.lowest), ("maximum", limits.highest)] {
        if let Some(limit) = limit {
            document.insert(bound.to_owned(), crate::coerce::from_float(limit));
        }
    }
}

fn object_document(schema: &Schema, object: &ObjectKind, dialect: Dialect) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (key, field) in &object.fields {
        if matches!(field.kind(), Kind::Never) {
            continue;
        }
        properties.insert((*key).to_owned(), openapi(field, dialect));
        if is_required(field, dialect) {
            required.push(Value::from(*key));
        }
    }
    let mut document = entries([("type", json!("object")), ("properties", Value::Object(properties))]);
    if !required.is_empty() {
        document.insert("required".to_owned(), Value::Array(required));
    }
    if fate(schema, dialect) == Unknown::Refuse {
        document.insert("additionalProperties".to_owned(), json!(false));
    }
    document
}

fn intersection(
    schema: &Schema,
    members: &[Schema],
    merged: Option<&ObjectKind>,
    dialect: Dialect,
) -> Map<String, Value> {
    if let Some(object) = merged {
        return object_document(schema, object, dialect);
    }
    // Each member would refuse the keys of the others.
    let members = members.iter().map(|member| {
        let mut document = openapi(member, dialect);
        open(&mut document);
        document
    });
    entries([("allOf", Value::Array(members.collect()))])
}

/// Takes back the refusal of unknown keys at the top of a schema.
fn open(document: &mut Value) {
    let Some(document) = document.as_object_mut() else { return };
    if document.get("additionalProperties") == Some(&json!(false)) {
        document.remove("additionalProperties");
    }
    for combination in ["anyOf", "allOf"] {
        if let Some(Value::Array(members)) = document.get_mut(combination) {
            members.iter_mut().for_each(open);
        }
    }
}

/// Whether a request without the key is refused.
fn is_required(field: &Schema, dialect: Dialect) -> bool {
    if field.node.optional || field.node.default.is_some() {
        return false;
    }
    let fills_in = dialect == Dialect::ConfigSchema;
    match field.kind() {
        Kind::Never => false,
        Kind::Any | Kind::Opaque => fills_in,
        Kind::Nullable(inner) => !fills_in && is_required(inner, dialect),
        Kind::Union(members) => fills_in || members.iter().all(|member| is_required(member, dialect)),
        Kind::Object(object) | Kind::Intersection { merged: Some(object), .. } => {
            !fills_in || object.fields.iter().any(|(_, part)| is_required(part, dialect))
        }
        Kind::Intersection { members, .. } => {
            fills_in || members.iter().any(|member| is_required(member, dialect))
        }
        Kind::Conditional(conditional) => {
            is_required(&conditional.then, dialect) && is_required(&conditional.otherwise, dialect)
        }
        _ => true,
    }
}
