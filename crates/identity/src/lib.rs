//! Who calls, and what they may do where.
//!
//! Users and their passwords, the registry of features, the model of a space. Roles other than
//! `superuser` grant nothing yet: whoever does not have it is refused wherever a privilege is asked for.

mod basic;
mod credentials;
mod features;
mod password;
mod principal;
mod space;
mod throttle;
mod users;

pub use credentials::{AuthenticationError, Identity, Limits, Superuser};
pub use features::{Category, FEATURES, Feature, Solution};
pub use principal::{Principal, Realm};
pub use space::{SPACE_TYPE, Space};
pub use users::{NewUser, SUPERUSER, SUPERUSER_ROLE, USER_TYPE, User, UserError};

use ikebana_store::ObjectType;

/// The object types that this crate owns.
pub fn object_types() -> Vec<ObjectType> {
    vec![users::object_type(), space::object_type()]
}
