//! Values of documents and terms of queries brought to what the field is, so that they can be compared.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::date::{self, Rounding};
use crate::{FieldKind, Scalar};

/// A value as the index would hold it.
#[derive(Clone, Debug)]
pub(crate) enum Term<'a> {
    Text(Cow<'a, str>),
    Number(Number),
    Boolean(bool),
    /// Milliseconds since the epoch.
    Date(i64),
    Ip(Ipv6Addr),
}

impl Term<'_> {
    /// The order within a field; none between different sorts of term.
    pub(crate) fn compare(&self, other: &Term<'_>) -> Option<Ordering> {
        match (self, other) {
            (Term::Text(a), Term::Text(b)) => Some(a.cmp(b)),
            (Term::Number(a), Term::Number(b)) => compare_numbers(a, b),
            (Term::Boolean(a), Term::Boolean(b)) => Some(a.cmp(b)),
            (Term::Date(a), Term::Date(b)) => Some(a.cmp(b)),
            (Term::Ip(a), Term::Ip(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// A scalar of a document as a field of this kind holds it, analysed text still whole; none when it cannot.
pub(crate) fn of_document(value: &Value, kind: FieldKind) -> Option<Term<'_>> {
    match kind {
        FieldKind::Keyword | FieldKind::Text | FieldKind::Flattened => text_of(value).map(Term::Text),
        FieldKind::Number => match value {
            Value::Number(number) => Some(Term::Number(number.clone())),
            Value::String(text) => number(text).map(Term::Number),
            _ => None,
        },
        FieldKind::Boolean => match value {
            Value::Bool(boolean) => Some(Term::Boolean(*boolean)),
            Value::String(text) if text.is_empty() => Some(Term::Boolean(false)),
            Value::String(text) => boolean(text).map(Term::Boolean),
            _ => None,
        },
        FieldKind::Date => match value {
            Value::String(text) => date::parse(text, Rounding::Down).map(date_term),
            Value::Number(number) => number.as_i64().map(Term::Date),
            _ => None,
        },
        FieldKind::Ip => value.as_str().and_then(|text| text.parse().ok()).map(ip_term),
        FieldKind::Nested => None,
    }
}

/// A term of a query as a field of this kind compares it; none when no value of the field can equal it.
pub(crate) fn of_query(scalar: &Scalar, kind: FieldKind) -> Option<Term<'_>> {
    match (kind, scalar) {
        (FieldKind::Keyword | FieldKind::Text | FieldKind::Flattened, _) => {
            Some(Term::Text(text_of_scalar(scalar)))
        }
        (FieldKind::Number, Scalar::Number(number)) => Some(Term::Number(number.clone())),
        (FieldKind::Number, Scalar::Text(text)) => number(text).map(Term::Number),
        (FieldKind::Boolean, Scalar::Boolean(boolean)) => Some(Term::Boolean(*boolean)),
        (FieldKind::Boolean, Scalar::Text(text)) => boolean(text).map(Term::Boolean),
        (FieldKind::Date, Scalar::Date(date)) => Some(date_term(*date)),
        (FieldKind::Date, Scalar::Text(text)) => date::parse(text, Rounding::Down).map(date_term),
        (FieldKind::Date, Scalar::Number(number)) => number.as_i64().map(Term::Date),
        (FieldKind::Ip, Scalar::Ip(address)) => Some(ip_term(*address)),
        (FieldKind::Ip, Scalar::Text(text)) => text.parse().ok().map(ip_term),
        _ => None,
    }
}

/// A number as Elasticsearch reads it from text: leading zeros, a sign and a bare decimal point are allowed.
pub(crate) fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse().ok()?)
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn date_term(date: Timestamp) -> Term<'static> {
    // Rounds towards the past also before the epoch, as a cut-off does.
    Term::Date(date.as_nanosecond().div_euclid(1_000_000) as i64)
}

fn ip_term(address: IpAddr) -> Term<'static> {
    Term::Ip(match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    })
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(boolean) => Some(Cow::Borrowed(if *boolean { "true" } else { "false" })),
        _ => None,
    }
}

fn text_of_scalar(scalar: &Scalar) -> Cow<'_, str> {
    match scalar {
        Scalar::Text(text) => Cow::Borrowed(text),
        Scalar::Number(number) => Cow::Owned(number.to_string()),
        Scalar::Boolean(boolean) => Cow::Borrowed(if *boolean { "true" } else { "false" }),
        Scalar::Date(date) => Cow::Owned(date.to_string()),
        Scalar::Ip(address) => Cow::Owned(address.to_string()),
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
