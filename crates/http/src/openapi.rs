//! The OpenAPI document, written from the route table.

use crate::spec::{Access, Authentication, Body, Documented, RouteSpec};
use ikebana_schema::{Dialect, Schema, any, integer, object, openapi, openapi_parameters, string};
use serde_json::{Map, Value, json};

/// Which routes the document shows.
#[derive(Clone, Debug, Default)]
pub struct DocumentFilter {
    /// Only routes for these callers.
    pub access: Option<Access>,
    /// Only paths that start with one of these; empty: all.
    pub path_starts_with: Vec<String>,
    /// No paths that start with one of these.
    pub exclude_paths_matching: Vec<String>,
}

impl DocumentFilter {
    fn shows(&self, spec: &RouteSpec) -> bool {
        let starts = |list: &[String]| list.iter().any(|prefix| spec.path.starts_with(prefix.as_str()));
        self.access.is_none_or(|access| access == spec.access)
            && (self.path_starts_with.is_empty() || starts(&self.path_starts_with))
            && !starts(&self.exclude_paths_matching)
    }
}

/// The document (OpenAPI 3.0.3) of these routes.
pub fn document<'a>(
    routes: impl IntoIterator<Item = &'a RouteSpec>,
    filter: &DocumentFilter,
    version: &str,
    server_url: &str,
) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for spec in routes.into_iter().filter(|spec| filter.shows(spec)) {
        let item = paths.entry(spec.path).or_insert_with(|| json!({}));
        item[spec.method.lower()] = operation(spec);
    }
    paths.sort_keys();
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Ikebana HTTP API",
            "description": "The Kibana HTTP API as this server answers it.",
            "version": version,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": server_url}],
        "security": [{"basicAuth": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"basicAuth": {"type": "http", "scheme": "basic"}},
            "schemas": {"Error": openapi(&error_schema(), Dialect::ConfigSchema)},
        },
    })
}

/// The body of every fault.
fn error_schema() -> Schema {
    object([
        ("statusCode", integer()),
        ("error", string()),
        ("message", string()),
        ("attributes", any().optional()),
    ])
}

fn operation(spec: &RouteSpec) -> Value {
    let mut operation = json!({
        "operationId": spec.operation_id,
        "summary": spec.summary,
        "tags": [spec.tag],
        "parameters": parameters(spec),
        "responses": responses(spec),
    });
    if spec.authentication != Authentication::Required {
        operation["security"] = match spec.authentication {
            Authentication::None => json!([]),
            _ => json!([{}, {"basicAuth": []}]),
        };
    }
    if spec.deprecated {
        operation["deprecated"] = json!(true);
    }
    if let Some(body) = request_body(spec) {
        operation["requestBody"] = body;
    }
    operation
}

fn parameters(spec: &RouteSpec) -> Vec<Value> {
    let mut list = Vec::new();
    if let Some(params) = &spec.params {
        list.extend(openapi_parameters(params, spec.dialect, "path"));
    } else {
        let names = spec.path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        list.extend(names.map(|(name, _)| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
        }));
    }
    if let Some(query) = &spec.query {
        list.extend(openapi_parameters(query, spec.dialect, "query"));
    }
    if spec.xsrf && spec.method != crate::Method::Get {
        list.push(json!({
            "name": "kbn-xsrf", "in": "header", "required": true,
            "description": "Any value; its presence protects against cross-site request forgery.",
            "schema": {"type": "string", "example": "true"},
        }));
    }
    if spec.versioned {
        let version = crate::version::known(spec.access);
        list.push(json!({
            "name": "elastic-api-version", "in": "header", "required": false,
            "description": "The version of the API.",
            "schema": {"type": "string", "enum": [version], "default": version},
        }));
    }
    list
}

fn request_body(spec: &RouteSpec) -> Option<Value> {
    let (content_type, schema) = match &spec.body {
        Body::None => return None,
        Body::Json(schema) => ("application/json", openapi(schema, spec.dialect)),
        Body::Multipart => ("multipart/form-data", json!({"type": "object"})),
        Body::Stream => ("application/octet-stream", json!({"type": "string", "format": "binary"})),
    };
    let mut media = json!({"schema": schema});
    if let Some(example) = spec.example {
        media["example"] = example();
    }
    let mut content = Map::new();
    content.insert(content_type.to_owned(), media);
    Some(json!({"required": true, "content": content}))
}

fn responses(spec: &RouteSpec) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for documented in &spec.answers {
        responses.insert(documented.status.to_string(), response(documented));
    }
    for (status, description) in faults(spec) {
        responses.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": description,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            })
        });
    }
    responses.sort_keys();
    Value::Object(responses)
}

fn response(documented: &Documented) -> Value {
    let mut response = json!({"description": documented.description});
    if let Some(schema) = &documented.schema {
        let mut content = Map::new();
        content.insert(
            documented.content_type.to_owned(),
            json!({"schema": openapi(schema, Dialect::ConfigSchema)}),
        );
        response["content"] = Value::Object(content);
    } else if !documented.content_type.is_empty() {
        let mut content = Map::new();
        content.insert(documented.content_type.to_owned(), json!({"schema": {"type": "string"}}));
        response["content"] = Value::Object(content);
    }
    response
}

/// What the walk itself may answer.
fn faults(spec: &RouteSpec) -> Vec<(u16, &'static str)> {
    let mut faults = vec![(400, "The request is not valid."), (503, "The server has too much to do.")];
    if spec.authentication == Authentication::Required {
        faults.push((401, "No credentials, or wrong ones."));
        faults.push((429, "Too many wrong credentials in a row."));
    }
    if !matches!(spec.body, Body::None) {
        faults.push((408, "The body did not arrive in time."));
        faults.push((413, "The body is too large."));
        faults.push((415, "The content type is not taken."));
    }
    match spec.authorization {
        crate::Authorization::Open(_) => {}
        _ => faults.push((403, "The caller may not do this.")),
    }
    faults
}
