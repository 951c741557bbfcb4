//! What every engine must do. The suite in `tests/` holds every engine to it.

use crate::commit::{Commit, Committed};
use crate::error::StoreError;
use crate::feed::{Changes, Wakeups};
use crate::find::{FindRequest, Page, PointInTime};
use crate::object::{Key, SavedObject};
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The answer of an engine.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps saved objects.
///
/// A get that starts after a commit was answered sees all of it; a find may lag by a time that the
/// engine states (embedded: not at all).
pub trait Engine: Send + Sync + 'static {
    /// Judges and does all of `commit` together; answered when it is durable.
    fn commit(&self, commit: Commit) -> Answer<'_, Committed>;

    /// The objects of these names as of one moment, in order; `None` where there is none.
    fn get<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Vec<Option<Arc<SavedObject>>>>;

    /// One page of what the request asks for.
    fn find(&self, request: FindRequest) -> Answer<'_, Page>;

    /// Keeps the list of all that `request` finds now, in its order, for `keep_alive` after each use.
    /// Pages of it are read with [`Engine::page`].
    fn open_point_in_time(&self, request: FindRequest, keep_alive: Duration) -> Answer<'_, PointInTime>;

    /// Objects `from..from + size` of a kept list. What was deleted since is left out; what was changed
    /// since comes as it is now. An id that is not known (any more) is [`StoreError::BadQuery`].
    fn page(&self, id: u64, from: usize, size: usize) -> Answer<'_, Vec<Arc<SavedObject>>>;

    /// Forgets a kept list; whether there was one.
    fn close_point_in_time(&self, id: u64) -> bool;

    /// Wakes up at each commit.
    fn wakeups(&self) -> Wakeups;

    /// Up to `limit` changes after sequence number `after`, oldest first.
    fn changes(&self, after: u64, limit: usize) -> Answer<'_, Changes>;

    /// Writes a copy of everything, as of one moment, to a file that does not exist yet.
    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()>;

    /// Puts the content of a backup in place of everything, in one step, and raises the primary term.
    fn restore<'a>(&'a self, from: &'a Path) -> Answer<'a, ()>;

    /// Numbers for metrics.
    fn stats(&self) -> EngineStats;
}

/// Numbers for metrics, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Commits done.
    pub commits: u64,
    /// Groups of commits that shared one sync.
    pub groups: u64,
    /// Microseconds spent in making groups durable.
    pub sync_micros: u64,
    /// Whether the last commit was refused for want of space.
    pub full: bool,
    /// Commits waiting now.
    pub waiting: u64,
    /// Reads answered from memory.
    pub cache_hits: u64,
    /// Reads that went to the file.
    pub cache_misses: u64,
}
