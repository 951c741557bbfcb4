//! The description of a value and its builders.

mod build;
mod object;

use std::{fmt, sync::Arc};

use serde_json::Value;

pub use build::{
    any, array, boolean, byte_size, conditional, duration, enumeration, hostname, integer, intersection,
    literal, never, null, nullable, number, object, opaque, record, string, tagged_union, union, uri,
};
pub(crate) use object::ObjectKind;

/// Description of one value. Cheap to clone: the parts are shared.
///
/// A builder that does not fit the kind (`min_len` on a number) is a mistake of the author: it is ignored in a
/// release build and stops a debug build.
#[derive(Clone)]
pub struct Schema {
    pub(crate) node: Arc<Node>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", crate::dialect::io_ts::codec_name(self, crate::Dialect::IoTsApm))
    }
}

/// What happens to keys of an object that its description does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// They are a fault.
    Refuse,
    /// They are left out of the normalised value.
    Drop,
    /// They are kept as they are.
    Allow,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    pub(crate) default: Option<Value>,
    pub(crate) limits: Limits,
    pub(crate) checks: Vec<Check>,
    pub(crate) unknown: Option<Unknown>,
    pub(crate) from_string: bool,
    pub(crate) null_as_absent: bool,
    pub(crate) name: Option<&'static str>,
    pub(crate) field: Option<&'static str>,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) format: Option<&'static str>,
    pub(crate) description: Option<&'static str>,
}

/// Bounds, all inclusive. `min` and `max` count UTF-16 units of a string or elements of an array.
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) min: Option<usize>,
    pub(crate) max: Option<usize>,
    pub(crate) lowest: Option<f64>,
    pub(crate) highest: Option<f64>,
}

pub(crate) type TextCheck = dyn Fn(&str) -> Result<(), String> + Send + Sync;
pub(crate) type ValueCheck = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Check {
    Text(Arc<TextCheck>),
    Value(Arc<ValueCheck>),
}

impl Check {
    /// The text of the fault, if the (already normalised) value has one. A text check passes over other types.
    pub(crate) fn run(&self, value: &Value) -> Result<(), String> {
        match (self, value) {
            (Self::Text(check), Value::String(text)) => check(text),
            (Self::Text(_), _) => Ok(()),
            (Self::Value(check), value) => check(value),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Kind {
    Any,
    /// Accepts everything, but strict-key walks do not look inside it.
    Opaque,
    Never,
    Null,
    String,
    Number {
        integer: bool,
    },
    Boolean,
    Literal(Value),
    /// The strings, each with its literal.
    Enumeration(Vec<(&'static str, Schema)>),
    Array(Schema),
    Object(ObjectKind),
    Record {
        key: Schema,
        value: Schema,
    },
    Union(Vec<Schema>),
    Tagged {
        tag: &'static str,
        members: Vec<(Vec<Value>, Schema)>,
    },
    Nullable(Schema),
    Intersection {
        members: Vec<Schema>,
        /// All keys in one object, where every member is an object.
        merged: Option<ObjectKind>,
    },
    Conditional(Arc<Conditional>),
    ByteSize,
    Duration,
    Uri(Vec<&'static str>),
    Hostname,
}

pub(crate) struct Conditional {
    pub(crate) sibling: &'static str,
    pub(crate) is: Schema,
    pub(crate) then: Schema,
    pub(crate) otherwise: Schema,
}

impl Schema {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            node: Arc::new(Node {
                kind,
                optional: false,
                default: None,
                limits: Limits::default(),
                checks: Vec::new(),
                unknown: None,
                from_string: false,
                null_as_absent: false,
                name: None,
                field: None,
                pattern: None,
                format: None,
                description: None,
            }),
        }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.node.kind
    }

    fn with(mut self, change: impl FnOnce(&mut Node)) -> Self {
        change(Arc::make_mut(&mut self.node));
        self
    }

    /// Shortest string, in UTF-16 units (after trimming in the cases dialect).
    #[must_use]
    pub fn min_len(self, units: usize) -> Self {
        debug_assert!(self.is_text(), "min_len is for strings");
        self.with(|node| node.limits.min = Some(units))
    }

    /// Longest string, in UTF-16 units (after trimming in the cases dialect).
    #[must_use]
    pub fn max_len(self, units: usize) -> Self {
        debug_assert!(self.is_text(), "max_len is for strings");
        self.with(|node| node.limits.max = Some(units))
    }

    /// Smallest number (bytes of a byte size, milliseconds of a duration).
    #[must_use]
    pub fn min(self, number: impl Into<f64>) -> Self {
        debug_assert!(self.is_numeric(), "min is for numbers");
        self.with(|node| node.limits.lowest = Some(number.into()))
    }

    /// Largest number (bytes of a byte size, milliseconds of a duration).
    #[must_use]
    pub fn max(self, number: impl Into<f64>) -> Self {
        debug_assert!(self.is_numeric(), "max is for numbers");
        self.with(|node| node.limits.highest = Some(number.into()))
    }

    /// Least number of elements of an array.
    #[must_use]
    pub fn min_size(self, elements: usize) -> Self {
        debug_assert!(matches!(self.kind(), Kind::Array(_)), "min_size is for arrays");
        self.with(|node| node.limits.min = Some(elements))
    }

    /// Greatest number of elements of an array.
    #[must_use]
    pub fn max_size(self, elements: usize) -> Self {
        debug_assert!(matches!(self.kind(), Kind::Array(_)), "max_size is for arrays");
        self.with(|node| node.limits.max = Some(elements))
    }

    /// May be absent, and then stays absent. An explicit `null` is a value, not an absence.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|node| node.optional = true)
    }

    /// May be absent, and is then `value`, which is taken as it stands: neither checked nor filled in (a byte
    /// size or duration is converted).
    #[must_use]
    pub fn default(self, value: Value) -> Self {
        self.with(|node| node.default = Some(value))
    }

    /// An explicit `null` counts as absent. No dialect of the original does this; it is for documented
    /// departures.
    #[must_use]
    pub fn null_as_absent(self) -> Self {
        self.with(|node| node.null_as_absent = true)
    }

    /// A rule for a string, run after type and length; the error is the whole text of the fault. Several may
    /// be given.
    #[must_use]
    pub fn check(self, rule: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        debug_assert!(self.is_text(), "check is for strings");
        self.with(|node| node.checks.push(Check::Text(Arc::new(rule))))
    }

    /// A rule for the normalised value as a whole, run when its parts are faultless (zod: when they have the
    /// right types); the error is the whole text of the fault.
    #[must_use]
    pub fn check_value(self, rule: impl Fn(&Value) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.with(|node| node.checks.push(Check::Value(Arc::new(rule))))
    }

    /// Regular expression for the OpenAPI document only; the rule itself is a [`Schema::check`].
    #[must_use]
    pub fn pattern(self, expression: &'static str) -> Self {
        self.with(|node| node.pattern = Some(expression))
    }

    /// Format for the OpenAPI document. Under zod `uuid` and `date-time` are checked too.
    #[must_use]
    pub fn format(self, format: &'static str) -> Self {
        self.with(|node| node.format = Some(format))
    }

    /// Fate of unknown keys. Unsaid it is the dialect's: zod drops them, the others refuse; under
    /// config-schema a `Drop` above is inherited by objects that say nothing.
    ///
    /// Under the cases dialect only the outermost `Drop` counts: it stands for decoding without the
    /// excess-key check.
    #[must_use]
    pub fn unknown(self, fate: Unknown) -> Self {
        self.with(|node| node.unknown = Some(fate))
    }

    /// Reads strings too, where the dialect does not by itself: numbers and booleans under io-ts (query
    /// codecs), and under zod also arrays given as comma-separated text.
    #[must_use]
    pub fn from_string(self) -> Self {
        debug_assert!(
            matches!(self.kind(), Kind::Number { .. } | Kind::Boolean | Kind::Array(_)),
            "from_string is for numbers, booleans and arrays"
        );
        self.with(|node| node.from_string = true)
    }

    /// Name of the io-ts codec, as its messages print it; unsaid it is composed as io-ts does.
    #[must_use]
    pub fn named(self, codec: &'static str) -> Self {
        self.with(|node| node.name = Some(codec))
    }

    /// Name of the field in the texts of the cases dialect; unsaid it is the key.
    #[must_use]
    pub fn field(self, field: &'static str) -> Self {
        self.with(|node| node.field = Some(field))
    }

    /// Description for the OpenAPI document.
    #[must_use]
    pub fn describe(self, text: &'static str) -> Self {
        self.with(|node| node.description = Some(text))
    }

    fn is_text(&self) -> bool {
        matches!(self.kind(), Kind::String | Kind::Hostname | Kind::Uri(_))
    }

    fn is_numeric(&self) -> bool {
        matches!(self.kind(), Kind::Number { .. } | Kind::ByteSize | Kind::Duration)
    }

    /// What an absent value becomes where that is said outright.
    pub(crate) fn absent(&self) -> Option<Option<Value>> {
        match &self.node.default {
            Some(value) => Some(Some(crate::units::converted_default(self.kind(), value))),
            None if self.node.optional || matches!(self.kind(), Kind::Never) => Some(None),
            None => None,
        }
    }

    /// The value to look at: `null` may count as absent.
    pub(crate) fn seen<'a>(&self, value: Option<&'a Value>) -> Option<&'a Value> {
        value.filter(|value| !(self.node.null_as_absent && value.is_null()))
    }
}
