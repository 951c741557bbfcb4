//! Conversions of scalar values.

use serde_json::{Number, Value};

use crate::js::{self, MAX_SAFE_INTEGER};

/// Why a string is not taken for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNumber {
    /// It is none.
    Other,
    /// It is one that a double cannot hold exactly.
    Unsafe,
}

/// A number of the JSON reader as the value JavaScript would hold: `1.0` is the integer 1.
pub(crate) fn canonical(number: &Number) -> Value {
    match number.as_f64() {
        Some(float) if number.is_f64() => from_float(float),
        _ => Value::Number(number.clone()),
    }
}

/// A double as a JSON number; integral ones within ±(2^53 − 1) become integers.
pub(crate) fn from_float(float: f64) -> Value {
    if float.fract() == 0.0 && float.abs() <= MAX_SAFE_INTEGER {
        // In range by the test above, so the cast is exact.
        return Value::from(float as i64);
    }
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}

/// Value of a number as a double.
pub(crate) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// Reads the numeric strings that config-schema accepts: decimal, no hexadecimal, no empty text, and only
/// when no digit is lost.
pub(crate) fn numeric_string(text: &str) -> Result<f64, NotNumber> {
    let text = js::trim(text);
    if !js::is_decimal(text.strip_prefix(['+', '-']).unwrap_or(text)) {
        return Err(NotNumber::Other);
    }
    let number: f64 = text.parse().map_err(|_| NotNumber::Other)?;
    if keeps_digits(text, number) { Ok(number) } else { Err(NotNumber::Unsafe) }
}

fn keeps_digits(text: &str, number: f64) -> bool {
    let printed = js::number_text(number);
    if text.contains(['e', 'E']) {
        return significant_digits(text) == significant_digits(&printed);
    }
    printed.contains('e') || printed == plain_decimal(text)
}

fn significant_digits(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').trim_end_matches('0').to_owned()
}

/// The form in which JavaScript would print the decimal `text`, were every digit kept.
fn plain_decimal(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// JavaScript's `Number(value)`; `None` stands for NaN.
pub(crate) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => js::to_number(text),
        Value::Array(items) => match items.as_slice() {
            [] => Some(0.0),
            // An array converts by way of its text; `[true]` is "true", which is no number.
            [Value::Null] => Some(0.0),
            [Value::Bool(_)] => None,
            [single] => to_number(single),
            _ => None,
        },
        Value::Object(_) => None,
    }
}

/// `"true"` and `"false"` in any case of letters.
pub(crate) fn boolean_string(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Equality as JavaScript's `===` sees it for scalars: `1` and `1.0` are the same number.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numeric_strings_of_config_schema() {
        for (text, read) in [
            ("4", Ok(4.0)),
            ("4.23", Ok(4.23)),
            (" +007.50 ", Ok(7.5)),
            ("-.5", Ok(-0.5)),
            ("1e3", Ok(1000.0)),
            ("-0", Ok(0.0)),
            ("", Err(NotNumber::Other)),
            ("0x10", Err(NotNumber::Other)),
            ("5m", Err(NotNumber::Other)),
            ("Infinity", Err(NotNumber::Other)),
            ("9007199254740993", Err(NotNumber::Unsafe)),
            ("0.1234567890123456789", Err(NotNumber::Unsafe)),
        ] {
            assert_eq!(numeric_string(text), read, "{text:?}");
        }
    }

    #[test]
    fn integral_floats_become_integers() {
        assert_eq!(from_float(5.0), json!(5));
        assert_eq!(from_float(-0.0), json!(0));
        assert_eq!(from_float(0.5), json!(0.5));
        assert!(same(&json!(1), &json!(1.0)));
    }
}
