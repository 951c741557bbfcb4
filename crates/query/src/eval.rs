//! The plain evaluator.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Bound;

use serde_json::Value;

use crate::fields::{effective_kind, nested_path};
use crate::values::{self, Term};
use crate::{Field, FieldKind, Fields, MatchMode, Query, Scalar, Wildcard, analysis, document};

/// Whether a document is as the query wants it.
///
/// Recursion goes as deep as the query is nested; the parsers of this crate limit that.
pub fn matches(query: &Query, document: &Value, fields: &dyn Fields) -> bool {
    Scope { value: document, path: None, fields }.matches(query)
}

/// What a query sees: a whole document, or one object of a nested path.
struct Scope<'a> {
    value: &'a Value,
    path: Option<&'a Field>,
    fields: &'a dyn Fields,
}

impl Scope<'_> {
    fn matches(&self, query: &Query) -> bool {
        match query {
            Query::MatchAll => true,
            Query::MatchNone => false,
            Query::And(queries) => queries.iter().all(|query| self.matches(query)),
            Query::Or(queries) => queries.iter().any(|query| self.matches(query)),
            Query::Not(query) => !self.matches(query),
            Query::Term { field, value } => self.has_term(field, value),
            Query::Terms { field, values } => values.iter().any(|value| self.has_term(field, value)),
            Query::Range { field, lower, upper } => self.in_range(field, lower, upper),
            Query::Exists { field } => self.exists(field),
            Query::Prefix { field, prefix } => self.has_text(field, |text| text.starts_with(prefix.as_str())),
            Query::Wildcard { field, pattern } => self.matches_pattern(field, pattern),
            Query::Match { field, text, mode, prefix } => self.has_words(field, text, *mode, *prefix),
            Query::Nested { path, query } => self.matches_nested(path, query),
        }
    }

    /// The values of a field that this scope can see.
    fn values(&self, field: &Field) -> Vec<&Value> {
        if nested_path(self.fields, field.as_str()).as_ref() != self.path {
            return Vec::new();
        }
        self.below(self.fields.source(field.as_str()))
    }

    fn below(&self, path: &str) -> Vec<&Value> {
        let Some(scope) = self.path else { return document::values(self.value, path) };
        match path.strip_prefix(scope.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) => document::values(self.value, rest),
            None => Vec::new(),
        }
    }

    /// The scalars of a field with its kind, analysed text still whole.
    fn scalars(&self, field: &Field) -> Option<(FieldKind, Vec<Term<'_>>)> {
        let kind = effective_kind(self.fields, field.as_str())?;
        let mut values = self.values(field);
        if kind == FieldKind::Flattened {
            values = values.into_iter().fold(Vec::new(), |mut found, value| {
                document::leaves(value, &mut found);
                found
            });
        }
        Some((kind, values.into_iter().filter_map(|value| values::of_document(value, kind)).collect()))
    }

    /// The terms of a field with its kind.
    fn terms(&self, field: &Field) -> Option<(FieldKind, Vec<Term<'static>>)> {
        let (kind, scalars) = self.scalars(field)?;
        let terms = scalars.into_iter().flat_map(|scalar| match scalar {
            Term::Text(text) if kind == FieldKind::Text => {
                analysis::words(&text).map(|word| Term::Text(Cow::Owned(word.into_owned()))).collect()
            }
            Term::Text(text) => vec![Term::Text(Cow::Owned(text.into_owned()))],
            Term::Number(number) => vec![Term::Number(number)],
            Term::Boolean(boolean) => vec![Term::Boolean(boolean)],
            Term::Date(date) => vec![Term::Date(date)],
            Term::Ip(address) => vec![Term::Ip(address)],
        });
        Some((kind, terms.collect()))
    }

    fn has_term(&self, field: &Field, value: &Scalar) -> bool {
        let Some((kind, terms)) = self.terms(field) else { return false };
        let Some(wanted) = values::of_query(value, kind) else { return false };
        terms.iter().any(|term| term.compare(&wanted) == Some(Ordering::Equal))
    }

    fn in_range(&self, field: &Field, lower: &Bound<Scalar>, upper: &Bound<Scalar>) -> bool {
        let Some((kind, terms)) = self.terms(field) else { return false };
        terms.iter().any(|term| {
            within(term, lower, kind, Ordering::Greater) && within(term, upper, kind, Ordering::Less)
        })
    }

    fn exists(&self, field: &Field) -> bool {
        match self.scalars(field) {
            Some((_, scalars)) => !scalars.is_empty(),
            None => {
                let inside = format!("{field}.");
                let members = self.fields.names().filter(|name| name.starts_with(&inside));
                members
                    .map(Field::from)
                    .any(|member| self.scalars(&member).is_some_and(|(_, scalars)| !scalars.is_empty()))
            }
        }
    }

    fn has_text(&self, field: &Field, wanted: impl Fn(&str) -> bool) -> bool {
        let Some((_, terms)) = self.terms(field) else { return false };
        terms.iter().any(|term| matches!(term, Term::Text(text) if wanted(text)))
    }

    fn matches_pattern(&self, field: &Field, pattern: &Wildcard) -> bool {
        self.has_text(field, |text| pattern.matches(text))
    }

    fn has_words(&self, field: &Field, text: &str, mode: MatchMode, prefix: bool) -> bool {
        match self.scalars(field) {
            Some((FieldKind::Text, scalars)) => matches_words(&scalars, text, mode, prefix),
            Some(_) if prefix => self.has_text(field, |value| value.starts_with(text)),
            Some(_) => self.has_term(field, &Scalar::Text(text.to_owned())),
            None => false,
        }
    }

    fn matches_nested(&self, path: &Field, query: &Query) -> bool {
        if self.fields.kind(path.as_str()) != Some(FieldKind::Nested) {
            return false;
        }
        self.below(path.as_str())
            .into_iter()
            .filter(|value| value.is_object())
            .any(|value| Scope { value, path: Some(path), fields: self.fields }.matches(query))
    }
}

fn within(term: &Term<'_>, bound: &Bound<Scalar>, kind: FieldKind, side: Ordering) -> bool {
    let (scalar, included) = match bound {
        Bound::Unbounded => return true,
        Bound::Included(scalar) => (scalar, true),
        Bound::Excluded(scalar) => (scalar, false),
    };
    let Some(limit) = values::of_query(scalar, kind) else { return false };
    match term.compare(&limit) {
        Some(Ordering::Equal) => included,
        order => order == Some(side),
    }
}

fn matches_words(scalars: &[Term<'_>], text: &str, mode: MatchMode, prefix: bool) -> bool {
    let wanted: Vec<_> = analysis::words(text).collect();
    let Some(last) = wanted.len().checked_sub(1) else { return false };
    let fits = |index: usize, word: &str| {
        if prefix && index == last { word.starts_with(&*wanted[index]) } else { word == wanted[index] }
    };
    let values: Vec<Vec<_>> = scalars
        .iter()
        .filter_map(|scalar| match scalar {
            Term::Text(text) => Some(analysis::words(text).collect()),
            _ => None,
        })
        .collect();
    let found = |index: usize| values.iter().flatten().any(|word| fits(index, word));
    match mode {
        MatchMode::Any => (0..wanted.len()).any(found),
        MatchMode::All => (0..wanted.len()).all(found),
        MatchMode::Phrase => values.iter().any(|value| {
            value
                .windows(wanted.len())
                .any(|run| run.iter().enumerate().all(|(index, word)| fits(index, word)))
        }),
    }
}
