//! Sections of a few keys.

use ikebana_schema::{
    Schema, any, array, boolean, byte_size, duration, hostname, integer, literal, number, object, record,
    string, union,
};
use serde_json::json;

pub(super) fn path() -> Schema {
    object([("data", string().default(json!("data")).describe("The folder that everything is kept in."))])
}

pub(super) fn pid() -> Schema {
    object([("file", string().optional()), ("exclusive", boolean().default(json!(false)))])
}

pub(super) fn saved_objects() -> Schema {
    object([
        ("maxImportPayloadBytes", byte_size().default(json!(26_214_400))),
        ("maxImportExportSize", integer().min(0).default(json!(10_000))),
        ("allowHttpApiAccess", boolean().optional()),
    ])
}

pub(super) fn status() -> Schema {
    object([("allowAnonymous", boolean().default(json!(false)))])
}

/// Of this program: `/metrics`.
pub(super) fn metrics() -> Schema {
    object([("allowAnonymous", boolean().default(json!(false)))])
}

/// Of this program.
pub(super) fn ikebana() -> Schema {
    object([(
        "maxRequests",
        integer().min(1).max(1_000_000).default(json!(1024)).describe("Requests in hand at once; more: 503."),
    )])
}

pub(super) fn spaces() -> Schema {
    let solution = union(["security", "oblt", "es", "classic"].map(literal));
    object([
        ("maxSpaces", integer().min(1).default(json!(1000))),
        ("allowFeatureVisibility", boolean().default(json!(true))),
        ("allowSolutionVisibility", boolean().default(json!(true))),
        ("defaultSolution", solution.optional()),
        ("experimental", any().optional()),
    ])
}

/// Accepted for the connectors to come.
pub(super) fn actions() -> Schema {
    let hosts = || array(union([hostname(), literal("*")]));
    object([
        ("allowedHosts", hosts().default(json!(["*"]))),
        ("enabledActionTypes", array(string()).default(json!(["*"]))),
        ("preconfiguredAlertHistoryEsIndex", boolean().default(json!(false))),
        ("preconfigured", record(string(), any()).default(json!({}))),
        ("proxyUrl", string().optional()),
        ("proxyHeaders", record(string(), string()).optional()),
        ("proxyBypassHosts", array(string()).optional()),
        ("proxyOnlyHosts", array(string()).optional()),
        ("ssl", any().optional()),
        ("maxResponseContentLength", byte_size().default(json!("1mb"))),
        ("responseTimeout", duration().default(json!("60s"))),
        ("customHostSettings", array(any()).optional()),
        ("microsoftGraphApiUrl", string().optional()),
        ("microsoftGraphApiScope", string().optional()),
        ("microsoftExchangeUrl", string().optional()),
        ("email", any().optional()),
        ("run", any().optional()),
        ("enableFooterInEmail", boolean().default(json!(true))),
        ("queued", object([("max", number().optional())])),
        ("usage", any().optional()),
        ("webhook", any().optional()),
        ("auth", any().optional()),
        ("rateLimiter", any().optional()),
    ])
}
