//! The program: settings, command line and wiring. What it does is in the crates that it puts together.

mod control;
mod data;
mod serve;
mod wiring;

pub use data::{DataError, DataFolder};
pub use wiring::{Config, Program, StartError, document};

/// The version of the API that the server says it speaks.
pub const API_VERSION: &str = "8.19.0";
/// The program's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
