//! io-ts as APM has it: one fault a line, then the walk for excess keys.

use std::{collections::HashSet, sync::LazyLock};

use serde_json::{Map, Value};

use super::{
    Dialect, Part,
    io_ts::{Decoder, Error, Key, Refused, codec_name},
};
use crate::{
    describe::{Kind, Schema, Unknown},
    js,
};

pub(super) fn check(schema: &Schema, part: Part<'_>, value: Option<&Value>) -> Result<Option<Value>, String> {
    let mut decoder = Decoder::new(Dialect::IoTsApm);
    match decoder.decode(schema, value) {
        Err(Refused) => {
            let lines: Vec<String> =
                decoder.errors.iter().map(|error| format!("  {}", line(schema, part, error))).collect();
            Err(format!("Failed to validate: \n{}", lines.join("\n")))
        }
        Ok(decoded) => {
            let mut excess = Excess::default();
            if let Some(sent) = value {
                excess.look_into(&[schema], sent, part_name(part).unwrap_or_default());
            }
            if excess.names.is_empty() {
                return Ok(decoded);
            }
            let names = excess.names.join("\n");
            Err(format!("Failed to validate: \n  Excess keys are not allowed:\n{names}"))
        }
    }
}

fn part_name(part: Part<'_>) -> Option<&str> {
    match part {
        Part::Params => Some("path"),
        Part::Query => Some("query"),
        Part::Body => Some("body"),
        Part::Namespace(name) | Part::Config(name) => Some(name),
        Part::Prefix(_) | Part::None => None,
    }
}

fn line(schema: &Schema, part: Part<'_>, error: &Error<'_>) -> String {
    if let Some(text) = &error.text {
        return text.clone();
    }
    let innermost = match error.steps.first() {
        Some(step) => codec_name(step.codec, Dialect::IoTsApm),
        None => codec_name(schema, Dialect::IoTsApm),
    };
    let value = error.value.map_or_else(|| "undefined".to_owned(), js::json_text);
    format!("in {}: {value} does not match expected type {innermost}", path(schema, part, error))
}

/// The outermost codec has an empty key of its own. Keys of intersections are left out, and so is the number
/// of the member that follows an intersection or a union.
fn path(schema: &Schema, part: Part<'_>, error: &Error<'_>) -> String {
    let mut elements: Vec<String> = vec![String::new()];
    let mut steps = error.steps.iter().rev();
    if let Some(name) = part_name(part) {
        if is_member_of_all(schema) {
            steps.next();
        } else {
            elements.push(name.to_owned());
            if is_member_of_one(schema) {
                steps.next();
            }
        }
    }
    while let Some(step) = steps.next() {
        if is_member_of_all(step.codec) {
            steps.next();
            continue;
        }
        elements.push(match step.key {
            Key::Name(name) => name.to_owned(),
            Key::Number(number) => number.to_string(),
        });
        if is_member_of_one(step.codec) {
            steps.next();
        }
    }
    elements.join("/")
}

fn is_member_of_all(codec: &Schema) -> bool {
    matches!(codec.kind(), Kind::Intersection { .. })
}

fn is_member_of_one(codec: &Schema) -> bool {
    matches!(codec.kind(), Kind::Union(_) | Kind::Tagged { .. } | Kind::Nullable(_) | Kind::Enumeration(_))
}

/// Dotted names of keys that no codec looks after, each told once, in the order met.
#[derive(Default)]
struct Excess {
    names: Vec<String>,
    told: HashSet<String>,
}

impl Excess {
    /// Looks into a value that `codecs` look after: all that apply to it, as the members of an intersection do.
    fn look_into(&mut self, codecs: &[&Schema], value: &Value, name: &str) {
        match value {
            Value::Object(map) => {
                let mut resolved = Vec::new();
                for codec in codecs {
                    resolve(codec, value, &mut resolved);
                }
                self.keys(&resolved, map, name);
            }
            Value::Array(elements) => {
                let items: Vec<&Schema> = codecs.iter().filter_map(|codec| element_codec(codec)).collect();
                let objects = elements.iter().filter(|element| element.is_object());
                if !items.is_empty() {
                    objects.for_each(|element| self.look_into(&items, element, name));
                }
            }
            _ => {}
        }
    }

    fn keys(&mut self, codecs: &[&Schema], map: &Map<String, Value>, prefix: &str) {
        for (key, part) in map {
            let handling: Vec<&Schema> = codecs.iter().filter_map(|codec| handler(codec, key)).collect();
            let nested = part.is_object() || part.is_array();
            if !nested && !handling.is_empty() {
                continue;
            }
            let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            if handling.is_empty() {
                self.tell(name);
            } else {
                self.look_into(&handling, part, &name);
            }
        }
    }

    fn tell(&mut self, name: String) {
        if self.told.insert(name.clone()) {
            self.names.push(name);
        }
    }
}

/// Elements are looked into only where an array codec stands by itself, not in a union.
fn element_codec(codec: &Schema) -> Option<&Schema> {
    match codec.kind() {
        Kind::Array(items) => Some(items),
        _ => None,
    }
}

/// Takes intersections apart and unions to their fitting member, once for all keys of `value`.
fn resolve<'s>(codec: &'s Schema, value: &Value, resolved: &mut Vec<&'s Schema>) {
    match codec.kind() {
        Kind::Intersection { members, .. } => {
            members.iter().for_each(|member| resolve(member, value, resolved));
        }
        Kind::Union(members) => resolve_one(members.iter(), value, resolved),
        Kind::Tagged { members, .. } => {
            resolve_one(members.iter().map(|(_, member)| member), value, resolved);
        }
        Kind::Nullable(inner) => resolve(inner, value, resolved),
        Kind::Conditional(conditional) => {
            resolve_one([&conditional.then, &conditional.otherwise].into_iter(), value, resolved);
        }
        _ => resolved.push(codec),
    }
}

fn resolve_one<'s>(
    mut members: impl Iterator<Item = &'s Schema>,
    value: &Value,
    resolved: &mut Vec<&'s Schema>,
) {
    let fitting = members.find(|member| Decoder::new(Dialect::IoTsApm).decode(member, Some(value)).is_ok());
    if let Some(member) = fitting {
        resolve(member, value, resolved);
    }
}

/// The codec that looks after a key.
fn handler<'s>(codec: &'s Schema, key: &str) -> Option<&'s Schema> {
    match codec.kind() {
        Kind::Any => Some(codec),
        Kind::Array(items) => Some(items),
        Kind::Record { value, .. } => Some(value),
        Kind::Object(object) => match object.position(key) {
            Some(position) => Some(&object.fields[position].1),
            None if matches!(codec.node.unknown, Some(Unknown::Allow | Unknown::Drop)) => Some(&ANYTHING),
            None => None,
        },
        _ => None,
    }
}

/// Looks after keys that are allowed without being named.
static ANYTHING: LazyLock<Schema> = LazyLock::new(crate::describe::any);
