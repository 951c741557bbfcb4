//! What can go wrong, as the features see it.

use crate::object::Key;
use std::sync::Arc;

/// A refusal or a failure of the store. Nothing was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("Saved object [{0}] not found")]
    NotFound(Key),
    /// It is there already, or it changed since it was read.
    #[error("Saved object [{0}] conflict")]
    Conflict(Key),
    /// Another object of this type has this value already.
    #[error("another [{object_type}] has the same [{path}]")]
    NotUnique {
        /// The type.
        object_type: Arc<str>,
        /// The attribute.
        path: &'static str,
    },
    /// [`crate::Precondition::CountBelow`] did not hold.
    #[error("there are {limit} objects of type [{object_type}] already")]
    TooMany {
        /// The type.
        object_type: Arc<str>,
        /// The limit.
        limit: u64,
    },
    /// The type is not registered.
    #[error("Unsupported saved object type: '{0}'")]
    UnknownType(String),
    /// A query names something that cannot be asked for.
    #[error("{0}")]
    BadQuery(String),
    /// More work waits than is taken on; try again later.
    #[error("too many writes are waiting")]
    Busy,
    /// The disk takes no more; reads go on.
    #[error("no space is left for writing")]
    Full,
    /// The disk or the file fails.
    #[error("the store is not available: {0}")]
    Unavailable(Arc<str>),
    /// An attribute could not be encrypted or decrypted.
    #[error("Unable to {action} attribute \"{attribute}\" of saved object \"{object_type},{id}\"")]
    Encryption {
        /// `encrypt` or `decrypt`.
        action: &'static str,
        /// The attribute.
        attribute: String,
        /// The type of its object.
        object_type: Arc<str>,
        /// The id of its object.
        id: Arc<str>,
    },
    /// What is stored does not have the form that this program writes.
    #[error("stored data is damaged: {0}")]
    Damaged(Arc<str>),
}
