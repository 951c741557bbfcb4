//! JavaScript's view of JSON values, as far as it shows in messages and limits.

use std::fmt::Write;

use serde_json::Value;

/// Largest integer that a double holds exactly, 2^53 − 1.
pub(crate) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Length of a string in UTF-16 units, as JavaScript counts.
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Removes what JavaScript's `trim` removes at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// Name of a value's type as the `type-detect` library gives it.
pub(crate) fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "Array",
        Some(Value::Object(_)) => "Object",
    }
}

/// A number as JavaScript prints it.
pub(crate) fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

/// A value inside a template string: strings bare, objects and arrays as JSON.
pub(crate) fn template_text(value: Option<&Value>) -> String {
    match value {
        None => "undefined".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => json_text(other),
    }
}

/// A value as `JSON.stringify` prints it.
pub(crate) fn json_text(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value);
    out
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            out.push_str(&number_text(number.as_f64().unwrap_or_default()));
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (position, (key, item)) in map.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&string_json(key));
                out.push(':');
                write_json(out, item);
            }
            out.push('}');
        }
        Value::String(text) => out.push_str(&string_json(text)),
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

fn string_json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// JavaScript's `Number(text)`; `None` stands for NaN.
pub(crate) fn to_number(text: &str) -> Option<f64> {
    let text = trim(text);
    if text.is_empty() {
        return Some(0.0);
    }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return radix_number(digits, radix);
        }
    }
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "Infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        rest if is_decimal(rest) => text.parse().ok(),
        _ => None,
    }
}

fn radix_number(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in digits.chars() {
        number = number * f64::from(radix) + f64::from(digit.to_digit(radix)?);
    }
    Some(number)
}

/// Digits with an optional fraction and exponent, without a sign.
pub(crate) fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    all_digits(whole) && all_digits(fraction) && whole.len() + fraction.len() > 0 && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_print_as_in_javascript() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn number_reads_as_in_javascript() {
        for (text, number) in [
            ("", Some(0.0)),
            ("  12 ", Some(12.0)),
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("-1e3", Some(-1000.0)),
            ("0x1f", Some(31.0)),
            ("0b101", Some(5.0)),
            ("-0x1f", None),
            (".", None),
            ("1e", None),
            ("1 2", None),
            ("nan", None),
            ("inf", None),
            ("-Infinity", Some(f64::NEG_INFINITY)),
        ] {
            assert_eq!(to_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn json_prints_as_in_javascript() {
        let value = json!({"a": [1.0, 2, null], "b\"": {"c": "x\ny"}, "d": 0.00001});
        assert_eq!(json_text(&value), r#"{"a":[1,2,null],"b\"":{"c":"x\ny"},"d":0.00001}"#);
    }

    #[test]
    fn trim_and_length_are_javascripts() {
        assert_eq!(trim("\u{feff}\u{a0} x\u{85} \n"), "x\u{85}");
        assert_eq!(utf16_len("a\u{1f600}"), 3);
    }
}
