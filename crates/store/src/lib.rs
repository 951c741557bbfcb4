//! Saved objects: one trait, several engines.
//!
//! A feature declares its [`ObjectType`]s, reads with [`Store::get`] and [`Store::find`], and writes
//! everything that belongs together as one [`Commit`]: it is judged and done as a whole, and durable when
//! it is answered. Times, versions and sequence numbers are the store's.

mod commit;
pub mod embedded;
mod engine;
mod error;
mod feed;
mod find;
mod object;
mod sealing;
mod store;
mod types;

pub use commit::{Commit, Committed, Operation, Precondition, Priority};
pub use engine::{Answer, Engine, EngineStats};
pub use error::StoreError;
pub use feed::{Change, ChangeKind, Changes, Mark, Wakeups};
pub use find::{FindRequest, HasReferences, Page, PointInTime, Search, Sort, Spaces};
pub use object::{
    ALL_SPACES, CORE_MIGRATION_VERSION, DEFAULT_SPACE, Draft, Key, Reference, SavedObject, Version,
};
pub use store::Store;
pub use types::{Class, IndexedField, Migration, ObjectType, Registry, version_order};
