//! Issues of zod and the line that is made of them.

use std::collections::VecDeque;

use serde_json::Value;

use crate::{dialect::Segment, js};

/// So many issues are printed.
const PRINTED: usize = 5;

pub(super) struct Issue {
    /// In reverse: it grows while the walk returns.
    pub(super) path: Vec<Segment>,
    pub(super) what: What,
}

pub(super) enum What {
    Type { due: &'static str, got: &'static str },
    EnumType { values: Vec<&'static str>, got: &'static str },
    Enum { values: Vec<&'static str>, got: String },
    Literal(Value),
    Discriminator(Vec<Value>),
    Count { noun: &'static str, bound: &'static str, limit: usize, unit: &'static str },
    Number { bound: &'static str, limit: f64 },
    Unknown(Vec<String>),
    Union(Vec<Vec<Issue>>),
    Static(&'static str),
    Text(String),
}

impl Issue {
    /// Puts a segment before the path, also of the issues of union members.
    pub(super) fn lead(&mut self, segment: &Segment) {
        if let What::Union(members) = &mut self.what {
            members.iter_mut().flatten().for_each(|issue| issue.lead(segment));
        } else {
            self.path.push(segment.clone());
        }
    }

    fn text(&self) -> String {
        let text = self.what.text();
        if self.path.is_empty() {
            return text;
        }
        let path: Vec<String> = self.path.iter().rev().map(Segment::to_string).collect();
        format!("{}: {text}", path.join("."))
    }
}

/// The issues of union members go to the end of the queue; five texts are printed, the others counted.
pub(super) fn message(issues: Vec<Issue>) -> String {
    let mut queue = VecDeque::from(issues);
    let mut texts = Vec::new();
    let mut further = 0;
    while let Some(issue) = queue.pop_front() {
        match issue.what {
            What::Union(members) => queue.extend(members.into_iter().flatten()),
            _ if texts.len() < PRINTED => texts.push(issue.text()),
            _ => further += 1,
        }
    }
    if further > 0 {
        texts.push(format!("and {further} more"));
    }
    texts.join(", ")
}

impl What {
    fn text(&self) -> String {
        match self {
            Self::Type { got: "undefined", .. } | Self::EnumType { got: "undefined", .. } => {
                "Required".to_owned()
            }
            Self::Type { due, got } => format!("Expected {due}, received {got}"),
            Self::EnumType { values, got } => format!("Expected {}, received {got}", quoted(values, " | ")),
            Self::Enum { values, got } => {
                format!("Invalid enum value. Expected {}, received '{got}'", quoted(values, " | "))
            }
            Self::Literal(expected) => {
                format!("Invalid literal value, expected {}", js::json_text(expected))
            }
            Self::Discriminator(options) => {
                let options: Vec<String> = options
                    .iter()
                    .map(|option| match option {
                        Value::String(text) => format!("'{text}'"),
                        other => js::json_text(other),
                    })
                    .collect();
                format!("Invalid discriminator value. Expected {}", options.join(" | "))
            }
            Self::Count { noun, bound, limit, unit } => {
                format!("{noun} must contain {bound} {limit} {unit}(s)")
            }
            Self::Number { bound, limit } => {
                format!("Number must be {bound} than or equal to {}", js::number_text(*limit))
            }
            Self::Unknown(keys) => format!("Unrecognized key(s) in object: {}", quoted(keys, ", ")),
            Self::Union(_) => "Invalid input".to_owned(),
            Self::Static(text) => (*text).to_owned(),
            Self::Text(text) => text.clone(),
        }
    }
}

fn quoted(texts: &[impl AsRef<str>], between: &str) -> String {
    texts.iter().map(|text| format!("'{}'", text.as_ref())).collect::<Vec<_>>().join(between)
}
