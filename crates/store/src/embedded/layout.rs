//! The tables of the file, and the numbers that types and fields have in it.

use crate::error::StoreError;
use crate::object::Key;
use crate::types::{ObjectType, Registry};
use ikebana_query::FieldKind;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::sync::Arc;

/// The format of the file. A program refuses a file with a higher one.
pub(super) const FORMAT: i32 = 1;

/// The row number of a text holds the object's number and, in its low bits, the field's.
pub(super) const TEXT_FIELD_BITS: u32 = 10;

/// `object` is the sequence number that the object was first written with: it is never drawn again, so a
/// kept list of numbers cannot come to mean other objects.
pub(super) const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE types (type INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version TEXT NOT NULL,
                    indexed TEXT NOT NULL);
CREATE TABLE fields (field INTEGER PRIMARY KEY, type INTEGER NOT NULL, path TEXT NOT NULL,
                     kind TEXT NOT NULL, UNIQUE (type, path, kind));
CREATE TABLE objects (object INTEGER PRIMARY KEY, type INTEGER NOT NULL, space TEXT NOT NULL,
                      id TEXT NOT NULL, seq INTEGER NOT NULL, term INTEGER NOT NULL, origin TEXT,
                      namespaces TEXT NOT NULL, attributes TEXT NOT NULL, refs TEXT,
                      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
                      created_by TEXT, updated_by TEXT, managed INTEGER NOT NULL, version TEXT NOT NULL);
CREATE UNIQUE INDEX objects_key ON objects (type, space, id);
CREATE TABLE object_spaces (space TEXT NOT NULL, type INTEGER NOT NULL, object INTEGER NOT NULL,
                            PRIMARY KEY (space, type, object)) WITHOUT ROWID;
CREATE TABLE object_references (type TEXT NOT NULL, id TEXT NOT NULL, object INTEGER NOT NULL,
                                PRIMARY KEY (type, id, object)) WITHOUT ROWID;
CREATE TABLE field_values (field INTEGER NOT NULL, value NOT NULL, object INTEGER NOT NULL,
                           PRIMARY KEY (field, value, object)) WITHOUT ROWID;
CREATE TABLE unique_values (field INTEGER NOT NULL, space TEXT NOT NULL, value TEXT NOT NULL,
                            object INTEGER NOT NULL, PRIMARY KEY (field, space, value)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', contentless_delete=1,
                                       tokenize='unicode61 remove_diacritics 0');
CREATE TABLE changes (seq INTEGER PRIMARY KEY, type INTEGER NOT NULL, space TEXT NOT NULL,
                      id TEXT NOT NULL, deleted INTEGER NOT NULL);
INSERT INTO meta VALUES ('primary_term', 1);
";

/// A field with its number.
#[derive(Debug, Clone)]
pub(super) struct FieldLayout {
    pub(super) id: i64,
    pub(super) path: &'static str,
    pub(super) kind: FieldKind,
}

/// A type with its numbers.
#[derive(Debug)]
pub(super) struct TypeLayout {
    pub(super) id: i64,
    pub(super) name: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) declared: Arc<ObjectType>,
    pub(super) fields: Vec<FieldLayout>,
    pub(super) unique: Vec<(i64, &'static str)>,
}

/// All types with their numbers.
#[derive(Debug, Default)]
pub(super) struct Layout {
    by_name: HashMap<Arc<str>, Arc<TypeLayout>>,
    by_id: HashMap<i64, Arc<TypeLayout>>,
}

impl Layout {
    pub(super) fn by_name(&self, name: &str) -> Option<&Arc<TypeLayout>> {
        self.by_name.get(name)
    }

    pub(super) fn by_id(&self, id: i64) -> Option<&Arc<TypeLayout>> {
        self.by_id.get(&id)
    }

    pub(super) fn of(&self, key: &Key) -> Result<&Arc<TypeLayout>, StoreError> {
        self.by_name(key.object_type).ok_or_else(|| StoreError::UnknownType(key.object_type.to_string()))
    }

    /// Gives numbers to all types and fields of `registry`, keeping those that the file has already.
    pub(super) fn register(connection: &Connection, registry: &Registry) -> rusqlite::Result<Self> {
        let mut layout = Self::default();
        for declared in registry.all() {
            let id = type_number(connection, declared)?;
            let mut fields = Vec::new();
            for field in declared.indexed {
                let id = field_number(connection, id, field.path, kind_name(field.kind))?;
                fields.push(FieldLayout { id, path: field.path, kind: field.kind });
            }
            let mut unique = Vec::new();
            for path in declared.unique {
                unique.push((field_number(connection, id, path, "unique")?, *path));
            }
            let of_type = Arc::new(TypeLayout {
                id,
                name: declared.name.into(),
                version: declared.version().into(),
                declared: declared.clone(),
                fields,
                unique,
            });
            layout.by_name.insert(of_type.name.clone(), of_type.clone());
            layout.by_id.insert(id, of_type);
        }
        Ok(layout)
    }
}

/// What a type indexes, as a text that changes when that changes.
pub(super) fn indexed_text(declared: &ObjectType) -> String {
    let fields = declared.indexed.iter().map(|field| format!("{}:{}", field.path, kind_name(field.kind)));
    let unique = declared.unique.iter().map(|path| format!("{path}:unique"));
    fields.chain(unique).collect::<Vec<_>>().join(" ")
}

fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Number => "number",
        FieldKind::Boolean => "boolean",
        FieldKind::Date => "date",
        FieldKind::Keyword => "keyword",
        FieldKind::Ip => "ip",
        FieldKind::Flattened => "flattened",
        FieldKind::Nested => "nested",
    }
}

/// Whether single values of this kind are kept in `field_values`. Text is kept as words; of the other kinds
/// only the declaration is used, by the evaluator.
pub(super) fn is_indexable(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Keyword | FieldKind::Number | FieldKind::Boolean | FieldKind::Date)
}

fn type_number(connection: &Connection, declared: &ObjectType) -> rusqlite::Result<i64> {
    let known = connection
        .query_row("SELECT type FROM types WHERE name = ?", [declared.name], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection.execute(
        "INSERT INTO types (name, version, indexed) VALUES (?, ?, ?)",
        params![declared.name, declared.version(), indexed_text(declared)],
    )?;
    Ok(connection.last_insert_rowid())
}

fn field_number(connection: &Connection, type_id: i64, path: &str, kind: &str) -> rusqlite::Result<i64> {
    let known = connection
        .query_row(
            "SELECT field FROM fields WHERE type = ? AND path = ? AND kind = ?",
            params![type_id, path, kind],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection
        .execute("INSERT INTO fields (type, path, kind) VALUES (?, ?, ?)", params![type_id, path, kind])?;
    let id = connection.last_insert_rowid();
    if id >= 1 << TEXT_FIELD_BITS {
        return Err(rusqlite::Error::ToSqlConversionFailure(format!("more than {id} indexed fields").into()));
    }
    Ok(id)
}
