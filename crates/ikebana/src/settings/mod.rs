//! Settings: `kibana.yml` with Kibana's own keys, the command line, the keystore.
//!
//! Later sources win, key by key: files in order, command line, keystore. What is found is checked section by
//! section (`sections`) and then read into [`Settings`]. Faults come in Kibana's words, with its exit status.

mod config;
mod error;
mod files;
mod headers;
mod hint;
mod keystore;
mod raw;
mod read;
mod sections;
mod tls;
mod unused;

#[cfg(test)]
mod tests;

pub use error::{Hint, SettingsError};

use crate::logging::LoggingSettings;
use ikebana_http::HttpSettings;
use ikebana_secrets::Secret;
use ikebana_spaces::SpacesSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where settings come from. Nothing else is looked at, but for the files that are named here.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `-c`, in order; none: see `KBN_CONFIG_PATHS`, `KBN_PATH_CONF` and `kibana.yml` in the current folder.
    pub config_files: Vec<PathBuf>,
    /// `--dotted.name=value`, in order; values are JSON or plain text.
    pub overrides: Vec<(String, String)>,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, defaults in.
    pub settings: Settings,
    /// Dotted names that were set, are Kibana's, and have no effect here; in the order of the sources.
    pub ignored: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}

/// Everything that can be set, checked, with defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `path.data`.
    pub data: PathBuf,
    /// `pid.file`: where to write the process id.
    pub pid_file: Option<PidFile>,
    /// `server.host`.
    pub host: String,
    /// `server.port`; 0 takes a free one.
    pub port: u16,
    /// `server.uuid`, as written.
    pub uuid: Option<String>,
    /// `server.publicBaseUrl`.
    pub public_base_url: Option<String>,
    /// The rest of `server.*`, and `ikebana.maxRequests`.
    pub http: HttpSettings,
    /// `xpack.spaces.*`.
    pub spaces: SpacesSettings,
    /// `xpack.encryptedSavedObjects.encryptionKey`.
    pub encryption_key: Option<Secret>,
    /// `xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys`.
    pub decryption_only_keys: Vec<Secret>,
    /// `xpack.security.*`.
    pub security: SecuritySettings,
    /// `savedObjects.*`.
    pub saved_objects: SavedObjectsSettings,
    /// `status.allowAnonymous`.
    pub anonymous_status: bool,
    /// `metrics.allowAnonymous`, a setting of this program.
    pub anonymous_metrics: bool,
    /// `logging.*`.
    pub logging: LoggingSettings,
}

/// `pid.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PidFile {
    /// `file`.
    pub path: PathBuf,
    /// `exclusive`: a file that is there already stops the start.
    pub exclusive: bool,
}

/// `xpack.security.*`.
#[derive(Clone, Debug)]
pub struct SecuritySettings {
    /// `encryptionKey`; `None`: one is drawn, and sessions end with the process.
    pub encryption_key: Option<Secret>,
    /// `cookieName`.
    pub cookie_name: String,
    /// `session.idleTimeout`; `None`: no limit.
    pub idle_timeout: Option<Duration>,
    /// `session.lifespan`; `None`: no limit.
    pub lifespan: Option<Duration>,
    /// `session.cleanupInterval`.
    pub cleanup_interval: Duration,
    /// `secureCookies`.
    pub secure_cookies: bool,
    /// `authc.http.enabled`.
    pub http_authentication: bool,
    /// `authc.http.autoSchemesEnabled`.
    pub auto_schemes: bool,
    /// `authc.http.schemes`.
    pub schemes: Vec<String>,
    /// `audit.enabled`.
    pub audit: bool,
}

/// `savedObjects.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedObjectsSettings {
    /// `maxImportExportSize`, objects.
    pub max_import_export_size: u64,
    /// `maxImportPayloadBytes`.
    pub max_import_payload_bytes: u64,
}

impl Settings {
    /// Reads, checks and understands the settings, and the certificates that they name.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(sources: Sources) -> Result<Loaded, SettingsError> {
        let Sources { config_files, overrides, env } = sources;
        let files = files::chosen(config_files, &env);
        let mut tree = Map::new();
        for file in &files {
            raw::merge(&mut tree, files::read(file, &env)?);
        }
        for (name, value) in overrides {
            raw::merge(&mut tree, Map::from_iter([(name, files::override_value(&value))]));
        }
        raw::merge(&mut tree, keystore::read(&files::folder(&files, &env), &env)?);
        let (settings, ignored) = Self::understand(&tree, &env)?;
        Ok(Loaded { settings, ignored, files })
    }

    fn understand(
        tree: &Map<String, Value>,
        env: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<String>), SettingsError> {
        // Kibana checks values before it looks for keys that nobody knows.
        let checked =
            sections::checked(tree).map_err(|fault| SettingsError::invalid(fault.into_message()))?;
        let keys = raw::leaves(tree);
        let unknown: Vec<String> =
            keys.iter().filter(|key| !sections::covers(key) && !unused::covers(key)).cloned().collect();
        if !unknown.is_empty() {
            return Err(SettingsError::unknown(unknown));
        }
        let settings = read::settings(&checked, env)?;
        let ignored = keys
            .into_iter()
            .filter(|key| {
                unused::covers(key)
                    || sections::ignores(key)
                    || read::ignored_by_logging(key, &settings.logging)
            })
            .collect();
        Ok((settings, ignored))
    }
}
