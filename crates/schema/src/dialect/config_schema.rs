//! config-schema: first fault only, strings converted to what is due.

use serde_json::{Map, Value};

use super::{
    Broken, Part, Segment, as_declared,
    failure::{Failure, Reason},
    is_literally, sent, settings_kind,
};
use crate::{
    coerce::{self, NotNumber},
    describe::{Kind, ObjectKind, Schema, Unknown},
    js, units,
};

type Outcome = Result<Option<Value>, Box<Failure>>;

pub(super) fn check(schema: &Schema, part: Part<'_>, value: Option<&Value>) -> Result<Option<Value>, String> {
    let around = Around { drop_unknown: false, siblings: None };
    walk(schema, sent(part, value), around).map_err(|failure| failure.render(part.namespace().as_deref()))
}

/// What a value inherits from the object around it.
#[derive(Clone, Copy)]
struct Around<'a> {
    drop_unknown: bool,
    siblings: Option<Siblings<'a>>,
}

/// The object of a conditional key: what is checked so far, else what was sent.
#[derive(Clone, Copy)]
struct Siblings<'a> {
    object: &'a ObjectKind,
    checked: &'a [Option<Value>],
    sent: &'a Map<String, Value>,
}

impl<'a> Siblings<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        match self.object.position(key) {
            Some(position) => self.checked.get(position)?.as_ref(),
            None => self.sent.get(key),
        }
    }
}

fn walk(schema: &Schema, value: Option<&Value>, around: Around<'_>) -> Outcome {
    let value = schema.seen(value);
    let normalised = match value {
        Some(value) => present(schema, value, around)?,
        None => match schema.absent() {
            Some(absent) => return Ok(absent),
            None => match absent(schema, around)? {
                // An object made up of defaults passes its rules like one that was sent; nothing else does.
                Some(made_up) if is_object(schema.kind()) => made_up,
                other => return Ok(other),
            },
        },
    };
    for check in &schema.node.checks {
        check.run(&normalised).map_err(|text| Failure::new(Reason::Text(text)))?;
    }
    Ok(Some(normalised))
}

fn is_object(kind: &Kind) -> bool {
    matches!(kind, Kind::Object(_) | Kind::Intersection { merged: Some(_), .. })
}

fn absent(schema: &Schema, around: Around<'_>) -> Outcome {
    let due = |due| Err(Failure::new(Reason::Type { due, got: "undefined" }));
    match schema.kind() {
        Kind::Object(object) | Kind::Intersection { merged: Some(object), .. } => {
            map_of(schema, object, &Map::new(), around).map(Some)
        }
        Kind::Nullable(_) => Ok(Some(Value::Null)),
        Kind::Conditional(conditional) => walk(chosen(conditional, around), None, around),
        Kind::Never => Ok(None),
        Kind::Literal(expected) => Err(Failure::literal(expected)),
        Kind::Null => Err(Failure::literal(&Value::Null)),
        Kind::Enumeration(values) if values.len() == 1 => Err(not_listed(values)),
        Kind::Union(_) | Kind::Tagged { .. } | Kind::Enumeration(_) => {
            Err(Failure::new(Reason::Static("expected at least one defined value but got [undefined]")))
        }
        Kind::Uri(_) => Err(Failure::new(Reason::TypeDot { due: "string", got: "undefined" })),
        Kind::Intersection { .. } => Err(Failure::new(Reason::NotObject("undefined"))),
        Kind::Any | Kind::Opaque => due("any"),
        Kind::String | Kind::Hostname => due("string"),
        Kind::Number { .. } => due("number"),
        Kind::Boolean => due("boolean"),
        Kind::Array(_) => due("array"),
        Kind::Record { .. } => due("object"),
        Kind::ByteSize => due("ByteSize"),
        Kind::Duration => due("moment.Duration"),
    }
}

fn present(schema: &Schema, value: &Value, around: Around<'_>) -> Result<Value, Box<Failure>> {
    match schema.kind() {
        Kind::Any | Kind::Opaque => Ok(value.clone()),
        Kind::Never => Err(Failure::new(Reason::Static("a value wasn't expected to be present"))),
        Kind::String => string(schema, value),
        Kind::Number { integer } => number(schema, value, *integer),
        Kind::Boolean => boolean(value),
        Kind::Null | Kind::Literal(_) | Kind::Enumeration(_) => literal(schema.kind(), value),
        Kind::Array(items) => array(schema, items, value, around),
        Kind::Object(object) | Kind::Intersection { merged: Some(object), .. } => {
            object_of(schema, object, value, around)
        }
        Kind::Intersection { members, .. } => intersection(members, value, around),
        Kind::Record { key, value: entry } => record(key, entry, value, around),
        Kind::Union(members) => union(members.iter(), value, around),
        Kind::Tagged { members, .. } => union(members.iter().map(|(_, member)| member), value, around),
        Kind::Nullable(inner) => nullable(inner, value, around),
        Kind::Conditional(conditional) => {
            walk(chosen(conditional, around), Some(value), around).map(Option::unwrap_or_default)
        }
        Kind::ByteSize | Kind::Duration | Kind::Uri(_) | Kind::Hostname => settings(schema, value),
    }
}

fn wrong_type(due: &'static str, value: &Value) -> Box<Failure> {
    Failure::new(Reason::Type { due, got: js::type_name(Some(value)) })
}

fn string(schema: &Schema, value: &Value) -> Result<Value, Box<Failure>> {
    let Value::String(text) = value else { return Err(wrong_type("string", value)) };
    length(schema, text)?;
    Ok(value.clone())
}

fn length(schema: &Schema, text: &str) -> Result<(), Box<Failure>> {
    let limits = &schema.node.limits;
    if limits.min.is_none() && limits.max.is_none() {
        return Ok(());
    }
    let len = js::utf16_len(text);
    let (bound, limit) = match limits.broken_by_len(len) {
        None => return Ok(()),
        Some(Broken::Low(limit)) => ("minimum", limit),
        Some(Broken::High(limit)) => ("maximum", limit),
    };
    let text = format!("value has length [{len}] but it must have a {bound} length of [{limit}].");
    Err(Failure::new(Reason::Text(text)))
}

fn number(schema: &Schema, value: &Value, integer: bool) -> Result<Value, Box<Failure>> {
    const UNSAFE: Reason = Reason::Labelled("must be a safe number");
    let (float, normalised) = match value {
        Value::Number(number) => (coerce::float(number), coerce::canonical(number)),
        Value::String(text) => match coerce::numeric_string(text) {
            Ok(float) => (float, coerce::from_float(float)),
            Err(NotNumber::Other) => return Err(wrong_type("number", value)),
            Err(NotNumber::Unsafe) => return Err(Failure::new(UNSAFE)),
        },
        _ => return Err(wrong_type("number", value)),
    };
    if float.abs() > js::MAX_SAFE_INTEGER {
        return Err(Failure::new(UNSAFE));
    }
    if integer && float.fract() != 0.0 {
        return Err(Failure::new(Reason::Labelled("must be an integer")));
    }
    let text = match schema.node.limits.broken_by(float) {
        None => return Ok(normalised),
        Some(Broken::Low(limit)) => {
            format!("Value must be equal to or greater than [{}].", js::number_text(limit))
        }
        Some(Broken::High(limit)) => {
            format!("Value must be equal to or lower than [{}].", js::number_text(limit))
        }
    };
    Err(Failure::new(Reason::Text(text)))
}

fn boolean(value: &Value) -> Result<Value, Box<Failure>> {
    let read = match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => coerce::boolean_string(text),
        _ => None,
    };
    read.map(Value::Bool).ok_or_else(|| wrong_type("boolean", value))
}

fn literal(kind: &Kind, value: &Value) -> Result<Value, Box<Failure>> {
    if is_literally(kind, value) {
        return Ok(as_declared(kind, value));
    }
    Err(match kind {
        Kind::Enumeration(values) => not_listed(values),
        Kind::Literal(expected) => Failure::literal(expected),
        _ => Failure::literal(&Value::Null),
    })
}

fn not_listed(values: &[(&'static str, Schema)]) -> Box<Failure> {
    Failure::union(
        values.iter().map(|(value, _)| *Failure::new(Reason::Literal((*value).to_owned()))).collect(),
    )
}

/// JSON text where an array, object or record is due; other values as they are.
fn parsed(value: &Value, unreadable: &'static str) -> Result<Option<Value>, Box<Failure>> {
    match value {
        Value::String(text) => {
            serde_json::from_str(text).map(Some).map_err(|_| Failure::new(Reason::Static(unreadable)))
        }
        _ => Ok(None),
    }
}

fn array(schema: &Schema, items: &Schema, value: &Value, around: Around<'_>) -> Result<Value, Box<Failure>> {
    let read = parsed(value, "could not parse array value from json input")?;
    let value = read.as_ref().unwrap_or(value);
    let Value::Array(elements) = value else { return Err(wrong_type("array", value)) };
    let inside = Around { siblings: None, ..around };
    let mut checked = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        match walk(items, Some(element), inside) {
            Ok(Some(element)) => checked.push(element),
            Ok(None) => {
                let failure = Failure::new(Reason::Static("sparse array are not allowed"));
                return Err(failure.within(&Segment::Index(index)));
            }
            Err(failure) => return Err(failure.within(&Segment::Index(index))),
        }
    }
    let size = elements.len();
    let (than, limit) = match schema.node.limits.broken_by_len(size) {
        None => return Ok(Value::Array(checked)),
        Some(Broken::Low(limit)) => ("smaller", limit),
        Some(Broken::High(limit)) => ("greater", limit),
    };
    let text = format!("array size is [{size}], but cannot be {than} than [{limit}]");
    Err(Failure::new(Reason::Text(text)))
}

fn object_of(
    schema: &Schema,
    object: &ObjectKind,
    value: &Value,
    around: Around<'_>,
) -> Result<Value, Box<Failure>> {
    let read = parsed(value, "could not parse object value from json input")?;
    match read.as_ref().unwrap_or(value) {
        Value::Object(map) => map_of(schema, object, map, around),
        other => Err(Failure::new(Reason::NotObject(js::type_name(Some(other))))),
    }
}

/// Known keys in their order, then the unknown ones as sent; the result keeps the order of the request, with
/// what was absent at its end.
fn map_of(
    schema: &Schema,
    object: &ObjectKind,
    map: &Map<String, Value>,
    around: Around<'_>,
) -> Result<Value, Box<Failure>> {
    let drop_unknown = match schema.node.unknown {
        Some(fate) => fate == Unknown::Drop,
        None => around.drop_unknown,
    };
    let keeps_unknown = schema.node.unknown == Some(Unknown::Allow);
    let mut checked: Vec<Option<Value>> = vec![None; object.fields.len()];
    for &position in &object.order {
        let (key, field) = &object.fields[position];
        let siblings = Siblings { object, checked: &checked, sent: map };
        let inside = Around { drop_unknown, siblings: Some(siblings) };
        let outcome = walk(field, map.get(*key), inside);
        checked[position] = outcome.map_err(|failure| failure.within(&Segment::Key((*key).to_owned())))?;
    }
    let mut normalised = Map::with_capacity(object.fields.len());
    for (key, value) in map {
        match object.position(key) {
            Some(position) => {
                if let Some(value) = checked[position].take() {
                    normalised.insert(key.clone(), value);
                }
            }
            None if keeps_unknown => {
                normalised.insert(key.clone(), value.clone());
            }
            None if drop_unknown => {}
            None => {
                let failure = Failure::new(Reason::Static("definition for this key is missing"));
                return Err(failure.within(&Segment::Key(key.clone())));
            }
        }
    }
    for ((key, _), value) in object.fields.iter().zip(checked) {
        if let Some(value) = value {
            normalised.insert((*key).to_owned(), value);
        }
    }
    Ok(Value::Object(normalised))
}

/// Members that are not all objects: each by itself, results laid over one another.
fn intersection(members: &[Schema], value: &Value, around: Around<'_>) -> Result<Value, Box<Failure>> {
    let mut merged = Map::new();
    let mut last = value.clone();
    for member in members {
        match walk(member, Some(value), around)? {
            Some(Value::Object(map)) => merged.extend(map),
            Some(other) => last = other,
            None => {}
        }
    }
    Ok(if value.is_object() || !merged.is_empty() { Value::Object(merged) } else { last })
}

fn record(
    key_schema: &Schema,
    entry_schema: &Schema,
    value: &Value,
    around: Around<'_>,
) -> Result<Value, Box<Failure>> {
    let read = parsed(value, "could not parse record value from json input")?;
    let value = read.as_ref().unwrap_or(value);
    let Value::Object(map) = value else { return Err(wrong_type("object", value)) };
    let inside = Around { siblings: None, ..around };
    let mut normalised = Map::with_capacity(map.len());
    for (key, entry) in map {
        record_key(key_schema, key, inside)?;
        let checked = walk(entry_schema, Some(entry), inside)
            .map_err(|failure| failure.within_record(Segment::Key(key.clone())))?;
        if let Some(checked) = checked {
            normalised.insert(key.clone(), checked);
        }
    }
    Ok(Value::Object(normalised))
}

fn record_key(schema: &Schema, key: &str, inside: Around<'_>) -> Result<(), Box<Failure>> {
    let node = &schema.node;
    if matches!(node.kind, Kind::String) && node.checks.is_empty() && length(schema, key).is_ok() {
        return Ok(());
    }
    walk(schema, Some(&Value::String(key.to_owned())), inside)
        .map(drop)
        .map_err(|failure| failure.within_record(Segment::Key(format!("key(\"{key}\")"))))
}

fn union<'s>(
    members: impl Iterator<Item = &'s Schema>,
    value: &Value,
    around: Around<'_>,
) -> Result<Value, Box<Failure>> {
    let mut failures = Vec::new();
    for member in members {
        match walk(member, Some(value), around) {
            Ok(checked) => return Ok(checked.unwrap_or_default()),
            Err(failure) => failures.push(*failure),
        }
    }
    Err(Failure::union(failures))
}

fn nullable(inner: &Schema, value: &Value, around: Around<'_>) -> Result<Value, Box<Failure>> {
    match walk(inner, Some(value), around) {
        Ok(checked) => Ok(checked.unwrap_or_default()),
        Err(_) if value.is_null() => Ok(Value::Null),
        Err(failure) => Err(Failure::union(vec![*failure, *Failure::literal(&Value::Null)])),
    }
}

fn chosen<'s>(conditional: &'s crate::describe::Conditional, around: Around<'_>) -> &'s Schema {
    let sibling = around.siblings.and_then(|siblings| siblings.get(conditional.sibling));
    let alone = Around { siblings: None, ..around };
    if walk(&conditional.is, sibling, alone).is_ok() { &conditional.then } else { &conditional.otherwise }
}

fn settings(schema: &Schema, value: &Value) -> Result<Value, Box<Failure>> {
    let kind = schema.kind();
    let text = |text: String| Failure::new(Reason::Text(text));
    if let (Kind::Uri(_) | Kind::Hostname, Value::String(empty)) = (kind, value)
        && empty.is_empty()
    {
        return Err(Failure::new(Reason::Labelled("is not allowed to be empty")));
    }
    let Some(read) = settings_kind(kind, value) else {
        let got = js::type_name(Some(value));
        return Err(Failure::new(match kind {
            Kind::ByteSize => Reason::Type { due: "ByteSize", got },
            Kind::Duration => Reason::Type { due: "moment.Duration", got },
            Kind::Uri(_) => Reason::TypeDot { due: "string", got },
            _ => Reason::Labelled("must be a string"),
        }));
    };
    let normalised = read.map_err(text)?;
    if let Value::String(name) = &normalised {
        length(schema, name)?;
    }
    within_bounds(schema, &normalised)?;
    Ok(normalised)
}

fn within_bounds(schema: &Schema, normalised: &Value) -> Result<(), Box<Failure>> {
    let Some(number) = normalised.as_f64() else { return Ok(()) };
    let (than, limit) = match schema.node.limits.broken_by(number) {
        None => return Ok(()),
        Some(Broken::Low(limit)) => ("greater", limit),
        Some(Broken::High(limit)) => ("less", limit),
    };
    let limit = match schema.kind() {
        Kind::ByteSize => units::byte_text_of(limit),
        _ => units::duration_text_of(limit),
    };
    Err(Failure::new(Reason::Text(format!("Value must be equal to or {than} than [{limit}]"))))
}
