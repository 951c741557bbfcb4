//! Memory that is given back.

/// Lets large blocks be mapped and unmapped one by one.
///
/// glibc raises its own limit for that each time such a block is freed, up to 32 MiB. Then the 7 MiB that
/// hashing a password takes stay with each thread that ever hashed one: some 100 MiB in all, measured.
/// Setting the limit keeps it where it is.
pub(crate) fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two numbers; it is called before any other thread is started.
    #[allow(unsafe_code, reason = "the C library has no safe way to say this")]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 * 1024);
    }
}
