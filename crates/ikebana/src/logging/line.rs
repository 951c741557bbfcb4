//! A record on its way to a line.

use super::model::Level;
use ikebana_clock::Millis;
use serde_json::Value;
use std::fmt::{Debug, Write as _};
use std::time::Duration;
use tracing::field::{Field, Visit};

/// Fields whose text is never written, by the last part of their name, as Kibana does with headers.
const REDACTED: [&str; 6] =
    ["authorization", "cookie", "set-cookie", "x-elastic-app-auth", "password", "passphrase"];

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) level: Level,
    pub(super) logger: String,
    pub(super) message: String,
    /// Dotted names, in the order of the event.
    pub(super) fields: Vec<(String, Value)>,
    /// Id of the request that it belongs to.
    pub(super) request: Option<String>,
    pub(super) time: Millis,
    pub(super) uptime: Duration,
}

/// Takes the fields of an event.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) fields: Vec<(String, Value)>,
    pub(super) fatal: bool,
    /// Where the event comes from another logging facade: what that called its target.
    pub(super) foreign_target: Option<String>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = text_of(value),
            "fatal" => self.fatal = value == Value::Bool(true),
            "log.target" => self.foreign_target = Some(text_of(value)),
            "log.module_path" | "log.file" | "log.line" => {}
            name => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                let last = name.rsplit('.').next().unwrap_or(name);
                let secret = REDACTED.iter().any(|redacted| last.eq_ignore_ascii_case(redacted));
                let value = if secret { Value::from("[REDACTED]") } else { value };
                self.fields.push((name.to_owned(), value));
            }
        }
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.put(field, Value::String(text));
    }
}

/// Whether a character could end a line, hide part of it or turn it around on a screen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends `text` so that it stays on its line.
pub(super) fn push_escaped(line: &mut String, text: &str) {
    if !text.chars().any(is_unsafe) {
        line.push_str(text);
        return;
    }
    for c in text.chars() {
        if is_unsafe(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

/// Appends JSON so that no reader finds an end of line in it.
pub(super) fn push_json(line: &mut String, json: &str) {
    if json.is_ascii() && !json.contains('\u{7f}') {
        line.push_str(json);
        return;
    }
    for c in json.chars() {
        if is_unsafe(c) {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
}
