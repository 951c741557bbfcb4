//! `GET /api/oas`.

use crate::System;
use http::StatusCode;
use ikebana_http::{
    Access, Answer, ApiError, Authentication, Authorization, Call, DocumentFilter, Method, RouteSpec,
    document,
};
use ikebana_schema::{Dialect, Part, Schema, any, array, check, integer, literal, object, string, union};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn spec() -> RouteSpec {
    RouteSpec::new(Method::Get, "/api/oas", Authorization::Open("the document is public"))
        .document("system", "get-oas", "Get the OpenAPI document")
        .authentication(Authentication::None)
        .answers_as(200, "The document.", Some(any()), "application/json")
        .answers_as(400, "The query is not valid.", Some(fault_schema()), "application/json")
}

/// A fault of the query has only a message; what is refused before has the usual form.
fn fault_schema() -> Schema {
    object([
        ("statusCode", integer().optional()),
        ("error", string().optional()),
        ("message", string()),
        ("attributes", any().optional()),
    ])
}

fn query_schema() -> Schema {
    let list = || union([string(), array(string())]).optional();
    object([
        ("access", union([literal("public"), literal("internal")]).optional()),
        ("excludePathsMatching", list()),
        ("pathStartsWith", list()),
        ("pluginId", string().optional()),
        ("version", string().optional()),
    ])
}

fn texts(query: &Value, name: &str) -> Vec<String> {
    match query.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

pub(crate) async fn answer(system: Arc<System>, call: Call) -> Result<Answer, ApiError> {
    let query = match check(&query_schema(), Dialect::ConfigSchema, Part::None, Some(&call.query)) {
        Ok(query) => query,
        Err(fault) => {
            let message = json!({"message": fault.to_string()});
            return Ok(Answer::json_with(StatusCode::BAD_REQUEST, &message));
        }
    };
    let filter = DocumentFilter {
        access: match query.get("access").and_then(Value::as_str) {
            Some("internal") => Some(Access::Internal),
            Some(_) => Some(Access::Public),
            None => None,
        },
        path_starts_with: texts(&query, "pathStartsWith"),
        exclude_paths_matching: texts(&query, "excludePathsMatching"),
    };
    let app = system.app()?;
    let specs = app.routes().iter().map(|route| &route.spec);
    let base = if system.about.base_path.is_empty() { "/" } else { &system.about.base_path };
    Ok(Answer::json(&document(specs, &filter, &system.about.number, base)))
}
