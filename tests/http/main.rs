//! The whole program over HTTP.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on ends, and says what it left out"
)]

mod api;
mod conventions;
mod internal;
mod metrics;
mod openapi;
mod page;
mod support;
