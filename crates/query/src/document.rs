//! Where the values of a dotted path are in a document.

use serde_json::Value;

/// The values at a path, arrays unpacked, null left out.
///
/// A path is found whether its segments are objects (`{"a": {"b": 1}}`) or part of a key (`{"a.b": 1}`), in any mixture,
/// and through arrays of objects.
pub(crate) fn values<'a>(document: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    collect(document, path, &mut found);
    found
}

/// All scalars below a value.
pub(crate) fn leaves<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, found)),
        Value::Null => {}
        _ => found.push(value),
    }
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        Value::Object(members) => {
            if let Some(member) = members.get(path) {
                unpack(member, found);
            }
            for (dot, _) in path.match_indices('.') {
                if let Some(member) = members.get(&path[..dot]) {
                    collect(member, &path[dot + 1..], found);
                }
            }
        }
        _ => {}
    }
}

fn unpack<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| unpack(item, found)),
        Value::Null => {}
        _ => found.push(value),
    }
}
