//! A saved object, as the store keeps it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ikebana_clock::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// The version of the saved-object format itself, `coreMigrationVersion` in every answer.
pub const CORE_MIGRATION_VERSION: &str = "8.8.0";
/// The space of a request that names none.
pub const DEFAULT_SPACE: &str = "default";
/// In a list of spaces: every space, also those still to be made.
pub const ALL_SPACES: &str = "*";

/// Names one stored object.
///
/// `space` is set only for types of class `single`, whose ids are apart in every space; for all other
/// classes one id names one object in the whole store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The name of the type.
    pub object_type: &'static str,
    /// The space, for class `single` only.
    pub space: Option<Arc<str>>,
    /// The id.
    pub id: Arc<str>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.object_type, self.id)
    }
}

/// A pointer from one object to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The name by which the attributes mean this reference.
    pub name: String,
    /// The type of the object pointed to.
    #[serde(rename = "type")]
    pub object_type: String,
    /// Its id.
    pub id: String,
}

/// Where in the order of all writes an object was last written.
///
/// Clients see base64 of the JSON text `[seq_no,primary_term]`. The term rises when a backup is
/// restored, so that no version of the time before can be mistaken for one of the time after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Counts the writes of the store.
    pub seq_no: u64,
    /// Counts the lives of the store.
    pub primary_term: u64,
}

impl Version {
    /// Reads the text that clients send; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq_no, primary_term) = serde_json::from_slice(&BASE64.decode(text).ok()?).ok()?;
        Some(Self { seq_no, primary_term })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(format!("[{},{}]", self.seq_no, self.primary_term)))
    }
}

/// What a writer says of an object; the store adds version and times.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Which object.
    pub key: Key,
    /// The spaces that it is in: none for class `agnostic`, one for `single` and `multiple-isolated`,
    /// one or more or `*` for `multiple`.
    pub namespaces: Vec<Arc<str>>,
    /// The object that this one was copied from.
    pub origin_id: Option<String>,
    /// The content.
    pub attributes: Map<String, Value>,
    /// Pointers to other objects.
    pub references: Vec<Reference>,
    /// `None`: now.
    pub created_at: Option<Millis>,
    /// User profile of who made it.
    pub created_by: Option<String>,
    /// User profile of who wrote it last.
    pub updated_by: Option<String>,
    /// Kept by the system, not to be edited by people.
    pub managed: bool,
}

impl Draft {
    /// A new object without references.
    pub fn new(key: Key, namespaces: Vec<Arc<str>>, attributes: Map<String, Value>) -> Self {
        Self {
            key,
            namespaces,
            attributes,
            origin_id: None,
            references: Vec::new(),
            created_at: None,
            created_by: None,
            updated_by: None,
            managed: false,
        }
    }
}

/// A stored object.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedObject {
    /// Which object.
    pub key: Key,
    /// The spaces that it is in, see [`Draft::namespaces`].
    pub namespaces: Vec<Arc<str>>,
    /// The object that this one was copied from.
    pub origin_id: Option<String>,
    /// The content.
    pub attributes: Map<String, Value>,
    /// Pointers to other objects.
    pub references: Vec<Reference>,
    /// When in the order of writes it was written.
    pub version: Version,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last written.
    pub updated_at: Millis,
    /// User profile of who made it.
    pub created_by: Option<String>,
    /// User profile of who wrote it last.
    pub updated_by: Option<String>,
    /// Kept by the system.
    pub managed: bool,
    /// The version of the type's attributes, see [`crate::ObjectType::version`].
    pub type_migration_version: Arc<str>,
}

impl SavedObject {
    /// Whether somebody in `space` sees it.
    pub fn is_in(&self, space: &str) -> bool {
        self.namespaces.is_empty()
            || self.namespaces.iter().any(|name| **name == *space || **name == *ALL_SPACES)
    }

    /// What to write for a change of this object: everything as it stands.
    pub fn draft(&self) -> Draft {
        Draft {
            key: self.key.clone(),
            namespaces: self.namespaces.clone(),
            origin_id: self.origin_id.clone(),
            attributes: self.attributes.clone(),
            references: self.references.clone(),
            created_at: Some(self.created_at),
            created_by: self.created_by.clone(),
            updated_by: self.updated_by.clone(),
            managed: self.managed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_clients_know_them() {
        let version = Version { seq_no: 2338, primary_term: 1 };
        assert_eq!(version.to_string(), "WzIzMzgsMV0=");
        assert_eq!(Version::parse("WzIzMzgsMV0="), Some(version));
        for text in ["", "abc", "WzIzMzhd", "WzEsMiwzXQ==", "WyJhIiwxXQ=="] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
