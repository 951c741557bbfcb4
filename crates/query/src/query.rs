use std::fmt;
use std::net::IpAddr;
use std::ops::Bound;

use jiff::Timestamp;
use serde_json::Number;

use crate::Wildcard;

/// What a document must be like, independent of the text it was written in and of the engine that answers it.
///
/// Leaves name a field and compare *terms*: the whole value of a keyword, number, boolean, date or address, the single
/// words ([`crate::analysis`]) of analysed text. A field with several values matches when any of them does. A leaf on a
/// field that the mapping does not know matches nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Every document.
    MatchAll,
    /// No document.
    MatchNone,
    /// All of them; without members every document.
    And(Vec<Query>),
    /// At least one of them; without members no document.
    Or(Vec<Query>),
    /// The documents that the query does not match.
    Not(Box<Query>),
    /// The field has this term.
    Term {
        /// The field.
        field: Field,
        /// The term, exactly; on analysed text a word, already folded.
        value: Scalar,
    },
    /// The field has at least one of these terms.
    Terms {
        /// The field.
        field: Field,
        /// The terms.
        values: Vec<Scalar>,
    },
    /// The field has a term between the bounds. Two open ends: the field has a term at all.
    Range {
        /// The field.
        field: Field,
        /// `gt` (excluded), `gte` (included) or open.
        lower: Bound<Scalar>,
        /// `lt` (excluded), `lte` (included) or open.
        upper: Bound<Scalar>,
    },
    /// The field has a value that is not null; of an object, any of its mapped fields.
    Exists {
        /// The field.
        field: Field,
    },
    /// The field has a term that begins so.
    Prefix {
        /// The field; keyword or analysed text.
        field: Field,
        /// The beginning, exactly; for analysed text already folded.
        prefix: String,
    },
    /// The field has a term of this form.
    Wildcard {
        /// The field; keyword or analysed text.
        field: Field,
        /// The pattern, exactly; for analysed text already folded.
        pattern: Wildcard,
    },
    /// The field has words of this text. On fields that are not analysed the whole text is the term.
    Match {
        /// The field.
        field: Field,
        /// The text, not yet cut into words. Without any word it matches nothing.
        text: String,
        /// How many of the words, and in what order.
        mode: MatchMode,
        /// Whether the last word need only be the beginning of a word of the field.
        prefix: bool,
    },
    /// At least one of the objects at a nested path matches on its own.
    ///
    /// Inside, fields are named by their full path and only those below the nested path are seen; outside, those are not.
    Nested {
        /// The path of kind [`crate::FieldKind::Nested`].
        path: Field,
        /// What one object must be like.
        query: Box<Query>,
    },
}

impl Query {
    /// The field that it asks of: a path for [`Query::Nested`]; `None` for what only joins or negates.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Query::Term { field, .. }
            | Query::Terms { field, .. }
            | Query::Range { field, .. }
            | Query::Exists { field }
            | Query::Prefix { field, .. }
            | Query::Wildcard { field, .. }
            | Query::Match { field, .. }
            | Query::Nested { path: field, .. } => Some(field),
            Query::MatchAll | Query::MatchNone | Query::And(_) | Query::Or(_) | Query::Not(_) => None,
        }
    }

    /// The same query with other names of fields, at every depth.
    #[must_use]
    pub fn with_fields(self, name: &impl Fn(Field) -> Field) -> Query {
        let each = |queries: Vec<Query>| queries.into_iter().map(|one| one.with_fields(name)).collect();
        match self {
            Query::And(members) => Query::And(each(members)),
            Query::Or(members) => Query::Or(each(members)),
            Query::Not(inner) => Query::Not(Box::new(inner.with_fields(name))),
            Query::Nested { path, query } => {
                Query::Nested { path: name(path), query: Box::new(query.with_fields(name)) }
            }
            Query::Term { field, value } => Query::Term { field: name(field), value },
            Query::Terms { field, values } => Query::Terms { field: name(field), values },
            Query::Range { field, lower, upper } => Query::Range { field: name(field), lower, upper },
            Query::Exists { field } => Query::Exists { field: name(field) },
            Query::Prefix { field, prefix } => Query::Prefix { field: name(field), prefix },
            Query::Wildcard { field, pattern } => Query::Wildcard { field: name(field), pattern },
            Query::Match { field, text, mode, prefix } => {
                Query::Match { field: name(field), text, mode, prefix }
            }
            Query::MatchAll => Query::MatchAll,
            Query::MatchNone => Query::MatchNone,
        }
    }

    /// All of them, without a needless level of the tree.
    pub fn all(mut queries: Vec<Query>) -> Query {
        match queries.len() {
            0 => Query::MatchAll,
            1 => queries.remove(0),
            _ => Query::And(queries),
        }
    }

    /// Any of them, without a needless level of the tree.
    pub fn any(mut queries: Vec<Query>) -> Query {
        match queries.len() {
            0 => Query::MatchNone,
            1 => queries.remove(0),
            _ => Query::Or(queries),
        }
    }

    /// What the query does not match.
    pub fn negate(query: Query) -> Query {
        Query::Not(Box::new(query))
    }

    /// An exact text as term.
    pub fn term(field: impl Into<Field>, text: impl Into<String>) -> Query {
        Query::Term { field: field.into(), value: Scalar::Text(text.into()) }
    }
}

/// How many words of a text must be in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchMode {
    /// At least one word.
    Any,
    /// All words, in any order and of any of the field's values.
    All,
    /// All words, one after the other in one of the field's values.
    Phrase,
}

/// Elasticsearch's `default_operator`: how parts are joined that nothing else joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operator {
    /// All parts.
    And,
    /// Any part.
    #[default]
    Or,
}

/// One term of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Of keywords and words; elsewhere read as what the field is.
    Text(String),
    /// Of numbers. Whole numbers compare exactly, others as 64-bit floats.
    Number(Number),
    /// Of booleans.
    Boolean(bool),
    /// Of dates, in milliseconds; anything finer is cut off.
    Date(Timestamp),
    /// Of addresses. IPv4 addresses are ordered as the IPv6 addresses that they are mapped to.
    Ip(IpAddr),
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Scalar {
        Scalar::Number(number.into())
    }
}

impl From<bool> for Scalar {
    fn from(boolean: bool) -> Scalar {
        Scalar::Boolean(boolean)
    }
}

/// The dotted path of a field, such as `user.name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field(String);

impl Field {
    /// The field of this path.
    pub fn new(path: impl Into<String>) -> Field {
        Field(path.into())
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Field {
    fn from(path: &str) -> Field {
        Field(path.to_owned())
    }
}

impl From<String> for Field {
    fn from(path: String) -> Field {
        Field(path)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
