//! From the syntax tree to the query tree.

use std::ops::Bound;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Literal, Node, RangeOperator};
use crate::date::{self, Rounding};
use crate::fields::{effective_kind, nested_path};
use crate::{Field, FieldKind, Fields, MatchMode, Query, Scalar, Wildcard, analysis, leaf, values};

/// What compiling depends on besides the fields.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time that `now` means in date mathematics.
    pub now: Timestamp,
    /// The zone of dates that name none, and of rounding.
    pub time_zone: TimeZone,
    /// Whether Kibana compiles this text with a data view at hand (rules, alert filters) or without (filters of saved
    /// objects). With one, a pattern with blanks on a keyword field is matched as a whole, and fields found through a
    /// wildcard are looked for inside nested objects too; without, Elasticsearch takes the blanks for `or`.
    pub data_view: bool,
}

impl Options {
    /// UTC, without a data view.
    pub fn at(now: Timestamp) -> Options {
        Options { now, time_zone: TimeZone::UTC, data_view: false }
    }
}

/// Compiles a syntax tree by the kinds of its fields.
///
/// What Elasticsearch refuses with an error (letters asked of a number, a broken date, wildcards on anything but text and
/// keywords, the value `null`) matches nothing here.
pub fn to_query(node: &Node, fields: &dyn Fields, options: &Options) -> Query {
    Compiler { fields, options }.node(node, None)
}

struct Compiler<'a> {
    fields: &'a dyn Fields,
    options: &'a Options,
}

impl Compiler<'_> {
    fn node(&self, node: &Node, nested: Option<&Field>) -> Query {
        match node {
            Node::And(nodes) => Query::all(nodes.iter().map(|node| self.node(node, nested)).collect()),
            Node::Or(nodes) => Query::any(nodes.iter().map(|node| self.node(node, nested)).collect()),
            Node::Not(node) => Query::negate(self.node(node, nested)),
            Node::Is { field, value } => self.is(field, value, nested),
            Node::Range { field, operator, value } => {
                self.for_each_field(field, nested, |field, kind| self.range(field, kind, *operator, value))
            }
            Node::Exists { field } => self.exists(field, nested),
            Node::Nested { path, query } => {
                let path = full_path(&name(path), nested);
                let query = Box::new(self.node(query, Some(&path)));
                Query::Nested { path, query }
            }
        }
    }

    fn is(&self, field: &Literal, value: &Literal, nested: Option<&Field>) -> Query {
        if value.is_lone_wildcard() {
            return match field {
                Literal::Null => Query::MatchAll,
                field if field.is_lone_wildcard() => Query::MatchAll,
                field => self.exists(field, nested),
            };
        }
        self.for_each_field(field, nested, |field, kind| match value {
            Literal::Null => Query::MatchNone,
            Literal::Boolean(boolean) => self.value(field, kind, &boolean.to_string(), MatchMode::Any),
            Literal::Text { text, quoted: false } => self.value(field, kind, text, MatchMode::Any),
            Literal::Text { text, quoted: true } => self.value(field, kind, text, MatchMode::Phrase),
            Literal::Wildcard(pattern) => self.pattern(&field, kind, pattern),
        })
    }

    fn exists(&self, field: &Literal, nested: Option<&Field>) -> Query {
        match field {
            Literal::Wildcard(_) => self.for_each_field(field, nested, |field, _| Query::Exists { field }),
            // An object is not mapped itself, but exists when one of its fields does.
            field => Query::Exists { field: full_path(&name(field), nested) },
        }
    }

    /// Any of the fields that a name stands for, of those that can be seen from here.
    fn for_each_field(
        &self,
        field: &Literal,
        nested: Option<&Field>,
        query: impl Fn(Field, FieldKind) -> Query,
    ) -> Query {
        let pattern = match field {
            Literal::Null => Wildcard::from_text("*"),
            Literal::Wildcard(pattern) => within(pattern, nested),
            field => {
                let field = full_path(&name(field), nested);
                return match effective_kind(self.fields, field.as_str()) {
                    Some(kind) if nested_path(self.fields, field.as_str()).as_ref() == nested => {
                        query(field, kind)
                    }
                    _ => Query::MatchNone,
                };
            }
        };
        let into_nested = self.options.data_view && nested.is_none() && *field != Literal::Null;
        let queries = self.fields.names().filter(|name| pattern.matches(name)).filter_map(|name| {
            let kind = self.fields.kind(name)?;
            match nested_path(self.fields, name) {
                path if path.as_ref() == nested => Some(query(name.into(), kind)),
                Some(path) if into_nested => {
                    Some(Query::Nested { path, query: Box::new(query(name.into(), kind)) })
                }
                _ => None,
            }
        });
        Query::any(queries.filter(|query| *query != Query::MatchNone).collect())
    }

    fn value(&self, field: Field, kind: FieldKind, text: &str, mode: MatchMode) -> Query {
        if kind != FieldKind::Date {
            return leaf::value(field, kind, text, mode);
        }
        match (self.date(text, Rounding::Down), self.date(text, Rounding::Up)) {
            (Some(first), Some(last)) => {
                Query::Range { field, lower: Bound::Included(first), upper: Bound::Included(last) }
            }
            _ => Query::MatchNone,
        }
    }

    fn date(&self, text: &str, rounding: Rounding) -> Option<Scalar> {
        date::parse_math(text, rounding, self.options.now, &self.options.time_zone).map(Scalar::Date)
    }

    fn pattern(&self, field: &Field, kind: FieldKind, pattern: &Wildcard) -> Query {
        match kind {
            FieldKind::Keyword if self.options.data_view => {
                Query::Wildcard { field: field.clone(), pattern: pattern.clone() }
            }
            FieldKind::Keyword | FieldKind::Flattened => query_string(field, kind, pattern),
            FieldKind::Text => {
                query_string(field, kind, &pattern.map(|piece| analysis::fold(piece).into_owned()))
            }
            FieldKind::Number | FieldKind::Boolean | FieldKind::Date | FieldKind::Ip | FieldKind::Nested => {
                Query::MatchNone
            }
        }
    }

    fn range(&self, field: Field, kind: FieldKind, operator: RangeOperator, value: &Literal) -> Query {
        if *value == Literal::Null {
            return Query::Exists { field };
        }
        let text = name(value);
        let limit = match kind {
            FieldKind::Keyword | FieldKind::Text | FieldKind::Flattened => Some(Scalar::Text(text)),
            FieldKind::Number => values::number(&text).map(Scalar::Number),
            FieldKind::Boolean => values::boolean(&text).map(Scalar::Boolean),
            FieldKind::Date => self.date(
                &text,
                match operator {
                    RangeOperator::Gt | RangeOperator::Lte => Rounding::Up,
                    RangeOperator::Gte | RangeOperator::Lt => Rounding::Down,
                },
            ),
            FieldKind::Ip => text.parse().ok().map(Scalar::Ip),
            FieldKind::Nested => None,
        };
        let Some(limit) = limit else { return Query::MatchNone };
        let (lower, upper) = match operator {
            RangeOperator::Gt => (Bound::Excluded(limit), Bound::Unbounded),
            RangeOperator::Gte => (Bound::Included(limit), Bound::Unbounded),
            RangeOperator::Lt => (Bound::Unbounded, Bound::Excluded(limit)),
            RangeOperator::Lte => (Bound::Unbounded, Bound::Included(limit)),
        };
        Query::Range { field, lower, upper }
    }
}

/// A pattern cut at its blanks, as Elasticsearch's query string does: any of its parts; plain words that stand together
/// are one text.
fn query_string(field: &Field, kind: FieldKind, pattern: &Wildcard) -> Query {
    let mut plain: Vec<String> = Vec::new();
    let mut parts = Vec::new();
    let flush = |plain: &mut Vec<String>, parts: &mut Vec<Query>| {
        if !plain.is_empty() {
            parts.push(leaf::value(field.clone(), kind, &plain.join(" "), MatchMode::Any));
            plain.clear();
        }
    };
    for part in cut(pattern) {
        match part.pieces() {
            [word] => plain.push(word.clone()),
            _ => {
                flush(&mut plain, &mut parts);
                let field = field.clone();
                parts.push(if part.is_lone() {
                    Query::Exists { field }
                } else {
                    Query::Wildcard { field, pattern: part }
                });
            }
        }
    }
    flush(&mut plain, &mut parts);
    Query::any(parts)
}

/// The parts of a pattern between blanks.
fn cut(pattern: &Wildcard) -> Vec<Wildcard> {
    let mut parts: Vec<Vec<String>> = vec![vec![]];
    for piece in pattern.pieces() {
        for (index, word) in piece.split([' ', '\t', '\n', '\r']).enumerate() {
            match parts.last_mut() {
                Some(part) if index == 0 => part.push(word.to_owned()),
                _ => parts.push(vec![word.to_owned()]),
            }
        }
    }
    parts.retain(|part| part.iter().any(|piece| !piece.is_empty()) || part.len() > 1);
    parts.into_iter().map(Wildcard::from_pieces).collect()
}

/// A literal as plain text: a field's name, or a limit. A wildcard's stars are plain characters then.
fn name(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(boolean) => boolean.to_string(),
        Literal::Text { text, .. } => text.clone(),
        Literal::Wildcard(pattern) => pattern.pieces().join("*"),
    }
}

fn full_path(name: &str, nested: Option<&Field>) -> Field {
    match nested {
        Some(path) => Field::new(format!("{path}.{name}")),
        None => Field::from(name),
    }
}

/// The pattern of full names that a pattern inside a nested path stands for.
fn within(pattern: &Wildcard, nested: Option<&Field>) -> Wildcard {
    let Some(path) = nested else { return pattern.clone() };
    let mut pieces = pattern.pieces().to_vec();
    pieces[0] = format!("{path}.{}", pieces[0]);
    Wildcard::from_pieces(pieces)
}
