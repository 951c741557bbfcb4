//! Byte sizes, durations, URIs and host names: the kinds that settings need.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use crate::{
    coerce::from_float,
    describe::Kind,
    js::{self, MAX_SAFE_INTEGER},
};

const BYTES_UNSAFE: &str = "Value in bytes is expected to be a safe positive integer.";
const BYTES_FORMAT: &str = "Failed to parse value as byte value. Value must be either number of bytes, or follow \
    the format <count>[b|kb|mb|gb] (e.g., '1024kb', '200mb', '1gb'), where the number is a safe positive integer.";
const DURATION_UNSAFE: &str = "Value in milliseconds is expected to be a safe positive integer.";
const DURATION_FORMAT: &str = "Failed to parse value as time value. Value must be a duration in milliseconds, or \
    follow the format <count>[ms|s|m|h|d|w|M|y] (e.g. '70ms', '5s', '3d', '1y', '1m30s'), where the duration is a \
    safe positive integer.";

/// Milliseconds in a day.
const DAY: f64 = 86_400_000.0;

/// A default as the check would hand it out: byte sizes and durations are converted.
pub(crate) fn converted_default(kind: &Kind, value: &Value) -> Value {
    let converted = match kind {
        Kind::ByteSize => byte_size(value),
        Kind::Duration => duration(value),
        _ => None,
    };
    match converted {
        Some(Ok(number)) => from_float(number),
        _ => value.clone(),
    }
}

/// Bytes of a value; `None` if it is neither text nor number.
pub(crate) fn byte_size(value: &Value) -> Option<Result<f64, &'static str>> {
    match value {
        Value::Number(number) => Some(safe(number.as_f64().unwrap_or(f64::NAN), BYTES_UNSAFE)),
        Value::String(text) => Some(byte_text(text)),
        _ => None,
    }
}

fn byte_text(text: &str) -> Result<f64, &'static str> {
    // More characters than a safe integer and a unit have.
    if js::utf16_len(text) > 18 {
        return Err(BYTES_UNSAFE);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let factor = match text[digits..].to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024.0 * 1024.0,
        "gb" => 1024.0 * 1024.0 * 1024.0,
        _ => 0.0,
    };
    if factor > 0.0 && digits > 0 && !text.starts_with('0') {
        let count: f64 = text[..digits].parse().map_err(|_| BYTES_FORMAT)?;
        return safe(count * factor, BYTES_UNSAFE);
    }
    safe(js::to_number(text).ok_or(BYTES_FORMAT)?, BYTES_UNSAFE)
}

fn safe(number: f64, fault: &'static str) -> Result<f64, &'static str> {
    let fits = number.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(&number);
    if fits { Ok(number) } else { Err(fault) }
}

/// Milliseconds of a value; `None` if it is neither text nor number.
pub(crate) fn duration(value: &Value) -> Option<Result<f64, &'static str>> {
    match value {
        Value::Number(number) => Some(safe(number.as_f64().unwrap_or(f64::NAN), DURATION_UNSAFE)),
        Value::String(text) => Some(duration_text(text)),
        _ => None,
    }
}

fn duration_text(text: &str) -> Result<f64, &'static str> {
    let (mut millis, mut days, mut months) = (0.0, 0.0, 0.0);
    let mut rest = text;
    loop {
        let Some((count, unit, after)) = duration_part(rest) else {
            millis += safe(js::to_number(rest).ok_or(DURATION_FORMAT)?, DURATION_UNSAFE)?;
            break;
        };
        match unit {
            "ms" => millis += count,
            "s" => millis += count * 1e3,
            "m" => millis += count * 6e4,
            "h" => millis += count * 3.6e6,
            "d" => days += count,
            "w" => days += count * 7.0,
            "M" => months += count,
            _ => months += count * 12.0,
        }
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    // The Gregorian calendar has 146097 days in 4800 months.
    Ok((days + (months * 146_097.0 / 4800.0).round()) * DAY + millis)
}

fn duration_part(text: &str) -> Option<(f64, &'static str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, rest) = text.split_at(digits);
    if count.is_empty() || (count.len() > 1 && count.starts_with('0')) || rest.contains(['\n', '\r']) {
        return None;
    }
    let unit =
        ["ms", "s", "m", "h", "d", "w", "M", "y", "Y"].into_iter().find(|unit| rest.starts_with(unit))?;
    Some((count.parse().ok()?, unit, &rest[unit.len()..]))
}

/// A limit in bytes as the fault prints it: the largest unit, two decimals at most.
pub(crate) fn byte_text_of(bytes: f64) -> String {
    let mut value = bytes;
    let mut unit = "b";
    for next in ["kb", "mb", "gb"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{}{unit}", js::number_text((value * 100.0).round() / 100.0))
}

/// A limit in milliseconds as the fault prints it: ISO 8601 in hours, minutes and seconds.
pub(crate) fn duration_text_of(millis: f64) -> String {
    if millis == 0.0 {
        return "P0D".to_owned();
    }
    let seconds = millis / 1e3;
    let (hours, minutes, seconds) =
        ((seconds / 3600.0).trunc(), (seconds / 60.0).trunc() % 60.0, seconds % 60.0);
    let mut text = "PT".to_owned();
    for (amount, letter) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
        if amount != 0.0 {
            text.push_str(&js::number_text(amount));
            text.push(letter);
        }
    }
    text
}

/// Whether the text is a host name (segments of at most 63 letters, digits and inner hyphens, the last one
/// beginning with a letter) or an IP address, which may carry a prefix length.
pub(crate) fn is_hostname(text: &str) -> bool {
    is_domain(text) || is_address(text)
}

fn is_domain(text: &str) -> bool {
    let segments: Vec<&str> = text.split('.').collect();
    let last = segments.last().copied().unwrap_or_default();
    js::utf16_len(text) <= 256
        && segments.iter().all(|segment| is_segment(segment))
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

fn is_segment(segment: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    (1..=63).contains(&js::utf16_len(segment))
        && segment.chars().all(|c| letter(c) || c == '-')
        && segment.starts_with(letter)
        && segment.ends_with(letter)
}

fn is_address(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let longest = if address.parse::<Ipv4Addr>().is_ok() {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|bits| bits <= longest))
}

/// Whether the text is a URI by RFC 3986 with one of the schemes (any if none is given).
pub(crate) fn is_uri(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = if schemes.is_empty() { is_scheme(scheme) } else { schemes.contains(&scheme) };
    if !scheme_fits || matches!(text, "http:/" | "https:/") {
        return false;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    is_hierarchy(hierarchy) && of_uri(query, "/?:@") && of_uri(fragment, "/?:@")
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+,-.".contains(c))
}

fn is_hierarchy(hierarchy: &str) -> bool {
    match hierarchy.strip_prefix("//") {
        Some(local) if local.starts_with('/') => of_uri(local, "/:@"),
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            is_authority(authority) && of_uri(path, "/:@")
        }
        None => !hierarchy.is_empty() && of_uri(hierarchy, "/:@"),
    }
}

fn is_authority(authority: &str) -> bool {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = if let Some(inner) = host.strip_prefix('[') {
        match inner.split_once(']') {
            Some((literal, after)) if literal.parse::<Ipv6Addr>().is_ok() => ("v6", after),
            _ => return false,
        }
    } else {
        host.split_at(host.find(':').unwrap_or(host.len()))
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    of_uri(user, ":")
        && of_uri(host, "")
        && (1..=255).contains(&host.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Unreserved characters, sub-delimiters, percent signs with hexadecimal digits, and the `more` given.
fn of_uri(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(c) || more.contains(c))
}
