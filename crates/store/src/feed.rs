//! Tells who listens what was written.

use crate::object::Key;
use tokio::sync::watch;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was written.
    Put,
    /// It was removed.
    Delete,
}

/// One write or removal of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where in the order of all writes.
    pub seq_no: u64,
    /// Which object.
    pub key: Key,
    /// What happened.
    pub kind: ChangeKind,
}

/// How far the store has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mark {
    /// The life of the store. When it rises, a backup was restored: everything read before is void.
    pub primary_term: u64,
    /// The last write that is durable.
    pub seq_no: u64,
}

/// Changes after a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// All of them, oldest first, up to the asked number.
    Since(Vec<Change>),
    /// The log does not reach back so far: read everything anew.
    Lost,
}

/// Wakes up at every commit with the newest [`Mark`].
pub type Wakeups = watch::Receiver<Mark>;
