//! Rows of `objects`, and what is derived from an object for the index tables.

use super::layout::{Layout, TypeLayout, is_indexable};
use crate::error::StoreError;
use crate::object::{Draft, Key, Reference, SavedObject, Version};
use crate::types::Class;
use ikebana_clock::Millis;
use ikebana_query::FieldKind;
use ikebana_query::date::Rounding;
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The columns that [`read`] wants, in its order.
pub(super) const COLUMNS: &str = "o.object, o.type, o.space, o.id, o.seq, o.term, o.origin, o.namespaces, \
     o.attributes, o.refs, o.created_at, o.updated_at, o.created_by, o.updated_by, o.managed, o.version";

/// An object and the number of its row.
pub(super) struct Stored {
    pub(super) row: i64,
    pub(super) object: SavedObject,
}

pub(super) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(what.to_string().into())
}

/// Reads a row that was selected with [`COLUMNS`].
pub(super) fn read(layout: &Layout, row: &Row<'_>) -> Result<Stored, StoreError> {
    let get = |error: rusqlite::Error| damaged(error);
    let type_id: i64 = row.get(1).map_err(get)?;
    let of_type = layout.by_id(type_id).ok_or_else(|| damaged("an object of an unknown type"))?;
    let space: String = row.get(2).map_err(get)?;
    let text = |column: usize| row.get_ref(column).map_err(get)?.as_str().map_err(damaged);
    let number = |column: usize| row.get::<_, i64>(column).map_err(get);
    let key = Key {
        object_type: of_type.declared.name,
        space: (of_type.declared.class == Class::Single).then(|| space.into()),
        id: text(3)?.into(),
    };
    let references: Vec<Reference> = match row.get_ref(9).map_err(get)?.as_str_or_null().map_err(damaged)? {
        Some(json) => serde_json::from_str(json).map_err(damaged)?,
        None => Vec::new(),
    };
    let object = SavedObject {
        key,
        namespaces: namespaces_from(text(7)?),
        origin_id: row.get(6).map_err(get)?,
        attributes: serde_json::from_str(text(8)?).map_err(damaged)?,
        references,
        version: Version { seq_no: unsigned(number(4)?), primary_term: unsigned(number(5)?) },
        created_at: Millis(number(10)?),
        updated_at: Millis(number(11)?),
        created_by: row.get(12).map_err(get)?,
        updated_by: row.get(13).map_err(get)?,
        managed: row.get(14).map_err(get)?,
        type_migration_version: text(15)?.into(),
    };
    Ok(Stored { row: number(0)?, object })
}

/// Space ids hold no comma, so a plain list does.
pub(super) fn namespaces_text(namespaces: &[Arc<str>]) -> String {
    namespaces.join(",")
}

fn namespaces_from(text: &str) -> Vec<Arc<str>> {
    text.split(',').filter(|one| !one.is_empty()).map(Arc::from).collect()
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the index tables hold of one object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Derived {
    /// Field number and value, each once.
    pub(super) values: Vec<(i64, Sql)>,
    /// Field number and text.
    pub(super) texts: Vec<(i64, String)>,
    /// Field number, path and value that must be the only one.
    pub(super) unique: Vec<(i64, &'static str, String)>,
}

/// Computes the index entries of `attributes`.
pub(super) fn derive(of_type: &TypeLayout, attributes: &Map<String, Value>) -> Derived {
    let mut derived = Derived::default();
    for field in &of_type.fields {
        let mut found = Vec::new();
        collect(attributes, field.path, &mut found);
        if field.kind == FieldKind::Text {
            let texts: Vec<Cow<'_, str>> = found.into_iter().filter_map(text_of).collect();
            if !texts.is_empty() {
                derived.texts.push((field.id, texts.join("\n")));
            }
        } else if is_indexable(field.kind) {
            for value in found.into_iter().filter_map(|value| indexed_value(field.kind, value)) {
                if !derived.values.contains(&(field.id, value.clone())) {
                    derived.values.push((field.id, value));
                }
            }
        }
    }
    for (id, path) in &of_type.unique {
        let mut found = Vec::new();
        collect(attributes, path, &mut found);
        if let Some(Value::String(text)) = found.first() {
            derived.unique.push((*id, path, text.clone()));
        }
    }
    derived
}

/// All scalar values at a dotted path; lists and dotted keys are looked through, as Elasticsearch does.
fn collect<'a>(attributes: &'a Map<String, Value>, path: &str, found: &mut Vec<&'a Value>) {
    if let Some(value) = attributes.get(path) {
        scalars(value, found);
    }
    for (at, _) in path.match_indices('.') {
        let (head, rest) = (&path[..at], &path[at + 1..]);
        match attributes.get(head) {
            Some(Value::Object(inner)) => collect(inner, rest, found),
            Some(Value::Array(list)) => {
                for inner in list.iter().filter_map(Value::as_object) {
                    collect(inner, rest, found);
                }
            }
            _ => {}
        }
    }
}

fn scalars<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|inner| scalars(inner, found)),
        Value::Null | Value::Object(_) => {}
        scalar => found.push(scalar),
    }
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

/// The form in which a value of an attribute is indexed; `None` if such a field cannot hold it.
fn indexed_value(kind: FieldKind, value: &Value) -> Option<Sql> {
    match (kind, value) {
        (FieldKind::Keyword, value) => text_of(value).map(|text| Sql::Text(text.into_owned())),
        (FieldKind::Number, Value::Number(one)) => Some(number(one)),
        (FieldKind::Number, Value::String(text)) => number_from(text),
        (FieldKind::Boolean, Value::Bool(flag)) => Some(Sql::Integer(i64::from(*flag))),
        // As Elasticsearch has it.
        (FieldKind::Boolean, Value::String(text)) if text.is_empty() => Some(Sql::Integer(0)),
        (FieldKind::Boolean, Value::String(text)) => {
            text.parse::<bool>().ok().map(|flag| Sql::Integer(i64::from(flag)))
        }
        (FieldKind::Date, Value::Number(number)) => number.as_i64().map(Sql::Integer),
        (FieldKind::Date, Value::String(text)) => date_from(text),
        _ => None,
    }
}

/// Whole numbers stay exact; SQLite compares both forms by their value.
pub(super) fn number(number: &Number) -> Sql {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => Sql::Integer(whole),
        (None, float) => Sql::Real(float.unwrap_or(f64::MAX)),
    }
}

pub(super) fn number_from(text: &str) -> Option<Sql> {
    let text = text.trim();
    match text.parse() {
        Ok(whole) => Some(Sql::Integer(whole)),
        Err(_) => text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Sql::Real),
    }
}

/// Milliseconds; what is finer is cut off, before the epoch too.
pub(super) fn date(time: Timestamp) -> Sql {
    Sql::Integer(i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).unwrap_or(i64::MAX))
}

pub(super) fn date_from(text: &str) -> Option<Sql> {
    ikebana_query::date::parse(text, Rounding::Down).map(date)
}

/// A draft with everything computed that needs no look at the store, so that the one writer has less
/// to do.
#[derive(Debug)]
pub(super) struct PreparedPut {
    /// The object as it will be, but for its version and times.
    pub(super) saved: Arc<SavedObject>,
    /// `None`: when it is written.
    created_at: Option<Millis>,
    pub(super) type_id: i64,
    pub(super) attributes: String,
    pub(super) references: Option<String>,
    pub(super) derived: Derived,
}

impl PreparedPut {
    pub(super) fn new(layout: &Layout, draft: Draft) -> Result<Self, StoreError> {
        let of_type = layout.of(&draft.key)?;
        let references = if draft.references.is_empty() {
            None
        } else {
            Some(serde_json::to_string(&draft.references).map_err(damaged)?)
        };
        Ok(Self {
            type_id: of_type.id,
            created_at: draft.created_at,
            attributes: serde_json::to_string(&draft.attributes).map_err(damaged)?,
            references,
            derived: derive(of_type, &draft.attributes),
            saved: Arc::new(SavedObject {
                key: draft.key,
                namespaces: draft.namespaces,
                origin_id: draft.origin_id,
                attributes: draft.attributes,
                references: draft.references,
                version: Version { seq_no: 0, primary_term: 0 },
                created_at: Millis(0),
                updated_at: Millis(0),
                created_by: draft.created_by,
                updated_by: draft.updated_by,
                managed: draft.managed,
                type_migration_version: of_type.version.clone(),
            }),
        })
    }

    /// The object as written now. Copies it only when an earlier try of the same commit was told of it.
    pub(super) fn stamped(&mut self, version: Version, now: Millis) -> Arc<SavedObject> {
        let saved = Arc::make_mut(&mut self.saved);
        saved.version = version;
        saved.created_at = self.created_at.unwrap_or(now);
        saved.updated_at = now;
        self.saved.clone()
    }
}

/// The `space` column of a key: empty unless the class keeps ids apart.
pub(super) fn key_space(key: &Key) -> &str {
    key.space.as_deref().unwrap_or("")
}
