//! Constructors.

use std::sync::Arc;

use serde_json::Value;

use super::{Conditional, Kind, ObjectKind, Schema};

/// Any value, also with strict keys: nothing inside it is unknown.
pub fn any() -> Schema {
    Schema::of(Kind::Any)
}

/// Any value; unlike [`any`], the strict-key walk of the APM dialect counts keys of an object in its place as
/// excess (io-ts `unknown`).
pub fn opaque() -> Schema {
    Schema::of(Kind::Opaque)
}

/// A key that must be absent.
pub fn never() -> Schema {
    Schema::of(Kind::Never)
}

/// `null` alone.
pub fn null() -> Schema {
    Schema::of(Kind::Null)
}

/// A string.
pub fn string() -> Schema {
    Schema::of(Kind::String)
}

/// A number. Integral values come out as JSON integers, whatever their spelling.
pub fn number() -> Schema {
    Schema::of(Kind::Number { integer: false })
}

/// A whole number. config-schema knows none; there a fraction is refused in the words of the library below it.
pub fn integer() -> Schema {
    Schema::of(Kind::Number { integer: true })
}

/// `true` or `false`.
pub fn boolean() -> Schema {
    Schema::of(Kind::Boolean)
}

/// One scalar value.
pub fn literal(value: impl Into<Value>) -> Schema {
    Schema::of(Kind::Literal(value.into()))
}

/// One of some strings: a zod enum; elsewhere the union of their literals.
pub fn enumeration(values: impl IntoIterator<Item = &'static str>) -> Schema {
    Schema::of(Kind::Enumeration(values.into_iter().map(|value| (value, literal(value))).collect()))
}

/// An array whose elements are all of one description.
pub fn array(items: Schema) -> Schema {
    Schema::of(Kind::Array(items))
}

/// An object with the given keys, in declaration order (which decides the order of faults).
pub fn object(fields: impl IntoIterator<Item = (&'static str, Schema)>) -> Schema {
    Schema::of(Kind::Object(ObjectKind::new(fields.into_iter().collect())))
}

/// An object with free keys.
pub fn record(key: Schema, value: Schema) -> Schema {
    Schema::of(Kind::Record { key, value })
}

/// The first fitting member.
pub fn union(members: impl IntoIterator<Item = Schema>) -> Schema {
    Schema::of(Kind::Union(members.into_iter().collect()))
}

/// The member whose literal under `tag` the value has. Under config-schema a plain [`union`].
pub fn tagged_union(tag: &'static str, members: impl IntoIterator<Item = Schema>) -> Schema {
    let members = members
        .into_iter()
        .map(|member| {
            let values = tag_values(&member, tag);
            debug_assert!(!values.is_empty(), "a member has no literal under the tag");
            (values, member)
        })
        .collect();
    Schema::of(Kind::Tagged { tag, members })
}

fn tag_values(member: &Schema, tag: &str) -> Vec<Value> {
    match member.kind() {
        Kind::Object(object) => match object.position(tag).map(|at| object.fields[at].1.kind()) {
            Some(Kind::Literal(value)) => vec![value.clone()],
            Some(Kind::Enumeration(values)) => values.iter().map(|(value, _)| Value::from(*value)).collect(),
            _ => Vec::new(),
        },
        Kind::Intersection { members, .. } => members
            .iter()
            .map(|member| tag_values(member, tag))
            .find(|found| !found.is_empty())
            .unwrap_or_default(),
        Kind::Tagged { members, .. } => {
            members.iter().flat_map(|(_, member)| tag_values(member, tag)).collect()
        }
        _ => Vec::new(),
    }
}

/// The description or `null`. Under config-schema absence too becomes `null`, unless the result is optional.
pub fn nullable(inner: Schema) -> Schema {
    Schema::of(Kind::Nullable(inner))
}

/// All members at once. io-ts checks them one by one; where all are objects, config-schema and zod see one
/// object with the keys of all.
pub fn intersection(members: impl IntoIterator<Item = Schema>) -> Schema {
    let members: Vec<Schema> = members.into_iter().collect();
    let merged = merged_fields(&members).map(ObjectKind::new);
    Schema::of(Kind::Intersection { members, merged })
}

fn merged_fields(members: &[Schema]) -> Option<Vec<(&'static str, Schema)>> {
    let mut fields = Vec::new();
    for member in members {
        match member.kind() {
            _ if !member.node.checks.is_empty() => return None,
            Kind::Object(object) | Kind::Intersection { merged: Some(object), .. } => {
                for (key, schema) in &object.fields {
                    if fields.iter().any(|(known, _)| known == key) {
                        return None;
                    }
                    fields.push((*key, schema.clone()));
                }
            }
            _ => return None,
        }
    }
    Some(fields)
}

/// `then` if the key `sibling` of the same object fits `is`, else `otherwise`. Faults are those of the chosen
/// side.
pub fn conditional(sibling: &'static str, is: Schema, then: Schema, otherwise: Schema) -> Schema {
    Schema::of(Kind::Conditional(Arc::new(Conditional { sibling, is, then, otherwise })))
}

/// A size in bytes: a number, or text such as `1mb`; comes out as a number of bytes.
pub fn byte_size() -> Schema {
    Schema::of(Kind::ByteSize)
}

/// A span of time: a number of milliseconds, or text such as `30s` or `1m30s`; comes out as milliseconds.
pub fn duration() -> Schema {
    Schema::of(Kind::Duration)
}

/// An absolute URI (RFC 3986) of one of the schemes, of any scheme if none is given.
pub fn uri(schemes: impl IntoIterator<Item = &'static str>) -> Schema {
    Schema::of(Kind::Uri(schemes.into_iter().collect()))
}

/// A host name (RFC 1123) or an IP address.
pub fn hostname() -> Schema {
    Schema::of(Kind::Hostname)
}
