//! What may be set: a table a section, in Kibana's terms.

mod elasticsearch;
mod logging;
mod security;
mod server;
mod small;
mod ssl;

use super::raw;
use super::unused::is_below;
use ikebana_schema::{Dialect, Fault, Part, Schema, check, openapi};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Keys that belong together and are checked as one value.
struct Section {
    path: &'static str,
    schema: fn() -> Schema,
    /// Keys that are checked and then have no effect, relative to the section; `""` is the whole section.
    unused: &'static [&'static str],
}

/// Checked in this order; the first fault is told.
const SECTIONS: &[Section] = &[
    Section { path: "path", schema: small::path, unused: &[] },
    Section { path: "logging", schema: logging::schema, unused: &["browser"] },
    Section { path: "pid", schema: small::pid, unused: &[] },
    Section { path: "elasticsearch", schema: elasticsearch::schema, unused: &[""] },
    Section { path: "server", schema: server::schema, unused: server::UNUSED },
    Section { path: "savedObjects", schema: small::saved_objects, unused: &["allowHttpApiAccess"] },
    Section { path: "status", schema: small::status, unused: &[] },
    Section { path: "metrics", schema: small::metrics, unused: &[] },
    Section { path: "ikebana", schema: small::ikebana, unused: &[] },
    Section { path: "xpack.encryptedSavedObjects", schema: security::encrypted_saved_objects, unused: &[] },
    Section { path: "xpack.security", schema: security::security, unused: security::UNUSED },
    Section { path: "xpack.spaces", schema: small::spaces, unused: &["experimental"] },
    Section { path: "xpack.actions", schema: small::actions, unused: &[""] },
];

/// The sections with all defaults in, by their path.
pub(super) type Checked = BTreeMap<&'static str, Value>;

/// Checks all sections.
pub(super) fn checked(tree: &Map<String, Value>) -> Result<Checked, Fault> {
    SECTIONS
        .iter()
        .map(|section| {
            let (path, value) = (section.path, raw::at(tree, section.path));
            let value = check(&(section.schema)(), Dialect::ConfigSchema, Part::Config(path), value)?;
            Ok((path, value))
        })
        .collect()
}

fn section_of(key: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| is_below(key, section.path))
}

/// Whether a section looks after the dotted name.
pub(super) fn covers(key: &str) -> bool {
    section_of(key).is_some()
}

/// Whether a section accepts the dotted name and does nothing with it.
pub(super) fn ignores(key: &str) -> bool {
    section_of(key).is_some_and(|section| {
        let relative = key[section.path.len()..].trim_start_matches('.');
        section.unused.iter().any(|unused| unused.is_empty() || is_below(relative, unused))
    })
}

/// The dotted names of all keys of all sections.
pub(super) fn known_keys() -> Vec<String> {
    let mut keys = Vec::new();
    for section in SECTIONS {
        collect(section.path, &openapi(&(section.schema)(), Dialect::ConfigSchema), &mut keys);
    }
    keys
}

fn collect(path: &str, document: &Value, keys: &mut Vec<String>) {
    match document.get("properties").and_then(Value::as_object) {
        Some(properties) => {
            properties.iter().for_each(|(key, below)| collect(&format!("{path}.{key}"), below, keys));
        }
        None => keys.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_tables() {
        let keys = known_keys();
        for key in [
            "server.port",
            "server.ssl.keystore.path",
            "xpack.spaces.maxSpaces",
            "xpack.security.session.idleTimeout",
            "logging.root.level",
            "elasticsearch.hosts",
        ] {
            assert!(keys.iter().any(|known| known == key), "{key}");
        }
    }

    #[test]
    fn unused_keys_are_keys_of_their_section() {
        let keys = known_keys();
        for section in SECTIONS {
            for unused in section.unused.iter().filter(|unused| !unused.is_empty()) {
                let key = format!("{}.{unused}", section.path);
                assert!(keys.iter().any(|known| is_below(known, &key)), "{key}");
            }
        }
    }

    #[test]
    fn defaults_need_nothing() {
        assert_eq!(checked(&Map::new()).map(|checked| checked.len()), Ok(SECTIONS.len()));
    }
}
