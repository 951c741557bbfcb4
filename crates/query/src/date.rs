//! Dates as Elasticsearch reads them: `strict_date_optional_time||epoch_millis`, and date mathematics.
//!
//! All instants have milliseconds as their finest unit; what a text gives beyond is cut off. A text of four digits is a
//! year, any other run of digits is milliseconds since the epoch.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ZonedDateTime};

/// What to do about the parts of a date that are not given or are rounded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The first millisecond: for `gte` and `lt`, and for values of documents.
    Down,
    /// The last millisecond: for `gt` and `lte`.
    Up,
}

/// A date without mathematics, UTC unless it has an offset of its own.
pub fn parse(text: &str, rounding: Rounding) -> Option<Timestamp> {
    instant(text, rounding, &TimeZone::UTC).map(|date| date.timestamp())
}

/// A date or a date mathematics expression: an anchor (`now`, or a date and `||`) and any number of `+1d`, `-2M`, `/w`.
///
/// Units are `y M w d h H m s`; weeks begin on Monday. `time_zone` is meant for texts without an offset and for
/// rounding.
pub fn parse_math(text: &str, rounding: Rounding, now: Timestamp, time_zone: &TimeZone) -> Option<Timestamp> {
    let (anchor, operations) = if let Some(operations) = text.strip_prefix("now") {
        (now.to_zoned_datetime(time_zone.clone()), operations)
    } else if let Some((anchor, operations)) = text.split_once("||") {
        (instant(anchor, Rounding::Down, time_zone)?.with_time_zone(time_zone.clone()), operations)
    } else {
        return instant(text, rounding, time_zone).map(|date| date.timestamp());
    };
    calculate(anchor, operations, rounding).map(|date| date.timestamp())
}

fn calculate(mut date: ZonedDateTime, operations: &str, rounding: Rounding) -> Option<ZonedDateTime> {
    let mut rest = operations;
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, unit) = rest.split_at(digits);
        let count: i64 = if count.is_empty() { 1 } else { count.parse().ok()? };
        let letter = unit.chars().next()?;
        rest = &unit[letter.len_utf8()..];
        date = match operator {
            '+' => date.checked_add(span(letter, count)?).ok()?,
            '-' => date.checked_sub(span(letter, count)?).ok()?,
            '/' if count == 1 => round(&date, letter, rounding)?,
            _ => return None,
        };
    }
    Some(date)
}

fn span(unit: char, count: i64) -> Option<Span> {
    let span = Span::new();
    match unit {
        'y' => span.try_years(count),
        'M' => span.try_months(count),
        'w' => span.try_weeks(count),
        'd' => span.try_days(count),
        'h' | 'H' => span.try_hours(count),
        'm' => span.try_minutes(count),
        's' => span.try_seconds(count),
        _ => return None,
    }
    .ok()
}

fn round(date: &ZonedDateTime, unit: char, rounding: Rounding) -> Option<ZonedDateTime> {
    let day = date.date();
    let time = date.time();
    let start = match unit {
        'y' => day.first_of_year().to_datetime(civil::Time::midnight()),
        'M' => day.first_of_month().to_datetime(civil::Time::midnight()),
        'w' => {
            let since_monday = i64::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(Span::new().try_days(since_monday).ok()?)
                .ok()?
                .to_datetime(civil::Time::midnight())
        }
        'd' => day.to_datetime(civil::Time::midnight()),
        'h' | 'H' => day.at(time.hour(), 0, 0, 0),
        'm' => day.at(time.hour(), time.minute(), 0, 0),
        's' => day.at(time.hour(), time.minute(), time.second(), 0),
        _ => return None,
    };
    let start = start.to_zoned_datetime(date.time_zone().clone()).ok()?;
    match rounding {
        Rounding::Down => Some(start),
        Rounding::Up => {
            let next = start.checked_add(span(unit, 1)?).ok()?;
            next.checked_sub(Span::new().try_milliseconds(1).ok()?).ok()
        }
    }
}

/// A date without mathematics.
fn instant(text: &str, rounding: Rounding, time_zone: &TimeZone) -> Option<ZonedDateTime> {
    iso(text, rounding, time_zone).or_else(|| epoch(text))
}

fn epoch(text: &str) -> Option<ZonedDateTime> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Timestamp::from_millisecond(text.parse().ok()?).ok().map(|date| date.to_zoned_datetime(TimeZone::UTC))
}

fn iso(text: &str, rounding: Rounding, time_zone: &TimeZone) -> Option<ZonedDateTime> {
    let mut rest = text;
    let up = rounding == Rounding::Up;
    let year = i16::try_from(number(&mut rest, 4)?).ok()?;
    let month = part(&mut rest, '-')?;
    let day = if month.is_some() { part(&mut rest, '-')? } else { None };
    let month = month.unwrap_or(if up { 12 } else { 1 });
    let first = civil::Date::new(year, month, 1).ok()?;
    let date =
        civil::Date::new(year, month, day.unwrap_or(if up { first.days_in_month() } else { 1 })).ok()?;
    let mut time = if up { civil::Time::constant(23, 59, 59, 999_000_000) } else { civil::Time::midnight() };
    let mut offset = None;
    if day.is_some() && skip(&mut rest, "T") && !rest.is_empty() {
        time = time_of_day(&mut rest, up)?;
        offset = zone(rest)?;
    } else if !rest.is_empty() {
        return None;
    }
    let time_zone = offset.unwrap_or_else(|| time_zone.clone());
    date.to_datetime(time).to_zoned_datetime(time_zone).ok()
}

fn time_of_day(rest: &mut &str, up: bool) -> Option<civil::Time> {
    let hour = i8::try_from(number(rest, 2)?).ok()?;
    let minute = part(rest, ':')?;
    let second = if minute.is_some() { part(rest, ':')? } else { None };
    let fraction = if second.is_some() { fraction(rest)? } else { None };
    let last = if up { 59 } else { 0 };
    let nanosecond = fraction.unwrap_or(if up { 999_000_000 } else { 0 });
    civil::Time::new(hour, minute.unwrap_or(last), second.unwrap_or(last), nanosecond).ok()
}

/// One to nine digits after a point or comma, cut off at milliseconds, as nanoseconds.
fn fraction(rest: &mut &str) -> Option<Option<i32>> {
    if !skip(rest, ".") && !skip(rest, ",") {
        return Some(None);
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (fraction, after) = rest.split_at(digits);
    *rest = after;
    let milliseconds: i32 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(Some(milliseconds * 1_000_000))
}

/// What is left after the time: nothing, `Z`, `+01`, `+0100` or `+01:00`.
fn zone(text: &str) -> Option<Option<TimeZone>> {
    if text.is_empty() {
        return Some(None);
    }
    if text == "Z" {
        return Some(Some(TimeZone::UTC));
    }
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let hours = number(&mut rest, 2)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        skip(&mut rest, ":");
        number(&mut rest, 2)?
    };
    if !rest.is_empty() || hours > 18 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(|offset| Some(offset.to_time_zone()))
}

/// Two digits after a separator; `Some(None)` without the separator, none when no digits follow it.
fn part(rest: &mut &str, separator: char) -> Option<Option<i8>> {
    match rest.strip_prefix(separator) {
        None => Some(None),
        Some(after) => {
            *rest = after;
            number(rest, 2).and_then(|number| i8::try_from(number).ok()).map(Some)
        }
    }
}

/// Exactly so many digits.
fn number(rest: &mut &str, digits: usize) -> Option<i32> {
    let (number, after) = rest.split_at_checked(digits)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit())
        || after.starts_with(|c: char| c.is_ascii_digit()) && digits == 4
    {
        return None;
    }
    *rest = after;
    number.parse().ok()
}

fn skip(rest: &mut &str, prefix: &str) -> bool {
    match rest.strip_prefix(prefix) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}
