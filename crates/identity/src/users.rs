//! Users, kept as hidden objects of the store.

use crate::password::HashError;
use crate::principal::{Principal, Realm};
use ikebana_secrets::Secret;
use ikebana_store::{Class, ObjectType, SavedObject, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The type under which users are stored.
pub const USER_TYPE: &str = "security-user";
/// The user that the first start makes.
pub const SUPERUSER: &str = "elastic";
/// The role that grants everything.
pub const SUPERUSER_ROLE: &str = "superuser";

pub(crate) fn object_type() -> ObjectType {
    ObjectType { hidden: true, importable: false, ..ObjectType::new(USER_TYPE, Class::Agnostic) }
}

/// A user as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct User {
    /// The name to log in with.
    pub username: String,
    /// Names of roles.
    pub roles: Vec<String>,
    /// The person's name.
    pub full_name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// Whatever was stored with the user.
    pub metadata: Map<String, Value>,
    /// Whether the user may log in.
    pub enabled: bool,
}

/// What a caller says of a user.
#[derive(Clone, Debug, Deserialize)]
pub struct NewUser {
    /// Needed for a new user; absent: the password stays as it is.
    pub password: Option<Secret>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// The person's name.
    pub full_name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// Anything.
    pub metadata: Option<Map<String, Value>>,
    /// Whether the user may log in.
    pub enabled: bool,
}

/// Why users were not changed. The texts are Elasticsearch's.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// No such user.
    #[error("user [{0}] not found")]
    NotFound(String),
    /// A built-in user: only its password can be changed.
    #[error("user [{0}] is reserved and only the password can be changed")]
    Reserved(String),
    /// A built-in user that somebody wants to delete.
    #[error("user [{0}] is reserved and cannot be deleted")]
    Undeletable(String),
    /// A new user without password.
    #[error("password must be specified unless you are updating an existing user")]
    NoPassword,
    /// Fewer than six characters.
    #[error("passwords must be at least [6] characters long")]
    ShortPassword,
    /// Such names are the system's.
    #[error("Validation Failed: 1: metadata keys may not start with [_];")]
    ReservedMetadata,
    /// The present password that was given is wrong.
    #[error("unable to authenticate user [{0}] for REST request [/_security/_authenticate]")]
    WrongPassword(String),
    /// More passwords wait to be hashed than is taken on.
    #[error("too many passwords are being hashed")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hash failed.
    #[error("{0}")]
    Hash(String),
}

impl From<HashError> for UserError {
    fn from(error: HashError) -> Self {
        Self::Hash(error.to_string())
    }
}

/// The stored form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredUser {
    pub(crate) password_hash: String,
    pub(crate) roles: Vec<String>,
    pub(crate) full_name: Option<String>,
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Map<String, Value>,
    pub(crate) enabled: bool,
}

impl StoredUser {
    pub(crate) fn read(object: &SavedObject) -> Result<Self, StoreError> {
        Self::deserialize(&object.attributes)
            .map_err(|error| StoreError::Damaged(format!("user [{}]: {error}", object.key.id).into()))
    }

    pub(crate) fn attributes(&self) -> Map<String, Value> {
        match json!(self) {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    pub(crate) fn superuser(password_hash: String) -> Self {
        let mut metadata = Map::new();
        metadata.insert("_reserved".to_owned(), Value::Bool(true));
        Self {
            password_hash,
            roles: vec![SUPERUSER_ROLE.to_owned()],
            full_name: None,
            email: None,
            metadata,
            enabled: true,
        }
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.metadata.get("_reserved") == Some(&Value::Bool(true))
    }

    pub(crate) fn shown(&self, username: &str) -> User {
        User {
            username: username.to_owned(),
            roles: self.roles.clone(),
            full_name: self.full_name.clone(),
            email: self.email.clone(),
            metadata: self.metadata.clone(),
            enabled: self.enabled,
        }
    }

    pub(crate) fn principal(&self, username: &str) -> Principal {
        Principal {
            username: Arc::from(username),
            roles: self.roles.clone(),
            full_name: self.full_name.clone(),
            email: self.email.clone(),
            metadata: self.metadata.clone(),
            realm: if self.is_reserved() { Realm::RESERVED } else { Realm::NATIVE },
        }
    }
}

/// Elasticsearch's least length of a password.
pub(crate) fn check_password(password: &Secret) -> Result<(), UserError> {
    if password.expose().chars().count() < 6 { Err(UserError::ShortPassword) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_does_not_print_the_password() {
        let new = json!({"password": "hunter2", "roles": [], "enabled": true});
        let new = NewUser::deserialize(new).unwrap();
        assert_eq!(new.password.as_ref().map(Secret::expose), Some("hunter2"));
        assert!(!format!("{new:?}").contains("hunter2"));
    }
}
