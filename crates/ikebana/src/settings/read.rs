//! From checked sections to typed settings.

mod logging;
mod server;

use super::sections::Checked;
use super::{PidFile, SavedObjectsSettings, SecuritySettings, Settings, SettingsError};
use ikebana_secrets::Secret;
use ikebana_spaces::SpacesSettings;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use logging::ignored_by_logging;

/// Never `null` of an index beyond the value: the sections are checked and complete.
pub(super) fn settings(checked: &Checked, env: &BTreeMap<String, String>) -> Result<Settings, SettingsError> {
    let section = |path: &str| checked.get(path).unwrap_or(&Value::Null);
    let (server, path, pid) = (section("server"), section("path"), section("pid"));
    let encryption = section("xpack.encryptedSavedObjects");
    let logging = logging::settings(section("logging"), env);
    logging.check().map_err(|error| SettingsError::Other(error.to_string()))?;
    let mut http = server::http(server, env)?;
    http.max_requests = usize::try_from(whole(&section("ikebana")["maxRequests"])).unwrap_or(usize::MAX);
    Ok(Settings {
        data: PathBuf::from(text(&path["data"])),
        pid_file: optional_text(&pid["file"])
            .map(|file| PidFile { path: PathBuf::from(file), exclusive: is_true(&pid["exclusive"]) }),
        host: text(&server["host"]),
        port: u16::try_from(whole(&server["port"])).unwrap_or(u16::MAX),
        uuid: optional_text(&server["uuid"]),
        public_base_url: optional_text(&server["publicBaseUrl"]),
        http,
        spaces: spaces(section("xpack.spaces")),
        encryption_key: secret(&encryption["encryptionKey"]),
        decryption_only_keys: texts(&encryption["keyRotation"]["decryptionOnlyKeys"])
            .into_iter()
            .map(Secret::from)
            .collect(),
        security: security(section("xpack.security")),
        saved_objects: SavedObjectsSettings {
            max_import_export_size: whole(&section("savedObjects")["maxImportExportSize"]),
            max_import_payload_bytes: whole(&section("savedObjects")["maxImportPayloadBytes"]),
        },
        anonymous_status: is_true(&section("status")["allowAnonymous"]),
        anonymous_metrics: is_true(&section("metrics")["allowAnonymous"]),
        logging,
    })
}

fn spaces(section: &Value) -> SpacesSettings {
    SpacesSettings {
        max_spaces: whole(&section["maxSpaces"]),
        allow_feature_visibility: is_true(&section["allowFeatureVisibility"]),
        allow_solution_visibility: is_true(&section["allowSolutionVisibility"]),
        default_solution: optional_text(&section["defaultSolution"]),
    }
}

fn security(section: &Value) -> SecuritySettings {
    let (session, http) = (&section["session"], &section["authc"]["http"]);
    let limit = |value: &Value| (!value.is_null()).then(|| millis(value));
    SecuritySettings {
        encryption_key: secret(&section["encryptionKey"]),
        cookie_name: text(&section["cookieName"]),
        idle_timeout: limit(&session["idleTimeout"]),
        lifespan: limit(&session["lifespan"]),
        cleanup_interval: millis(&session["cleanupInterval"]),
        secure_cookies: is_true(&section["secureCookies"]),
        http_authentication: is_true(&http["enabled"]),
        auto_schemes: is_true(&http["autoSchemesEnabled"]),
        schemes: texts(&http["schemes"]),
        audit: is_true(&section["audit"]["enabled"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn optional_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true)
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// Milliseconds, which need not be whole.
fn millis(value: &Value) -> Duration {
    Duration::try_from_secs_f64(value.as_f64().unwrap_or_default() / 1e3).unwrap_or(Duration::MAX)
}

fn secret(value: &Value) -> Option<Secret> {
    optional_text(value).map(Secret::from)
}
