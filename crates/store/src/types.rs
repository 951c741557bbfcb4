//! What the store knows of each type of object: declared once, by the feature that owns it.

use crate::object::{DEFAULT_SPACE, Key};
use ikebana_query::FieldKind;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// How ids and spaces go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An id is apart in every space; the object lives in one.
    Single,
    /// An id taken in any space is taken everywhere; the object lives in one space.
    MultipleIsolated,
    /// One id for all spaces; the object lives in one or several or all.
    Multiple,
    /// One id for all; the object is in no space and seen from every one.
    Agnostic,
}

/// An attribute that the engine keeps an index of. Others can be filtered on too, at the price of a
/// look at every object of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedField {
    /// Dotted path within the attributes.
    pub path: &'static str,
    /// How its values compare.
    pub kind: FieldKind,
}

/// One step of a type's attributes from an older form to a newer.
#[derive(Clone, Copy)]
pub struct Migration {
    /// The version that the attributes have afterwards, `major.minor.patch`.
    pub version: &'static str,
    /// Changes the attributes. An error stops the start of the program: nothing was written then.
    pub run: fn(&mut Map<String, Value>) -> Result<(), String>,
}

impl std::fmt::Debug for Migration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Migration({})", self.version)
    }
}

/// What a feature declares of one type of object.
#[derive(Clone, Debug)]
pub struct ObjectType {
    /// The name, as in the API.
    pub name: &'static str,
    /// How ids and spaces go together.
    pub class: Class,
    /// Not reachable through the saved objects API.
    pub hidden: bool,
    /// May be exported and imported.
    pub importable: bool,
    /// The version of the attributes before any of [`ObjectType::migrations`].
    pub first_version: &'static str,
    /// Steps from there on, oldest first.
    pub migrations: &'static [Migration],
    /// What is indexed.
    pub indexed: &'static [IndexedField],
    /// Dotted paths of attributes of which no two objects of this type in the same space (or at all, for
    /// class `agnostic`) may have the same value.
    pub unique: &'static [&'static str],
    /// Top-level attributes that are kept encrypted.
    pub encrypted: &'static [&'static str],
    /// Top-level attributes that an encrypted one is bound to: it cannot be read after one of them
    /// changed without it.
    pub bound: &'static [&'static str],
}

impl ObjectType {
    /// A visible, importable type without indexes; change what differs.
    pub const fn new(name: &'static str, class: Class) -> Self {
        Self {
            name,
            class,
            hidden: false,
            importable: true,
            first_version: "8.0.0",
            migrations: &[],
            indexed: &[],
            unique: &[],
            encrypted: &[],
            bound: &[],
        }
    }

    /// The version of the attributes that this program writes.
    pub fn version(&self) -> &'static str {
        self.migrations.last().map_or(self.first_version, |migration| migration.version)
    }

    /// Brings attributes of version `from` up to date, step by step. A step must leave encrypted and bound
    /// attributes as they are.
    ///
    /// # Errors
    /// The version of the step that failed, and why.
    pub fn migrate(
        &self,
        attributes: &mut Map<String, Value>,
        from: &str,
    ) -> Result<(), (&'static str, String)> {
        let from = version_order(from);
        for step in self.migrations.iter().filter(|step| version_order(step.version) > from) {
            (step.run)(attributes).map_err(|reason| (step.version, reason))?;
        }
        Ok(())
    }

    /// The name of the object `id` as seen from `space`.
    pub fn key(&self, space: &str, id: &str) -> Key {
        Key {
            object_type: self.name,
            space: (self.class == Class::Single).then(|| space.into()),
            id: id.into(),
        }
    }

    /// The spaces of a new object made from `space`.
    pub fn namespaces(&self, space: &str) -> Vec<Arc<str>> {
        if self.class == Class::Agnostic { Vec::new() } else { vec![space.into()] }
    }
}

/// Orders versions of the form `major.minor.patch`; a part that is no number counts as 0.
pub fn version_order(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// All types, by name. Closed when the program is wired.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    types: HashMap<&'static str, Arc<ObjectType>>,
}

impl Registry {
    /// A registry of these types. A name given twice keeps the later one.
    pub fn new(types: impl IntoIterator<Item = ObjectType>) -> Self {
        Self { types: types.into_iter().map(|one| (one.name, Arc::new(one))).collect() }
    }

    /// The type of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<ObjectType>> {
        self.types.get(name)
    }

    /// All types, in the order of their names.
    pub fn all(&self) -> Vec<&Arc<ObjectType>> {
        let mut types: Vec<_> = self.types.values().collect();
        types.sort_by_key(|one| one.name);
        types
    }
}

/// The space that [`Class::Single`] objects are bound to when encrypted: none in the default space, as
/// Kibana binds them.
pub(crate) fn bound_space(key: &Key) -> Option<&str> {
    key.space.as_deref().filter(|space| *space != DEFAULT_SPACE)
}
