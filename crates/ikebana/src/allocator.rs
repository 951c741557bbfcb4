//! Who hands out memory: creating objects is many small blocks, most of them freed by another thread than
//! the one that took them, which the C library's own allocator is slow at.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Gives back at once what is free, instead of when it is next looked at: starting takes more than staying.
pub(crate) fn give_back() {
    // SAFETY: it takes a flag and may be called at any time from any thread.
    #[allow(unsafe_code, reason = "the allocator has no safe way to say this")]
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
