//! Test support shared by the crates of the workspace. Nothing here is part of the shipped program.

pub mod faulty_disk;
#[cfg(feature = "server")]
pub mod server;
