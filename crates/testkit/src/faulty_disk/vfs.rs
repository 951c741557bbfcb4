//! The callbacks of the VFS itself (`sqlite3_vfs`) and its registration.
//!
//! Contract with SQLite, on which the `SAFETY` comments rest: the VFS pointer passed to a callback is one
//! that was registered here; names are NUL-terminated; result pointers are valid for writes, or null
//! where null is checked for.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_vfs};

use super::core::{Core, OpenMode};
use super::file::{self, FileObject, OpenFile};
use super::storage::EntrySync;

const MAX_PATH_BYTES: c_int = 1024;

/// What `pAppData` points to.
struct AppData {
    // Weak, since the VFS description outlives the disk: see `Registration::drop`.
    disk: Weak<Mounted>,
    // SQLite's default VFS, for the clock and for sleeping; null when there is none.
    default: *mut sqlite3_vfs,
}

/// A disk that SQLite knows. Handles and open files share it, so that the VFS can be found by name as long
/// as a connection may need it (`ATTACH` and `VACUUM` look it up again).
pub(super) struct Mounted {
    pub(super) core: Core,
    registration: Registration,
}

impl Mounted {
    /// Registers a VFS under a name not used before.
    pub(super) fn new(core: Core) -> Arc<Self> {
        Arc::new_cyclic(|disk| Self { core, registration: Registration::new(disk.clone()) })
    }

    pub(super) fn name(&self) -> &str {
        &self.registration.name
    }
}

/// The entry of one disk in SQLite's list of VFSs; dropping takes it off the list.
struct Registration {
    name: String,
    vfs: *mut sqlite3_vfs,
}

// SAFETY: the pointer is only handed to `sqlite3_vfs_unregister`, which locks SQLite's list.
unsafe impl Send for Registration {}
// SAFETY: as above; shared references give out nothing but the name.
unsafe impl Sync for Registration {}

impl Registration {
    /// Should SQLite be unable to register (no memory for a mutex), opening by the name fails with its
    /// "no such vfs".
    fn new(disk: Weak<Mounted>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("faulty-disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let c_name = CString::new(name.as_str()).unwrap_or_default();
        // SAFETY: initialises the library if need be; a null name asks for the default VFS.
        let default = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        let vfs = Box::into_raw(Box::new(description(c_name, Box::new(AppData { disk, default }))));
        // SAFETY: the description, its name and its data are never freed.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        Self { name, vfs }
    }
}

impl Drop for Registration {
    // The description stays allocated: a connection may refer to it without an open file, and SQLite
    // offers no way to tell.
    fn drop(&mut self) {
        // SAFETY: the pointer was registered in `new` and is valid for ever.
        unsafe { ffi::sqlite3_vfs_unregister(self.vfs) };
    }
}

fn description(name: CString, data: Box<AppData>) -> sqlite3_vfs {
    sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<FileObject>() as c_int,
        mxPathname: MAX_PATH_BYTES,
        pNext: std::ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: Box::into_raw(data).cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: Some(dl_open),
        xDlError: Some(dl_error),
        // Never called: no library is ever open.
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(get_last_error),
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// # Safety
/// `vfs` was registered by [`Registration::new`].
unsafe fn app_data<'a>(vfs: *mut sqlite3_vfs) -> &'a AppData {
    // SAFETY: the caller's promise; the data is never freed nor changed.
    unsafe { &*(*vfs).pAppData.cast::<AppData>() }
}

/// # Safety
/// `vfs` was registered by [`Registration::new`].
unsafe fn disk_of(vfs: *mut sqlite3_vfs) -> Option<Arc<Mounted>> {
    // SAFETY: the caller's promise.
    unsafe { app_data(vfs) }.disk.upgrade()
}

/// None for null and for names that are not UTF-8.
///
/// # Safety
/// `name` is null or NUL-terminated and valid for the life of the result.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    object: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is ours; `name` is null or NUL-terminated.
    let (disk, path) = unsafe { (disk_of(vfs), text(name)) };
    let opened = match disk {
        Some(disk) if name.is_null() || path.is_some() => open_on(disk, path, flags),
        _ => Err(ffi::SQLITE_CANTOPEN),
    };
    let (code, opened) = match opened {
        Ok(open) => (ffi::SQLITE_OK, Some(open)),
        Err(code) => (code, None),
    };
    // SAFETY: SQLite allocated `szOsFile` bytes; `out_flags` is null or valid for writes.
    unsafe {
        file::init(object, opened);
        if !out_flags.is_null() {
            out_flags.write(flags);
        }
    }
    code
}

fn open_on(disk: Arc<Mounted>, path: Option<&str>, flags: c_int) -> Result<OpenFile, c_int> {
    const JOURNALS: c_int =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let has = |flag: c_int| flags & flag != 0;
    let mode = OpenMode {
        create: has(ffi::SQLITE_OPEN_CREATE),
        exclusive: has(ffi::SQLITE_OPEN_EXCLUSIVE),
        entry: if has(JOURNALS) { EntrySync::Directory } else { EntrySync::Own },
    };
    let handle = disk.core.open(path, mode)?;
    let delete_on_close = path.filter(|_| has(ffi::SQLITE_OPEN_DELETEONCLOSE)).map(str::to_owned);
    Ok(OpenFile { disk, handle, delete_on_close, keep_wal: AtomicBool::new(false) })
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: `vfs` is ours; `name` is NUL-terminated.
    match unsafe { (disk_of(vfs), text(name)) } {
        (Some(disk), Some(path)) => disk.core.delete(path, sync_directory != 0),
        _ => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    found: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is ours; `name` is NUL-terminated.
    let exists = match unsafe { (disk_of(vfs), text(name)) } {
        (Some(disk), Some(path)) => disk.core.exists(path),
        _ => Err(ffi::SQLITE_IOERR_ACCESS),
    };
    match exists {
        Ok(exists) => {
            // SAFETY: `found` is valid for writes. Every file is readable and writable.
            unsafe { found.write(c_int::from(exists)) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

/// Copies text and a NUL into a buffer of `capacity` bytes; false when it does not fit.
///
/// # Safety
/// `buffer` is valid for writes of `capacity` bytes.
unsafe fn copy_text(text: &str, capacity: c_int, buffer: *mut c_char) -> bool {
    if usize::try_from(capacity).is_ok_and(|capacity| text.len() < capacity) {
        // SAFETY: the text and its NUL fit, as just checked; the two do not overlap.
        unsafe {
            buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            buffer.add(text.len()).write(0);
        }
        return true;
    }
    false
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    capacity: c_int,
    buffer: *mut c_char,
) -> c_int {
    // SAFETY: `name` is NUL-terminated.
    let Some(path) = (unsafe { text(name) }) else { return ffi::SQLITE_CANTOPEN };
    let path = format!("/{}", path.trim_start_matches("./").trim_start_matches('/'));
    // SAFETY: SQLite hands in a buffer of `capacity` bytes.
    match unsafe { copy_text(&path, capacity, buffer) } {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_CANTOPEN,
    }
}

unsafe extern "C" fn dl_open(_vfs: *mut sqlite3_vfs, _name: *const c_char) -> *mut c_void {
    std::ptr::null_mut()
}

unsafe extern "C" fn dl_error(_vfs: *mut sqlite3_vfs, capacity: c_int, buffer: *mut c_char) {
    // SAFETY: SQLite hands in a buffer of `capacity` bytes.
    unsafe { copy_text("no extensions on this disk", capacity, buffer) };
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, count: c_int, buffer: *mut c_char) -> c_int {
    // SAFETY: `vfs` is ours.
    let (Some(disk), Ok(length)) = (unsafe { disk_of(vfs) }, usize::try_from(count)) else { return 0 };
    let mut bytes = vec![0; length];
    disk.core.random(&mut bytes);
    // SAFETY: SQLite hands in a buffer of `count` bytes, which does not overlap the vector.
    unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), length) };
    count
}

unsafe extern "C" fn sleep(vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: `vfs` is ours; the default VFS is null or stays valid.
    unsafe {
        let default = app_data(vfs).default;
        match default.as_ref().and_then(|default| default.xSleep) {
            Some(sleep) => sleep(default, microseconds),
            None => 0,
        }
    }
}

unsafe extern "C" fn current_time(vfs: *mut sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: `vfs` is ours; the default VFS is null or stays valid; `days` is valid for writes.
    unsafe {
        let default = app_data(vfs).default;
        match default.as_ref().and_then(|default| default.xCurrentTime) {
            Some(current_time) => current_time(default, days),
            None => ffi::SQLITE_ERROR,
        }
    }
}

unsafe extern "C" fn current_time_int64(vfs: *mut sqlite3_vfs, milliseconds: *mut sqlite3_int64) -> c_int {
    // SAFETY: `vfs` is ours; the default VFS is null or stays valid, and has this member from version 2 on;
    // `milliseconds` is valid for writes.
    unsafe {
        let default = app_data(vfs).default;
        match default.as_ref().filter(|default| default.iVersion >= 2).and_then(|vfs| vfs.xCurrentTimeInt64) {
            Some(current_time) => current_time(default, milliseconds),
            None => ffi::SQLITE_ERROR,
        }
    }
}

unsafe extern "C" fn get_last_error(_vfs: *mut sqlite3_vfs, _capacity: c_int, _buffer: *mut c_char) -> c_int {
    0
}
