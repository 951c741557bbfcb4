//! `GET /api/status`.

use crate::System;
use crate::host::Host;
use http::StatusCode;
use ikebana_http::{Answer, ApiError, Authentication, Authorization, Call, Method, RouteSpec};
use ikebana_schema::{Schema, Unknown, any, boolean, object, string, union};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How a service is, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Available,
    Degraded,
}

impl Level {
    fn text(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Degraded => "degraded",
        }
    }
}

/// One line of the status: a service or a feature.
struct Service {
    id: &'static str,
    level: Level,
    summary: &'static str,
}

pub(crate) fn spec() -> RouteSpec {
    RouteSpec::new(Method::Get, "/api/status", Authorization::Open("strangers see one word of it"))
        .document("system", "get-status", "Get the status of the server")
        .authentication(Authentication::Optional)
        .query(query_schema())
        .answers(200, "The server works.", answer_schema())
}

fn query_schema() -> Schema {
    object([("v7format", boolean().optional()), ("v8format", boolean().optional())]).check_value(|query| {
        match (query.get("v7format"), query.get("v8format")) {
            (Some(_), Some(_)) => Err("provide only one format option: v7format or v8format".to_owned()),
            _ => Ok(()),
        }
    })
}

fn answer_schema() -> Schema {
    let redacted = object([("status", object([("overall", object([("level", string())]))]))]);
    let full = object([
        ("name", string()),
        ("uuid", string()),
        ("version", object([("number", string())]).unknown(Unknown::Allow)),
        ("status", object([("overall", any())]).unknown(Unknown::Allow)),
        ("metrics", object([("requests", any())]).unknown(Unknown::Allow)),
    ]);
    union([redacted, full])
}

fn services(system: &System) -> Vec<Service> {
    let saved_objects = if system.engine_stats().full {
        (Level::Degraded, "No space is left for writing; reads go on")
    } else {
        (Level::Available, "SavedObjects service has completed migrations and is available")
    };
    vec![
        // Clients look for both names; there is no cluster, so what stands in its place answers.
        Service { id: "elasticsearch", level: Level::Available, summary: "Elasticsearch is available" },
        Service { id: "savedObjects", level: saved_objects.0, summary: saved_objects.1 },
    ]
}

/// Features that the wiring puts in; each stands on the store alone.
const FEATURES: [&str; 2] = ["security", "spaces"];

pub(crate) async fn answer(system: Arc<System>, call: Call) -> Result<Answer, ApiError> {
    let services = services(&system);
    let level = services.iter().map(|one| one.level).max().unwrap_or(Level::Available);
    if call.principal.is_none() && !system.about.anonymous_status {
        return Ok(Answer::json(&json!({"status": {"overall": {"level": level.text()}}})));
    }
    let v7 = call.flag("v7format") || call.query.get("v8format") == Some(&Value::Bool(false));
    let status = if v7 { v7_status(&system, &services, level) } else { status(&services, level) };
    let about = &system.about;
    Ok(Answer::json_with(
        StatusCode::OK,
        &json!({
            "name": about.name,
            "uuid": about.uuid,
            "version": {
                "number": about.number,
                "build_hash": about.build_hash,
                "build_number": 0,
                "build_snapshot": false,
                "build_flavor": "traditional",
                "build_date": "1970-01-01T00:00:00.000Z",
            },
            "status": status,
            "metrics": metrics(&system)?,
        }),
    ))
}

fn overall_summary(services: &[Service], level: Level) -> String {
    let bad: Vec<&str> =
        services.iter().filter(|one| one.level > Level::Available).map(|one| one.id).collect();
    if bad.is_empty() {
        return "All services and plugins are available".to_owned();
    }
    format!("{} service(s) and 0 plugin(s) are {}: {}", bad.len(), level.text(), bad.join(", "))
}

fn status(services: &[Service], level: Level) -> Value {
    let line = |level: Level, summary: &str| json!({"level": level.text(), "summary": summary});
    let core: Map<String, Value> =
        services.iter().map(|one| (one.id.to_owned(), line(one.level, one.summary))).collect();
    let summary = overall_summary(services, level);
    let plugins: Map<String, Value> =
        FEATURES.iter().map(|id| ((*id).to_owned(), line(level, &summary))).collect();
    json!({"overall": line(level, &summary), "core": core, "plugins": plugins})
}

/// The form of the 7.x line, which some health checks still ask for.
fn v7_status(system: &System, services: &[Service], level: Level) -> Value {
    let since = system.clock.now().iso();
    let words = |level: Level| match level {
        Level::Available => ("green", "Green", "Looking good", "success"),
        Level::Degraded => ("yellow", "Yellow", "I'll be back", "warning"),
    };
    let number = &system.about.number;
    let entry = |id: String, message: &str, level: Level| {
        let (state, _, _, color) = words(level);
        json!({"id": id, "message": message, "since": since, "state": state, "icon": color, "uiColor": color})
    };
    let summary = overall_summary(services, level);
    let mut statuses: Vec<Value> = services
        .iter()
        .map(|one| entry(format!("core:{}@{number}", one.id), one.summary, one.level))
        .collect();
    statuses.extend(FEATURES.iter().map(|id| entry(format!("plugin:{id}@{number}"), &summary, level)));
    let (state, title, nickname, color) = words(level);
    json!({
        "overall": {
            "since": since, "state": state, "title": title, "nickname": nickname, "icon": color,
            "uiColor": color,
        },
        "statuses": statuses,
    })
}

pub(crate) fn metrics(system: &System) -> Result<Value, ApiError> {
    let snapshot = system.app()?.metrics().snapshot();
    let host = Host::read();
    let now = system.clock.now();
    let codes: Map<String, Value> =
        snapshot.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect();
    let process = json!({
        "memory": {
            "heap": {
                "total_in_bytes": host.data, "used_in_bytes": host.data, "size_limit": host.memory_total,
            },
            "resident_set_size_in_bytes": host.resident,
        },
        "pid": std::process::id(),
        "event_loop_delay": 0,
        "uptime_in_millis": now.since(system.started).as_millis() as u64,
    });
    Ok(json!({
        "last_updated": now.iso(),
        "collection_interval_in_millis": 5000,
        "os": {
            "platform": std::env::consts::OS,
            "platformRelease": format!("{}-{}", std::env::consts::OS, host.release),
            "load": {"1m": host.load[0], "5m": host.load[1], "15m": host.load[2]},
            "memory": {
                "total_in_bytes": host.memory_total,
                "free_in_bytes": host.memory_free,
                "used_in_bytes": host.memory_total.saturating_sub(host.memory_free),
            },
            "uptime_in_millis": (host.uptime * 1000.0) as u64,
        },
        "process": process,
        "processes": [process],
        "response_times": {"avg_in_millis": snapshot.average_millis, "max_in_millis": snapshot.max_millis},
        "concurrent_connections": snapshot.connections,
        "requests": {
            "total": snapshot.total, "disconnects": snapshot.disconnects, "statusCodes": codes,
            "status_codes": codes,
        },
        "elasticsearch_client": {"totalActiveSockets": 0, "totalIdleSockets": 0, "totalQueuedRequests": 0},
    }))
}
