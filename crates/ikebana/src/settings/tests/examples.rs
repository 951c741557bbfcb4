//! Whole files, as people have them.

use super::Start;
use crate::logging::{AppenderSettings, LayoutSettings, Level, LoggerSettings, Pattern, Rewrite, Rolling};
use crate::settings::{PidFile, SavedObjectsSettings};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Most of it, in both spellings.
const FULL: &str = r#"
path.data: /var/lib/ikebana
pid.file: /run/ikebana.pid
server:
  host: "0.0.0.0"
  port: "8443"
  name: tower
  basePath: /kibana
  rewriteBasePath: true
  maxPayload: 2mb
  socketTimeout: 60000
  payloadTimeout: 0
  keepaliveTimeout: "1500.5"
  uuid: 5b2de169-2785-441b-ae8c-186a1936b17d
server.publicBaseUrl: https://example.org/kibana
server.shutdownTimeout: 5s
server.cors: { enabled: true, allowCredentials: true, allowOrigin: ["https://example.org"] }
server.xsrf.disableProtection: TRUE
server.xsrf.allowlist: [/api/x]
server.compression.brotli.enabled: true
server.compression.referrerWhitelist: [example.org]
server.requestId.ipAllowlist: ["10.0.0.1", "::1"]
server.restrictInternalApis: true
server.versioned.strictClientVersionCheck: false
server.oas.enabled: true
server.customResponseHeaders: { X-Team: flowers }
ikebana.maxRequests: 10
metrics.allowAnonymous: true
status.allowAnonymous: true
savedObjects.maxImportPayloadBytes: 1kb
savedObjects.maxImportExportSize: 5
xpack.spaces: { maxSpaces: 7, allowFeatureVisibility: false, allowSolutionVisibility: false, defaultSolution: es }
xpack.security:
  cookieName: flower
  secureCookies: true
  session: { idleTimeout: 1h, lifespan: null }
  authc.http: { autoSchemesEnabled: false, schemes: [apikey] }
  audit.enabled: true
"#;

#[test]
fn a_full_file() {
    let loaded = Start::yaml(FULL).load().unwrap();
    assert_eq!(
        loaded.ignored,
        [
            "xpack.security.cookieName",
            "xpack.security.secureCookies",
            "xpack.security.session.idleTimeout",
            "xpack.security.session.lifespan",
            "xpack.security.authc.http.autoSchemesEnabled",
            "xpack.security.authc.http.schemes",
            "xpack.security.audit.enabled"
        ]
    );
    let settings = loaded.settings;
    assert_eq!(settings.data, PathBuf::from("/var/lib/ikebana"));
    assert_eq!(
        settings.pid_file,
        Some(PidFile { path: PathBuf::from("/run/ikebana.pid"), exclusive: false })
    );
    assert_eq!((settings.host.as_str(), settings.port), ("0.0.0.0", 8443));
    assert_eq!(settings.uuid.as_deref(), Some("5b2de169-2785-441b-ae8c-186a1936b17d"));
    assert_eq!(settings.public_base_url.as_deref(), Some("https://example.org/kibana"));
    assert!(settings.anonymous_status && settings.anonymous_metrics);
    assert_eq!(
        settings.saved_objects,
        SavedObjectsSettings { max_import_export_size: 5, max_import_payload_bytes: 1024 }
    );
    let spaces = &settings.spaces;
    assert_eq!((spaces.max_spaces, spaces.default_solution.as_deref()), (7, Some("es")));
    assert!(!spaces.allow_feature_visibility && !spaces.allow_solution_visibility);
    let security = &settings.security;
    assert_eq!(security.cookie_name, "flower");
    assert_eq!((security.idle_timeout, security.lifespan), (Some(Duration::from_secs(3600)), None));
    assert_eq!(security.cleanup_interval, Duration::from_secs(3600));
    assert!(
        security.secure_cookies && security.audit && security.http_authentication && !security.auto_schemes
    );
    assert_eq!(security.schemes, ["apikey"]);
}

#[test]
fn the_http_side_of_a_full_file() {
    let http = Start::yaml(FULL).settings().http;
    assert_eq!(
        (http.name.as_str(), http.base_path.as_str(), http.rewrite_base_path),
        ("tower", "/kibana", true)
    );
    assert_eq!((http.max_payload, http.max_requests), (2 * 1024 * 1024, 10));
    assert_eq!(http.socket_timeout, Duration::from_secs(60));
    assert_eq!(http.keepalive_timeout, Duration::from_micros(1_500_500));
    assert!(http.payload_timeout > Duration::from_secs(365 * 24 * 3600), "zero is no limit");
    assert_eq!(http.shutdown_timeout, Duration::from_secs(5));
    let cors = http.cors.unwrap();
    assert_eq!((cors.allow_credentials, cors.allow_origin), (true, vec!["https://example.org".to_owned()]));
    assert_eq!((http.xsrf_disabled, http.xsrf_allowlist), (true, vec!["/api/x".to_owned()]));
    assert_eq!((http.compression, http.brotli), (true, true));
    assert_eq!(http.compression_referrers, ["example.org"]);
    assert_eq!(
        http.request_id_from,
        ["10.0.0.1".parse::<std::net::IpAddr>().unwrap(), "::1".parse().unwrap()]
    );
    assert!(http.restrict_internal && !http.strict_client_version && http.oas_enabled);
    assert!(http.headers.contains(&("x-team".to_owned(), "flowers".to_owned())));
    assert!(http.tls.is_none());
}

#[test]
fn a_file_of_kibanas_starts_with_what_has_no_use_told() {
    let loaded = Start::yaml(
        "server.host: \"0.0.0.0\"\n\
         server.protocol: http1\n\
         elasticsearch.username: kibana_system\n\
         elasticsearch.password: 0123\n\
         elasticsearch.requestTimeout: 90000\n\
         i18n.locale: en\n\
         telemetry: {enabled: false, optIn: false}\n\
         map.includeElasticMapsService: false\n\
         monitoring.ui.container.elasticsearch.enabled: true\n\
         node.roles: [\"*\"]\n\
         ops.interval: 5000\n\
         csp.strict: false\n\
         xpack.reporting.encryptionKey: something_at_least_32_characters\n\
         xpack.fleet.agents.enabled: true\n\
         xpack.task_manager.max_workers: 10\n\
         xpack.alerting.rules.minimumScheduleInterval.value: 10s\n\
         xpack.actions.allowedHosts: [localhost, \"*\"]\n\
         xpack.security.authc.providers: {basic.basic1: {order: 0}}\n\
         xpack.spaces.maxSpaces: 5\n",
    )
    .load()
    .unwrap();
    assert_eq!(loaded.settings.spaces.max_spaces, 5);
    assert_eq!(
        loaded.ignored,
        [
            "server.protocol",
            "elasticsearch.username",
            "elasticsearch.password",
            "elasticsearch.requestTimeout",
            "i18n.locale",
            "telemetry.enabled",
            "telemetry.optIn",
            "map.includeElasticMapsService",
            "monitoring.ui.container.elasticsearch.enabled",
            "node.roles",
            "ops.interval",
            "csp.strict",
            "xpack.reporting.encryptionKey",
            "xpack.fleet.agents.enabled",
            "xpack.task_manager.max_workers",
            "xpack.alerting.rules.minimumScheduleInterval.value",
            "xpack.actions.allowedHosts",
            "xpack.security.authc.providers.basic.basic1.order",
        ]
    );
}

#[test]
fn logging() {
    let loaded = Start::yaml(
        "logging:\n\
         \x20 root: {level: warn, appenders: [default, file]}\n\
         \x20 loggers:\n\
         \x20   - {name: http.server.response, level: debug, appenders: [quiet]}\n\
         \x20   - {name: plugins}\n\
         \x20 appenders:\n\
         \x20   file: {type: file, fileName: /var/log/i.log, layout: {type: json}}\n\
         \x20   console2: {type: console, layout: {type: pattern, pattern: '%message', highlight: true}}\n\
         \x20   rolling:\n\
         \x20     type: rolling-file\n\
         \x20     fileName: r.log\n\
         \x20     layout.type: pattern\n\
         \x20     policy: {type: size-limit, size: 50mb}\n\
         \x20     strategy: {type: numeric, pattern: '.%i', max: 2}\n\
         \x20     retention.maxFiles: 3\n\
         \x20   daily:\n\
         \x20     type: rolling-file\n\
         \x20     fileName: d.log\n\
         \x20     layout.type: json\n\
         \x20     policy: {type: time-interval, interval: 24h}\n\
         \x20   quiet:\n\
         \x20     type: rewrite\n\
         \x20     appenders: [file]\n\
         \x20     policy: {type: meta, mode: remove, properties: [{path: http.request.headers}]}\n",
    )
    .env("NO_COLOR", "1")
    .load()
    .unwrap();
    let logging = loaded.settings.logging;
    assert_eq!(
        loaded.ignored,
        [
            "logging.appenders.rolling.retention.maxFiles",
            "logging.appenders.daily.policy.type",
            "logging.appenders.daily.policy.interval"
        ]
    );
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        (logging.root.level, logging.root.appenders.clone(), logging.color),
        (Level::Warn, names(&["default", "file"]), false)
    );
    assert_eq!(
        logging.loggers,
        [
            LoggerSettings {
                name: "http.server.response".to_owned(),
                level: Level::Debug,
                appenders: names(&["quiet"])
            },
            LoggerSettings { name: "plugins".to_owned(), level: Level::Info, appenders: vec![] },
        ]
    );
    let file =
        |path: &str, layout, rolling| AppenderSettings::File { path: PathBuf::from(path), layout, rolling };
    let pattern = |pattern, highlight| LayoutSettings::Pattern { pattern, highlight };
    let rolling = Rolling { size: 50 * 1024 * 1024, pattern: ".%i".to_owned(), max: 2 };
    let expected = [
        ("console2", AppenderSettings::Console(pattern(Pattern::parse("%message").unwrap(), true))),
        ("daily", file("d.log", LayoutSettings::Json, None)),
        ("file", file("/var/log/i.log", LayoutSettings::Json, None)),
        (
            "quiet",
            AppenderSettings::Rewrite(Rewrite {
                properties: vec![("http.request.headers".to_owned(), None)],
                appenders: names(&["file"]),
            }),
        ),
        ("rolling", file("r.log", pattern(Pattern::default(), false), Some(rolling))),
    ];
    let found: Vec<_> = logging.appenders.iter().map(|(name, one)| (name.as_str(), one.clone())).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_security_header_can_be_set() {
    let headers = Start::new()
        .argument("server.securityResponseHeaders.strictTransportSecurity", "max-age=1")
        .argument("server.securityResponseHeaders.permissionsPolicy", "null")
        .argument("server.securityResponseHeaders.disableEmbedding", "true")
        .settings()
        .http
        .headers;
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "strict-transport-security",
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "x-frame-options",
            "content-security-policy",
            "content-security-policy-report-only"
        ]
    );
    let refused = Start::new()
        .argument("server.securityResponseHeaders", &json!({"xContentTypeOptions": "sniff"}).to_string())
        .fault();
    assert_eq!(
        refused,
        (
            78,
            "[config validation of [server].securityResponseHeaders.xContentTypeOptions]: types that failed \
             validation:\n\
             - [config validation of [server].securityResponseHeaders.xContentTypeOptions.0]: expected value to equal \
             [nosniff]\n\
             - [config validation of [server].securityResponseHeaders.xContentTypeOptions.1]: expected value to equal \
             [null]"
                .to_owned()
        )
    );
}
