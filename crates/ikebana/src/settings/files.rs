//! Which files are read, and how.

use super::{SettingsError, raw};
use serde_json::{Map, Value};
use serde_saphyr::options::AliasLimits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DEFAULT_FILE: &str = "kibana.yml";
/// A settings file is small; more is a mistake.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The folder that `KBN_PATH_CONF` names.
fn named_folder(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    env.get("KBN_PATH_CONF").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// The files to read, in order: the command line's, else those of `KBN_CONFIG_PATHS` (separated by commas),
/// else `kibana.yml` in the folder of `KBN_PATH_CONF` or in the current one, if it is there.
pub(super) fn chosen(named: Vec<PathBuf>, env: &BTreeMap<String, String>) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named;
    }
    if let Some(paths) = env.get("KBN_CONFIG_PATHS").filter(|paths| !paths.trim().is_empty()) {
        return paths.split(',').map(|path| PathBuf::from(path.trim())).collect();
    }
    let default = named_folder(env).unwrap_or_default().join(DEFAULT_FILE);
    if default.exists() { vec![default] } else { Vec::new() }
}

/// The folder that may hold the keystore: that of `KBN_PATH_CONF`, else that of the first file.
pub(super) fn folder(files: &[PathBuf], env: &BTreeMap<String, String>) -> PathBuf {
    named_folder(env).or_else(|| Some(files.first()?.parent()?.to_owned())).unwrap_or_default()
}

/// Reads one file, environment put in.
pub(super) fn read(path: &Path, env: &BTreeMap<String, String>) -> Result<Map<String, Value>, SettingsError> {
    let fault = |what: String| SettingsError::Other(format!("The settings file [{}] {what}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| fault(format!("cannot be read: {error}")))?.len();
    if size > MAX_BYTES {
        return Err(fault(format!("is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    let mut value = parse(&text).map_err(|what| fault(format!("is no valid YAML: {what}")))?;
    raw::expand(&mut value, env)?;
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(fault("holds no keys, but a single value or a list".to_owned())),
    }
}

/// YAML 1.2 with its core schema, as Kibana reads it. The fault quotes nothing of the text: it may be secret.
fn parse(text: &str) -> Result<Value, String> {
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 10_000;
    aliases.max_replay_stack_depth = 8;
    aliases.max_alias_expansions_per_anchor = 1_000;
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        alias_limits: aliases,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key, location } => {
            let key = key.as_deref().unwrap_or("?");
            format!("line {}: duplicated mapping key [{key}]", location.line())
        }
        other => other.to_string(),
    })
}

/// A value of the command line: JSON, else text.
pub(super) fn override_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_is_read_as_kibana_reads_it() {
        for (text, value) in [
            ("", json!(null)),
            ("# nothing\n", json!(null)),
            (
                "a: yes\nb: on\nc: TRUE\nd: ~\ne:\n",
                json!({"a": "yes", "b": "on", "c": true, "d": null, "e": null}),
            ),
            ("a: 0x10\nb: \"5\"\nc: 1.5\nd: 1_000", json!({"a": 16, "b": "5", "c": 1.5, "d": "1_000"})),
            ("a: 2024-01-01", json!({"a": "2024-01-01"})),
            ("a: &x [1]\nb: *x", json!({"a": [1], "b": [1]})),
            ("a: &x {p: 1}\nb:\n  <<: *x\n  q: 2", json!({"a": {"p": 1}, "b": {"q": 2, "p": 1}})),
            ("5: x", json!({"5": "x"})),
        ] {
            assert_eq!(parse(text), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn faults_tell_the_place_and_quote_no_value() {
        assert_eq!(parse("a: 1\na: 2\n"), Err("line 2: duplicated mapping key [a]".to_owned()));
        for text in ["a: [hunter2\n", "a: hunter2 : hunter2\n", "a: \"hunter2", "a: 1\n---\nb: hunter2"] {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains("line") && !fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn aliases_cannot_blow_up() {
        let mut text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for n in 1..12 {
            let of = format!("*a{}", n - 1);
            text += &format!("a{n}: &a{n} [{}]\n", [of.as_str(); 10].join(","));
        }
        assert!(parse(&text).is_err());
    }

    #[test]
    fn values_of_the_command_line() {
        for (text, value) in [
            ("5601", json!(5601)),
            ("true", json!(true)),
            ("null", json!(null)),
            ("[\"a\"]", json!(["a"])),
            ("{\"a\":1}", json!({"a": 1})),
            ("\"5\"", json!("5")),
            ("plain text", json!("plain text")),
            ("", json!("")),
            ("10.0.0.1", json!("10.0.0.1")),
        ] {
            assert_eq!(override_value(text), value, "{text}");
        }
    }
}
