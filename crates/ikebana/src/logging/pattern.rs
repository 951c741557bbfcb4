//! The pattern layout: `[%date][%level][%logger] %message`.

use ikebana_clock::Millis;
use jiff::tz::TimeZone;

/// What stands in for a record in a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    Date(DateFormat, TimeZone),
    Level,
    Logger,
    Message,
    Meta,
    Pid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateFormat {
    Iso,
    IsoZone,
    Absolute,
    Unix,
    UnixMillis,
}

/// A checked pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub(super) parts: Vec<Part>,
}

impl Default for Pattern {
    fn default() -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        Self {
            parts: vec![
                text("["),
                Part::Date(DateFormat::IsoZone, TimeZone::UTC),
                text("]["),
                Part::Level,
                text("]["),
                Part::Logger,
                text("] "),
                Part::Message,
            ],
        }
    }
}

impl Pattern {
    /// Reads a pattern. Conversions are `%date{format}{zone}`, `%level`, `%logger`, `%message`, `%meta` and
    /// `%pid`; all else is text.
    ///
    /// # Errors
    /// Kibana's words for a date format or time zone that does not exist.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            match conversion(rest)? {
                Some((part, after)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(part);
                    rest = after;
                }
                None => {
                    plain.push('%');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }
}

fn conversion(text: &str) -> Result<Option<(Part, &str)>, String> {
    if let Some(rest) = text.strip_prefix("%date") {
        let (format, rest) = argument(rest);
        let (zone, rest) = match format {
            Some(_) => argument(rest),
            None => (None, rest),
        };
        let part = Part::Date(date_format(format)?, time_zone(zone)?);
        return Ok(Some((part, rest)));
    }
    let known = [
        ("%level", Part::Level),
        ("%logger", Part::Logger),
        ("%message", Part::Message),
        ("%meta", Part::Meta),
        ("%pid", Part::Pid),
    ];
    Ok(known.into_iter().find_map(|(name, part)| Some((part, text.strip_prefix(name)?))))
}

/// `{…}` at the start.
fn argument(text: &str) -> (Option<&str>, &str) {
    match text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((inner, rest)) if !inner.is_empty() => (Some(inner), rest),
        _ => (None, text),
    }
}

fn date_format(name: Option<&str>) -> Result<DateFormat, String> {
    match name {
        None | Some("ISO8601_TZ") => Ok(DateFormat::IsoZone),
        Some("ISO8601") => Ok(DateFormat::Iso),
        Some("ABSOLUTE") => Ok(DateFormat::Absolute),
        Some("UNIX") => Ok(DateFormat::Unix),
        Some("UNIX_MILLIS") => Ok(DateFormat::UnixMillis),
        Some(other) => Err(format!(
            "Date format expected one of ISO8601, ISO8601_TZ, ABSOLUTE, UNIX, UNIX_MILLIS, but given: {other}"
        )),
    }
}

fn time_zone(name: Option<&str>) -> Result<TimeZone, String> {
    match name {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| format!("Unknown timezone: {name}")),
    }
}

impl DateFormat {
    /// The time as text.
    pub(super) fn text(self, time: Millis, zone: &TimeZone) -> String {
        let Ok(stamp) = jiff::Timestamp::from_millisecond(time.0) else { return time.0.to_string() };
        match self {
            Self::Iso => time.iso(),
            Self::IsoZone => {
                stamp.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
            }
            Self::Absolute => stamp.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S.%3f").to_string(),
            Self::Unix => time.0.div_euclid(1000).to_string(),
            Self::UnixMillis => time.0.to_string(),
        }
    }
}
