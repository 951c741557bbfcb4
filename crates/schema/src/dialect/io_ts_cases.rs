//! io-ts as cases has it: all faults in one line, then the check for excess keys.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Dialect,
    io_ts::{Decoder, Error, Key, Refused, UNNAMED, codec_name},
};
use crate::{
    describe::{Schema, Unknown},
    js,
};

pub(super) fn check(schema: &Schema, value: Option<&Value>) -> Result<Option<Value>, String> {
    let mut decoder = Decoder::new(Dialect::IoTsCases);
    match decoder.decode(schema, value) {
        Err(Refused) => Err(message(schema, &decoder.errors)),
        Ok(decoded) if schema.node.unknown == Some(Unknown::Drop) => Ok(decoded),
        Ok(decoded) => {
            let mut excess = Vec::new();
            if let Some(sent) = value {
                differences(sent, decoded.as_ref(), &mut excess);
            }
            if excess.is_empty() {
                return Ok(decoded);
            }
            Err(format!("invalid keys \"{}\"", excess.join(",")))
        }
    }
}

fn message(schema: &Schema, errors: &[Error<'_>]) -> String {
    let mut told = HashSet::new();
    let mut texts = Vec::new();
    for error in errors {
        let text = text(schema, error);
        if told.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts.join(",")
}

fn text(schema: &Schema, error: &Error<'_>) -> String {
    let keys: Vec<&str> = error
        .steps
        .iter()
        .rev()
        .filter_map(|step| match step.key {
            Key::Name(name) if !counts_as_number(name) => Some(name),
            _ => None,
        })
        .collect();
    if let Some(text) = &error.text {
        return text.replace(UNNAMED, keys.last().copied().unwrap_or_default());
    }
    let place = if keys.is_empty() { codec_name(schema, Dialect::IoTsCases) } else { keys.join(",") };
    format!("Invalid value \"{}\" supplied to \"{place}\"", js::template_text(error.value))
}

/// Keys that read as a whole number (also the blank one) are left out like array positions.
fn counts_as_number(key: &str) -> bool {
    js::to_number(key).is_some_and(|number| number.fract() == 0.0)
}

/// Keys that were sent and did not survive decoding, bare, at any depth. Below a lost object its whole JSON
/// is told too, as the original does.
fn differences(sent: &Value, decoded: Option<&Value>, found: &mut Vec<String>) {
    match (sent, decoded) {
        (Value::Null, Some(Value::Null)) => {}
        (sent, None | Some(Value::Null)) => found.push(js::json_text(sent)),
        (Value::Object(map), decoded) => {
            for (key, part) in map {
                let kept = decoded.and_then(|decoded| decoded.get(key));
                if kept.is_none() {
                    found.push(key.clone());
                }
                if part.is_object() || part.is_array() {
                    differences(part, kept, found);
                }
            }
        }
        (Value::Array(elements), decoded) => {
            for (index, element) in elements.iter().enumerate() {
                if element.is_object() || element.is_array() {
                    differences(element, decoded.and_then(|decoded| decoded.get(index)), found);
                }
            }
        }
        _ => {}
    }
}
