//! `server.*`.

use super::ssl;
use ikebana_schema::{
    Schema, any, array, boolean, byte_size, duration, enumeration, hostname, integer, literal, null, number,
    object, record, string, union, uri,
};
use serde_json::{Value, json};
use std::net::IpAddr;

/// Accepted and without effect: of the browser application and of Node.js, or always on here (HTTP/2 where the
/// client offers it).
pub(super) const UNUSED: &[&str] = &[
    "autoListen",
    "cdn",
    "compression.brotli.quality",
    "eluMonitor",
    "excludeRoutes",
    "http2",
    "protocol",
    "prototypeHardening",
    "rateLimiter",
    "ssl.cipherSuites",
    "versioned.useVersionResolutionStrategyForInternalPaths",
    "versioned.versionResolution",
    "xsrf.allowedSchemes",
];

/// Order of the keys: that of Kibana, since it decides which fault is told.
pub(super) fn schema() -> Schema {
    object([
        ("name", string().optional().describe("The name of the server; unsaid the machine's.")),
        ("autoListen", boolean().default(json!(true))),
        ("publicBaseUrl", uri(["http", "https"]).optional()),
        ("basePath", string().check(base_path).optional()),
        ("shutdownTimeout", duration().default(json!("30s")).check_value(shutdown_timeout)),
        ("cdn", object([("url", any().optional())])),
        ("oas", object([("enabled", boolean().default(json!(false)))])),
        ("cors", cors()),
        ("securityResponseHeaders", security_headers()),
        ("customResponseHeaders", record(string(), any()).default(json!({})).check_value(custom_headers)),
        ("protocol", enumeration(["http1", "http2"]).optional()),
        ("prototypeHardening", boolean().default(json!(true))),
        ("host", hostname().default(json!("localhost"))),
        ("maxPayload", byte_size().default(json!("1048576b"))),
        ("port", integer().min(0).max(65535).default(json!(5601))),
        ("rewriteBasePath", boolean().default(json!(false))),
        ("ssl", ssl::schema()),
        ("keepaliveTimeout", number().min(0).default(json!(120_000)).describe("Milliseconds; 0: no limit.")),
        ("socketTimeout", number().min(0).default(json!(120_000)).describe("Milliseconds; 0: no limit.")),
        ("payloadTimeout", number().min(0).default(json!(20_000)).describe("Milliseconds; 0: no limit.")),
        ("http2", object([("allowUnsecure", boolean().default(json!(false)))])),
        ("compression", compression()),
        ("uuid", string().check(uuid).optional()),
        ("xsrf", xsrf()),
        ("excludeRoutes", array(string().check(starts_with_slash)).default(json!([]))),
        ("eluMonitor", any().optional()),
        ("rateLimiter", any().optional()),
        ("requestId", request_id()),
        ("restrictInternalApis", boolean().default(json!(false))),
        ("versioned", versioned()),
    ])
    .check_value(across)
}

fn cors() -> Schema {
    let origins =
        union([array(uri(["http", "https"])).min_size(1), array(literal("*")).min_size(1).max_size(1)]);
    object([
        ("enabled", boolean().default(json!(false))),
        ("allowCredentials", boolean().default(json!(false))),
        ("allowOrigin", origins.default(json!(["*"]))),
    ])
    .check_value(|cors| {
        let wildcard = cors["allowOrigin"].as_array().is_some_and(|origins| origins.contains(&json!("*")));
        if cors["allowCredentials"] == true && wildcard {
            return Err("Cannot specify wildcard origin \"*\" with \"credentials: true\". \
                        Please provide a list of allowed origins."
                .to_owned());
        }
        Ok(())
    })
}

fn security_headers() -> Schema {
    let one_of = |values: &[&'static str], default: Value| {
        let values = values.iter().map(|value| literal(*value));
        union(values.chain([null()]).collect::<Vec<_>>()).default(default)
    };
    let policies = [
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ];
    let permissions =
        "camera=(), display-capture=(), fullscreen=(self), geolocation=(), microphone=(), web-share=()";
    object([
        ("strictTransportSecurity", union([string(), null()]).default(Value::Null)),
        ("xContentTypeOptions", one_of(&["nosniff"], json!("nosniff"))),
        ("referrerPolicy", one_of(&policies, json!("strict-origin-when-cross-origin"))),
        ("permissionsPolicy", union([string(), null()]).default(json!(permissions))),
        ("permissionsPolicyReportOnly", union([string(), null()]).optional()),
        ("disableEmbedding", boolean().default(json!(false))),
        (
            "crossOriginOpenerPolicy",
            one_of(&["unsafe-none", "same-origin-allow-popups", "same-origin"], json!("same-origin")),
        ),
    ])
}

fn compression() -> Schema {
    let brotli = object([
        ("enabled", boolean().default(json!(false))),
        ("quality", number().min(0).max(11).default(json!(3))),
    ]);
    object([
        ("enabled", boolean().default(json!(true))),
        ("brotli", brotli),
        ("referrerWhitelist", array(hostname()).min_size(1).optional()),
    ])
}

fn xsrf() -> Schema {
    object([
        ("disableProtection", boolean().default(json!(false))),
        ("allowlist", array(string().check(starts_with_slash)).default(json!([]))),
        ("allowedSchemes", array(string()).optional()),
    ])
}

fn request_id() -> Schema {
    object([
        ("allowFromAnyIp", boolean().default(json!(false))),
        ("ipAllowlist", array(string().check(address)).default(json!([]))),
    ])
    .check_value(|value| {
        let listed = value["ipAllowlist"].as_array().is_some_and(|list| !list.is_empty());
        if value["allowFromAnyIp"] == true && listed {
            return Err(
                "allowFromAnyIp must be set to 'false' if any values are specified in ipAllowlist".to_owned()
            );
        }
        Ok(())
    })
}

fn versioned() -> Schema {
    object([
        ("versionResolution", enumeration(["newest", "oldest"]).default(json!("oldest"))),
        ("strictClientVersionCheck", boolean().default(json!(true))),
        ("useVersionResolutionStrategyForInternalPaths", array(string()).default(json!([]))),
    ])
}

/// A slash, at least one character, and no slash at the end.
fn base_path(text: &str) -> Result<(), String> {
    if text.chars().count() > 1 && text.starts_with('/') && !text.ends_with('/') {
        return Ok(());
    }
    Err("must start with a slash, don't end with one".to_owned())
}

fn starts_with_slash(text: &str) -> Result<(), String> {
    if text.starts_with('/') { Ok(()) } else { Err("must start with a slash".to_owned()) }
}

fn shutdown_timeout(millis: &Value) -> Result<(), String> {
    if millis.as_f64().is_some_and(|millis| (1_000.0..=120_000.0).contains(&millis)) {
        return Ok(());
    }
    Err("the value should be between 1 second and 2 minutes".to_owned())
}

fn custom_headers(headers: &Value) -> Result<(), String> {
    let forbidden: Vec<&str> = headers
        .as_object()
        .into_iter()
        .flat_map(|headers| headers.keys())
        .map(String::as_str)
        .filter(|name| ["location", "refresh"].iter().any(|refused| name.eq_ignore_ascii_case(refused)))
        .collect();
    if forbidden.is_empty() {
        return Ok(());
    }
    Err(format!("The following custom response headers are not allowed to be set: {}", forbidden.join(", ")))
}

fn address(text: &str) -> Result<(), String> {
    text.parse::<IpAddr>().map(drop).map_err(|_| "value must be a valid ipv4 or ipv6 address".to_owned())
}

fn uuid(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let hexadecimal = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal && lengths == [8, 4, 4, 4, 12] { Ok(()) } else { Err("must be a valid uuid".to_owned()) }
}

/// Rules about several keys at once.
fn across(server: &Value) -> Result<(), String> {
    let base_path = server["basePath"].as_str();
    if base_path.is_none() && server["rewriteBasePath"] == true {
        return Err("cannot use [rewriteBasePath] when [basePath] is not specified".to_owned());
    }
    if let Some(url) = server["publicBaseUrl"].as_str() {
        public_base_url(url, base_path)?;
    }
    if server["compression"]["enabled"] == false && !server["compression"]["referrerWhitelist"].is_null() {
        return Err("cannot use [compression.referrerWhitelist] when [compression.enabled] is set to false"
            .to_owned());
    }
    let (ssl, port) = (&server["ssl"], &server["port"]);
    if ssl["enabled"] == true && ssl["redirectHttpFromPort"] == *port {
        return Err(format!(
            "Kibana does not accept http traffic to [port] when ssl is enabled (only https is allowed), so \
             [ssl.redirectHttpFromPort] cannot be configured to the same value. Both are [{port}]."
        ));
    }
    Ok(())
}

fn public_base_url(url: &str, base_path: Option<&str>) -> Result<(), String> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !query.is_empty() || !fragment.is_empty() || authority.contains('@') {
        return Err("[publicBaseUrl] may only contain a protocol, host, port, and pathname".to_owned());
    }
    let path = if path.is_empty() { "/" } else { path };
    if path != base_path.unwrap_or("/") {
        // Kibana writes an absent base path as its language does.
        let base_path = base_path.unwrap_or("undefined");
        return Err(format!("[publicBaseUrl] must contain the [basePath]: {path} !== {base_path}"));
    }
    Ok(())
}
