//! The program: settings, command line and wiring. What it does is in the crates that it puts together.

mod allocator;
pub mod cli;
mod control;
mod data;
pub mod logging;
mod pid;
mod serve;
pub mod settings;
mod wiring;

pub use data::{DataError, DataFolder, LockedFolder};
pub use wiring::{Config, Program, StartError, document};

/// The version of the API that the server says it speaks.
pub const API_VERSION: &str = "8.19.0";
/// The program's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
