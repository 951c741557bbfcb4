//! The shared memory of one database: regions at stable addresses and their locks.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::NonNull;

use super::locks::{HandleId, SHM_SLOTS, ShmLocks};

/// One zero-initialised region. SQLite reads and writes it from several threads through the raw
/// address; no Rust reference into it is ever made.
#[derive(Debug)]
struct Region {
    address: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the region is owned, freed once in `drop`, and its bytes are never touched from Rust; SQLite
// orders its own accesses with the locks and barriers of the VFS.
unsafe impl Send for Region {}

impl Region {
    /// None when memory is short or the size is zero or absurd.
    fn new(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes, 8).ok().filter(|layout| layout.size() > 0)?;
        // SAFETY: the layout's size is not zero.
        let address = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { address, layout })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed only here. SQLite has let go of the
        // address: regions are dropped when no handle maps them any more.
        unsafe { dealloc(self.address.as_ptr(), self.layout) }
    }
}

/// The shared memory of one database file.
#[derive(Debug, Default)]
pub(super) struct Shm {
    regions: Vec<Region>,
    users: BTreeSet<HandleId>,
    pub(super) locks: ShmLocks,
}

impl Shm {
    /// The address of region `index`, null when it does not exist and is not to be made; None when it cannot
    /// be made or the size differs from that of the other regions. The handle counts as a user from now on.
    pub(super) fn map(
        &mut self,
        handle: HandleId,
        index: usize,
        bytes: usize,
        extend: bool,
    ) -> Option<*mut c_void> {
        if self.regions.first().is_some_and(|region| region.layout.size() != bytes) {
            return None;
        }
        self.users.insert(handle);
        while extend && self.regions.len() <= index {
            self.regions.push(Region::new(bytes)?);
        }
        let address = self.regions.get(index).map(|region| region.address.as_ptr().cast());
        Some(address.unwrap_or(std::ptr::null_mut()))
    }

    /// Whether the handle maps this memory.
    pub(super) fn is_user(&self, handle: HandleId) -> bool {
        self.users.contains(&handle)
    }

    /// Ends the handle's use: its locks are released, and with the last user the memory is freed. The next
    /// user starts from zeros, as after the first opening of a stale shared-memory file.
    pub(super) fn unmap(&mut self, handle: HandleId) {
        self.locks.unlock(handle, 0..SHM_SLOTS);
        self.users.remove(&handle);
        if self.users.is_empty() {
            self.regions.clear();
        }
    }
}
