use std::collections::BTreeMap;

use crate::Field;

/// What the mapping says of a field, in the kinds that make a difference to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// The whole text is one term (`keyword`, `constant_keyword`, `wildcard`, `version`).
    Keyword,
    /// Analysed text: its words are the terms.
    Text,
    /// Whole or fractional numbers.
    Number,
    /// `true`, `false` and their texts.
    Boolean,
    /// `strict_date_optional_time||epoch_millis`, Elasticsearch's default format.
    Date,
    /// IPv4 and IPv6 addresses.
    Ip,
    /// An object whose leaves are all keywords, whatever they are called; the paths below it need no entry of their own.
    Flattened,
    /// An array of objects that are searched one by one ([`crate::Query::Nested`]).
    Nested,
}

/// What a caller knows of its fields.
pub trait Fields {
    /// The kind of the field at exactly this path; none when it is not mapped or a plain object.
    fn kind(&self, path: &str) -> Option<FieldKind>;

    /// All mapped paths, those of kind [`FieldKind::Nested`] among them.
    fn names<'a>(&'a self) -> Box<dyn Iterator<Item = &'a str> + 'a>;

    /// Where a document holds the values of this field. Differs from the path for multi-fields (`title.keyword` reads
    /// `title`) and aliases.
    fn source<'a>(&'a self, path: &'a str) -> &'a str {
        path
    }
}

/// A mapping held in memory.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    fields: BTreeMap<String, MappedField>,
}

#[derive(Clone, Debug)]
struct MappedField {
    kind: FieldKind,
    source: Option<String>,
}

impl Mapping {
    /// A mapping without fields.
    pub fn new() -> Mapping {
        Mapping::default()
    }

    /// The mapping with this field too.
    pub fn with(mut self, path: impl Into<String>, kind: FieldKind) -> Mapping {
        self.fields.insert(path.into(), MappedField { kind, source: None });
        self
    }

    /// The mapping with a field too whose values documents hold at another path.
    pub fn with_source(
        mut self,
        path: impl Into<String>,
        kind: FieldKind,
        source: impl Into<String>,
    ) -> Mapping {
        self.fields.insert(path.into(), MappedField { kind, source: Some(source.into()) });
        self
    }
}

impl<S: Into<String>> FromIterator<(S, FieldKind)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (S, FieldKind)>>(fields: I) -> Mapping {
        fields.into_iter().fold(Mapping::new(), |mapping, (path, kind)| mapping.with(path, kind))
    }
}

impl Fields for Mapping {
    fn kind(&self, path: &str) -> Option<FieldKind> {
        self.fields.get(path).map(|field| field.kind)
    }

    fn names<'a>(&'a self) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(self.fields.keys().map(String::as_str))
    }

    fn source<'a>(&'a self, path: &'a str) -> &'a str {
        self.fields.get(path).and_then(|field| field.source.as_deref()).unwrap_or(path)
    }
}

/// The kind that a path has, also as part of a flattened object.
pub(crate) fn effective_kind(fields: &dyn Fields, path: &str) -> Option<FieldKind> {
    fields.kind(path).or_else(|| {
        ancestors(path)
            .any(|ancestor| fields.kind(ancestor) == Some(FieldKind::Flattened))
            .then_some(FieldKind::Flattened)
    })
}

/// The innermost nested path that a path lies below.
pub(crate) fn nested_path(fields: &dyn Fields, path: &str) -> Option<Field> {
    ancestors(path)
        .filter(|ancestor| fields.kind(ancestor) == Some(FieldKind::Nested))
        .last()
        .map(Field::from)
}

/// The proper prefixes of a path that end before a dot, shortest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('.').map(|(dot, _)| &path[..dot])
}
