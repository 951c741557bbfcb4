//! From a record to a line.

use super::line::{Record, push_escaped, push_json};
use super::model::{LayoutSettings, Level};
use super::pattern::{DateFormat, Part, Pattern};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The version of the Elastic Common Schema that the lines follow, as Kibana 8.11 and later say.
const ECS_VERSION: &str = "8.11.0";
/// Keys of a line that a record's fields cannot take.
const OWN_KEYS: [&str; 7] = ["service", "ecs", "@timestamp", "message", "log", "process", "trace"];

/// How an appender writes.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    Json,
    Pattern {
        pattern: Pattern,
        highlight: bool,
    },
    /// Kibana's default pattern, then fields and the request's id.
    Human {
        color: bool,
    },
}

impl From<&LayoutSettings> for Layout {
    fn from(settings: &LayoutSettings) -> Self {
        match settings {
            LayoutSettings::Json => Self::Json,
            LayoutSettings::Pattern { pattern, highlight } => {
                Self::Pattern { pattern: pattern.clone(), highlight: *highlight }
            }
        }
    }
}

impl Layout {
    /// The line, its end included.
    pub(super) fn line(&self, record: &Record, pid: u32) -> String {
        let mut line = String::with_capacity(256);
        match self {
            Self::Json => push_json(&mut line, &ecs(record, pid).to_string()),
            Self::Pattern { pattern, highlight } => {
                push_pattern(&mut line, pattern, record, pid, *highlight);
            }
            Self::Human { color } => {
                push_pattern(&mut line, &Pattern::default(), record, pid, *color);
                push_fields(&mut line, record);
            }
        }
        line.push('\n');
        line
    }
}

fn push_pattern(line: &mut String, pattern: &Pattern, record: &Record, pid: u32, highlight: bool) {
    for part in &pattern.parts {
        match part {
            Part::Text(text) => line.push_str(text),
            Part::Date(format, zone) => line.push_str(&format.text(record.time, zone)),
            Part::Level if highlight => {
                let _ = write!(line, "\u{1b}[{}m{:<5}\u{1b}[0m", color_of(record.level), record.level.name());
            }
            Part::Level => {
                let _ = write!(line, "{:<5}", record.level.name());
            }
            Part::Logger if highlight => {
                line.push_str("\u{1b}[2m");
                push_escaped(line, &record.logger);
                line.push_str("\u{1b}[0m");
            }
            Part::Logger => push_escaped(line, &record.logger),
            Part::Message => push_escaped(line, &record.message),
            Part::Meta if record.fields.is_empty() => {}
            Part::Meta => push_json(line, &Value::Object(meta(record)).to_string()),
            Part::Pid => {
                let _ = write!(line, "{pid}");
            }
        }
    }
}

fn color_of(level: Level) -> u8 {
    match level {
        Level::Fatal | Level::Off => 95,
        Level::Error => 31,
        Level::Warn => 33,
        Level::Info => 32,
        Level::Debug => 34,
        Level::Trace => 90,
    }
}

fn push_fields(line: &mut String, record: &Record) {
    for (name, value) in &record.fields {
        let _ = write!(line, " {name}=");
        match value {
            Value::String(text) if !text.contains([' ', '"', '=']) && !text.is_empty() => {
                push_escaped(line, text);
            }
            value => push_json(line, &value.to_string()),
        }
    }
    if let Some(id) = &record.request {
        line.push_str(" request=");
        push_escaped(line, id);
    }
}

/// The fields as a tree: dotted names are keys of ECS, others go below `labels`, and `error` is its message.
fn meta(record: &Record) -> Map<String, Value> {
    let mut meta = Map::new();
    for (name, value) in &record.fields {
        let taken = match name.as_str() {
            "error" => insert(&mut meta, "error.message", value),
            dotted if dotted.contains('.') && !is_own(dotted) => insert(&mut meta, dotted, value),
            _ => false,
        };
        if !taken && let Value::Object(labels) = meta.entry("labels").or_insert_with(|| json!({})) {
            labels.insert(name.clone(), value.clone());
        }
    }
    meta
}

fn is_own(dotted: &str) -> bool {
    dotted.split('.').next().is_some_and(|first| OWN_KEYS.contains(&first))
}

/// Whether there was room for the value at its place.
fn insert(map: &mut Map<String, Value>, dotted: &str, value: &Value) -> bool {
    match dotted.split_once('.') {
        None if map.contains_key(dotted) => false,
        None => {
            map.insert(dotted.to_owned(), value.clone());
            true
        }
        Some((first, rest)) => match map.entry(first).or_insert_with(|| json!({})) {
            Value::Object(inner) => insert(inner, rest, value),
            _ => false,
        },
    }
}

/// The record in the Elastic Common Schema, with Kibana's keys in Kibana's order.
fn ecs(record: &Record, pid: u32) -> Value {
    let mut line = Map::new();
    line.insert("service".to_owned(), json!({ "node": { "roles": ["background_tasks", "ui"] } }));
    let mut meta = meta(record);
    if let Some(id) = &record.request {
        insert(&mut meta, "http.request.id", &Value::from(id.as_str()));
    }
    let error = meta.shift_remove("error");
    line.append(&mut meta);
    line.insert("ecs".to_owned(), json!({ "version": ECS_VERSION }));
    line.insert("@timestamp".to_owned(), Value::from(DateFormat::IsoZone.text(record.time, &TimeZone::UTC)));
    line.insert("message".to_owned(), Value::from(record.message.as_str()));
    if let Some(error) = error {
        line.insert("error".to_owned(), error);
    }
    line.insert("log".to_owned(), json!({ "level": record.level.name(), "logger": record.logger }));
    let uptime = record.uptime.as_millis() as f64 / 1e3;
    line.insert("process".to_owned(), json!({ "pid": pid, "uptime": uptime }));
    if let Some(id) = &record.request {
        line.insert("trace".to_owned(), json!({ "id": id }));
    }
    Value::Object(line)
}
