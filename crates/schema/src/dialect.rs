//! The four ways in which parts of the API check and word.

mod config_schema;
mod failure;
pub(crate) mod io_ts;
mod io_ts_apm;
mod io_ts_cases;
mod zod;

use serde_json::Value;

use crate::{
    coerce,
    describe::{Kind, Limits, Schema, Unknown},
    fault::Fault,
};

/// Which faults are told, in which words, what is converted, and what becomes of unknown keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Spaces, connectors, alerting, data views, Fleet, settings: the first fault only; strings are converted
    /// to what is due; unknown keys are refused. `[request body.name]: expected value of …`
    ConfigSchema,
    /// Cases: all faults joined with a bare comma, each text once; nothing is converted; unknown keys are
    /// refused once everything else fits. No prefix.
    IoTsCases,
    /// APM: all faults, one a line, under `Failed to validate: `; nothing is converted; unknown keys are
    /// refused once everything else fits.
    ///
    /// The original checks path, query and body as one value. Do the same with [`Part::None`] and an object of
    /// the keys `path`, `query` and `body`; a route with a single part may check it alone under its own
    /// [`Part`].
    IoTsApm,
    /// Exceptions and detections (zod 3): five faults and the number of further ones; nothing is converted;
    /// unknown keys are dropped. `[request body]: name: Required, …`
    Zod,
}

/// What is checked; decides how a message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// `[request params…]`
    Params,
    /// `[request query…]`
    Query,
    /// `[request body…]`. Under config-schema and zod an absent body is the value `null`.
    Body,
    /// `[config validation of [<section>]…]`, a section of the settings.
    Config(&'a str),
    /// `[<name>…]`, such as `attributes` of a saved object.
    Namespace(&'a str),
    /// The given text, then the fault without any part: `error validating action type config: [url]: …`.
    Prefix(&'a str),
    /// The fault alone.
    None,
}

impl Part<'_> {
    /// What stands in brackets before the path.
    fn namespace(self) -> Option<String> {
        match self {
            Self::Params => Some("request params".to_owned()),
            Self::Query => Some("request query".to_owned()),
            Self::Body => Some("request body".to_owned()),
            Self::Config(section) => Some(format!("config validation of [{section}]")),
            Self::Namespace(name) => Some(name.to_owned()),
            Self::Prefix(_) | Self::None => None,
        }
    }
}

/// Checks `value` (`None`: absent) and hands out the normalised value; an absent one that may stay absent is
/// `null`.
///
/// # Errors
/// The message of the dialect, whole.
pub fn check(
    schema: &Schema,
    dialect: Dialect,
    part: Part<'_>,
    value: Option<&Value>,
) -> Result<Value, Fault> {
    let outcome = match dialect {
        Dialect::ConfigSchema => config_schema::check(schema, part, value),
        Dialect::IoTsCases => io_ts_cases::check(schema, value),
        Dialect::IoTsApm => io_ts_apm::check(schema, part, value),
        Dialect::Zod => zod::check(schema, part, value),
    };
    match outcome {
        Ok(normalised) => Ok(normalised.unwrap_or(Value::Null)),
        Err(message) => Err(Fault::new(match part {
            Part::Prefix(prefix) => format!("{prefix}{message}"),
            _ => message,
        })),
    }
}

/// What a body that was not sent is to validation: a value, not an absence.
static NO_BODY: Value = Value::Null;

fn sent<'a>(part: Part<'_>, value: Option<&'a Value>) -> Option<&'a Value>
where
    'static: 'a,
{
    match part {
        Part::Body => Some(value.unwrap_or(&NO_BODY)),
        _ => value,
    }
}

/// Position of a fault within the value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// A bound that a length or number breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    Low(f64),
    High(f64),
}

impl Limits {
    fn broken_by_len(&self, len: usize) -> Option<Broken> {
        match (self.min, self.max) {
            (Some(min), _) if len < min => Some(Broken::Low(min as f64)),
            (_, Some(max)) if len > max => Some(Broken::High(max as f64)),
            _ => None,
        }
    }

    fn broken_by(&self, number: f64) -> Option<Broken> {
        match (self.lowest, self.highest) {
            (Some(lowest), _) if number < lowest => Some(Broken::Low(lowest)),
            (_, Some(highest)) if number > highest => Some(Broken::High(highest)),
            _ => None,
        }
    }
}

/// Whether a value is the one that a literal, enumeration or `null` asks for.
fn is_literally(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Null => value.is_null(),
        Kind::Literal(literal) => coerce::same(literal, value),
        Kind::Enumeration(values) => {
            value.as_str().is_some_and(|text| values.iter().any(|(known, _)| *known == text))
        }
        _ => false,
    }
}

/// A value that is literally the declared one, in the declared spelling (`1` for `1.0`).
fn as_declared(kind: &Kind, value: &Value) -> Value {
    match kind {
        Kind::Literal(literal) => literal.clone(),
        _ => value.clone(),
    }
}

/// Fault text of one of the settings kinds, `None` if the value is of another type altogether.
fn settings_kind(kind: &Kind, value: &Value) -> Option<Result<Value, String>> {
    use crate::units;
    let number = |read: Result<f64, &str>| read.map(coerce::from_float).map_err(str::to_owned);
    match (kind, value) {
        (Kind::ByteSize, _) => units::byte_size(value).map(number),
        (Kind::Duration, _) => units::duration(value).map(number),
        (Kind::Uri(schemes), Value::String(text)) => Some(if units::is_uri(text, schemes) {
            Ok(value.clone())
        } else if schemes.is_empty() {
            Err("value must be a valid URI (see RFC 3986).".to_owned())
        } else {
            Err(format!("expected URI with scheme [{}].", schemes.join("|")))
        }),
        (Kind::Hostname, Value::String(text)) => Some(if units::is_hostname(text) {
            Ok(value.clone())
        } else {
            Err("value must be a valid hostname (see RFC 1123).".to_owned())
        }),
        _ => None,
    }
}

/// Whether unknown keys are a fault, given what the dialect does unasked.
pub(crate) fn fate(schema: &Schema, dialect: Dialect) -> Unknown {
    schema.node.unknown.unwrap_or(match dialect {
        Dialect::Zod => Unknown::Drop,
        _ => Unknown::Refuse,
    })
}
