//! Somebody who was recognised.

use serde_json::{Map, Value};
use std::sync::Arc;

/// Where a user is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub realm_type: &'static str,
}

impl Realm {
    /// The realm of built-in users.
    pub const RESERVED: Self = Self { name: "reserved", realm_type: "reserved" };
    /// The realm of users that were made over the API.
    pub const NATIVE: Self = Self { name: "default_native", realm_type: "native" };
}

/// A caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The name to log in with.
    pub username: Arc<str>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// The person's name.
    pub full_name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// Whatever was stored with the user.
    pub metadata: Map<String, Value>,
    /// Where the user is kept.
    pub realm: Realm,
}

impl Principal {
    /// Whether everything is allowed.
    pub fn is_superuser(&self) -> bool {
        self.roles.iter().any(|role| role == crate::SUPERUSER_ROLE)
    }

    /// Whether the caller has this Kibana privilege in this space.
    pub fn may(&self, _space: &str, _privilege: &str) -> bool {
        self.is_superuser()
    }

    /// Whether the caller has any privilege in this space, and so may see it.
    pub fn sees_space(&self, _space: &str) -> bool {
        self.is_superuser()
    }
}
