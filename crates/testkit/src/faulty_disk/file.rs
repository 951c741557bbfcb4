//! The callbacks of an open file (`sqlite3_io_methods`): conversions only, the work is in `core`.
//!
//! Contract with SQLite, on which every `SAFETY` comment below rests: a file object passed to a callback was
//! filled by [`init`] and not yet closed; pointers to buffers and results are valid for the stated length;
//! calls on one file object do not overlap.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use super::core::Handle;
use super::locks::Level;
use super::storage::SECTOR_BYTES;
use super::vfs::Mounted;

/// What SQLite allocates for every file (`szOsFile` bytes); starts with the part it knows.
#[repr(C)]
pub(super) struct FileObject {
    base: sqlite3_file,
    open: *mut OpenFile,
}

/// One open file of a disk.
pub(super) struct OpenFile {
    pub(super) disk: Arc<Mounted>,
    pub(super) handle: Handle,
    pub(super) delete_on_close: Option<String>,
    pub(super) keep_wal: AtomicBool,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Version 2 has shared memory and no memory mapping.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Fills a file object; without a file it is marked as not to be closed.
///
/// # Safety
/// `object` is valid for writes of a [`FileObject`].
pub(super) unsafe fn init(object: *mut sqlite3_file, open: Option<OpenFile>) {
    let filled = match open {
        None => FileObject { base: sqlite3_file { pMethods: std::ptr::null() }, open: std::ptr::null_mut() },
        Some(open) => {
            FileObject { base: sqlite3_file { pMethods: &METHODS }, open: Box::into_raw(Box::new(open)) }
        }
    };
    // SAFETY: the caller's promise; SQLite allocates `szOsFile` bytes, aligned for pointers.
    unsafe { object.cast::<FileObject>().write(filled) }
}

/// # Safety
/// `object` was filled by [`init`] with a file and is not closed during the life of the reference.
unsafe fn open_file<'a>(object: *mut sqlite3_file) -> &'a OpenFile {
    // SAFETY: the caller's promise; only shared references are ever made, `close` excepted.
    unsafe { &*(*object.cast::<FileObject>()).open }
}

fn level(code: c_int) -> Level {
    match code {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

/// Stores a value through a result pointer and gives the code to return.
///
/// # Safety
/// `target` is valid for writes.
unsafe fn answer<T>(target: *mut T, outcome: Result<T, c_int>) -> c_int {
    match outcome {
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { target.write(value) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn close(object: *mut sqlite3_file) -> c_int {
    // SAFETY: the object holds the box made in `init`; SQLite closes once and does not use the object again.
    let open = unsafe { Box::from_raw((*object.cast::<FileObject>()).open) };
    open.disk.core.close(open.handle, open.delete_on_close.as_deref());
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    object: *mut sqlite3_file,
    buffer: *mut c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), usize::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: `buffer` has `amount` bytes, but maybe uninitialised ones: they are zeroed before a slice is made.
    let bytes = unsafe {
        buffer.cast::<u8>().write_bytes(0, amount);
        std::slice::from_raw_parts_mut(buffer.cast::<u8>(), amount)
    };
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.read(open.handle, offset, bytes)
}

unsafe extern "C" fn write(
    object: *mut sqlite3_file,
    buffer: *const c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), usize::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite hands in `amount` readable bytes.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), amount) };
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.write(open.handle, offset, bytes)
}

unsafe extern "C" fn truncate(object: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let Ok(length) = usize::try_from(size) else { return ffi::SQLITE_IOERR_TRUNCATE };
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.truncate(open.handle, length)
}

unsafe extern "C" fn sync(object: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.sync(open.handle)
}

unsafe extern "C" fn file_size(object: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    let length = open.disk.core.size(open.handle);
    let length = length.and_then(|bytes| bytes.try_into().map_err(|_| ffi::SQLITE_IOERR_FSTAT));
    // SAFETY: `size` is valid for writes.
    unsafe { answer(size, length) }
}

unsafe extern "C" fn lock(object: *mut sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.lock(open.handle, level(wanted))
}

unsafe extern "C" fn unlock(object: *mut sqlite3_file, to: c_int) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.unlock(open.handle, level(to));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(object: *mut sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    // SAFETY: `reserved` is valid for writes.
    unsafe { answer(reserved, open.disk.core.reserved(open.handle).map(c_int::from)) }
}

unsafe extern "C" fn file_control(
    object: *mut sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    match operation {
        ffi::SQLITE_FCNTL_LOCKSTATE => {
            let state = open.disk.core.level(open.handle) as c_int;
            // SAFETY: the argument of this operation points to an int.
            unsafe { answer(argument.cast(), Ok(state)) }
        }
        ffi::SQLITE_FCNTL_PERSIST_WAL => {
            // SAFETY: the argument of this operation points to an int: 0, 1, or -1 to ask.
            let wanted = unsafe { argument.cast::<c_int>().read() };
            if wanted >= 0 {
                open.keep_wal.store(wanted != 0, Ordering::Relaxed);
                return ffi::SQLITE_OK;
            }
            // SAFETY: as above.
            unsafe { answer(argument.cast(), Ok(c_int::from(open.keep_wal.load(Ordering::Relaxed)))) }
        }
        _ => ffi::SQLITE_NOTFOUND,
    }
}

unsafe extern "C" fn sector_size(_object: *mut sqlite3_file) -> c_int {
    SECTOR_BYTES as c_int
}

unsafe extern "C" fn device_characteristics(_object: *mut sqlite3_file) -> c_int {
    0
}

unsafe extern "C" fn shm_map(
    object: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    // Volatile in C, a plain pointer here.
    address: *mut *mut c_void,
) -> c_int {
    let (Ok(region), Ok(size)) = (usize::try_from(region), usize::try_from(size)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    let mapped = open.disk.core.shm_map(open.handle, region, size, extend != 0);
    // SAFETY: `address` is valid for writes.
    unsafe { answer(address, mapped) }
}

unsafe extern "C" fn shm_lock(object: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    let (Ok(offset), Ok(count)) = (usize::try_from(offset), usize::try_from(count)) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.shm_lock(open.handle, offset..offset.saturating_add(count), flags)
}

unsafe extern "C" fn shm_barrier(object: *mut sqlite3_file) {
    // SAFETY: an open file, see the module.
    unsafe { open_file(object) }.disk.core.shm_barrier();
}

unsafe extern "C" fn shm_unmap(object: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open file, see the module.
    let open = unsafe { open_file(object) };
    open.disk.core.shm_unmap(open.handle);
    ffi::SQLITE_OK
}
