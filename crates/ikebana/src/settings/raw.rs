//! Settings as written: dotted or nested keys, several sources, references to the environment.

use super::SettingsError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Lays `layer` over `tree` at its leaves; arrays are replaced whole. Dotted keys are nested first.
pub(super) fn merge(tree: &mut Map<String, Value>, layer: Map<String, Value>) {
    for (key, value) in layer {
        let path: Vec<&str> = match bracketed(&key) {
            Some(name) => vec![name],
            None => key.split('.').collect(),
        };
        set(tree, &path, deep(value));
    }
}

/// Puts a nested value at a path; what is there and no object gives way.
fn set(tree: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => put(tree, key, value),
        [first, rest @ ..] => match tree.entry(*first).or_insert(Value::Null) {
            Value::Object(below) => set(below, rest, value),
            other => {
                let mut below = Map::new();
                set(&mut below, rest, value);
                *other = Value::Object(below);
            }
        },
    }
}

fn put(tree: &mut Map<String, Value>, key: &str, value: Value) {
    match value {
        Value::Object(map) => match tree.entry(key).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(below) => map.into_iter().for_each(|(key, value)| put(below, &key, value)),
            other => *other = Value::Object(map),
        },
        value => {
            tree.insert(key.to_owned(), value);
        }
    }
}

fn deep(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut tree = Map::new();
            merge(&mut tree, map);
            Value::Object(tree)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(deep).collect()),
        other => other,
    }
}

/// A key in brackets is one name, dots and all.
fn bracketed(key: &str) -> Option<&str> {
    key.strip_prefix('[')?.strip_suffix(']').filter(|name| !name.is_empty())
}

/// The value at a dotted path.
pub(super) fn at<'a>(tree: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => tree.get(path),
        Some((first, rest)) => at(tree.get(first)?.as_object()?, rest),
    }
}

/// The dotted names of all leaves; an array is a leaf, an empty object is none.
pub(super) fn leaves(tree: &Map<String, Value>) -> Vec<String> {
    let mut names = Vec::new();
    collect("", tree, &mut names);
    names
}

fn collect(prefix: &str, tree: &Map<String, Value>, names: &mut Vec<String>) {
    for (key, value) in tree {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(below) => collect(&name, below, names),
            _ => names.push(name),
        }
    }
}

/// Puts the environment in place of `${NAME}` and `${NAME:default}` in all texts of `value`.
///
/// # Errors
/// Kibana's words for a variable that is not set and has no default.
pub(super) fn expand(value: &mut Value, env: &BTreeMap<String, String>) -> Result<(), SettingsError> {
    match value {
        Value::String(text) if text.contains("${") => *text = expanded(text, env)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| expand(item, env))?,
        Value::Object(map) => map.values_mut().try_for_each(|item| expand(item, env))?,
        _ => {}
    }
    Ok(())
}

fn expanded(text: &str, env: &BTreeMap<String, String>) -> Result<String, SettingsError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((name, default, after)) => {
                let value = env.get(name).map(String::as_str).or(default).ok_or_else(|| {
                    SettingsError::Other(format!(
                        "Unknown environment variable referenced in config : {name}"
                    ))
                })?;
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// `${NAME}` or `${NAME:default}` at the start, both of word characters only.
fn reference(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (inner, after) = text.strip_prefix("${")?.split_once('}')?;
    let (name, default) =
        inner.split_once(':').map_or((inner, None), |(name, default)| (name, Some(default)));
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_word(name) && default.is_none_or(is_word)).then_some((name, default, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object is due") };
        map
    }

    fn merged(layers: impl IntoIterator<Item = Value>) -> Value {
        let mut tree = Map::new();
        layers.into_iter().for_each(|layer| merge(&mut tree, map(layer)));
        Value::Object(tree)
    }

    #[test]
    fn dotted_and_nested_keys_mix() {
        assert_eq!(
            merged([json!({
                "server.port": 1,
                "server": { "host": "h", "ssl.enabled": true, "[a.b]": 1 },
                "server.ssl": { "key": "k" },
                "list": [{ "a.b": 1 }],
                "p.q": { "[r.s]": 1 },
                "x": 1,
                "x.y": 2,
            })]),
            json!({
                "server": { "port": 1, "host": "h", "ssl": { "enabled": true, "key": "k" }, "a.b": 1 },
                "list": [{ "a": { "b": 1 } }],
                "p": { "q": { "r.s": 1 } },
                "x": { "y": 2 },
            })
        );
    }

    #[test]
    fn later_layers_win_per_leaf_and_replace_arrays() {
        assert_eq!(
            merged([json!({ "a": { "b": 1, "c": [1, 2] } }), json!({ "a.c": [3], "a": { "d": 4 } })]),
            json!({ "a": { "b": 1, "c": [3], "d": 4 } })
        );
    }

    #[test]
    fn references_to_the_environment() {
        let env = BTreeMap::from([("A_1".to_owned(), "x".to_owned()), ("EMPTY".to_owned(), String::new())]);
        for (text, expected) in [
            ("${A_1}", "x"),
            ("-${A_1}${A_1}-", "-xx-"),
            ("${NONE:default}", "default"),
            ("${A_1:default}", "x"),
            ("${EMPTY:default}", ""),
            ("${NONE:http://x}", "${NONE:http://x}"),
            ("${NONE:}", "${NONE:}"),
            ("${", "${"),
            ("${a-b}", "${a-b}"),
            ("$A_1 {A_1}", "$A_1 {A_1}"),
            ("${${A_1}}", "${x}"),
        ] {
            let mut value = json!({ "k": [text] });
            expand(&mut value, &env).unwrap();
            assert_eq!(value, json!({ "k": [expected] }), "{text}");
        }
        let error = expand(&mut json!("${NONE}"), &env).unwrap_err();
        assert_eq!(error.to_string(), "Unknown environment variable referenced in config : NONE");
    }

    proptest! {
        /// Writing a leaf by its dotted name is writing it nested, and the last one written stands.
        #[test]
        fn leaves_are_what_was_written_last(
            writes in prop::collection::vec((prop::collection::vec("[ab]", 3), 0..9, any::<bool>()), 1..12),
        ) {
            let mut tree = Map::new();
            let mut model = BTreeMap::new();
            for (path, value, nested) in writes {
                model.insert(path.join("."), json!(value));
                let layer = if nested {
                    path.iter().rev().fold(json!(value), |inner, key| json!({ key: inner }))
                } else {
                    json!({ path.join("."): value })
                };
                merge(&mut tree, map(layer));
            }
            let mut names = leaves(&tree);
            names.sort();
            prop_assert_eq!(&names, &model.keys().cloned().collect::<Vec<_>>());
            for (name, value) in &model {
                prop_assert_eq!(at(&tree, name), Some(value));
            }
        }
    }
}
