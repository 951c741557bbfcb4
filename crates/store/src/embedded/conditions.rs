//! Conditions on single values, in SQL's words and in those of full-text search.

use super::layout::FieldLayout;
use super::readers::Leaf;
use super::row::{date, number};
use ikebana_query::{Field, FieldKind, Mapping, MatchMode, Query, Scalar, analysis};
use rusqlite::types::Value as Sql;
use std::ops::Bound;

/// The values bound to a statement.
#[derive(Default)]
pub(super) struct Parameters(Vec<Sql>);

impl Parameters {
    /// Binds a value and gives its name in the statement.
    pub(super) fn bind(&mut self, value: Sql) -> String {
        self.0.push(value);
        format!("?{}", self.0.len())
    }

    pub(super) fn bind_text(&mut self, text: &str) -> String {
        self.bind(Sql::Text(text.to_owned()))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_values(self) -> Vec<Sql> {
        self.0
    }
}

/// What the leaf asks of a column that holds one value of this kind, or NULL.
pub(super) fn condition(
    leaf: &Query,
    column: &str,
    kind: FieldKind,
    parameters: &mut Parameters,
    leaves: &mut Vec<Leaf>,
) -> String {
    let is_keyword = kind == FieldKind::Keyword;
    match leaf {
        Query::Term { value, .. } => equal(column, kind, std::slice::from_ref(value), parameters),
        Query::Terms { values, .. } => equal(column, kind, values, parameters),
        Query::Match { text, prefix: true, .. } | Query::Prefix { prefix: text, .. } if is_keyword => {
            begins(column, text, parameters)
        }
        Query::Match { text, prefix: false, .. } => {
            equal(column, kind, &[Scalar::Text(text.clone())], parameters)
        }
        Query::Exists { .. } => format!("{column} IS NOT NULL"),
        Query::Range { lower, upper, .. } => {
            between(column, kind, lower, upper, parameters).unwrap_or_else(|| "FALSE".to_owned())
        }
        Query::Wildcard { pattern, .. } if is_keyword => {
            let first = pattern.pieces().first().map_or("", String::as_str);
            leaves.push(Leaf::Pattern(pattern.clone()));
            let number = leaves.len() - 1;
            format!("({} AND fits({number}, {column}))", begins(column, first, parameters))
        }
        _ => "FALSE".to_owned(),
    }
}

fn equal(column: &str, kind: FieldKind, values: &[Scalar], parameters: &mut Parameters) -> String {
    let values: Vec<String> = values
        .iter()
        .filter_map(|value| query_value(kind, value))
        .map(|value| parameters.bind(value))
        .collect();
    match values.as_slice() {
        // What cannot be a value of the field is equal to none.
        [] => "FALSE".to_owned(),
        [one] => format!("{column} = {one}"),
        many => format!("{column} IN ({})", many.join(",")),
    }
}

fn between(
    column: &str,
    kind: FieldKind,
    lower: &Bound<Scalar>,
    upper: &Bound<Scalar>,
    parameters: &mut Parameters,
) -> Option<String> {
    let mut limits = Vec::new();
    for (bound, included, excluded) in [(lower, ">=", ">"), (upper, "<=", "<")] {
        match bound {
            Bound::Included(value) => limits.push((included, query_value(kind, value)?)),
            Bound::Excluded(value) => limits.push((excluded, query_value(kind, value)?)),
            Bound::Unbounded => {}
        }
    }
    let limits =
        limits.into_iter().map(|(sign, limit)| format!("{column} {sign} {}", parameters.bind(limit)));
    Some(format!(
        "({})",
        std::iter::once(format!("{column} IS NOT NULL")).chain(limits).collect::<Vec<_>>().join(" AND ")
    ))
}

/// All texts that begin so lie together in the order of their bytes.
fn begins(column: &str, prefix: &str, parameters: &mut Parameters) -> String {
    let least = parameters.bind_text(prefix);
    match successor(prefix) {
        Some(end) => format!("({column} >= {least} AND {column} < {})", parameters.bind_text(&end)),
        None => format!("{column} >= {least}"),
    }
}

/// The least text that is greater than all that begin with `prefix`; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // Ranges of letters step over the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// The indexed form of a query's value; `None` if no value of such a field can equal it.
fn query_value(kind: FieldKind, value: &Scalar) -> Option<Sql> {
    match (kind, value) {
        (FieldKind::Keyword, Scalar::Text(text)) => Some(Sql::Text(text.clone())),
        (FieldKind::Keyword, Scalar::Number(number)) => Some(Sql::Text(number.to_string())),
        (FieldKind::Keyword, Scalar::Boolean(flag)) => Some(Sql::Text(flag.to_string())),
        (FieldKind::Keyword, Scalar::Date(time)) => Some(Sql::Text(time.to_string())),
        (FieldKind::Keyword, Scalar::Ip(address)) => Some(Sql::Text(address.to_string())),
        (FieldKind::Number, Scalar::Number(one)) => Some(number(one)),
        (FieldKind::Number, Scalar::Text(text)) => super::row::number_from(text),
        (FieldKind::Boolean, Scalar::Boolean(flag)) => Some(Sql::Integer(i64::from(*flag))),
        (FieldKind::Boolean, Scalar::Text(text)) => {
            text.parse::<bool>().ok().map(|flag| Sql::Integer(i64::from(flag)))
        }
        (FieldKind::Date, Scalar::Date(time)) => Some(date(*time)),
        (FieldKind::Date, Scalar::Text(text)) => super::row::date_from(text),
        (FieldKind::Date, Scalar::Number(number)) => number.as_i64().map(Sql::Integer),
        _ => None,
    }
}

/// What full-text search can say of a leaf.
pub(super) enum Words {
    /// This finds all that match; if not `exact`, also some that do not.
    Found {
        /// In the language of FTS5.
        expression: String,
        exact: bool,
    },
    /// Nothing can match.
    Never,
    /// It has no words for it.
    Unspeakable,
}

/// A leaf on analysed text.
pub(super) fn words(leaf: &Query) -> Words {
    let exactly = |expression| Words::Found { expression, exact: true };
    match leaf {
        Query::Term { value: Scalar::Text(word), .. } if is_word(word) => exactly(quoted(word)),
        Query::Prefix { prefix, .. } if is_word(prefix) => exactly(format!("{} *", quoted(prefix))),
        Query::Prefix { prefix, .. } if prefix.is_empty() => Words::Unspeakable,
        Query::Term { value: Scalar::Text(_), .. } | Query::Prefix { .. } => Words::Never,
        Query::Match { text, mode, prefix, .. } => {
            let words: Vec<_> = analysis::words(text).collect();
            let Some((last, before)) = words.split_last() else { return Words::Never };
            let star = if *prefix { " *" } else { "" };
            let joiner = match mode {
                MatchMode::Phrase => {
                    // The index does not know where one value ends and the next begins.
                    let expression = format!("{}{star}", quoted(&words.join(" ")));
                    return Words::Found { expression, exact: before.is_empty() };
                }
                MatchMode::All => " AND ",
                MatchMode::Any => " OR ",
            };
            let mut parts: Vec<String> = before.iter().map(|word| quoted(word)).collect();
            parts.push(format!("{}{star}", quoted(last)));
            exactly(parts.join(joiner))
        }
        _ => Words::Unspeakable,
    }
}

/// Whether the text is one word as the index holds it.
fn is_word(text: &str) -> bool {
    let mut words = analysis::words(text);
    words.next().is_some_and(|word| word == text) && words.next().is_none()
}

fn quoted(words: &str) -> String {
    format!("\"{}\"", words.replace('"', "\"\""))
}

/// The field that a leaf asks of; empty for what has none.
pub(super) fn field_of(leaf: &Query) -> &str {
    leaf.field().map_or("", Field::as_str)
}

/// The same query without `behind` before the names of its fields.
pub(super) fn renamed(query: &Query, behind: &str) -> Query {
    query.clone().with_fields(&|field: Field| match field.as_str().strip_prefix(behind) {
        Some(shortened) => Field::from(shortened),
        None => field,
    })
}

/// The kinds of the type's fields, and for those that the query names besides, the kinds that its values
/// speak for.
pub(super) fn mapping(declared: &[FieldLayout], query: &Query) -> Mapping {
    let declared = declared.iter().map(|field| (field.path, field.kind)).collect();
    implied(declared, query)
}

fn implied(mapping: Mapping, query: &Query) -> Mapping {
    use ikebana_query::Fields as _;
    let path = field_of(query);
    match query {
        Query::And(members) | Query::Or(members) => members.iter().fold(mapping, implied),
        Query::Not(inner) => implied(mapping, inner),
        Query::Nested { query, .. } => implied(mapping.with(path, FieldKind::Nested), query),
        Query::MatchAll | Query::MatchNone => mapping,
        leaf => {
            let flattened = path
                .match_indices('.')
                .any(|(dot, _)| mapping.kind(&path[..dot]) == Some(FieldKind::Flattened));
            if flattened || mapping.kind(path).is_some() {
                return mapping;
            }
            mapping.with(path, implied_kind(leaf))
        }
    }
}

/// The kind that the values of a leaf speak for.
fn implied_kind(leaf: &Query) -> FieldKind {
    let value = match leaf {
        Query::Term { value, .. } => Some(value),
        Query::Terms { values, .. } => values.first(),
        Query::Range { lower: Bound::Included(value) | Bound::Excluded(value), .. }
        | Query::Range { upper: Bound::Included(value) | Bound::Excluded(value), .. } => Some(value),
        Query::Match { .. } => return FieldKind::Text,
        // Of an object, any value within.
        Query::Exists { .. } => return FieldKind::Flattened,
        _ => None,
    };
    match value {
        Some(Scalar::Number(_)) => FieldKind::Number,
        Some(Scalar::Boolean(_)) => FieldKind::Boolean,
        Some(Scalar::Date(_)) => FieldKind::Date,
        Some(Scalar::Ip(_)) => FieldKind::Ip,
        _ => FieldKind::Keyword,
    }
}
