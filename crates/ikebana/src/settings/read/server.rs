//! `server.*`.

use super::{is_true, millis, optional_text, secret, text, texts, whole};
use crate::settings::tls::{self, Files};
use crate::settings::{SettingsError, headers};
use ikebana_http::{ClientAuthentication, CorsSettings, HttpSettings, TlsSettings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub(super) fn http(server: &Value, env: &BTreeMap<String, String>) -> Result<HttpSettings, SettingsError> {
    let defaults = HttpSettings::default();
    let (cors, compression) = (&server["cors"], &server["compression"]);
    Ok(HttpSettings {
        name: optional_text(&server["name"]).unwrap_or_else(|| host_name(env)),
        version: defaults.version,
        base_path: text(&server["basePath"]),
        rewrite_base_path: is_true(&server["rewriteBasePath"]),
        max_payload: whole(&server["maxPayload"]),
        socket_timeout: timeout(&server["socketTimeout"]),
        payload_timeout: timeout(&server["payloadTimeout"]),
        keepalive_timeout: timeout(&server["keepaliveTimeout"]),
        shutdown_timeout: millis(&server["shutdownTimeout"]),
        xsrf_disabled: is_true(&server["xsrf"]["disableProtection"]),
        xsrf_allowlist: texts(&server["xsrf"]["allowlist"]),
        restrict_internal: is_true(&server["restrictInternalApis"]),
        strict_client_version: is_true(&server["versioned"]["strictClientVersionCheck"]),
        request_id_from_any: is_true(&server["requestId"]["allowFromAnyIp"]),
        request_id_from: texts(&server["requestId"]["ipAllowlist"])
            .iter()
            .filter_map(|address| address.parse().ok())
            .collect(),
        oas_enabled: is_true(&server["oas"]["enabled"]),
        headers: headers::of(&server["securityResponseHeaders"], &server["customResponseHeaders"]),
        cors: is_true(&cors["enabled"]).then(|| CorsSettings {
            allow_credentials: is_true(&cors["allowCredentials"]),
            allow_origin: texts(&cors["allowOrigin"]),
        }),
        compression: is_true(&compression["enabled"]),
        brotli: is_true(&compression["brotli"]["enabled"]),
        compression_referrers: texts(&compression["referrerWhitelist"]),
        tls: ssl(&server["ssl"])?,
        max_requests: defaults.max_requests,
    })
}

/// Zero is no limit; ten years are as good.
fn timeout(value: &Value) -> Duration {
    const NO_LIMIT: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    let span = millis(value);
    if span.is_zero() { NO_LIMIT } else { span.min(NO_LIMIT) }
}

/// What the machine is called, in ASCII as a header can carry it.
fn host_name(env: &BTreeMap<String, String>) -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = told.or_else(|| env.get("HOSTNAME").or_else(|| env.get("COMPUTERNAME")).cloned());
    let name: String = named.unwrap_or_default().chars().filter(char::is_ascii_graphic).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

fn ssl(ssl: &Value) -> Result<Option<TlsSettings>, SettingsError> {
    if !is_true(&ssl["enabled"]) {
        return Ok(None);
    }
    let certificate = PathBuf::from(text(&ssl["certificate"]));
    let authorities = match &ssl["certificateAuthorities"] {
        Value::String(path) => vec![PathBuf::from(path)],
        paths => texts(paths).into_iter().map(PathBuf::from).collect(),
    };
    let passphrase = secret(&ssl["keyPassphrase"]);
    let key = PathBuf::from(text(&ssl["key"]));
    let read = Files { certificate: &certificate, key: &key, authorities: &authorities };
    let read = tls::read(&read, passphrase.as_ref())?;
    let protocols = texts(&ssl["supportedProtocols"]);
    let has = |name: &str| protocols.iter().any(|protocol| protocol == name);
    Ok(Some(TlsSettings {
        certificates: read.certificates,
        key: read.key,
        authorities: read.authorities,
        client_authentication: match ssl["clientAuthentication"].as_str() {
            Some("optional") => ClientAuthentication::Optional,
            Some("required") => ClientAuthentication::Required,
            _ => ClientAuthentication::None,
        },
        tls12: has("TLSv1.2"),
        tls13: has("TLSv1.3"),
        redirect_from_port: ssl["redirectHttpFromPort"].as_u64().and_then(|port| u16::try_from(port).ok()),
        source: certificate,
    }))
}
