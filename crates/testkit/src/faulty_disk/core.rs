//! One disk behind its lock: power, faults, open files. The VFS callbacks are thin shells around this.
//! Methods that SQLite calls answer with SQLite result codes.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::Stats;
use super::locks::{Busy, FileLocks, HandleId, Level, SHM_SLOTS};
use super::rng::Rng;
use super::shm::Shm;
use super::storage::{EntrySync, FileId, MAX_FILE_BYTES, Storage};

/// An open file: who, and which file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    id: HandleId,
    file: FileId,
}

/// How a file is to be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenMode {
    pub(super) create: bool,
    pub(super) exclusive: bool,
    pub(super) entry: EntrySync,
}

#[derive(Debug)]
enum CutPlan {
    Never,
    After(u64),
    OneIn(u64, Rng),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    On,
    /// Goes during this operation.
    Going,
    Off,
}

#[derive(Debug, Default)]
struct OpenState {
    handles: u64,
    locks: FileLocks,
    shm: Shm,
}

#[derive(Debug)]
struct State {
    storage: Storage,
    open: BTreeMap<FileId, OpenState>,
    next_handle: HandleId,
    rng: Rng,
    cut: bool,
    plan: CutPlan,
    full: bool,
    failing_writes: bool,
    failing_sync: u64,
    lossy_sync: bool,
    stats: Stats,
}

/// The state of one disk.
#[derive(Debug)]
pub(super) struct Core {
    state: Mutex<State>,
}

impl State {
    fn start_operation(&mut self) -> Power {
        if self.cut {
            return Power::Off;
        }
        self.stats.operations += 1;
        let going = match &mut self.plan {
            CutPlan::Never => false,
            CutPlan::After(0) => true,
            CutPlan::After(left) => {
                *left -= 1;
                false
            }
            CutPlan::OneIn(one_in, rng) => *one_in > 0 && rng.below(*one_in) == 0,
        };
        self.cut = going;
        if going { Power::Going } else { Power::On }
    }

    fn growth_fault(&self, file: FileId, length: usize) -> c_int {
        let grows = length > self.storage.length(file);
        if (self.full && grows) || length > MAX_FILE_BYTES { ffi::SQLITE_FULL } else { ffi::SQLITE_OK }
    }

    fn next_sync_fails(&mut self) -> bool {
        let fails = self.failing_sync == 1;
        self.failing_sync = self.failing_sync.saturating_sub(1);
        fails
    }

    fn collect(&mut self) {
        self.open.retain(|_, open| open.handles > 0);
        let open = &self.open;
        self.storage.collect(|file| open.contains_key(&file));
    }
}

impl Core {
    pub(super) fn new(storage: Storage, seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                storage,
                open: BTreeMap::new(),
                next_handle: 0,
                rng: Rng::new(seed),
                cut: false,
                plan: CutPlan::Never,
                full: false,
                failing_writes: false,
                failing_sync: 0,
                lossy_sync: false,
                stats: Stats::default(),
            }),
        }
    }

    // Nothing panics while holding the lock; were it to, the state is still usable for a test's report.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn power_cut(&self) {
        self.state().cut = true;
    }

    pub(super) fn cut_after(&self, operations: u64) {
        self.state().plan = CutPlan::After(operations);
    }

    pub(super) fn cut_randomly(&self, one_in: u64, rng: Rng) {
        self.state().plan = CutPlan::OneIn(one_in, rng);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.state().cut
    }

    pub(super) fn crash(&self, rng: &mut Rng) -> Storage {
        self.state().storage.crash(rng)
    }

    pub(super) fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    pub(super) fn fail_writes(&self, fail: bool) {
        self.state().failing_writes = fail;
    }

    pub(super) fn fail_sync(&self, n: u64) {
        self.state().failing_sync = n;
    }

    pub(super) fn lose_on_failed_sync(&self, lose: bool) {
        self.state().lossy_sync = lose;
    }

    pub(super) fn stats(&self) -> Stats {
        self.state().stats
    }

    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().storage.contents()
    }

    pub(super) fn random(&self, buffer: &mut [u8]) {
        self.state().rng.fill(buffer);
    }

    /// Opens a file, an unnamed one when there is no path.
    pub(super) fn open(&self, path: Option<&str>, mode: OpenMode) -> Result<Handle, c_int> {
        let mut state = self.state();
        if state.cut {
            return Err(ffi::SQLITE_IOERR);
        }
        let file = match path.map(|path| (path, state.storage.find(path))) {
            None => state.storage.create_unnamed(),
            Some((_, Some(_))) if mode.create && mode.exclusive => return Err(ffi::SQLITE_CANTOPEN),
            Some((_, Some(file))) => file,
            Some((_, None)) if !mode.create => return Err(ffi::SQLITE_CANTOPEN),
            Some((path, None)) => state.storage.create(path, mode.entry),
        };
        let id = state.next_handle;
        state.next_handle += 1;
        state.open.entry(file).or_default().handles += 1;
        Ok(Handle { id, file })
    }

    /// Closes a handle with everything it holds, and deletes the file when a path is given.
    pub(super) fn close(&self, handle: Handle, delete: Option<&str>) {
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(&handle.file) {
            open.locks.unlock(handle.id, Level::None);
            open.shm.unmap(handle.id);
            open.handles = open.handles.saturating_sub(1);
        }
        if let Some(path) = delete.filter(|path| state.storage.find(path) == Some(handle.file)) {
            state.storage.delete(path);
        }
        state.collect();
    }

    pub(super) fn delete(&self, path: &str, sync_directory: bool) -> c_int {
        let mut state = self.state();
        let power = state.start_operation();
        if power == Power::Off {
            return ffi::SQLITE_IOERR;
        }
        let deleted = state.storage.delete(path);
        if power == Power::Going {
            return ffi::SQLITE_IOERR;
        }
        if !deleted {
            return ffi::SQLITE_IOERR_DELETE_NOENT;
        }
        if sync_directory {
            state.storage.sync_directory_of(path);
        }
        state.stats.deletes += 1;
        state.collect();
        ffi::SQLITE_OK
    }

    /// Whether the file exists.
    pub(super) fn exists(&self, path: &str) -> Result<bool, c_int> {
        let state = self.state();
        if state.cut { Err(ffi::SQLITE_IOERR) } else { Ok(state.storage.find(path).is_some()) }
    }

    /// Fills the buffer; what the file does not have reads as zeros and is a short read.
    pub(super) fn read(&self, handle: Handle, offset: usize, buffer: &mut [u8]) -> c_int {
        let state = self.state();
        if state.cut {
            return ffi::SQLITE_IOERR;
        }
        let length = state.storage.read(handle.file, offset, buffer);
        match buffer.get_mut(length..).filter(|missing| !missing.is_empty()) {
            None => ffi::SQLITE_OK,
            Some(missing) => {
                missing.fill(0);
                ffi::SQLITE_IOERR_SHORT_READ
            }
        }
    }

    pub(super) fn write(&self, handle: Handle, offset: usize, data: &[u8]) -> c_int {
        let mut state = self.state();
        let power = state.start_operation();
        if power == Power::Off {
            return ffi::SQLITE_IOERR;
        }
        let fault = match state.failing_writes {
            true => ffi::SQLITE_IOERR_WRITE,
            false => state.growth_fault(handle.file, offset.saturating_add(data.len())),
        };
        if fault == ffi::SQLITE_OK {
            state.storage.write(handle.file, offset, data);
        }
        if power == Power::Going {
            return ffi::SQLITE_IOERR;
        }
        state.stats.writes += u64::from(fault == ffi::SQLITE_OK);
        fault
    }

    pub(super) fn truncate(&self, handle: Handle, length: usize) -> c_int {
        let mut state = self.state();
        let power = state.start_operation();
        if power == Power::Off {
            return ffi::SQLITE_IOERR;
        }
        let fault = state.growth_fault(handle.file, length);
        if fault == ffi::SQLITE_OK {
            state.storage.truncate(handle.file, length);
        }
        if power == Power::Going {
            return ffi::SQLITE_IOERR;
        }
        state.stats.truncates += u64::from(fault == ffi::SQLITE_OK);
        fault
    }

    // A sync interrupted by the loss of power leaves its changes pending: any part of them may have got through.
    pub(super) fn sync(&self, handle: Handle) -> c_int {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.start_operation() != Power::On {
            return ffi::SQLITE_IOERR;
        }
        if state.next_sync_fails() {
            if state.lossy_sync {
                state.storage.lose_pending(handle.file, &mut state.rng);
            }
            return ffi::SQLITE_IOERR_FSYNC;
        }
        state.storage.sync(handle.file);
        state.stats.syncs += 1;
        state.collect();
        ffi::SQLITE_OK
    }

    pub(super) fn size(&self, handle: Handle) -> Result<usize, c_int> {
        let state = self.state();
        if state.cut { Err(ffi::SQLITE_IOERR) } else { Ok(state.storage.length(handle.file)) }
    }

    pub(super) fn lock(&self, handle: Handle, level: Level) -> c_int {
        let mut state = self.state();
        if state.cut {
            return ffi::SQLITE_IOERR;
        }
        busy_code(&state.open.entry(handle.file).or_default().locks.lock(handle.id, level))
    }

    pub(super) fn unlock(&self, handle: Handle, level: Level) {
        if let Some(open) = self.state().open.get_mut(&handle.file) {
            open.locks.unlock(handle.id, level);
        }
    }

    pub(super) fn level(&self, handle: Handle) -> Level {
        self.state().open.get(&handle.file).map_or(Level::None, |open| open.locks.level(handle.id))
    }

    pub(super) fn reserved(&self, handle: Handle) -> Result<bool, c_int> {
        let state = self.state();
        if state.cut {
            return Err(ffi::SQLITE_IOERR);
        }
        Ok(state.open.get(&handle.file).is_some_and(|open| open.locks.reserved()))
    }

    /// The address of a shared-memory region, null when it is missing and not to be made.
    pub(super) fn shm_map(
        &self,
        handle: Handle,
        index: usize,
        bytes: usize,
        extend: bool,
    ) -> Result<*mut c_void, c_int> {
        let mut state = self.state();
        if state.cut {
            return Err(ffi::SQLITE_IOERR);
        }
        let shm = &mut state.open.entry(handle.file).or_default().shm;
        shm.map(handle.id, index, bytes, extend).ok_or(ffi::SQLITE_IOERR_SHMMAP)
    }

    /// `flags` is LOCK or UNLOCK with SHARED or EXCLUSIVE, as for `xShmLock`.
    pub(super) fn shm_lock(&self, handle: Handle, slots: Range<usize>, flags: c_int) -> c_int {
        let mut state = self.state();
        let cut = state.cut;
        let shm = &mut state.open.entry(handle.file).or_default().shm;
        if slots.end > SHM_SLOTS || !shm.is_user(handle.id) {
            return ffi::SQLITE_IOERR_SHMLOCK;
        }
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            shm.locks.unlock(handle.id, slots);
            return ffi::SQLITE_OK;
        }
        if cut {
            return ffi::SQLITE_IOERR;
        }
        busy_code(&match flags & ffi::SQLITE_SHM_EXCLUSIVE {
            0 => shm.locks.lock_shared(handle.id, slots),
            _ => shm.locks.lock_exclusive(handle.id, slots),
        })
    }

    pub(super) fn shm_unmap(&self, handle: Handle) {
        if let Some(open) = self.state().open.get_mut(&handle.file) {
            open.shm.unmap(handle.id);
        }
    }

    /// Orders memory accesses before the call against those after it, in every thread that calls it.
    pub(super) fn shm_barrier(&self) {
        drop(self.state());
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    }
}

fn busy_code(outcome: &Result<(), Busy>) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(Busy) => ffi::SQLITE_BUSY,
    }
}
