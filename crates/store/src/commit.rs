//! What is written together.

use crate::object::{Draft, Key, SavedObject, Version};
use std::sync::Arc;

/// What must hold at the moment of the commit, or nothing of it is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Precondition {
    /// The object is still the one that was read.
    Version(Key, Version),
    /// There is no such object.
    Absent(Key),
    /// There are fewer than `limit` objects of the type.
    CountBelow {
        /// The name of the type.
        object_type: Arc<str>,
        /// The first number that is too many.
        limit: u64,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are puts")]
pub enum Operation {
    /// Writes the whole object, new or in place of the one that is there.
    Put(Draft),
    /// Removes the object; nothing happens if it is not there.
    Delete(Key),
    /// Removes everything that is only in this space and takes the space off everything that is shared
    /// with it. Objects in all spaces (`*`) and objects in no space stay.
    EmptySpace(Arc<str>),
}

/// Who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Priority {
    /// A person or a client: goes first.
    #[default]
    Interactive,
    /// An import, a migration, a clean-up: goes when nobody interactive waits.
    Bulk,
}

/// Preconditions and changes that are judged and done together, or not at all.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Commit {
    /// What must hold, judged in order.
    pub preconditions: Vec<Precondition>,
    /// What is done, in order.
    pub operations: Vec<Operation>,
    /// Who waits.
    pub priority: Priority,
}

impl Commit {
    /// An empty commit for somebody who waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a precondition.
    #[must_use]
    pub fn when(mut self, precondition: Precondition) -> Self {
        self.preconditions.push(precondition);
        self
    }

    /// Adds a change.
    #[must_use]
    pub fn then(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Creates: fails with [`crate::StoreError::Conflict`] if the object is there.
    #[must_use]
    pub fn create(self, draft: Draft) -> Self {
        self.when(Precondition::Absent(draft.key.clone())).then(Operation::Put(draft))
    }

    /// Replaces what was read as `version`: fails if it changed since.
    #[must_use]
    pub fn replace(self, draft: Draft, version: Version) -> Self {
        self.when(Precondition::Version(draft.key.clone(), version)).then(Operation::Put(draft))
    }
}

/// What a commit did. It is durable.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The objects as written, one per [`Operation::Put`], in order.
    pub objects: Vec<Arc<SavedObject>>,
    /// How many objects were removed.
    pub deleted: u64,
    /// The highest sequence number that this commit drew.
    pub seq_no: u64,
}
