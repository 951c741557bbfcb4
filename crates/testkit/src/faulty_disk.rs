//! A disk with a volatile write cache, in memory, as a VFS under SQLite.
//!
//! A [`Disk`] registers a VFS of its own name. Connections opened through it see ordinary files,
//! locks and WAL shared memory; the test sees what a real disk hides: which bytes would survive a
//! loss of power at this very moment, and it can lose power, fill up or fail on demand.
//!
//! # What is durable
//!
//! * Every file has a durable image and an ordered list of writes and truncations since the last
//!   successful sync. Reads see the newest content; a sync moves the list into the image.
//! * After a loss of power every listed change is kept, dropped or torn independently of the others,
//!   since a cache may write its sectors in any order. A torn write leaves a prefix of its sectors, or
//!   any subset of them. A sector (512 bytes, aligned in the file) is atomic, and bytes of a sector
//!   outside the write keep their value. Holes read as zeros.
//! * A failed sync makes nothing durable; a later one may still succeed. With
//!   [`Disk::lose_on_failed_sync`] it loses changes for good, as Linux file systems may: each change of the
//!   file is kept, dropped or torn at once, reads still show all of them, and a later sync does not write the
//!   lost ones. SQLite does not survive that if it goes on: on a device without power-safe overwrite the
//!   log ends in padding that only the next sync covers, and when a checkpoint's sync loses it, later
//!   commits are unreachable after a crash although they were acknowledged.
//! * A new directory entry becomes durable with the first successful sync of its file. For rollback
//!   journals and write-ahead logs that first sync covers the whole directory, as in SQLite's VFS for
//!   Unix: every earlier creation and deletion in the directory becomes durable too.
//! * A deletion takes effect at once for readers. It becomes durable when asked to (`syncDir`), with a
//!   later directory sync as above, or with the sync of a new file of the same name. Until then
//!   the deleted file may be back after a crash, with its durable content.
//! * Files without a name (temporary databases, statement journals) never survive.
//!
//! # Loss of power
//!
//! Writes, truncations, syncs and deletions are *operations* and are counted. At a chosen operation
//! ([`Disk::cut_after`]), at a random one ([`Disk::cut_randomly`]) or at once ([`Disk::power_cut`]) the
//! power goes: that operation may or may not reach the platter, wholly or in part; it and everything
//! after it, reads included, is answered with `SQLITE_IOERR`. Only releasing locks and closing still
//! work, so that connections can be dropped. [`Disk::crash_image`] then gives the disk as found when
//! power is back. Shared memory and locks never survive.
//!
//! # Limits
//!
//! Files of at most 1 GiB ([`MAX_FILE_BYTES`]); no memory mapping; no atomic-write or power-safe-overwrite
//! promise; no extension loading. The description of a VFS that SQLite itself keeps (some hundred bytes) is
//! never freed, because a connection may hold on to it without an open file.
//!
//! SQLite draws its own random numbers (such as WAL salts) from the process-wide generator, which is not
//! seeded here: with the same seeds the same operations survive, but the file bytes may differ.
#![allow(unsafe_code)]

mod core;
mod file;
mod locks;
mod rng;
mod shm;
mod storage;
#[cfg(test)]
mod tests;
mod vfs;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};

use self::core::Core;
use self::storage::Storage;
use self::vfs::Mounted;

pub use self::rng::Rng;
pub use self::storage::{MAX_FILE_BYTES, SECTOR_BYTES};

/// What a disk has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Operations started: writes, truncations, syncs and deletions, failed ones included, up to and
    /// including the one during which the power was lost.
    pub operations: u64,
    /// Writes that succeeded.
    pub writes: u64,
    /// Truncations that succeeded.
    pub truncates: u64,
    /// Syncs of a file that succeeded.
    pub syncs: u64,
    /// Deletions that succeeded.
    pub deletes: u64,
}

/// A handle to a simulated disk; clones are handles to the same disk.
///
/// The VFS is unregistered when the last handle is dropped and no file is open; until then open connections
/// keep working.
#[derive(Clone)]
pub struct Disk {
    mounted: Arc<Mounted>,
}

impl Disk {
    /// An empty disk, powered and without faults. The seed feeds the VFS's randomness and
    /// the fate of changes lost in a failed sync.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_storage(Storage::default(), seed)
    }

    fn with_storage(storage: Storage, seed: u64) -> Self {
        Self { mounted: Mounted::new(Core::new(storage, seed)) }
    }

    /// The name under which SQLite knows this disk; unique in the process.
    #[must_use]
    pub fn vfs_name(&self) -> &str {
        self.mounted.name()
    }

    /// Opens a database file on this disk, read-write, created when missing.
    ///
    /// # Errors
    /// What SQLite answers, `SQLITE_IOERR` after a loss of power.
    pub fn open(&self, path: &str) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(path, flags, self.vfs_name())
    }

    /// Loses power now, between operations.
    pub fn power_cut(&self) {
        self.mounted.core.power_cut();
    }

    /// Lets `operations` more operations start and end; the next one after them loses power.
    /// Replaces an earlier plan.
    pub fn cut_after(&self, operations: u64) {
        self.mounted.core.cut_after(operations);
    }

    /// From now on each operation loses power with probability 1/`one_in`, drawn from `seed`; `one_in` = 0
    /// is never. Replaces an earlier plan.
    pub fn cut_randomly(&self, one_in: u64, seed: u64) {
        self.mounted.core.cut_randomly(one_in, Rng::new(seed));
    }

    /// Whether the power is lost.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.mounted.core.is_cut()
    }

    /// The disk as found when power returns after being lost right now: powered, without faults or
    /// plans, nothing open, everything on it durable. This disk is left as it is, so many images can be
    /// drawn from one state. The same state and generator give the same image.
    #[must_use]
    pub fn crash_image(&self, rng: &mut Rng) -> Self {
        let storage = self.mounted.core.crash(rng);
        Self::with_storage(storage, rng.next_u64())
    }

    /// While set, writes and truncations that would grow a file fail with `SQLITE_FULL`.
    pub fn set_full(&self, full: bool) {
        self.mounted.core.set_full(full);
    }

    /// While set, every write fails with `SQLITE_IOERR_WRITE` and changes nothing.
    pub fn fail_writes(&self, fail: bool) {
        self.mounted.core.fail_writes(fail);
    }

    /// Makes one sync fail with `SQLITE_IOERR_FSYNC`: the `n`-th from now, 1 being the next; 0 takes an earlier
    /// request back.
    pub fn fail_sync(&self, n: u64) {
        self.mounted.core.fail_sync(n);
    }

    /// Whether a failed sync loses changes for good, see the module; off at first.
    pub fn lose_on_failed_sync(&self, lose: bool) {
        self.mounted.core.lose_on_failed_sync(lose);
    }

    /// Counts since the disk was made.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.mounted.core.stats()
    }

    /// Every named file by its absolute path, with the newest content, synced or not.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.mounted.core.files()
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("vfs_name", &self.vfs_name())
            .field("cut", &self.is_cut())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
