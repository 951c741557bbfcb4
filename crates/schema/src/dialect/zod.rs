//! zod 3: all issues are collected, five are printed; unknown keys are dropped.

mod issue;

use serde_json::{Map, Value};

use super::{Broken, Part, is_literally, sent, settings_kind};
use crate::{
    coerce,
    describe::{Check, Conditional, Kind, ObjectKind, Schema, Unknown},
    dialect::{Dialect, Segment, fate},
    js,
};
use issue::{Issue, What, message};

pub(super) fn check(schema: &Schema, part: Part<'_>, value: Option<&Value>) -> Result<Option<Value>, String> {
    let mut parser = Parser { issues: Vec::new() };
    match parser.parse(schema, sent(part, value), None) {
        Parsed::Valid(value) => Ok(value),
        Parsed::Dirty(_) | Parsed::Aborted => {
            let issues = message(parser.issues);
            Err(match part.namespace() {
                Some(namespace) => format!("[{namespace}]: {issues}"),
                None => issues,
            })
        }
    }
}

/// How far a value got. A dirty one has the right type and breaks some rule; rules on the whole still run.
enum Parsed {
    Valid(Option<Value>),
    Dirty(Option<Value>),
    Aborted,
}

struct Parser {
    issues: Vec<Issue>,
}

type Siblings<'a> = Option<&'a Map<String, Value>>;

impl Parser {
    fn parse(&mut self, schema: &Schema, value: Option<&Value>, siblings: Siblings<'_>) -> Parsed {
        let value = schema.seen(value);
        if value.is_none()
            && let Some(absent) = schema.absent()
        {
            return Parsed::Valid(absent);
        }
        let parsed = self.kind(schema, value, siblings);
        self.rules(&schema.node.checks, parsed)
    }

    fn rules(&mut self, checks: &[Check], parsed: Parsed) -> Parsed {
        let (value, mut clean) = match parsed {
            Parsed::Aborted => return Parsed::Aborted,
            Parsed::Valid(value) => (value, true),
            Parsed::Dirty(value) => (value, false),
        };
        if let Some(value) = &value {
            for check in checks {
                if let Err(text) = check.run(value) {
                    self.issue(What::Text(text));
                    clean = false;
                }
            }
        }
        if clean { Parsed::Valid(value) } else { Parsed::Dirty(value) }
    }

    fn issue(&mut self, what: What) {
        self.issues.push(Issue { path: Vec::new(), what });
    }

    fn abort(&mut self, what: What) -> Parsed {
        self.issue(what);
        Parsed::Aborted
    }

    fn wrong_type(&mut self, due: &'static str, value: Option<&Value>) -> Parsed {
        self.abort(What::Type { due, got: parsed_type(value) })
    }

    /// Parses a part; its issues get the segment that leads to it.
    fn step(
        &mut self,
        segment: impl Fn() -> Segment,
        schema: &Schema,
        value: Option<&Value>,
        siblings: Siblings<'_>,
    ) -> Parsed {
        let before = self.issues.len();
        let parsed = self.parse(schema, value, siblings);
        for issue in &mut self.issues[before..] {
            issue.lead(&segment());
        }
        parsed
    }

    fn kind(&mut self, schema: &Schema, value: Option<&Value>, siblings: Siblings<'_>) -> Parsed {
        match schema.kind() {
            Kind::Any | Kind::Opaque => Parsed::Valid(value.cloned()),
            Kind::Never => self.wrong_type("never", value),
            Kind::Null => match value {
                Some(Value::Null) => Parsed::Valid(value.cloned()),
                _ => self.wrong_type("null", value),
            },
            Kind::String => self.string(schema, value),
            Kind::Number { integer } => self.number(schema, value, *integer),
            Kind::Boolean => self.boolean(schema, value),
            Kind::Literal(expected) => match value {
                Some(given) if is_literally(schema.kind(), given) => Parsed::Valid(Some(expected.clone())),
                _ => self.abort(What::Literal(expected.clone())),
            },
            Kind::Enumeration(_) if value.is_some_and(|given| is_literally(schema.kind(), given)) => {
                Parsed::Valid(value.cloned())
            }
            Kind::Enumeration(values) => {
                self.not_listed(values.iter().map(|(value, _)| *value).collect(), value)
            }
            Kind::Array(items) => self.array(schema, items, value),
            Kind::Object(object) | Kind::Intersection { merged: Some(object), .. } => {
                self.object(schema, object, value)
            }
            Kind::Intersection { members, .. } => self.intersection(members, value, siblings),
            Kind::Record { key, value: entry } => self.record(key, entry, value),
            Kind::Union(members) => self.union(members, value, siblings),
            Kind::Tagged { tag, members } => self.tagged(tag, members, value),
            Kind::Nullable(inner) => match value {
                Some(Value::Null) => Parsed::Valid(value.cloned()),
                _ => self.parse(inner, value, siblings),
            },
            Kind::Conditional(conditional) => {
                let side = chosen(conditional, siblings);
                self.parse(side, value, siblings)
            }
            Kind::ByteSize | Kind::Duration | Kind::Uri(_) | Kind::Hostname => {
                match value.map(|given| settings_kind(schema.kind(), given)) {
                    Some(Some(Ok(normalised))) => Parsed::Valid(Some(normalised)),
                    Some(Some(Err(text))) => self.abort(What::Text(text)),
                    _ => self.wrong_type("string", value),
                }
            }
        }
    }

    fn string(&mut self, schema: &Schema, value: Option<&Value>) -> Parsed {
        let Some(Value::String(text)) = value else { return self.wrong_type("string", value) };
        let before = self.issues.len();
        let limits = &schema.node.limits;
        if limits.min.is_some() || limits.max.is_some() {
            let len = js::utf16_len(text);
            self.count(schema, len, "String", "character");
        }
        match schema.node.format {
            Some("uuid") if !is_uuid(text) => self.issue(What::Static("Invalid uuid")),
            Some("date-time") if !is_datetime(text) => self.issue(What::Static("Invalid datetime")),
            _ => {}
        }
        self.outcome(before, value.cloned())
    }

    fn outcome(&self, before: usize, value: Option<Value>) -> Parsed {
        if self.issues.len() == before { Parsed::Valid(value) } else { Parsed::Dirty(value) }
    }

    /// Both bounds are looked at: nonsensical ones can both be broken.
    fn count(&mut self, schema: &Schema, count: usize, noun: &'static str, unit: &'static str) {
        let limits = &schema.node.limits;
        if let Some(min) = limits.min.filter(|min| count < *min) {
            self.issue(What::Count { noun, bound: "at least", limit: min, unit });
        }
        if let Some(max) = limits.max.filter(|max| count > *max) {
            self.issue(What::Count { noun, bound: "at most", limit: max, unit });
        }
    }

    fn number(&mut self, schema: &Schema, value: Option<&Value>, integer: bool) -> Parsed {
        let (float, normalised) = match value {
            Some(Value::Number(number)) => (coerce::float(number), coerce::canonical(number)),
            _ if schema.node.from_string => match value.and_then(coerce::to_number) {
                Some(float) if float.is_finite() => (float, coerce::from_float(float)),
                Some(_) => return self.abort(What::Static("Number must be finite")),
                None => return self.abort(What::Type { due: "number", got: "nan" }),
            },
            _ => return self.wrong_type("number", value),
        };
        let before = self.issues.len();
        if integer && float.fract() != 0.0 {
            self.issue(What::Type { due: "integer", got: "float" });
        }
        match schema.node.limits.broken_by(float) {
            None => {}
            Some(Broken::Low(limit)) => self.issue(What::Number { bound: "greater", limit }),
            Some(Broken::High(limit)) => self.issue(What::Number { bound: "less", limit }),
        }
        self.outcome(before, Some(normalised))
    }

    fn boolean(&mut self, schema: &Schema, value: Option<&Value>) -> Parsed {
        match value {
            Some(Value::Bool(_)) => Parsed::Valid(value.cloned()),
            _ if !schema.node.from_string => self.wrong_type("boolean", value),
            Some(Value::String(text)) if text == "true" || text == "false" => {
                Parsed::Valid(Some(Value::Bool(text == "true")))
            }
            _ => {
                // The codec is a union of the two texts and of the booleans.
                let mut apart = Parser { issues: Vec::new() };
                apart.not_listed(vec!["true", "false"], value);
                apart.wrong_type("boolean", value);
                self.abort(What::Union(vec![apart.issues]))
            }
        }
    }

    fn not_listed(&mut self, values: Vec<&'static str>, value: Option<&Value>) -> Parsed {
        match value {
            Some(Value::String(text)) => self.abort(What::Enum { values, got: text.clone() }),
            _ => self.abort(What::EnumType { values, got: parsed_type(value) }),
        }
    }

    fn array(&mut self, schema: &Schema, items: &Schema, value: Option<&Value>) -> Parsed {
        let split;
        let elements = match value {
            Some(Value::Array(elements)) => elements,
            Some(Value::String(text)) if schema.node.from_string => {
                split = comma_separated(text);
                &split
            }
            _ => return self.wrong_type("array", value),
        };
        let before = self.issues.len();
        self.count(schema, elements.len(), "Array", "element");
        let mut dirty = self.issues.len() > before;
        let mut aborted = false;
        let mut parsed = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            match self.step(|| Segment::Index(index), items, Some(element), None) {
                Parsed::Valid(element) => parsed.push(element.unwrap_or_default()),
                Parsed::Dirty(element) => {
                    dirty = true;
                    parsed.push(element.unwrap_or_default());
                }
                Parsed::Aborted => aborted = true,
            }
        }
        settled(aborted, dirty, Value::Array(parsed))
    }

    /// The result has the order of the schema, what is allowed beyond it at the end.
    fn object(&mut self, schema: &Schema, object: &ObjectKind, value: Option<&Value>) -> Parsed {
        let Some(Value::Object(map)) = value else { return self.wrong_type("object", value) };
        let (mut dirty, mut aborted) = (false, false);
        let mut normalised = Map::with_capacity(object.fields.len());
        for (key, field) in &object.fields {
            let parsed = self.step(|| Segment::Key((*key).to_owned()), field, map.get(*key), Some(map));
            let part = match parsed {
                Parsed::Valid(part) => part,
                Parsed::Dirty(part) => {
                    dirty = true;
                    part
                }
                Parsed::Aborted => {
                    aborted = true;
                    None
                }
            };
            if let Some(part) = part {
                normalised.insert((*key).to_owned(), part);
            }
        }
        let unknown = || map.iter().filter(|(key, _)| object.position(key).is_none());
        match fate(schema, Dialect::Zod) {
            Unknown::Drop => {}
            Unknown::Allow => {
                normalised.extend(unknown().map(|(key, value)| (key.clone(), value.clone())));
            }
            Unknown::Refuse => {
                let keys: Vec<String> = unknown().map(|(key, _)| key.clone()).collect();
                if !keys.is_empty() {
                    self.issue(What::Unknown(keys));
                    dirty = true;
                }
            }
        }
        settled(aborted, dirty, Value::Object(normalised))
    }

    fn intersection(&mut self, members: &[Schema], value: Option<&Value>, siblings: Siblings<'_>) -> Parsed {
        let (mut dirty, mut aborted) = (false, false);
        let mut merged = Map::new();
        let mut last = None;
        for member in members {
            let part = match self.parse(member, value, siblings) {
                Parsed::Valid(part) => part,
                Parsed::Dirty(part) => {
                    dirty = true;
                    part
                }
                Parsed::Aborted => {
                    aborted = true;
                    None
                }
            };
            match part {
                Some(Value::Object(map)) => merged.extend(map),
                other => last = other,
            }
        }
        let whole = match value {
            Some(Value::Object(_)) => Value::Object(merged),
            _ => last.unwrap_or_default(),
        };
        settled(aborted, dirty, whole)
    }

    fn record(&mut self, key_schema: &Schema, entry: &Schema, value: Option<&Value>) -> Parsed {
        let Some(Value::Object(map)) = value else { return self.wrong_type("object", value) };
        let (mut dirty, mut aborted) = (false, false);
        let mut normalised = Map::with_capacity(map.len());
        for (key, given) in map {
            let segment = || Segment::Key(key.clone());
            let key_value = Value::String(key.clone());
            match self.step(segment, key_schema, Some(&key_value), None) {
                Parsed::Valid(_) => {}
                Parsed::Dirty(_) => dirty = true,
                Parsed::Aborted => aborted = true,
            }
            match self.step(segment, entry, Some(given), None) {
                Parsed::Valid(part) => {
                    normalised.extend(part.map(|part| (key.clone(), part)));
                }
                Parsed::Dirty(_) => dirty = true,
                Parsed::Aborted => aborted = true,
            }
        }
        settled(aborted, dirty, Value::Object(normalised))
    }

    /// The first valid member; else the first that has the right type, with its issues alone; else the issues
    /// of all, which are told after all others.
    fn union(&mut self, members: &[Schema], value: Option<&Value>, siblings: Siblings<'_>) -> Parsed {
        let mut dirty = None;
        let mut refused = Vec::new();
        for member in members {
            let mut apart = Parser { issues: Vec::new() };
            match apart.parse(member, value, siblings) {
                Parsed::Valid(part) => return Parsed::Valid(part),
                Parsed::Dirty(part) if dirty.is_none() => dirty = Some((part, apart.issues)),
                Parsed::Dirty(_) | Parsed::Aborted => refused.push(apart.issues),
            }
        }
        match dirty {
            Some((part, issues)) => {
                self.issues.extend(issues);
                Parsed::Dirty(part)
            }
            None => self.abort(What::Union(refused)),
        }
    }

    fn tagged(
        &mut self,
        tag: &'static str,
        members: &[(Vec<Value>, Schema)],
        value: Option<&Value>,
    ) -> Parsed {
        let Some(Value::Object(map)) = value else { return self.wrong_type("object", value) };
        let found = map.get(tag).and_then(|given| {
            members.iter().find(|(tags, _)| tags.iter().any(|known| coerce::same(known, given)))
        });
        match found {
            Some((_, member)) => self.parse(member, value, None),
            None => {
                let options = members.iter().flat_map(|(tags, _)| tags.iter().cloned()).collect();
                let path = vec![Segment::Key(tag.to_owned())];
                self.issues.push(Issue { path, what: What::Discriminator(options) });
                Parsed::Aborted
            }
        }
    }
}

fn settled(aborted: bool, dirty: bool, value: Value) -> Parsed {
    match (aborted, dirty) {
        (true, _) => Parsed::Aborted,
        (false, true) => Parsed::Dirty(Some(value)),
        (false, false) => Parsed::Valid(Some(value)),
    }
}

fn chosen<'s>(conditional: &'s Conditional, siblings: Siblings<'_>) -> &'s Schema {
    let sibling = siblings.and_then(|map| map.get(conditional.sibling));
    let mut apart = Parser { issues: Vec::new() };
    match apart.parse(&conditional.is, sibling, None) {
        Parsed::Valid(_) => &conditional.then,
        Parsed::Dirty(_) | Parsed::Aborted => &conditional.otherwise,
    }
}

/// Name of a value's type as zod gives it.
fn parsed_type(value: Option<&Value>) -> &'static str {
    match value {
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
        other => js::type_name(other),
    }
}

fn comma_separated(text: &str) -> Vec<Value> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(Value::from).collect()
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A date and a time in UTC: `2024-02-29T12:00:00.000Z`. Seconds and their fraction may be left out.
fn is_datetime(text: &str) -> bool {
    let Some((date, time)) = text.strip_suffix('Z').and_then(|text| text.split_once('T')) else {
        return false;
    };
    is_date(date) && is_time(time)
}

fn is_date(date: &str) -> bool {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(time: &str) -> bool {
    let parts: Vec<&str> = time.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, *second),
        _ => return false,
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    digits(hour, 2).is_some_and(|hour| hour < 24)
        && digits(minute, 2).is_some_and(|minute| minute < 60)
        && digits(second, 2).is_some_and(|second| second < 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
