//! The lock tables of one file: database locks and shared-memory locks. Rules as documented for
//! `xLock` and `xShmLock` in `sqlite3.h`.

use std::collections::BTreeSet;
use std::ops::Range;

/// Identifies one open file handle of a disk.
pub(super) type HandleId = u64;

/// A lock that is held by somebody else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// How strongly a handle locks a database file; the order is SQLite's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// Who holds which database lock.
#[derive(Debug, Default)]
pub(super) struct FileLocks {
    shared: BTreeSet<HandleId>,
    // At most one handle is above Shared, at this level.
    writer: Option<(HandleId, Level)>,
}

impl FileLocks {
    /// The level at which the handle holds the file.
    pub(super) fn level(&self, handle: HandleId) -> Level {
        match self.writer {
            Some((holder, level)) if holder == handle => level,
            _ if self.shared.contains(&handle) => Level::Shared,
            _ => Level::None,
        }
    }

    /// Whether any handle is at Reserved or above.
    pub(super) fn reserved(&self) -> bool {
        self.writer.is_some()
    }

    /// Raises the handle to `wanted`; a level already held is kept. A request for Exclusive that only readers
    /// stand against leaves the handle at Pending, which keeps new readers out.
    pub(super) fn lock(&mut self, handle: HandleId, wanted: Level) -> Result<(), Busy> {
        if self.level(handle) >= wanted {
            return Ok(());
        }
        let other = self.writer.filter(|(holder, _)| *holder != handle).map(|(_, level)| level);
        if wanted == Level::Shared {
            if other.is_some_and(|level| level >= Level::Pending) {
                return Err(Busy);
            }
            self.shared.insert(handle);
            return Ok(());
        }
        if other.is_some() {
            return Err(Busy);
        }
        self.shared.insert(handle);
        if wanted == Level::Exclusive && self.shared.len() > 1 {
            self.writer = Some((handle, Level::Pending));
            return Err(Busy);
        }
        self.writer = Some((handle, wanted));
        Ok(())
    }

    /// Lowers the handle to Shared or None.
    pub(super) fn unlock(&mut self, handle: HandleId, to: Level) {
        if self.level(handle) <= to {
            return;
        }
        if self.writer.is_some_and(|(holder, _)| holder == handle) {
            self.writer = None;
        }
        if to == Level::None {
            self.shared.remove(&handle);
        }
    }
}

/// The number of shared-memory lock slots (`SQLITE_SHM_NLOCK`).
pub(super) const SHM_SLOTS: usize = 8;

#[derive(Debug, Default)]
struct Slot {
    shared: BTreeSet<HandleId>,
    exclusive: Option<HandleId>,
}

impl Slot {
    fn exclusive_elsewhere(&self, handle: HandleId) -> bool {
        self.exclusive.is_some_and(|holder| holder != handle)
    }

    fn shared_elsewhere(&self, handle: HandleId) -> bool {
        self.shared.iter().any(|holder| *holder != handle)
    }
}

/// Who holds which shared-memory lock.
#[derive(Debug, Default)]
pub(super) struct ShmLocks {
    slots: [Slot; SHM_SLOTS],
}

impl ShmLocks {
    fn range(&mut self, range: Range<usize>) -> &mut [Slot] {
        self.slots.get_mut(range).unwrap_or_default()
    }

    /// Takes every slot of the range for readers, or none.
    pub(super) fn lock_shared(&mut self, handle: HandleId, range: Range<usize>) -> Result<(), Busy> {
        let slots = self.range(range);
        if slots.iter().any(|slot| slot.exclusive_elsewhere(handle)) {
            return Err(Busy);
        }
        for slot in slots {
            slot.shared.insert(handle);
        }
        Ok(())
    }

    /// Takes every slot of the range for this handle alone, or none.
    pub(super) fn lock_exclusive(&mut self, handle: HandleId, range: Range<usize>) -> Result<(), Busy> {
        let slots = self.range(range);
        if slots.iter().any(|slot| slot.exclusive_elsewhere(handle) || slot.shared_elsewhere(handle)) {
            return Err(Busy);
        }
        for slot in slots {
            slot.exclusive = Some(handle);
        }
        Ok(())
    }

    /// Gives back what the handle holds in the range.
    pub(super) fn unlock(&mut self, handle: HandleId, range: Range<usize>) {
        for slot in self.range(range) {
            slot.shared.remove(&handle);
            if slot.exclusive == Some(handle) {
                slot.exclusive = None;
            }
        }
    }
}
