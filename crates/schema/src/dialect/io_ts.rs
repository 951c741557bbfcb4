//! Decoding as io-ts does it: every fault is collected, with the codecs and keys it was met under.

mod name;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{Broken, Dialect, as_declared, is_literally, settings_kind};
use crate::{
    coerce,
    describe::{self, Kind, ObjectKind, Schema, Unknown},
    js,
};

pub(crate) use name::codec_name;

/// One step from the outermost codec to a fault.
pub(super) struct Step<'a> {
    pub(super) key: Key<'a>,
    pub(super) codec: &'a Schema,
}

#[derive(Clone, Copy)]
pub(super) enum Key<'a> {
    Name(&'a str),
    /// Array position, or number of a member of a union or intersection.
    Number(usize),
}

pub(super) struct Error<'a> {
    /// From the innermost step outwards, without the outermost codec.
    pub(super) steps: Vec<Step<'a>>,
    /// The refused value as sent.
    pub(super) value: Option<&'a Value>,
    /// A text that replaces the message.
    pub(super) text: Option<String>,
}

/// Marks a value that was refused; its errors are in the decoder.
pub(super) struct Refused;

type Decoded = Result<Option<Value>, Refused>;

pub(super) struct Decoder<'a> {
    dialect: Dialect,
    pub(super) errors: Vec<Error<'a>>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, errors: Vec::new() }
    }

    pub(super) fn decode(&mut self, codec: &'a Schema, value: Option<&'a Value>) -> Decoded {
        self.decode_beside(codec, value, None)
    }

    fn decode_beside(
        &mut self,
        codec: &'a Schema,
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        let value = codec.seen(value);
        if value.is_none()
            && let Some(absent) = codec.absent()
        {
            return Ok(absent);
        }
        let decoded = self.kind(codec, value, siblings)?;
        if let Some(normalised) = &decoded {
            for check in &codec.node.checks {
                if let Err(text) = check.run(normalised) {
                    return self.refuse(value, Some(text));
                }
            }
        }
        Ok(decoded)
    }

    fn refuse<T>(&mut self, value: Option<&'a Value>, text: Option<String>) -> Result<T, Refused> {
        self.errors.push(Error { steps: Vec::new(), value, text });
        Err(Refused)
    }

    /// Decodes a part; its errors get the step that leads to it.
    fn step(
        &mut self,
        key: Key<'a>,
        codec: &'a Schema,
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        let before = self.errors.len();
        let decoded = self.decode_beside(codec, value, siblings);
        for error in &mut self.errors[before..] {
            error.steps.push(Step { key, codec });
        }
        decoded
    }

    fn kind(
        &mut self,
        codec: &'a Schema,
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        match codec.kind() {
            Kind::Any | Kind::Opaque => Ok(value.cloned()),
            Kind::Never => self.refuse(value, None),
            Kind::String => self.string(codec, value),
            Kind::Number { integer } => self.number(codec, value, *integer),
            Kind::Boolean => self.boolean(codec, value),
            Kind::Null | Kind::Literal(_) => match value {
                Some(given) if is_literally(codec.kind(), given) => {
                    Ok(Some(as_declared(codec.kind(), given)))
                }
                _ => self.refuse(value, None),
            },
            Kind::Enumeration(values) => self.enumeration(codec, values, value),
            Kind::Array(items) => self.array(codec, items, value),
            Kind::Object(object) => self.object(codec, object, value),
            Kind::Record { key, value: entry } => self.record(key, entry, value),
            Kind::Union(members) => self.union(members.iter(), value, siblings),
            Kind::Nullable(inner) => self.nullable(inner, value, siblings),
            Kind::Tagged { tag, members } => self.tagged(tag, members, value),
            Kind::Intersection { members, .. } => self.intersection(members, value, siblings),
            Kind::Conditional(conditional) => {
                let sibling = siblings.and_then(|map| map.get(conditional.sibling));
                let fits = Decoder::new(self.dialect).decode(&conditional.is, sibling).is_ok();
                let side = if fits { &conditional.then } else { &conditional.otherwise };
                self.decode_beside(side, value, siblings)
            }
            Kind::ByteSize | Kind::Duration | Kind::Uri(_) | Kind::Hostname => {
                match value.map(|given| settings_kind(codec.kind(), given)) {
                    Some(Some(Ok(normalised))) => Ok(Some(normalised)),
                    Some(Some(Err(text))) => self.refuse(value, Some(text)),
                    _ => self.refuse(value, None),
                }
            }
        }
    }

    fn string(&mut self, codec: &Schema, value: Option<&'a Value>) -> Decoded {
        let Some(Value::String(text)) = value else { return self.refuse(value, None) };
        let limits = &codec.node.limits;
        if limits.min.is_none() && limits.max.is_none() {
            return Ok(value.cloned());
        }
        if self.dialect == Dialect::IoTsApm {
            return match limits.broken_by_len(js::utf16_len(text)) {
                None => Ok(value.cloned()),
                Some(_) => self.refuse(value, None),
            };
        }
        let len = js::utf16_len(js::trim(text));
        let broken = match limits.broken_by_len(len) {
            None => return Ok(value.cloned()),
            Some(Broken::Low(_)) if len == 0 => Limit::Empty,
            Some(Broken::Low(limit)) => Limit::Short(limit),
            Some(Broken::High(limit)) => Limit::Long(limit),
        };
        self.limit(codec, value, broken)
    }

    fn number(&mut self, codec: &Schema, value: Option<&'a Value>, integer: bool) -> Decoded {
        let float = match value {
            Some(Value::Number(number)) => Some(coerce::float(number)),
            Some(given) if codec.node.from_string => read_number(self.dialect, given),
            _ => None,
        };
        let Some(float) = float else { return self.refuse(value, None) };
        let plain = self.dialect == Dialect::IoTsApm;
        if integer && !(float.fract() == 0.0 && float.abs() <= js::MAX_SAFE_INTEGER) {
            return if plain { self.refuse(value, None) } else { self.limit(codec, value, Limit::Fraction) };
        }
        match codec.node.limits.broken_by(float) {
            None => Ok(Some(match value {
                Some(Value::Number(number)) => coerce::canonical(number),
                _ => coerce::from_float(float),
            })),
            Some(_) if plain => self.refuse(value, None),
            Some(Broken::Low(limit)) => self.limit(codec, value, Limit::Less(limit)),
            Some(Broken::High(limit)) => self.limit(codec, value, Limit::More(limit)),
        }
    }

    fn boolean(&mut self, codec: &Schema, value: Option<&'a Value>) -> Decoded {
        match value {
            Some(Value::Bool(_)) => Ok(value.cloned()),
            // The codec of queries: the text `true` alone is true.
            Some(Value::String(text)) if codec.node.from_string => Ok(Some(Value::Bool(text == "true"))),
            _ => self.refuse(value, None),
        }
    }

    fn enumeration(
        &mut self,
        codec: &Schema,
        values: &'a [(&'static str, Schema)],
        value: Option<&'a Value>,
    ) -> Decoded {
        if value.is_some_and(|given| is_literally(codec.kind(), given)) {
            return Ok(value.cloned());
        }
        // A union of literals: each tells its fault.
        for (number, (_, literal)) in values.iter().enumerate() {
            let step = Step { key: Key::Number(number), codec: literal };
            self.errors.push(Error { steps: vec![step], value, text: None });
        }
        Err(Refused)
    }

    fn array(&mut self, codec: &'a Schema, items: &'a Schema, value: Option<&'a Value>) -> Decoded {
        let Some(Value::Array(elements)) = value else { return self.refuse(value, None) };
        let mut decoded = Vec::with_capacity(elements.len());
        let mut refused = false;
        for (index, element) in elements.iter().enumerate() {
            match self.step(Key::Number(index), items, Some(element), None) {
                Ok(element) => decoded.push(element.unwrap_or_default()),
                Err(Refused) => refused = true,
            }
        }
        if refused {
            return Err(Refused);
        }
        let broken = match codec.node.limits.broken_by_len(elements.len()) {
            None => return Ok(Some(Value::Array(decoded))),
            Some(_) if self.dialect == Dialect::IoTsApm => return self.refuse(value, None),
            Some(Broken::Low(limit)) => Limit::Few(limit),
            Some(Broken::High(limit)) => Limit::Many(limit),
        };
        self.limit(codec, value, broken)
    }

    /// Keys in declaration order; the result keeps the order of the request. Unknown keys are stripped unless
    /// allowed: whether that is a fault, the dialect decides when all else fits.
    fn object(&mut self, codec: &'a Schema, object: &'a ObjectKind, value: Option<&'a Value>) -> Decoded {
        let Some(Value::Object(map)) = value else { return self.refuse(value, None) };
        let mut decoded: Vec<Option<Value>> = Vec::with_capacity(object.fields.len());
        let mut refused = false;
        for (key, field) in &object.fields {
            match self.step(Key::Name(key), field, map.get(*key), Some(map)) {
                Ok(part) => decoded.push(part),
                Err(Refused) => {
                    refused = true;
                    decoded.push(None);
                }
            }
        }
        if refused {
            return Err(Refused);
        }
        let keeps_unknown = codec.node.unknown == Some(Unknown::Allow);
        let mut normalised = Map::with_capacity(object.fields.len());
        for (key, given) in map {
            match object.position(key) {
                Some(position) => {
                    if let Some(part) = decoded[position].take() {
                        normalised.insert(key.clone(), part);
                    }
                }
                None if keeps_unknown => {
                    normalised.insert(key.clone(), given.clone());
                }
                None => {}
            }
        }
        for ((key, _), part) in object.fields.iter().zip(decoded) {
            if let Some(part) = part {
                normalised.insert((*key).to_owned(), part);
            }
        }
        Ok(Some(Value::Object(normalised)))
    }

    fn record(&mut self, key_codec: &'a Schema, entry: &'a Schema, value: Option<&'a Value>) -> Decoded {
        let Some(Value::Object(map)) = value else { return self.refuse(value, None) };
        let mut normalised = Map::with_capacity(map.len());
        let mut refused = false;
        for (key, given) in map {
            if let Some(text) = self.record_key(key_codec, key) {
                let mut error = Error { steps: Vec::new(), value: Some(given), text: Some(text) };
                error.steps.push(Step { key: Key::Name(key), codec: key_codec });
                self.errors.push(error);
                refused = true;
                continue;
            }
            match self.step(Key::Name(key), entry, Some(given), None) {
                Ok(Some(part)) => {
                    normalised.insert(key.clone(), part);
                }
                Ok(None) => {}
                Err(Refused) => refused = true,
            }
        }
        if refused { Err(Refused) } else { Ok(Some(Value::Object(normalised))) }
    }

    /// The fault of a key of a record.
    fn record_key(&self, codec: &Schema, key: &str) -> Option<String> {
        if matches!(codec.kind(), Kind::String) && codec.node.checks.is_empty() {
            return None;
        }
        let key = Value::String(key.to_owned());
        let mut apart = Decoder::new(self.dialect);
        match apart.decode(codec, Some(&key)) {
            Ok(_) => None,
            Err(Refused) => {
                let text = apart.errors.into_iter().next().and_then(|error| error.text);
                let key = js::template_text(Some(&key));
                Some(text.unwrap_or_else(|| format!("Invalid value \"{key}\" supplied to \"{key}\"")))
            }
        }
    }

    fn union(
        &mut self,
        members: impl Iterator<Item = &'a Schema>,
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        let before = self.errors.len();
        for (number, member) in members.enumerate() {
            if let Ok(decoded) = self.step(Key::Number(number), member, value, siblings) {
                self.errors.truncate(before);
                return Ok(decoded);
            }
        }
        Err(Refused)
    }

    fn nullable(
        &mut self,
        inner: &'a Schema,
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        let before = self.errors.len();
        match self.step(Key::Number(0), inner, value, siblings) {
            Ok(decoded) => Ok(decoded),
            Err(Refused) if value.is_some_and(Value::is_null) => {
                self.errors.truncate(before);
                Ok(value.cloned())
            }
            Err(Refused) => {
                let step = Step { key: Key::Number(1), codec: &NULL };
                self.errors.push(Error { steps: vec![step], value, text: None });
                Err(Refused)
            }
        }
    }

    /// Only the member of the tag is tried; without one the whole object is the fault.
    fn tagged(
        &mut self,
        tag: &str,
        members: &'a [(Vec<Value>, Schema)],
        value: Option<&'a Value>,
    ) -> Decoded {
        let given = match value {
            Some(Value::Object(map)) => map.get(tag),
            _ => None,
        };
        let found = given.and_then(|given| {
            members.iter().position(|(tags, _)| tags.iter().any(|known| coerce::same(known, given)))
        });
        match found {
            Some(number) => self.step(Key::Number(number), &members[number].1, value, None),
            None => self.refuse(value, None),
        }
    }

    fn intersection(
        &mut self,
        members: &'a [Schema],
        value: Option<&'a Value>,
        siblings: Option<&'a Map<String, Value>>,
    ) -> Decoded {
        let mut parts = Vec::with_capacity(members.len());
        let mut refused = false;
        for (number, member) in members.iter().enumerate() {
            match self.step(Key::Number(number), member, value, siblings) {
                Ok(part) => parts.push(part),
                Err(Refused) => refused = true,
            }
        }
        if refused { Err(Refused) } else { Ok(laid_over(value, parts)) }
    }

    fn limit<T>(&mut self, codec: &Schema, value: Option<&'a Value>, broken: Limit) -> Result<T, Refused> {
        let text = broken.text(codec.node.field.unwrap_or(UNNAMED));
        self.refuse(value, Some(text))
    }
}

/// The second member of every nullable.
static NULL: LazyLock<Schema> = LazyLock::new(describe::null);

/// Stands for the key in a text until the key is known.
pub(super) const UNNAMED: &str = "\u{0}";

fn read_number(dialect: Dialect, value: &Value) -> Option<f64> {
    match value {
        // A query without a value is 0 for APM and no number for cases.
        Value::String(text) if dialect == Dialect::IoTsCases && js::trim(text).is_empty() => None,
        Value::String(_) => coerce::to_number(value),
        _ if dialect == Dialect::IoTsApm => coerce::to_number(value),
        _ => None,
    }
}

/// Results of the members of an intersection as one: a later member wins where it changed something.
fn laid_over(value: Option<&Value>, parts: Vec<Option<Value>>) -> Option<Value> {
    let Some(Value::Object(sent)) = value else { return parts.into_iter().next_back().flatten() };
    let mut merged = Map::with_capacity(sent.len());
    for part in parts {
        let Some(Value::Object(map)) = part else { continue };
        for (key, part) in map {
            if !merged.contains_key(&key) || sent.get(&key) != Some(&part) {
                merged.insert(key, part);
            }
        }
    }
    Some(Value::Object(merged))
}

/// A bound broken under the cases dialect, each with its own text.
enum Limit {
    Empty,
    Short(f64),
    Long(f64),
    Few(f64),
    Many(f64),
    Fraction,
    Less(f64),
    More(f64),
}

impl Limit {
    fn text(self, field: &str) -> String {
        let n = js::number_text;
        match self {
            Self::Empty => format!("The {field} field cannot be an empty string."),
            Self::Short(limit) => {
                format!("The length of the {field} is too short. The minimum length is {}.", n(limit))
            }
            Self::Long(limit) => {
                format!("The length of the {field} is too long. The maximum length is {}.", n(limit))
            }
            Self::Few(limit) => {
                format!(
                    "The length of the field {field} is too short. Array must be of length >= {}.",
                    n(limit)
                )
            }
            Self::Many(limit) => {
                format!(
                    "The length of the field {field} is too long. Array must be of length <= {}.",
                    n(limit)
                )
            }
            Self::Fraction => {
                format!("The {field} field should be an integer between -(2^53 - 1) and 2^53 - 1, inclusive.")
            }
            Self::Less(limit) => format!("The {field} field cannot be less than {}.", n(limit)),
            Self::More(limit) => format!("The {field} field cannot be more than {}.", n(limit)),
        }
    }
}
